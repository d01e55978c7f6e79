"""The circuit towards OCP, with a clock that moves only when told."""

from __future__ import annotations

import asyncio

import pytest

from pg_bridge.errors import OcpUnavailable
from pg_bridge.ocp.circuit import Circuit, CircuitChange, CircuitOptions
from pg_bridge.ocp.limits import CallLimits, Limit
from tests.doubles.ocp_world import FakeClock


class Bench:
    """A circuit of three failures, and all that it told."""

    def __init__(self, chance: float = 1.0, **options: float) -> None:
        self.clock = FakeClock()
        self.limits = CallLimits([Limit(480, 60)], self.clock.monotonic)
        self.told: list[CircuitChange] = []
        self.circuit = Circuit(
            CircuitOptions(**{"failures": 3, **options}),  # type: ignore[arg-type]
            self.limits,
            monotonic=self.clock.monotonic,
            chance=lambda: chance,
            on_change=self.told.append,
        )

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.circuit.failed("no answer")


async def test_it_opens_after_failures_in_a_row_and_lets_no_call_go() -> None:
    bench = Bench()
    bench.fail(2)
    bench.circuit.succeeded()
    bench.fail(2)
    assert bench.limits.try_slot()
    bench.fail(3)

    assert [CircuitChange(True, 3, "no answer")] == bench.told
    assert not bench.limits.try_slot()


async def test_a_call_that_still_comes_through_closes_it() -> None:
    bench = Bench()
    bench.fail(3)
    bench.clock.forward(4.0)
    bench.circuit.succeeded()

    assert CircuitChange(False, open_s=4.0) == bench.told[-1]
    assert bench.limits.try_slot()


async def test_zero_never_opens() -> None:
    bench = Bench(failures=0)
    bench.fail(1000)

    assert bench.limits.try_slot()


@pytest.mark.parametrize(("chance", "pauses"), [(1.0, [1.0, 2.0, 4.0, 5.0]), (0.0, [0.5, 1.0, 2.0, 2.5])])
async def test_pauses_grow_to_the_longest_and_shrink_by_chance(chance: float, pauses: list[float]) -> None:
    bench = Bench(chance, first_s=1.0, most_s=5.0)
    found = []
    for _ in pauses:
        bench.fail(3)
        found.append(bench.circuit.pause_s())
        bench.circuit._failures = 0
        bench.circuit._close()

    assert pauses == found


async def test_ocp_is_not_tried_before_it_says() -> None:
    bench = Bench(0.0)
    bench.fail(2)
    bench.circuit.failed("closed", 90.0)

    assert 90.0 == bench.circuit.pause_s()


async def test_it_is_tried_until_it_answers_then_one_failure_opens_again() -> None:
    bench = Bench(first_s=0.0)
    tries: list[bool] = []

    async def is_up() -> None:
        tries.append(bench.circuit.is_open)
        if len(tries) < 3:
            raise OcpUnavailable

    task = asyncio.create_task(bench.circuit.keep_trying(is_up))
    bench.fail(3)
    async with asyncio.timeout(5):
        await bench.limits.slot()
    bench.fail(1)

    assert [True, True, True] == tries
    assert [True, False, True] == [change.is_open for change in bench.told]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
