"""The reader: one test a finding, any text comes back, and no bytes make it raise."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.charset import X_BYTES
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import MOST_FINDINGS, MOST_OPEN, STRAY, _fields, read
from pg_bridge.formats.iso15022.writer import fresh, write
from tests.doubles.mapping_files import crlf

GOOD = crlf("""
:16R:GENL
:20C::SEME//B0123400001
:23G:NEWM
:16R:LINK
:20C::POOL//202611230000001
:16S:LINK
:16S:GENL
:16R:TRADDET
:35B:ISIN HK0005000002
/HK/00005
:98A::SETT//20261125
:16S:TRADDET
:16R:SETDET
:95R::REAG/CCAS/C00019
:16S:SETDET
""")


def codes(body: bytes) -> list[str]:
    return [finding.code for finding in read(body).findings]


def test_a_good_text_has_no_findings():
    assert codes(GOOD) == []


def test_every_field_knows_its_line_and_sequence():
    places = {(f.tag, f.qualifier): (f.line, f.path) for f in read(GOOD).fields if f.tag not in ("16R", "16S")}

    expected = {
        ("20C", "SEME"): (2, "GENL"),
        ("23G", ""): (3, "GENL"),
        ("20C", "POOL"): (5, "GENL/LINK"),
        ("35B", ""): (9, "TRADDET"),
        ("98A", "SETT"): (11, "TRADDET"),
        ("95R", "REAG"): (14, "SETDET"),
    }
    assert expected == places


FINDINGS = [
    pytest.param(b"", "PGB-MSG-010", "", 0, id="empty text"),
    pytest.param(b":23G:NEWM", "PGB-MSG-011", "", 1, id="no line end at the end"),
    pytest.param(b":23G:A\nB\r\n", "PGB-MSG-017", "23G", 1, id="a line feed alone"),
    pytest.param(b":70E::SPRO//A\rB\r\n", "PGB-MSG-017", "70E:SPRO", 1, id="a carriage return alone"),
    pytest.param(b"HELLO\r\n:23G:NEWM\r\n", "PGB-MSG-012", "", 1, id="text before the first field"),
    pytest.param(b":23G:NEWM\r\n:HELLO\r\n", "PGB-MSG-012", "", 2, id="a colon that opens no field"),
    pytest.param(b":230G:NEWM\r\n", "PGB-MSG-012", "", 1, id="a tag of three digits"),
    pytest.param(b":23g:NEWM\r\n", "PGB-MSG-012", "", 1, id="a tag with a small letter"),
    pytest.param(b":16S:GENL\r\n", "PGB-MSG-013", "16S", 1, id="nothing is open"),
    pytest.param(b":16R:A\r\n:16S:B\r\n:16S:A\r\n", "PGB-MSG-013", "A/16S", 2, id="another is open"),
    pytest.param(b":16R:A\r\n", "PGB-MSG-014", "A", 2, id="never closed"),
    pytest.param(b":20C::SEM//X\r\n", "PGB-MSG-015", "20C", 1, id="a qualifier of three characters"),
    pytest.param(b":20C::seme/X\r\n", "PGB-MSG-015", "20C", 1, id="a qualifier of small letters, one slash"),
    pytest.param(b":20C::SEME\r\n", "PGB-MSG-015", "20C", 1, id="a qualifier without slashes"),
    pytest.param(b":70E::SPRO//A{B}\r\n", "PGB-MSG-016", "70E:SPRO", 1, id="braces"),
    pytest.param(b":70E::SPRO//\xc3\xa9\r\n", "PGB-MSG-016", "70E:SPRO", 1, id="not ASCII"),
]


@pytest.mark.parametrize(("body", "code", "path", "line"), FINDINGS)
def test_finding(body: bytes, code: str, path: str, line: int):
    (finding,) = read(body).findings

    assert (code, "error", path, line) == (finding.code, finding.severity, finding.path, finding.line)


def test_each_character_outside_is_shown_by_its_number():
    (finding,) = read(b":70E::SPRO//A=B@\r\n").findings

    assert finding.text == "characters outside the SWIFT x set (hexadecimal 3D 40)"


def test_a_line_feed_alone_ends_no_line():
    assert codes(b":23G:NEWM\n") == ["PGB-MSG-011", "PGB-MSG-017"]


def test_sequences_beyond_the_limit_are_named_and_kept():
    depth = MOST_OPEN + 2
    body = b":16R:A\r\n" * depth + b":16S:A\r\n" * depth

    assert codes(body) == ["PGB-MSG-018"] * 2 + ["PGB-MSG-013"] * 2
    assert body == write(read(body).fields)


def test_faults_beyond_the_limit_are_counted():
    findings = read(b":20C::X\r\n" * (MOST_FINDINGS + 5)).findings

    assert [finding.code for finding in findings] == ["PGB-MSG-015"] * MOST_FINDINGS + ["PGB-MSG-019"]
    assert findings[-1].text.startswith("5 ")


def test_several_sequences_never_closed_are_each_named():
    assert codes(b":16R:A\r\n:16R:B\r\n:23G:NEWM\r\n") == ["PGB-MSG-014", "PGB-MSG-014"]


def test_fields_behind_a_wrong_end_of_sequence_find_their_place():
    """A forgotten 16S:LINK is one fault; what follows stands where it was meant."""
    fields = read(b":16R:GENL\r\n:16R:LINK\r\n:20C::POOL//1\r\n:16S:GENL\r\n:16R:FIAC\r\n:97A::SAFE//1\r\n").fields

    assert fields[-1].path == "FIAC"


SLASHES = [
    (":25D::SETT//PEND", "SETT", "", "PEND"),
    (":25D::SETT/PEND", "SETT", "", "PEND"),
    (":95R::REAG/CCAS/C00019", "REAG", "CCAS", "C00019"),
    (":22F::PROC/CCAS/AUTH", "PROC", "CCAS", "AUTH"),
    (":97A::SAFE//A/B//C", "SAFE", "", "A/B//C"),
    (":97A::SAFE///A", "SAFE", "", "/A"),
    (":95R::REAG/CCAS/C/00019", "REAG", "CCAS", "C/00019"),
    (":97A::SAFE//", "SAFE", "", ""),
    (":28E:00001/ONLY", "", "", "00001/ONLY"),
    (":35B:/HK/00005", "", "", "/HK/00005"),
]


@pytest.mark.parametrize(("line", "qualifier", "scheme", "value"), SLASHES)
def test_slashes(line: str, qualifier: str, scheme: str, value: str):
    """A single slash stands for two only where the value holds no further one."""
    body = line.encode() + b"\r\n"
    (field,) = read(body).fields

    assert (qualifier, scheme, value) == (field.qualifier, field.scheme, field.value)
    assert body == write([field])


STRAYS = [
    b"STRAY\r\n:23G:NEWM\r\n",
    b"STRAY\r\nMORE\r\n:BAD\r\n:23G:NEWM\r\n",
    b":BAD\r\n:23G:NEWM\r\n",
    b":BAD\r\n:WORSE\r\n",
    b":23G:NEWM\r\n:BAD\r\n:16R:GENL\r\n",
    b"\r\n",
    b"::\r\n",
    b"STRAY\r\n",
]


@pytest.mark.parametrize("body", STRAYS)
def test_lines_that_are_no_field_are_kept(body: bytes):
    assert body == write(read(body).fields)


def test_lines_are_counted_behind_those_that_are_no_field():
    fields = read(b"STRAY\r\nMORE\r\n:23G:NEWM\r\n:35B:A\r\nB\r\n:BAD\r\n:98A::SETT//1\r\n").fields

    assert [(field.tag, field.line) for field in fields] == [("", 1), ("23G", 3), ("35B", 4), ("98A", 7)]


def test_a_known_tag_without_its_colon_opens_no_field():
    """`:20C` at a line's begin was once taken for a field because the tag had been seen before."""
    read(b":20C::SEME//1\r\n")
    body = b":70D::REAS//SEE FIELD\r\n:20C\r\n"
    (field,) = read(body).fields

    assert (field.tag, field.value) == ("70D", "SEE FIELD\r\n:20C")
    assert codes(body) == ["PGB-MSG-012"]
    assert body == write([field])


