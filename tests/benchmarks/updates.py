"""Updates with everything wrong on the way: what each PSS was told must be OCP's own history, each transition once.

    python -m tests.benchmarks.updates [--sis 2000] [--driver webhook|sse|websocket|poll] [--share 0.1]

A tenth of all pushes is repeated, re-ordered, late and lost, each; streams are cut. A third of the SIs is entered, then
the bridge is away for two hours in which settlement runs take place, then a third is entered with the bridge on, then it
is away over the night, in which the day changes. Time is simulated, the bridge and both PSSs are real, over TCP and HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from pg_bridge import telemetry
from pg_bridge.exchange.entries import Kind
from pg_bridge.simulator.faults import FaultKind
from pg_bridge.simulator.simulated_loop import SimulatedLoop, run_simulated
from tests.doubles.update_world import PARTICIPANTS, UpdateWorld

DRIVERS = ("webhook", "sse", "websocket", "poll")
_FAULTS = (FaultKind.PUSH_REPEAT, FaultKind.PUSH_REORDER, FaultKind.PUSH_LATE, FaultKind.PUSH_GAP)
#: pairs entered in one go, before their answers are waited for
_AT_ONCE = 30


def play(driver: str, sis: int, share: float) -> UpdateWorld:
    """The story; gives the world as it then is. sis: of both sides together."""

    async def main(loop: SimulatedLoop) -> UpdateWorld:
        world = UpdateWorld(loop, driver)
        async with asyncio.timeout(86_400 * 10), world.platform():
            await _story(world, sis // 2, share)
        return world

    world: UpdateWorld = run_simulated(main)
    return world


async def _story(world: UpdateWorld, pairs: int, share: float) -> None:
    thirds = [range(pairs * part // 3, pairs * (part + 1) // 3) for part in range(3)]
    for kind in _FAULTS:
        world.fault(kind, count=0, share=share, delay_s=8)
    world.fault(FaultKind.PUSH_CUT, count=0, share=share / 10)
    async with world.bridge():
        await _enter(world, thirds[0], days=0)
    world.jump(hours=2)
    async with world.bridge():
        await _enter(world, thirds[1], days=0)
        world.jump(hours=4)
        await _enter(world, thirds[2], days=1)
    world.jump(hours=16)
    async with world.bridge():
        world.jump(hours=8)
        await world.told()


async def _enter(world: UpdateWorld, numbers: range, *, days: int) -> None:
    for first in range(numbers.start, numbers.stop, _AT_ONCE):
        for number in range(first, min(first + _AT_ONCE, numbers.stop)):
            world.deliver(number, days=days)
            world.receive(number, days=days)
        await world.answered()


def main() -> int:
    """0 when every PSS was told OCP's history."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--sis", type=int, default=2000)
    options.add_argument("--driver", choices=DRIVERS, action="append")
    options.add_argument("--share", type=float, default=0.1)
    asked = options.parse_args()
    telemetry.set_up(level="critical")
    wrong = 0
    print(f"{'driver':<10} {'events':>7} {'told':>7} {'wrong SIs':>9} {'repeats':>8} {'gaps':>6} {'seconds':>8}")
    for driver in asked.driver or DRIVERS:
        began = time.perf_counter()
        world = play(driver, asked.sis, asked.share)
        events = told = differ = 0
        for participant in PARTICIPANTS:
            history, record = world.history(participant), world.record(participant)
            events += sum(map(len, history.values()))
            told += sum(map(len, record.values()))
            # every SI of the story is entered, matched and settled: a history that lacks one proves nothing
            differ += asked.sis // 2 - len(history)
            differ += sum(history.get(number) != record.get(number) for number in {*history, *record})
        wrong += differ
        repeats = sum(len(entry.body()["sequences"]) for entry in world.entries(Kind.UPDATE_REPEATED))
        gaps = len(world.entries(Kind.GAP_FOUND))
        passed_s = time.perf_counter() - began
        print(f"{driver:<10} {events:>7} {told:>7} {differ:>9} {repeats:>8} {gaps:>6} {passed_s:>8.1f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
