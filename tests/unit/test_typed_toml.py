"""TOML files with the line of every fault."""

from __future__ import annotations

import time

import pytest

from pg_bridge.errors import Finding
from pg_bridge.mapping.document import RuleFile, SharedBlocks
from pg_bridge.typed_toml import MOST_BYTES, MOST_FAULTS, Lines, read_toml

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
    assert 5 == lines.of("block")
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
    assert [9, 10, 15] == sorted(finding.line for finding in findings)
    assert all(finding.path == "rules/shared/s.toml" for finding in findings)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name = ", 1),
        ("name = 'x'\nname = 'y'", 2),
        ("[" * 10_000, 1),
        ("a = " + "[" * 10_000, 1),
        ("x" * (MOST_BYTES + 1), 0),
    ],
)
def test_what_is_no_rule_file_is_one_finding_and_no_traceback(text: str, line: int) -> None:
    findings: list[Finding] = []

    assert read_toml("rules/x.toml", text, RuleFile, findings) is None
    assert [line] == [finding.line for finding in findings]


def test_lines_of_tables_in_lists_and_lists_in_tables() -> None:
    text = """\
# [not.a.header]
[[header]]
block = "1"      # [neither]
fields = [
    { name = "a", values = { x = "]", "y.z" = '''
}''' } },
    { name = "b",
      list = [ 1, [2,
        3], { deep = 4 } ] },
]
[codes."a b"]
entries = { 540 = "x", "541/" = "y" }
"""
    lines = Lines(text)

    assert [2, 3, 4] == [lines.of(at) for at in ("header[0]", "header[0].block", "header[0].fields")]
    assert [5, 5] == [lines.of(f"header[0].fields[0].values{name}") for name in ("", ".y.z")]
    assert [7, 8, 9] == [lines.of(f"header[0].fields[1].{at}") for at in ("name", "list[1][1]", "list[2].deep")]
    assert [11, 12, 12] == [lines.of(f"codes.a b{at}") for at in ("", ".entries.540", ".entries.541/")]


def test_every_missing_and_wrong_entry_is_told_with_what_to_do() -> None:
    findings: list[Finding] = []
    text = "name = 'a'\nfunction = 3\nsuorce = 'public'\n[request]\ntemplate = 'T'\nrule = [{ to = 5, source = 'publik' }]\n"

    assert read_toml("rules/x.toml", text, RuleFile, findings, "PGB-X-001") is None
    assert [
        (3, "Object contains unknown field `suorce`", "Write `source` if that was meant."),
        (0, "Object missing required field `version`", "Give `version` a value."),
        (2, "Expected `str`, got `int`", "Write a text in quotes."),
        (0, "Object missing required field `source`", "Give `source` a value."),
        (6, "Expected `str | array`, got `int`", "Write a text in quotes or a list in [ ]."),
        (6, "Invalid enum value 'publik'", "Write `public` if that was meant."),
    ] == [(finding.line, finding.text.partition(": ")[2], finding.remedy) for finding in findings]
    assert {("PGB-X-001", "error", "rules/x.toml")} == {(f.code, f.severity, f.path) for f in findings}


def test_faults_are_told_up_to_a_number() -> None:
    findings: list[Finding] = []

    assert read_toml("rules/x.toml", "x = 1\n" + "[[block]]\nno = 1\n" * 500, SharedBlocks, findings) is None
    assert MOST_FAULTS + 1 == len(findings)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffname = 'a'",
        "name = '\0'",
        "name = 1" + "0" * 5000,
        "name = 0x" + "f" * 5000,
        "name = -9223372036854775809",
        "name = 1e999999999",
        "a" + ".a" * 130_000 + " = 1",
        "[" + "a." * 130_000 + "a]",
        "x = { " + '"a" . ' * 40_000 + "a = 1 }",
        "a = 1\n" + "[a" + ".a" * 14 + "]\n",
        "x = " + "{ a = " * 60 + "1" + " }" * 60,
        "x = " + "[" * 60 + "1" + "]" * 60,
        "x = [1,\n[" + " " * 200_000 + "1]]",
        "'" + "a" * 200_000 + "' = 1",
        "\n".join(f"[{'a' * number}]" for number in range(1, 700)),
        '"' * 200_000,
        "x = " + "'''\n" * 60_000,
        "[" * 250_000,
        "name = '" + "x" * 250_000,
        "name\r= 1",
    ],
    ids=range(20),
)
def test_what_would_take_long_is_refused_at_once(text: str) -> None:
    findings: list[Finding] = []
    began = time.process_time()

    assert read_toml("rules/x.toml", text, RuleFile, findings) is None
    assert 1 > time.process_time() - began
    assert findings
    assert all(finding.remedy and len(str(finding)) < 400 for finding in findings)


def test_lines_of_any_text_take_no_time() -> None:
    began = time.process_time()
    for text in (
        '"' * 250_000,
        "'''" * 80_000,
        "[" * 250_000,
        "{" * 250_000,
        "y = " + "[" * 250_000,
        "y = " + "{a = " * 50_000,
        "a." * 125_000,
        "=" * 250_000,
        "]}" * 99_000,
    ):
        assert 0 == Lines(text).of("x")

    assert 3 > time.process_time() - began
