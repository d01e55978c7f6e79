"""Cases that are none: what fuzzing found to raise is a finding."""

from __future__ import annotations

from pg_bridge.mapping.checks.check import check

CASES = "rules/status-change.cases.toml"


def test_a_root_of_the_sources_that_is_no_table_is_a_finding(files: dict[str, str]) -> None:
    text = files[CASES]
    row = next(line for line in text.split("\n") if line.startswith("context = {"))

    findings = check({**files, CASES: text.replace(row, "context = 1979-05-27T07:32:00Z", 1)})

    assert [(CASES, text[: text.index(row)].count("\n") + 1)] == [(each.path, each.line) for each in findings]
    assert "Expected `object`" in findings[0].text
