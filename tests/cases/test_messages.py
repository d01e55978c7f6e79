"""The corpus: each message reads, is found at fault, is translated and is written back as the JSON beside it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.formats.iso15022.writer import write
from pg_bridge.link.framing import Frame, FrameReader, Framing, Header
from pg_bridge.link.profile import read_link_profile
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.translated import Request
from pg_bridge.profiles.legacy import read_legacy_profile
from tests.doubles.mapping_files import shipped

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests/messages"
MESSAGES = sorted(path.stem for path in FOLDER.glob("*.fin"))
FRAMES = sorted(path.stem for path in FOLDER.glob("*.frame"))
TEMPLATES = read_legacy_profile(shipped()).templates
#: where the length stands in a frame: behind `{1:01`, participant 6, terminal 4, session 10, sequence 6
LENGTH = slice(31, 37)
MESSAGE_TYPES = frozenset(["530", "537", "540", "541", "542", "543", "544", "545", "546", "547", "548", "549", "598"])
KEYS = {"about", "message_type", "template", "findings", "reading"}


@cache
def expectation(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def body_of(name: str) -> bytes:
    return (FOLDER / f"{name}.fin").read_bytes()


def raw_of(name: str) -> bytes:
    return (FOLDER / f"{name}.frame").read_bytes()


def text_of(raw: bytes) -> bytes:
    return raw.split(b"{4:\r\n", 1)[1].split(b"-}{5:", 1)[0]


def reading_of(body: bytes) -> list[dict[str, Any]]:
    named = ("line", "path", "tag", "qualifier", "scheme", "value")
    return [{key: getattr(field, key) for key in named} for field in read(body).fields]


def told(findings: Iterable[Finding]) -> Counter[tuple[str, str, str, int]]:
    return Counter((finding.code, finding.severity, finding.path, finding.line) for finding in findings)


def due(name: str, part: str = "findings") -> Counter[tuple[str, str, str, int]]:
    return Counter((f["code"], f["severity"], f["path"], f["line"]) for f in expectation(name)[part])


def request_of(name: str, book: MappingBook) -> Request:
    held = expectation(name)
    return book.read_request(held["template"], held["message_type"], body_of(name), held["context"])


HELD = [name for name in MESSAGES if expectation(name)["template"]]
GOOD = [name for name in HELD if not expectation(name)["findings"]]
TRANSLATED = [name for name in MESSAGES if "document" in expectation(name)]
REFUSED = [name for name in MESSAGES if "refused" in expectation(name)]


@pytest.fixture(scope="module")
def framing() -> Framing:
    return Framing(read_link_profile(shipped()["legacy/framing.toml"]))


@pytest.fixture(scope="module")
def book() -> MappingBook:
    return load(shipped())


def test_there_are_150_messages_of_every_type():
    assert len(MESSAGES) >= 150
    assert set(MESSAGE_TYPES) == {expectation(name)["message_type"] for name in MESSAGES}


def test_every_expectation_has_its_message_and_its_parts():
    expected = {path.stem for path in FOLDER.glob("*.json") if not path.stem.startswith("event_")}

    assert expected == {*MESSAGES, *FRAMES}
    assert len(MESSAGES) + len(FRAMES) == len(expected)
    for name in expected:
        parts = set(expectation(name))
        faults = expectation(name)["findings"] + expectation(name).get("refused", [])
        assert parts - {"header", "context", "document", "refused"} == KEYS, name
        assert bool(parts & {"document", "refused"}) == ("context" in parts), name
        assert not {"document", "refused"} <= parts, name
        assert ("header" in parts) == (name in FRAMES), name
        assert faults or "_wrong_" not in name or name in FRAMES, name


@pytest.mark.parametrize("name", MESSAGES)
def test_message_reads_as_it_should(name: str):
    assert expectation(name)["reading"] == reading_of(body_of(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_written_back_byte_for_byte(name: str):
    """Where the CRLF of the last line is missing, it is added: a text block without one cannot stand in a frame."""
    body = body_of(name)
    ended = body + b"\r\n" if "PGB-MSG-011" in {code for code, *_ in due(name)} else body

    assert ended == write(read(body).fields)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_fault_is_found_and_nothing_else(name: str):
    """Against its template, where the message has one; else those that the reader alone finds."""
    message, held = read(body_of(name)), expectation(name)
    findings = message.findings
    if held["template"]:
        findings = TEMPLATES[held["template"]].check(held["message_type"], message).findings

    assert due(name) == told(findings)


@pytest.mark.parametrize("name", TRANSLATED)
def test_request_becomes_its_document(name: str, book: MappingBook):
    held = expectation(name)
    request = request_of(name, book)
    sections = [located.file.request for located in book.rules.files if located.file.request]
    schema = next(section.schema for section in sections if section.template == held["template"])

    assert request.findings == ()
    assert held["document"] == {key: value for key, value in request.document.items() if value is not None}
    assert [] == list(book.ocp.faults(schema, request.document))


@pytest.mark.parametrize("name", REFUSED)
def test_request_is_refused_by_the_rules(name: str, book: MappingBook):
    """For what the template cannot tell, beside all that it finds."""
    request = request_of(name, book)

    assert due(name) + due(name, "refused") == told(request.findings)
    assert {} == request.document


def test_every_rule_that_refuses_has_its_message(book: MappingBook):
    sections = [located.file.request for located in book.rules.files if located.file.request is not None]
    rules = [
        (section.template, rule.refused, rule.sources())
        for section in sections
        for rule in (*section.rule, *(rule for each in section.each for rule in each.rule))
        if rule.refused
    ]
    found = {
        (request.template, finding.text, finding.path)
        for request in (request_of(name, book) for name in REFUSED)
        for finding in request.findings
    }

    assert len(rules) >= 10
    assert [] == [rule for rule in rules if not {(*rule[:2], source) for source in rule[2]} & found]


def test_every_code_of_reader_and_template_check_is_due_somewhere():
    """The codes as they stand in the sources, so that a new one asks for a message."""
    files = [*ROOT.glob("pg_bridge/formats/iso15022/*.py"), ROOT / "pg_bridge/profiles/template.py"]
    codes = {code for path in files for code in re.findall(r"PGB-MSG-\d{3}", path.read_text(encoding="utf-8"))}

    assert len(codes) >= 18
    assert codes == {finding["code"] for name in MESSAGES for finding in expectation(name)["findings"]}


def places(node: Any) -> set[str]:
    """Every place that a message type has below a sequence."""
    children = [child for candidates in node.children.values() for _, _, child in candidates]
    return {rule.place for rule in node.rules.values()}.union(*map(places, children))


def filled(name: str) -> set[str]:
    """The places of the template that stand in a message, as the check finds them."""
    held = expectation(name)
    return set(TEMPLATES[held["template"]].check(held["message_type"], read(body_of(name))).values)


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_field_of_a_template_stands_in_a_good_message(template: str):
    """In each message type that may have it."""
    good = [name for name in GOOD if expectation(name)["template"] == template]
    stand = {(expectation(name)["message_type"], place) for name in good for place in filled(name)}
    nodes = TEMPLATES[template].nodes

    assert {(type_, place) for type_ in nodes for place in places(nodes[type_])} == stand


@pytest.mark.parametrize("name", FRAMES)
def test_frame_counts_and_sums_right(name: str):
    """The length counts from `{4` to `-}` without the opening `:` CR LF; the sum runs from the first brace to `-}`."""
    raw = raw_of(name)
    covered, _, trailer = raw.partition(b"{5:")
    counted = covered[covered.index(b"{4:") :]
    total = 0
    for byte in covered:
        total += byte

    assert len(counted) - 3 == int(raw[LENGTH])
    assert b"%010d}" % (total % 10**10) == trailer


@pytest.mark.parametrize("name", FRAMES)
def test_frame_is_read_without_faults(name: str, framing: Framing):
    raw = raw_of(name)
    expected = expectation(name)
    (frame,) = FrameReader(framing).feed(raw)

    assert isinstance(frame, Frame)
    assert frame.faults == ()
    assert expected["header"] == {key: getattr(frame, key) for key in expected["header"]}
    assert set(Header._fields) == set(expected["header"])
    assert raw == frame.raw
    assert text_of(raw) == frame.body
    assert expected["reading"] == reading_of(frame.body)


@pytest.mark.parametrize("name", FRAMES)
def test_frame_is_written_back_byte_for_byte(name: str, framing: Framing):
    raw = raw_of(name)
    header = Header(**expectation(name)["header"])

    assert raw == framing.write(header, write(read(text_of(raw)).fields))


def test_frames_in_a_stream_of_single_bytes(framing: Framing):
    raws = [raw_of(name) for name in FRAMES]
    reader = FrameReader(framing)
    found = []
    for byte in b"\r\n".join(raws):
        found += reader.feed(bytes([byte]))

    assert raws == [frame.raw for frame in found]
