"""Names of files in drop folders, and when a file has settled."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.formats.iso15022.charset import X_BYTES
from pg_bridge.pss.drop import Settling
from pg_bridge.pss.drop_folder import NO_NAME, TOO_LARGE, Look, name_findings, plain

LOOKS = st.builds(Look, st.integers(0, 2), st.integers(0, 2), st.just(1))


def codes(name: str, size: int = 1) -> list[str]:
    return [finding.code for finding in name_findings(name, size, longest=15, largest=100)]


def test_good_names_have_no_finding() -> None:
    for name in ("A", "SI-1.txt", "SI 1 (2),+.txt", "123456789012345"):
        assert [] == codes(name)


@given(st.text(min_size=1, max_size=30))
def test_a_name_that_passes_can_stand_in_a_report_and_holds_no_path(name: str) -> None:
    if not codes(name):
        assert set(name.encode("ascii")) <= set(X_BYTES) - set(b"/\r\n")
        assert name == name.strip()
        assert 15 >= len(name)


@given(st.text(max_size=300))
def test_a_plain_name_is_safe_on_any_disk(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9.,()+_-]{0,100}", plain(name))


def test_size_and_name_are_told_together() -> None:
    assert [NO_NAME, NO_NAME, TOO_LARGE] == codes("_" * 16, 101)


@given(st.lists(st.tuples(LOOKS, st.integers(1, 3)), min_size=1, max_size=20))
def test_a_file_has_settled_when_it_looked_alike_for_long_enough(seen: list[tuple[Look, int]]) -> None:
    settling, now, alike_since = Settling(4), 0, 0
    for (before, _), (look, pause) in pairwise([(Look(-1, -1, -1), 0), *seen]):
        now += pause
        if look != before:
            alike_since = now

        assert (now - alike_since >= 4) == ("X" in settling.settled([("X", look)], now))


def test_a_file_that_was_away_begins_anew() -> None:
    settling, look = Settling(2), Look(1, 1, 1)
    settling.settled([("X", look)], 0)
    settling.settled([], 1)

    assert set() == settling.settled([("X", look)], 2)
    assert {"X"} == settling.settled([("X", look)], 4)
