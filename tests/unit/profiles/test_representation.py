"""How values are written in OCP's documents: what Python holds comes back, and nothing else is touched."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.profiles.representation import HONG_KONG, REPRESENTATIONS

EXAMPLES: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("integer", {}, "407001", 407001),
    ("integer", {"width": 5}, "00005", 5),
    ("integer", {"width": 8, "before": "I"}, "I00000042", 42),
    ("integer", {}, ["1", "22"], [1, 22]),
    ("string", {}, 1000, "1000"),
    ("string", {"width": 6}, 12, "000012"),
    ("day_string", {}, "2026-11-23", "20261123"),
    ("day_integer", {}, "2026-11-23", 20261123),
    ("epoch", {}, "2026-11-23T09:30:00.123+08:00", 1795397400123),
    ("epoch", {"a_second": 1}, "2026-11-23T09:30:00.000+08:00", 1795397400),
    ("utc", {}, "2026-11-24T00:30:00.123+08:00", "2026-11-23T16:30:00.123Z"),
    ("minor_units", {}, "12345.67", 1234567),
    ("minor_units", {}, "0.05", 5),
    ("minor_units", {"decimals": 0}, "5", 5),
    ("yes_no", {}, True, "Y"),
    ("yes_no", {"no": "-"}, False, "-"),
    ("one_zero", {}, False, 0),
]


def both(name: str, options: dict[str, Any]) -> tuple[Any, Any]:
    kind = REPRESENTATIONS[name]
    full = {**kind.options, **options}
    return kind.reader(full), kind.writer(full)


@pytest.mark.parametrize(("name", "options", "held", "written"), EXAMPLES)
def test_example_both_ways(name: str, options: dict[str, Any], held: Any, written: Any) -> None:
    read, write = both(name, options)

    assert written == write(held)
    assert type(written) is type(write(held))
    assert held == read(written)
    assert type(held) is type(read(written))


def test_every_representation_has_an_example_and_a_meaning() -> None:
    assert {name for name, *_ in EXAMPLES} == set(REPRESENTATIONS)
    assert all(each.meaning and each.kinds for each in REPRESENTATIONS.values())


@given(
    st.sampled_from(sorted(REPRESENTATIONS)),
    st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.floats(), st.lists(st.integers(), max_size=2)),
)
def test_what_does_not_fit_is_left_for_the_schema_to_judge(name: str, value: Any) -> None:
    read, write = both(name, {})
    read(value)
    write(value)


@given(st.integers(0, 10**13))
def test_amounts_come_back(minor: int) -> None:
    read, write = both("minor_units", {})

    assert minor == write(read(minor))


@given(st.dates(date(1970, 1, 2), date(2900, 1, 1)), st.integers(0, 86_399_999))
def test_days_and_times_come_back(day: date, ms: int) -> None:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(milliseconds=ms)
    held = at.astimezone(HONG_KONG).isoformat(timespec="milliseconds")
    for name, value in (
        ("day_integer", day.isoformat()),
        ("day_string", day.isoformat()),
        ("epoch", held),
        ("utc", held),
    ):
        read, write = both(name, {})

        assert value == read(write(value))
