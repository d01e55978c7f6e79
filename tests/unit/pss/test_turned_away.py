"""Whoever knocks, from wherever and however often: a bounded number of entries a minute, and every knock is counted."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.pss.turned_away import MOST_ALL, MOST_EACH, TurnedAway

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Told:
    """The only part of a desk that is used: notes address and text."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        self.lines.append((address, text))

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def counted(lines: list[tuple[str, str]]) -> int:
    found = (re.match(r"(\d+) more within a minute", text) for _, text in lines)
    return sum(int(match[1]) if match else 1 for match in found)


def test_few_are_told_one_by_one_and_the_others_in_a_number_with_the_last_reason() -> None:
    told = Told()
    turned_away = TurnedAway(told)
    for number in range(12):
        turned_away.tell("", "", f"10.0.0.1:{4000 + number}", f"reason {number}", NOON)
    turned_away.look_after(NOON + timedelta(seconds=59))
    before = list(told.lines)
    turned_away.look_after(NOON + timedelta(seconds=60))

    assert [f"10.0.0.1:{4000 + number}" for number in range(MOST_EACH)] == [address for address, _ in before]
    assert [("10.0.0.1", "7 more within a minute, the last of them: reason 11")] == told.lines[MOST_EACH:]


def test_another_address_is_told_while_one_is_counted() -> None:
    told = Told()
    turned_away = TurnedAway(told)
    for _ in range(50):
        turned_away.tell("", "", "10.0.0.1:1", "noise", NOON)
    turned_away.tell("B01234", "PSS1", "10.0.0.2:1", "PARTICIPANT UNKNOWN HERE", NOON)

    assert ("10.0.0.2:1", "PARTICIPANT UNKNOWN HERE") == told.lines[-1]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90)), max_size=600),
    st.booleans(),
)
def test_every_knock_is_counted_and_a_minute_has_a_bounded_number_of_entries(
    knocks: list[tuple[int, int]], is_crowd: bool
) -> None:
    told = Told()
    turned_away = TurnedAway(told)
    minutes: dict[datetime, int] = {}
    for host, second in sorted(knocks, key=lambda one: one[1]):
        now = NOON + timedelta(seconds=second)
        before = len(told.lines)
        turned_away.tell("", "", f"10.0.{host if is_crowd else 0}.1:9", "knock", now)
        minute = now.replace(second=0)
        minutes[minute] = minutes.get(minute, 0) + len(told.lines) - before
    turned_away.end()

    assert len(knocks) == counted(told.lines)
    assert all(count <= MOST_ALL + 51 for count in minutes.values())
