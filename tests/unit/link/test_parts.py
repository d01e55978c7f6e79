"""Files in parts: whole files come back as they were; a missing, changed, foreign or repeated part is told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pg_bridge.link.parts import Assembly, Part, PartsForm, read_part, split, write_part
from tests.doubles.layouts import legacy

DAY = date(2026, 11, 23)


def form(part: int = 0) -> PartsForm:
    found = legacy().parts
    assert found is not None
    return replace(found, part=part) if part else found


SMALL = form(144)
CONTENT = bytes(range(256)) * 2
PARTS = split(SMALL, "SIBATCH01", DAY, CONTENT)


def test_the_lines_of_a_part_are_those_of_the_dialect() -> None:
    (part,) = split(form(), "SIBATCH01", DAY, b"hello")

    assert [
        "FILE/SIBATCH01",
        "DATE/20261123",
        "PART/1/1",
        "SIZE/5",
        "HASH/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "DATA/aGVsbG8=",
    ] == write_part(form(), part)
    assert "REPT/SIBATCH01" == write_part(form(), part, is_report=True)[0]


def test_lines_have_72_characters_and_parts_at_most_600000() -> None:
    parts = split(form(), "BIG", DAY, b"x" * 1_000_000)
    lines = [line for part in parts for line in write_part(form(), part) if line.startswith("DATA/")]

    assert [3, 3, 3] == [part.of for part in parts]
    assert all(len(part.data) <= 600_000 for part in parts)
    assert {72} == {len(line) - 5 for line in lines[:-1]}


@given(st.binary(max_size=2000), st.sampled_from([72, 76, 144, 500]), st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_file_comes_back_whole_from_its_parts(content: bytes, size: int, is_report: bool) -> None:
    small = form(size)
    assembly = Assembly(small)
    steps = []
    for part in split(small, "F", DAY, content):
        got, findings = read_part(small, write_part(small, part, is_report=is_report), is_report=is_report)
        assert (part, []) == (got, findings)
        steps.append(assembly.take(part))

    assert ["taken"] * (len(steps) - 1) + ["whole"] == [step.kind for step in steps]
    assert content == steps[-1].content
    assert assembly.under_way is None


def test_a_part_sent_again_is_ignored() -> None:
    assembly = Assembly(SMALL)
    kinds = [assembly.take(part).kind for part in (PARTS[0], PARTS[0], PARTS[1], PARTS[0], PARTS[1])]

    assert ["taken", "again", "taken", "again", "again"] == kinds
    assert CONTENT == [assembly.take(part) for part in PARTS[2:]][-1].content


def test_another_file_waits_until_the_first_has_ended() -> None:
    assembly = Assembly(SMALL)
    (other,) = split(SMALL, "OTHER", DAY, b"x")
    assembly.take(PARTS[0])

    assert "waits" == assembly.take(other).kind
    assert PARTS[0] == assembly.under_way
    assembly.drop()
    assert "whole" == assembly.take(other).kind


def test_a_missing_part_refuses_the_file() -> None:
    assembly = Assembly(SMALL)
    assembly.take(PARTS[0])
    step = assembly.take(PARTS[2])

    assert ("refused", "PGB-FIL-054") == (step.kind, step.findings[0].code)
    assert "part 3 came where part 2 was due" == step.findings[0].text
    assert assembly.under_way is None


def test_a_file_begins_with_its_first_part() -> None:
    assert ["PGB-FIL-054"] == [finding.code for finding in Assembly(SMALL).take(PARTS[1]).findings]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"hash": "0" * 64}, ["PGB-FIL-055"]),
        ({"size": 5}, ["PGB-FIL-055", "PGB-FIL-057"]),
        ({"of": 9}, ["PGB-FIL-055"]),
        ({"size": 5, "hash": "0" * 64, "of": 9}, ["PGB-FIL-055"] * 3 + ["PGB-FIL-057"]),
    ],
)
def test_parts_of_one_file_tell_the_same_of_it(change: dict[str, object], codes: list[str]) -> None:
    assembly = Assembly(SMALL)
    assembly.take(PARTS[0])

    assert codes == [finding.code for finding in assembly.take(PARTS[1]._replace(**change)).findings]


def test_a_part_sent_again_with_other_data_refuses_the_file() -> None:
    assembly = Assembly(SMALL)
    assembly.take(PARTS[0])
    step = assembly.take(PARTS[0]._replace(data="AAAA"))

    assert ("refused", ["PGB-FIL-055"]) == (step.kind, [finding.code for finding in step.findings])


def test_a_wrong_hash_and_a_wrong_size_are_both_told() -> None:
    (part,) = split(SMALL, "F", DAY, b"hello")
    step = Assembly(SMALL).take(part._replace(size=6, hash="0" * 64))

    assert ["PGB-FIL-057", "PGB-FIL-058"] == [finding.code for finding in step.findings]
    assert hashlib.sha256(b"hello").hexdigest() in step.findings[1].text
    assert all(finding.remedy for finding in step.findings)


def test_more_than_the_size_told_is_refused_before_it_is_kept() -> None:
    step = Assembly(SMALL).take(PARTS[0]._replace(size=3))

    assert ["PGB-FIL-057"] == [finding.code for finding in step.findings]


def test_base64_that_is_none_is_refused() -> None:
    (part,) = split(SMALL, "F", DAY, b"hello")

    assert ["PGB-FIL-051"] == [each.code for each in Assembly(SMALL).take(part._replace(data="aGVsbG8")).findings]


def test_an_empty_file_is_one_part() -> None:
    (part,) = split(SMALL, "F", DAY, b"")

    assert Part("F", DAY, 1, 1, 0, hashlib.sha256(b"").hexdigest(), "") == read_part(SMALL, write_part(SMALL, part))[0]
    assert ("whole", b"") == Assembly(SMALL).take(part)[:2]


LINES = write_part(SMALL, PARTS[0])
FAULTS: dict[str, tuple[int, str, str, int]] = {
    "no file name": (0, "", "PGB-FIL-052", 3),
    "an empty name": (0, "FILE/", "PGB-FIL-051", 3),
    "a name too long": (0, "FILE/" + "F" * 16, "PGB-FIL-051", 3),
    "a day that there is not": (1, "DATE/20261131", "PGB-FIL-051", 4),
    "a day of another form": (1, "DATE/2026-11-23", "PGB-FIL-051", 4),
    "a part beyond the last": (2, "PART/6/5", "PGB-FIL-051", 5),
    "part nought": (2, "PART/0/5", "PGB-FIL-051", 5),
    "a size that is none": (3, "SIZE/-1", "PGB-FIL-051", 6),
    "a size too large": (3, "SIZE/50000001", "PGB-FIL-056", 6),
    "a hash in capitals": (4, "HASH/" + "A" * 64, "PGB-FIL-051", 7),
    "another key": (4, "HASX/" + "a" * 64, "PGB-FIL-052", 7),
    "a short line of data": (5, "DATA/AAAA", "PGB-FIL-051", 8),
    "a long line of data": (5, "DATA/" + "A" * 76, "PGB-FIL-051", 8),
    "no base64": (5, "DATA/" + "!" * 72, "PGB-FIL-051", 8),
    "no line of data": (5, "TEXT/hello", "PGB-FIL-051", 8),
}


@pytest.mark.parametrize(("at", "line", "code", "number"), FAULTS.values(), ids=FAULTS)
def test_each_fault_of_a_part_is_told_with_its_line(at: int, line: str, code: str, number: int) -> None:
    lines = [*LINES[:at], line, *LINES[at + 1 :]]
    part, findings = read_part(SMALL, lines, first_line=3)

    assert part is None
    assert (code, number) in [(finding.code, finding.line) for finding in findings]
    assert all(finding.remedy for finding in findings)


def test_all_faults_of_a_part_are_told() -> None:
    lines = ["FILE/", "DATE/x", "PART/x", "SIZE/x", "HASH/x", "DATA/!"]

    assert [1, 2, 3, 4, 5, 6] == [finding.line for finding in read_part(SMALL, lines)[1]]


def test_a_part_too_large_is_refused() -> None:
    lines = [*LINES[:5], *["DATA/" + "A" * 72] * 3]

    assert ["PGB-FIL-056"] == [finding.code for finding in read_part(SMALL, lines)[1]]


@given(st.lists(st.text(max_size=90), max_size=8))
@settings(max_examples=100, deadline=None)
def test_any_lines_never_raise(lines: list[str]) -> None:
    part, findings = read_part(SMALL, lines)

    assert (part is None) == bool(findings)