def test_a_fresh_field_is_written_with_two_slashes_or_its_scheme():
    fields = [
        fresh("20C", "SEME", "", "1"),
        fresh("95R", "REAG", "CCAS", "C00019"),
        fresh("23G", "", "", "NEWM"),
        fresh(STRAY, "", "", "STRAY"),
    ]

    assert write(fields) == b":20C::SEME//1\r\n:95R::REAG/CCAS/C00019\r\n:23G:NEWM\r\nSTRAY\r\n"
    assert write([]) == b""


X_TEXT = "".join(sorted(set(X_BYTES.decode()) - set("\r\n")))
LINE = st.text(st.sampled_from(X_TEXT), max_size=35)
VALUE = st.lists(LINE, min_size=1, max_size=4).map("\r\n".join).filter(lambda text: "\r\n:" not in text)
QUALIFIER = st.from_regex(r"[A-Z0-9]{4}", fullmatch=True)
SCHEME = st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)
TAG = st.from_regex(r"[0-9]{2}[A-Z]?", fullmatch=True).filter(lambda tag: tag not in ("16R", "16S"))


@st.composite
def fields(draw: st.DrawFn, path: str = "", depth: int = 0) -> list[Field]:
    found: list[Field] = []
    for _ in range(draw(st.integers(0, 4))):
        if depth < 3 and draw(st.booleans()):
            name = draw(st.from_regex(r"[A-Z]{1,8}", fullmatch=True))
            inside = f"{path}/{name}" if path else name
            found += [
                fresh("16R", "", "", name, path),
                *draw(fields(inside, depth + 1)),
                fresh("16S", "", "", name, path),
            ]
            continue
        qualifier = draw(st.just("") | QUALIFIER)
        scheme = draw(st.just("") | SCHEME) if qualifier else ""
        value = draw(VALUE)
        if not qualifier and value.startswith(":"):
            value = "X" + value
        found.append(fresh(draw(TAG), qualifier, scheme, value, path))
    return found


