"""A pretend PG's door with a desk that only repeats: every request is answered, what comes unasked is put in by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.simulator.gateway_desk import Reply, Unasked
from pg_bridge.simulator.gateway_door import Door, DoorOptions
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.mapping_sets import set_files

LINK = read_link_profile(set_files("shipped")[LINK_FILE])


class Wall:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class EchoDesk:
    """Answers each request with its own body; keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, bytes]] = []
        self.to_tell: list[Unasked] = []
        self.over: list[tuple[str, str]] = []

    def take(self, participant: str, terminal: str, frame: Frame) -> list[Reply]:
        self.taken.append((participant, terminal, frame.body))
        return [Reply("548", "SI51", frame.body)]

    def unasked(self) -> list[Unasked]:
        told, self.to_tell = self.to_tell, []
        return told

    def ended(self, participant: str, terminal: str) -> None:
        self.over.append((participant, terminal))

    def stamp(self) -> str:
        return "20261123093000"

    def tell(self, participant: str, text: str, *, terminal: str = "", subject: str = "") -> None:
        body = f":20C::SEME//{text}\r\n".encode()
        self.to_tell.append(Unasked(participant, terminal, subject, Reply("548", "SI60", body)))


class AtTheDoor:
    """The door, its desk and wall, and PSSs that dial it."""

    def __init__(self, door: Door, desk: EchoDesk, wall: Wall) -> None:
        self.door = door
        self.desk = desk
        self.wall = wall
        self.came: list[ScriptedPss] = []

    async def pss(self, participant: str = "B01234", terminal: str = "PSS1", node: int = 0, **more: Any) -> ScriptedPss:
        pss = await self.dialled(participant, terminal, node, **more)
        await pss.log_on()
        return pss

    async def dialled(self, participant: str, terminal: str = "PSS1", node: int = 0, **more: Any) -> ScriptedPss:
        pss = self.fresh(participant, terminal, **more)
        await pss.connect(*self.door.addresses[node])
        return pss

    def fresh(self, participant: str, terminal: str = "PSS1", **more: Any) -> ScriptedPss:
        pss = ScriptedPss(LINK, participant=participant, terminal=terminal, clock=self.wall, **more)
        self.came.append(pss)
        return pss

    async def until(self, look: Callable[[], Any]) -> None:
        """Return once `look` gives something; only the loop's turns let it."""
        async with asyncio.timeout(5):
            while not look():  # noqa: ASYNC110
                await asyncio.sleep(0)

    def tell(self, participant: str, text: str, **more: str) -> None:
        self.desk.tell(participant, text, **more)
        self.door.spread()


@asynccontextmanager
async def at_the_door(**options: Any) -> AsyncIterator[AtTheDoor]:
    """A door on a free port of this machine."""
    desk, wall = EchoDesk(), Wall()
    pairs = frozenset({("SI01", "543"), ("SI01", "541")})
    door = Door(LINK, DoorOptions(**options), desk, request_templates=pairs, wall=wall, seed=7)
    await door.start()
    there = AtTheDoor(door, desk, wall)
    try:
        yield there
    finally:
        for pss in there.came:
            pss.close()
        await door.close()
