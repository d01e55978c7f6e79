"""One story for all four push drivers: each PSS sees each transition once, in order, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from pg_bridge.cli.processes import COMPANY
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.simulator.clock import Run
from pg_bridge.simulator.faults import FaultKind
from pg_bridge.simulator.simulated_loop import SimulatedLoop, run_simulated
from pg_bridge.simulator.streams import Place, Told
from tests.benchmarks import updates as figure
from tests.doubles.update_world import PARTICIPANTS, UpdateWorld

DRIVERS = ["webhook", "sse", "websocket", "poll"]
PUSHED = ["webhook", "sse", "websocket"]
STREAMS = ["sse", "websocket"]


def play(driver: str, story: Callable[[UpdateWorld], Awaitable[Any]], **options: Any) -> UpdateWorld:
    """Play a story in simulated time; gives the world as it then is."""

    async def main(loop: SimulatedLoop) -> UpdateWorld:
        world = UpdateWorld(loop, driver, **options)
        async with asyncio.timeout(86_400 * 10), world.platform():
            await story(world)
        return world

    world: UpdateWorld = run_simulated(main)
    return world


def is_told_whole(world: UpdateWorld) -> None:
    for participant in PARTICIPANTS:
        assert world.history(participant) == world.record(participant)
        assert world.history(participant)


async def pairs(world: UpdateWorld, numbers: range, *, days: int = 0) -> None:
    """Both sides enter these pairs, which match at once."""
    for number in numbers:
        world.deliver(number, days=days)
        world.receive(number, days=days)
    await world.answered()


@pytest.mark.parametrize("driver", DRIVERS)
def test_each_transition_is_told_once_and_in_order(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(5))
            world.jump(hours=8)  # the settlement runs
            await world.told()

    world = play(driver, story)

    is_told_whole(world)
    assert ["MATCHED", "SETTLED"] == next(iter(world.record("B01234").values()))


@pytest.mark.parametrize("driver", PUSHED)
@pytest.mark.parametrize("kind", ["push_repeat", "push_reorder", "push_late", "push_gap"])
def test_pushes_that_go_wrong_are_put_right(driver: str, kind: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.fault(FaultKind(kind), count=0, share=0.3, delay_s=7)
            await pairs(world, range(12))
            await world.told()

    is_told_whole(play(driver, story))


@pytest.mark.parametrize("driver", STREAMS)
def test_stream_that_is_cut_is_resumed(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.fault(FaultKind.PUSH_CUT, count=0, share=0.2)
            await pairs(world, range(10))
            await world.told()

    is_told_whole(play(driver, story))


@pytest.mark.parametrize("driver", PUSHED)
def test_last_event_that_never_comes_is_asked_for_after_silence(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(3))
            await world.told()
            world.fault(FaultKind.PUSH_GAP, count=0)
            await pairs(world, range(3, 4))
            await world.told(100)

    is_told_whole(play(driver, story))


@pytest.mark.parametrize("driver", DRIVERS)
def test_two_hours_away_over_a_change_of_the_day(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        world.jump(hours=10)  # 19:30
        async with world.bridge():
            await pairs(world, range(4), days=1)
            await world.told()
        world.jump(hours=3)  # the day has ended
        async with world.bridge():
            world.fault(FaultKind.PUSH_LATE, count=0, share=0.3, delay_s=9)
            await pairs(world, range(4, 7), days=1)
        world.jump(hours=16)  # 14:30: settled
        async with world.bridge():
            await world.told()

    world = play(driver, story)

    is_told_whole(world)
    assert [2, 2] == [len(numbers) for numbers in world.record("B01234").values()][:2]
    assert world.entries(Kind.DAY_CLOSED)


@pytest.mark.parametrize("driver", DRIVERS)
def test_weekend_away_is_made_up(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        world.jump(days=4)  # Friday
        async with world.bridge():
            await pairs(world, range(2))
        world.jump(hours=5)
        world.jump(days=3)
        async with world.bridge():
            await world.told()

    is_told_whole(play(driver, story))


@pytest.mark.parametrize("driver", DRIVERS)
def test_si_entered_elsewhere_is_told_to_its_participant(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.deliver(1)
            world.receive(1)
            await world.answered()
            await world.told()
        world.journal.entries.clear()  # a bridge that never heard of it
        async with world.bridge():
            world.jump(hours=8)
            world.before.clear()
            await world.told()

    world = play(driver, story)

    assert ["MATCHED", "SETTLED"] == next(iter(world.record("C00019").values()))


def test_driver_that_is_changed_ends_the_subscription() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(2))
            await world.told()
        assert 1 == len(world.ocp.pusher.subscribers())
        async with world.bridge("websocket"):
            await pairs(world, range(2, 4))
            await world.told()
            await asyncio.sleep(5)
        assert [] == world.ocp.pusher.subscribers()

    world = play("webhook", story)

    is_told_whole(world)
    assert 2 == len(world.entries(Kind.SUBSCRIBED))


@pytest.mark.parametrize("driver", DRIVERS)
def test_update_before_the_answer_to_its_own_input_is_told_after_it(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.receive(1)
            await world.answered()
            world.fault(FaultKind.LATE, operation="si_add", delay_s=6)
            world.deliver(1)
            await world.answered()
            await world.told()

    world = play(driver, story)
    templates = [got.frame.template for got in world.before["B01234"]]

    is_told_whole(world)
    assert [world.words.template["answer"], world.words.template["told"]] == templates


@pytest.mark.parametrize("driver", STREAMS)
def test_what_is_no_event_is_noted_and_asked_for(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(2))
            await world.told()
            for stream in world.ocp.streams:
                stream.feed.put(Told(Place(world.clock().date(), 999), msgspec.Raw(b'{"eventId": "half of')))
            await pairs(world, range(2, 4))
            await world.told()
            await asyncio.sleep(3)

    world = play(driver, story)
    noted = world.entries(Kind.PUSH_REFUSED)

    is_told_whole(world)
    assert {*PARTICIPANTS} == {entry.participant for entry in noted}


@pytest.mark.parametrize("driver", STREAMS)
def test_unknown_members_of_an_event_are_left_alone(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        write = world.ocp.binding.write_event

        def written(event: object) -> msgspec.Raw:
            document = msgspec.json.decode(write(event))
            return msgspec.Raw(msgspec.json.encode(document | {"newMember": {"a": [1]}}))

        world.ocp.binding.write_event = written
        async with world.bridge():
            await pairs(world, range(2))
            await world.told()

    is_told_whole(play(driver, story))


def test_socket_acknowledges_what_is_durable_and_nothing_else() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(20))
            await world.told()
            await asyncio.sleep(1)
            for participant in PARTICIPANTS:
                events = len(world.ocp.events(participant, world.ocp.clock.now().date()))
                acknowledged = world.ocp.streams.acknowledged(COMPANY, participant).after()
                assert acknowledged is not None
                assert events == acknowledged.sequence

    is_told_whole(play("websocket", story))


@pytest.mark.parametrize("driver", DRIVERS)
def test_everything_wrong_at_once_over_two_stops(driver: str) -> None:
    is_told_whole(figure.play(driver, 60, 0.1))


@pytest.mark.parametrize("kind", ["push_bad_signature", "push_old_timestamp"])
def test_webhook_that_is_signed_or_dated_wrongly(kind: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.fault(FaultKind(kind), count=2, delay_s=3600)
            await pairs(world, range(3))
            await world.told()

    world = play("webhook", story)
    late = [entry for entry in world.entries(Kind.UPDATE_RECEIVED) if entry.body().get("is_late")]

    is_told_whole(world)
    assert (kind == "push_bad_signature") == bool(world.entries(Kind.PUSH_REFUSED))
    assert (kind == "push_old_timestamp") == bool(late)


def test_webhook_is_told_to_come_again_when_it_is_not_durable_in_time() -> None:
    class SlowJournal(MemoryJournal):
        is_slow = False

        async def append(self, entries: Sequence[Entry]) -> Sequence[int]:
            if self.is_slow:
                await asyncio.sleep(30)
            return await super().append(entries)

    journal = SlowJournal()

    async def story(world: UpdateWorld) -> None:
        world.journal = journal
        async with world.bridge():
            world.deliver(1)
            await world.answered()
            await asyncio.sleep(5)
            journal.is_slow = True
            world.ocp.run(Run.MATCH)
            world.receive(1)
            await asyncio.sleep(100)
            journal.is_slow = False
            await world.answered()
            await world.told()

    world = play("webhook", story)
    statuses = [one.status for one in world.ocp.pusher.tries]

    is_told_whole(world)
    assert 503 in statuses
    assert 200 == statuses[-1]