@given(fields().filter(bool))
def test_written_messages_read_back(written: list[Field]):
    message = read(write(written))

    assert message.findings == ()
    assert [field._replace(line=0) for field in message.fields] == written
    assert write(written) == write(message.fields)


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(GOOD)),
)
def test_mutated_bytes_never_raise_and_never_vanish(changes: list[tuple[int, int]], cut: int):
    body = bytearray(GOOD)
    for at, byte in changes:
        body[at] = byte
    del body[cut:]
    raw = bytes(body)
    ends = raw.endswith(b"\r\n") or not raw

    assert (raw if ends else raw + b"\r\n") == write(read(raw).fields)


@given(st.binary(max_size=200))
@example(b":16R:/\r\n:16S:\r\n")
@example(b"\r\n:\r\n")
@example(b"\r\n\r\n")
@example(b":::\r\n")
def test_any_bytes_are_read_and_kept(raw: bytes):
    ends = raw.endswith(b"\r\n") or not raw

    assert (raw if ends else raw + b"\r\n") == write(read(raw).fields)


@given(st.lists(st.sampled_from([":16R:A", ":16R:B", ":16S:A", ":16S:B", ":23G:X", ":", "A", ":16R:A/B"]), min_size=1))
def test_any_nesting_is_read_and_kept(lines: list[str]):
    raw = "\r\n".join([*lines, ""]).encode()

    assert raw == write(read(raw).fields)


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD.split(b"\r\n")) - 2), st.sampled_from(["//", ":"]), VALUE)),
)
def test_a_message_of_a_shape_read_before_reads_as_any_other(changes: list[tuple[int, str, str]]):
    """Values of a remembered shape are cut at remembered places; a fresh reader must agree."""
    read(GOOD)
    lines = GOOD.decode().split("\r\n")[:-1]
    for at, mark, value in changes:
        head, there, _ = lines[at].rpartition(mark)
        if there:
            lines[at] = head + mark + value
    text = "\r\n".join([*lines, ""])

    assert tuple(_fields(text, [])) == read(text.encode()).fields
