"""Pushes at the change of the OCP profile: the one in force decides, also on what came before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pg_bridge.bridge.ways import PushTaker
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import OcpUnavailable
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.ocp.push import PushDoor
from pg_bridge.profiles.ocp import OcpProfile
from tests.doubles import ocp_world as world
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.loop import Answers, FreeSlots
from tests.edges.test_ocp_push import BODY, NOW, sign


class Keys:
    """OCP's key list, given when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()
        self.is_down = False

    async def __call__(self) -> Sequence[Mapping[str, Any]]:
        self.asked.set()
        await self.gate.wait()
        if self.is_down:
            raise OcpUnavailable
        return [dict(world.key("ocp").public_jwk)]


def door(profile: OcpProfile, keys: Keys) -> PushDoor:
    return PushDoor(profile, keys)


@asynccontextmanager
async def taking(first: PushDoor) -> AsyncIterator[tuple[PushTaker, MemoryJournal]]:
    core = Core()
    core.now = NOW + timedelta(seconds=1)
    journal = MemoryJournal()
    dispatcher = Dispatcher(
        terms=core.terms,
        journal=journal,
        ocp=FakeOcp(book().ocp, lambda: core.now),
        slots=FreeSlots(),
        clock=lambda: core.now,
    )
    dispatcher.begin(Answers(journal), version="test", replayed=0)
    task = asyncio.get_running_loop().create_task(dispatcher.run())
    try:
        yield PushTaker(first, dispatcher, lambda: core.now), journal
    finally:
        await dispatcher.close("test")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_push_in_the_shape_of_the_profile_before_is_refused_from_the_change_on() -> None:
    keys = Keys()
    other = world.ocp_profile_with('delivery_id = "X-OCP-DELIVERY-ID"', 'delivery_id = "X-OCP-DELIVERY"')
    async with taking(door(world.ocp_profile(), keys)) as (taker, journal):
        push = asyncio.ensure_future(taker.take(sign(), BODY))
        await keys.asked.wait()
        taker.door = door(other, keys)
        keys.gate.set()
        answer = await push
        kinds = [entry.kind for entry in journal.entries]

    assert 401 == answer.status
    assert Kind.UPDATE_RECEIVED not in kinds


async def test_push_that_the_profile_before_could_not_judge_is_judged_by_the_one_in_force() -> None:
    down, up = Keys(), Keys()
    down.is_down = True
    up.gate.set()
    async with taking(door(world.ocp_profile(), down)) as (taker, journal):
        push = asyncio.ensure_future(taker.take(sign(), BODY))
        await down.asked.wait()
        taker.door = door(world.ocp_profile(), up)
        down.gate.set()
        answer = await push
        received = [entry for entry in journal.entries if entry.kind is Kind.UPDATE_RECEIVED]

    assert 200 == answer.status
    assert 2 == len(received)
