"""What OCP no longer tells by events is told by what its enquiry says; and every day end, both must agree."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from pg_bridge.bridge import Bridge
from pg_bridge.exchange.entries import Kind
from pg_bridge.simulator.faults import FaultKind
from tests.doubles.update_world import PARTICIPANTS, UpdateWorld
from tests.edges.test_push_drivers import is_told_whole, pairs, play

MONDAY = date(2026, 11, 23)


def last_of(world: UpdateWorld, participant: str) -> list[str]:
    """The last status of each SI that the PSS was told."""
    return [statuses[-1] for statuses in world.record(participant, marked=True).values()]


def test_day_end_compares_every_open_si() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(3), days=2)
            world.deliver(3, days=2)
            await world.answered()
            await world.told()
            world.jump(hours=11)
            await asyncio.sleep(20)

    world = play("webhook", story)
    reconciled = [entry.body() for entry in world.entries(Kind.RECONCILED)]

    is_told_whole(world)
    assert [("B01234", 4, 4), ("C00019", 3, 3)] == [
        (body["participant"], body["open"], body["agreed"]) for body in reconciled
    ]
    assert [] == world.entries(Kind.DISAGREEMENT_FOUND)


@pytest.mark.parametrize("driver", ["webhook", "websocket"])
def test_last_event_that_ocp_lost_is_told_at_day_end(driver: str) -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            world.deliver(1, days=2)
            await world.answered()
            world.lose("B01234", MONDAY, 2, 99)
            world.fault(FaultKind.PUSH_GAP, count=0)
            world.receive(1, days=2)
            await world.answered()
            world.jump(hours=11)
            await asyncio.sleep(20)

    world = play(driver, story)
    (found,) = world.entries(Kind.DISAGREEMENT_FOUND)

    assert ["MATCHED SNAPSHOT"] == last_of(world, "B01234")
    assert ["MATCHED"] == last_of(world, "C00019")
    assert ("B01234", ("PGB-XCH-021",)) == (found.participant, found.findings)


def test_settlement_that_ocp_lost_is_confirmed_at_day_end() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(2))
            await world.told()
            for participant in PARTICIPANTS:
                world.lose(participant, MONDAY, len(world.ocp.events(participant, MONDAY)) + 1, 99)
            world.fault(FaultKind.PUSH_GAP, count=0)
            world.jump(hours=8)
            world.jump(hours=3)
            await asyncio.sleep(20)

    world = play("webhook", story)

    assert ["SETTLED", "SETTLED"] == last_of(world, "B01234") == last_of(world, "C00019")
    assert 4 == len(world.entries(Kind.SNAPSHOT_TAKEN))


def test_gap_that_ocp_cannot_fill_is_told_as_a_snapshot_and_gone_on_behind() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(3), days=2)
            await world.told()
            world.lose("B01234", MONDAY, 7, 8)
            world.fault(FaultKind.PUSH_GAP, count=4)
            await pairs(world, range(3, 4), days=2)
            await pairs(world, range(4, 6), days=2)
            await asyncio.sleep(120)

    world = play("webhook", story)
    (lost,) = world.entries(Kind.EVENTS_LOST)
    record = world.record("B01234", marked=True)

    assert (7, 8) == (lost.body()["first"], lost.body()["last"])
    assert 6 == len(record)
    assert ["MATCHED SNAPSHOT"] in record.values()
    assert all(len(statuses) == 1 for statuses in record.values())
    assert world.history("C00019") == world.record("C00019")


def test_month_away_is_told_as_a_snapshot() -> None:
    async def story(world: UpdateWorld) -> None:
        async with world.bridge():
            await pairs(world, range(2), days=2)
            await world.told()
        world.jump(days=30)
        async with world.bridge():
            await asyncio.sleep(120)

    world = play("webhook", story)

    assert ["SETTLED", "SETTLED"] == last_of(world, "B01234") == last_of(world, "C00019")
    assert 2 == len(world.entries(Kind.EVENTS_LOST))


def test_command_tells_each_disagreement() -> None:
    found = []

    async def story(world: UpdateWorld) -> None:
        async with world.bridge() as bridge:
            await pairs(world, range(2), days=2)
            await world.told()
            world.lose("B01234", MONDAY, 5, 99)
            world.fault(FaultKind.PUSH_GAP, count=0)
            first = next(iter(world.record("B01234")))
            world.ocp.book.register.get(first).status = world.ocp.book.register.get(first).status.FAILING
            found.append(await reconcile(bridge))
            await asyncio.sleep(5)

    world = play("webhook", story)
    ((record, findings),) = found

    assert (2, 1, 1) == (record.open, record.agreed, record.disagreed)
    assert ["PGB-XCH-022"] == [finding.code for finding in findings]
    assert "FAILING SNAPSHOT" in last_of(world, "B01234")


async def reconcile(bridge: Bridge) -> object:
    return await bridge.dispatcher.reconciling.reconcile("B01234", "2026-11-23")
