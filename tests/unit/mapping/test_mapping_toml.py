"""TOML files with the line of every fault."""

from __future__ import annotations

import pytest

from pg_bridge.errors import Finding
from pg_bridge.mapping.document import RuleFile, SharedBlocks
from pg_bridge.profiles.toml import MOST_BYTES, Lines, read_toml

SHARED = """\
name = "s"
version = "1"
source = "public"

[[block]]
at = "GENL"
fields = [
    { field = "20C:SEME", from = "context.reference" },
    { field = "23G", konstant = "INST" },
    { field = "98A:PREP", constant = 3 },
]

[[block]]
at = "TRADDET"
feilds = []
"""


def test_lines_of_entries() -> None:
    lines = Lines(SHARED)

    assert 2 == lines.of("version")
    assert 5 == lines.of("block[0]")
    assert 9 == lines.of("block[0].fields[1]")
    assert 9 == lines.of("block[0].fields[1].konstant")
    assert 13 == lines.of("block[1]")
    assert 0 == lines.of("nowhere")


def test_lines_pass_over_long_texts() -> None:
    text = "[[case]]\nbody = '''\n[[case]]\n:20C::SEME//X\n'''\n[[case]]\nname = 'b'\n"

    assert 6 == Lines(text).of("case[1]")


def test_lines_of_arrays_in_arrays() -> None:
    text = "[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[[a.b]]\nkey = 1\n"

    assert 3 == Lines(text).of("a[0].b[1]")
    assert 5 == Lines(text).of("a[1].b[0]")
    assert 6 == Lines(text).of("a[1].b[0].key")


def test_all_faults_of_a_file_are_told_with_their_lines() -> None:
    findings: list[Finding] = []

    assert read_toml("rules/shared/s.toml", SHARED, SharedBlocks, findings) is None
    assert [9, 10, 13] == sorted(finding.line for finding in findings)
    assert all(finding.path == "rules/shared/s.toml" for finding in findings)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name = ", 1),
        ("name = 'x'\nname = 'y'", 2),
        ("[" * 10_000, 1),
        ("a = " + "[" * 10_000, 0),
        ("", 0),
        ("name = 'a'\nfunction = 3", 2),
        ("x" * (MOST_BYTES + 1), 0),
    ],
)
def test_what_is_no_rule_file_is_one_finding_and_no_traceback(text: str, line: int) -> None:
    findings: list[Finding] = []

    assert read_toml("rules/x.toml", text, RuleFile, findings) is None
    assert [line] == [finding.line for finding in findings]
