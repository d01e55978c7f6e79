"""The pretend OCP's clock, its day, and the limits that go by the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_bridge.simulator.clock import HONG_KONG, Run, SimulatedClock, build_schedule
from pg_bridge.simulator.gate import CallLimit, RequestIds

START = datetime(2026, 11, 23, 9, 30, tzinfo=HONG_KONG)


class Wall:
    def __init__(self) -> None:
        self.at = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def test_it_stands_runs_runs_fast_and_jumps() -> None:
    wall = Wall()
    clock = SimulatedClock(wall, START, 0.0)
    seen = []
    for rate in (0.0, 1.0, 60.0, 0.0):
        clock.run(rate)
        wall.pass_s(60)
        seen.append((clock.now() - START).total_seconds())
    clock.jump(START + timedelta(days=1))

    assert [0, 60, 3660, 3660] == seen
    assert START + timedelta(days=1) == clock.now()


def test_it_never_goes_back() -> None:
    clock = SimulatedClock(Wall(), START, 0.0)
    with pytest.raises(ValueError, match="past"):
        clock.jump(START - timedelta(milliseconds=1))


def test_without_a_start_it_shows_the_walls_time_in_hong_kong() -> None:
    now = SimulatedClock(Wall(), None, 1.0).now()

    assert ("2030-01-01T08:00:00+08:00", HONG_KONG) == (now.isoformat(), now.tzinfo)


def test_a_schedule_gives_each_run_once_in_order() -> None:
    schedule = build_schedule(["10:00"], ["10:30", "16:00"], "20:00")
    runs = list(schedule.between(START + timedelta(hours=1), START + timedelta(days=1, hours=1)))

    assert [
        ("23 16:00", Run.SETTLE),
        ("23 20:00", Run.DAY_END),
        ("24 10:00", Run.MATCH),
        ("24 10:30", Run.SETTLE),
    ] == [(moment.strftime("%d %H:%M"), run) for moment, run in runs]


@given(cut=st.integers(0, 3 * 86_400))
def test_a_span_cut_in_two_gives_the_same_runs(cut) -> None:
    schedule = build_schedule(["10:00"], ["10:30", "16:00"], "20:00")
    end, middle = START + timedelta(days=3), START + timedelta(seconds=cut)

    assert list(schedule.between(START, end)) == [
        *schedule.between(START, middle),
        *schedule.between(middle, end),
    ]


def test_a_limit_slides() -> None:
    limit = CallLimit(2, 60)
    for at in (0.0, 30.0):
        assert limit.wait_s("CP1", at) == 0
        limit.count("CP1", at)

    assert [15, 0, 0] == [limit.wait_s("CP1", 45.0), limit.wait_s("CP2", 45.0), limit.wait_s("CP1", 60.0)]


def test_request_ids_end_and_are_forgotten() -> None:
    ids = RequestIds(100, keep_answers=True)
    ids.use("CP1", "a", 0.0, b"first")
    ids.use("CP1", "b", 60.0, b"second")

    assert b"first" == ids.answer("CP1", "a", 99.0)
    assert ids.answer("CP2", "a", 99.0) is None
    assert ids.answer("CP1", "a", 100.0) is None

    ids.use("CP1", "c", 120.0, b"third")

    assert b"second" == ids.answer("CP1", "b", 120.0)
