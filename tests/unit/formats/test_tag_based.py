"""Tag-based files: good ones come back as they were, bad ones tell every fault with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.errors import MappingFailed
from pg_bridge.formats.tag_based import TagBased, TagBasedForm, TextBlock, read, write
from tests.doubles.layouts import legacy
from tests.doubles.mapping_files import crlf

FILE = """
:20:FILE1
:12:SI01
:98A:20261123
{4:
:16R:GENL
:20C::SEME//B0123400001
:23G:NEWM
:16S:GENL
-}
{4:
:16R:GENL
:20C::SEME//B0123400002
:16S:GENL
-}
:19:2
"""
HEAD = {"reference": "FILE1", "template": "SI01", "date": "20261123"}


def form() -> TagBasedForm:
    found = legacy().tag_based
    assert found is not None
    return found


def told(text: str | bytes) -> list[tuple[str, str, int]]:
    content = crlf(text) if isinstance(text, str) else text
    return [(finding.code, finding.path, finding.line) for finding in read(form(), content).findings]


def test_a_good_file_is_read_with_the_lines_of_its_blocks() -> None:
    found = read(form(), crlf(FILE))

    assert (HEAD, ()) == (found.head, found.findings)
    assert [5, 11] == [block.line for block in found.blocks]
    assert TextBlock(crlf(":16R:GENL\n:20C::SEME//B0123400002\n:16S:GENL"), 11) == found.blocks[1]


def test_a_good_file_is_written_as_it_stood() -> None:
    found = read(form(), crlf(FILE))

    assert crlf(FILE) == write(form(), found.head, [block.body for block in found.blocks])


def test_a_file_of_no_blocks_is_good() -> None:
    assert [] == told(":20:FILE1\n:12:SI01\n:98A:20261123\n:19:0")


FAULTS: dict[str, tuple[Callable[[str], str], list[tuple[str, str, int]]]] = {
    "a head line missing": (lambda text: text.replace(":12:SI01\n", ""), [("PGB-FIL-042", "12", 2)]),
    "all head lines missing": (
        lambda text: text[text.index("{4:") :],
        [("PGB-FIL-042", "20", 1), ("PGB-FIL-042", "12", 1), ("PGB-FIL-042", "98A", 1)],
    ),
    "a head line twice": (lambda text: text.replace(":12:", ":20:FILE2\n:12:"), [("PGB-FIL-045", "20", 2)]),
    "head lines in another order": (
        lambda text: text.replace(":12:SI01\n:98A:20261123\n", ":98A:20261123\n:12:SI01\n"),
        [("PGB-FIL-042", "12", 2), ("PGB-FIL-045", "12", 3)],
    ),
    "a reference too long": (lambda text: text.replace("FILE1", "F" * 16), [("PGB-FIL-043", "20", 1)]),
    "an empty reference": (lambda text: text.replace("FILE1", ""), [("PGB-FIL-043", "20", 1)]),
    "a template that there is not": (lambda text: text.replace("SI01", "SI09"), [("PGB-FIL-043", "12", 2)]),
    "a day that there is not": (lambda text: text.replace("20261123", "20261131"), [("PGB-FIL-043", "98A", 3)]),
    "a wrong count": (lambda text: text.replace(":19:2", ":19:3"), [("PGB-FIL-046", "19", 15)]),
    "a count that is none": (lambda text: text.replace(":19:2", ":19:two"), [("PGB-FIL-043", "19", 15)]),
    "no count": (lambda text: text.replace(":19:2\n", ""), [("PGB-FIL-042", "19", 14)]),
    "something behind the count": (lambda text: text + ":20:FILE2\n", [("PGB-FIL-045", "", 16)]),
    "an empty line": (lambda text: text.replace("-}\n{4:", "-}\n\n{4:"), [("PGB-FIL-045", "", 10)]),
    "a head line between blocks": (lambda text: text.replace("-}\n{4:", "-}\n:12:SI02\n{4:"), [("PGB-FIL-045", "12", 10)]),
    "a block that is not closed": (lambda text: text.replace("-}\n{4:", "{4:"), [("PGB-FIL-044", "", 9)]),
    "the last block not closed": (lambda text: text.replace("-}\n:19:", ":19:"), [("PGB-FIL-044", "", 14)]),
    "a file cut in a block": (
        lambda text: text[: text.index(":23G")],
        [("PGB-MSG-014", "GENL", 6), ("PGB-FIL-044", "", 6), ("PGB-FIL-042", "19", 6)],
    ),
    "a field without a tag": (lambda text: text.replace(":23G:NEWM", ":2G:NEWM"), [("PGB-MSG-012", "", 7)]),
    "a sequence that is not closed": (lambda text: text.replace(":23G:NEWM\n:16S:GENL\n", ""), [("PGB-MSG-014", "GENL", 7)]),
    "an empty block": (lambda text: text.replace(":16R:GENL\n:20C::SEME//B0123400002\n:16S:GENL\n", ""), [("PGB-FIL-045", "", 10)]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "due"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_told_with_its_line(change: Callable[[str], str], due: list[tuple[str, str, int]]) -> None:
    text = change(FILE.lstrip("\n"))
    findings = read(form(), crlf(text)).findings

    assert sorted(due) == sorted(told(text))
    assert all(finding.remedy for finding in findings)


def test_all_faults_of_a_file_are_told() -> None:
    text = FILE.replace("20261123", "2026").replace(":19:2", ":19:9").replace(":23G:NEWM", ":23G")

    assert [3, 15] == sorted(line for code, _, line in told(text) if code.startswith("PGB-FIL"))
    assert "PGB-MSG-012" in {code for code, _, _ in told(text)}


def test_line_ends_are_crlf() -> None:
    content = crlf(FILE)

    assert [("PGB-FIL-041", "", 1)] == told(content.replace(b"\r\n", b"\n"))
    assert ("PGB-FIL-041", "", 4) in told(content.replace(b"{4:\r\n", b"{4:\n", 1))
    assert [("PGB-FIL-041", "", 15)] == told(content[:-2])


def test_faults_beyond_the_most_are_counted() -> None:
    findings = read(form(), crlf(FILE) + b"x\r\n" * 2000).findings

    assert (1001, "1,000 more faults are not named") == (len(findings), findings[-1].text)


BODIES = st.lists(
    st.lists(
        st.text("ABCabc019/-:.,' ", min_size=1, max_size=12).map(lambda text: f":70E::SPRO//{text}"), min_size=1
    ).map(lambda lines: "".join(f"{line}\r\n" for line in lines).encode()),
    max_size=5,
)


@given(BODIES, st.text("ABC019/-", min_size=1, max_size=15))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_as_it_was(bodies: list[bytes], reference: str) -> None:
    head = {**HEAD, "reference": reference}
    found = read(form(), write(form(), head, bodies))

    assert TagBased(head, found.blocks, ()) == found
    assert bodies == [block.body for block in found.blocks]


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_come_back_as_they_were_read(noise: bytes, at: int) -> None:
    content = crlf(FILE)
    found = read(form(), content[:at] + noise + content[at:])

    assert found.findings or found == read(form(), write(form(), found.head, [block.body for block in found.blocks]))


@pytest.mark.parametrize(
    ("head", "bodies"),
    [
        ({**HEAD, "date": "2026"}, []),
        ({"reference": "FILE1"}, []),
        ({**HEAD, "reference": "A\r\n:12:SI02"}, []),
        ({**HEAD, "more": "x"}, []),
        (HEAD, [b""]),
        (HEAD, [b":20C::SEME//1"]),
        (HEAD, [b":20C::SEME//1\r\n-}\r\n{4:\r\n:20C::SEME//2\r\n"]),
    ],
    ids=[
        "a wrong day",
        "head lines left out",
        "two lines",
        "a head line unknown",
        "no lines",
        "half a line",
        "two in one",
    ],
)
def test_what_would_be_read_otherwise_is_not_written(head: dict[str, str], bodies: list[bytes]) -> None:
    with pytest.raises(MappingFailed) as raised:
        write(form(), head, bodies)
    assert raised.value.findings
