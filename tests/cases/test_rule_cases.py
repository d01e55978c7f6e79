"""Every case beside every rule file of the shipped mapping set, one test each."""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.errors import Finding
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.cases import LocatedCase, read_cases, run_case
from pg_bridge.mapping.checks.check import check

MAPPINGS = Path(__file__).parents[2] / "mappings"
FILES = {
    path.relative_to(MAPPINGS).as_posix(): path.read_text("utf-8")
    for path in sorted(MAPPINGS.rglob("*"))
    if path.suffix in (".toml", ".yaml")
}
BOOK: MappingBook = load(FILES)
WAY_BACK = WayBack(BOOK)
FOUND: list[Finding] = []
CASES = read_cases(BOOK, FILES, FOUND)


def test_all_cases_can_be_read() -> None:
    assert [] == FOUND
    assert len(CASES) >= 50


def test_the_shipped_set_has_no_findings() -> None:
    assert [] == check(FILES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{Path(case.path).name.partition('.')[0]}: {case.case.name}")
def test_case(case: LocatedCase) -> None:
    assert [] == [str(finding) for finding in run_case(BOOK, case, WAY_BACK)]
