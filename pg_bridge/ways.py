"""The ways to OCP of a running bridge, and who takes what OCP pushes: both follow the profile in force.

Sets of different OCP profiles may be at work at a time: calls of what is in flight go by the older profile. A push is
taken in the shape of the one in force only, from the change on: what OCP pushes in another shape is refused, and asked
for when the next event shows the gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pg_bridge import telemetry
from pg_bridge.console.app import PushAnswer
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import JournalError, PushRefused
from pg_bridge.exchange import records as r
from pg_bridge.exchange.ports import Ocp
from pg_bridge.intake import UpdateIntake
from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.limits import CallLimits, Limit
from pg_bridge.ocp.push import Delivery, PushDoor
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

#: of the time that OCP waits for an answer, the part that we take at most
_ANSWER_SHARE = 0.8


class PushTaker:
    """Fulfils console's port: checks a push by the profile in force, makes it durable, answers."""

    def __init__(self, door: PushDoor, dispatcher: Dispatcher, clock: Callable[[], datetime]) -> None:
        self.door = door
        self._dispatcher = dispatcher
        self._clock = clock
        self.intake = UpdateIntake(dispatcher, clock)

    async def take(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:
        """2xx only when every event of it is durable; 503 where that is not so within the time that OCP waits."""
        try:
            async with asyncio.timeout(self._dispatcher.terms.ocp.limits.push_answer_s * _ANSWER_SHARE):
                return await self._take(headers, body)
        except TimeoutError:
            return PushAnswer(503, "it is not durable yet")

    async def _take(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:
        try:
            push = await self._receive(headers, body)
        except PushRefused as error:
            self._dispatcher.note(
                r.PushRefused(status=error.status, text=str(error), body=body[:65_536], size=len(body))
            )
            telemetry.logger().warning(telemetry.PUSH_REFUSED, status=error.status, error=str(error))
            return PushAnswer(error.status, str(error))
        try:
            await self.intake.take_now(push.events, push.delivery_id, is_late=push.is_late)
        except JournalError as error:
            return PushAnswer(503, str(error))
        return PushAnswer(200, "taken")

    async def _receive(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """The delivery by the profile in force; if another one came into force meanwhile, that decides."""
        while True:
            door = self.door
            try:
                push = await door.receive(headers, body, self._clock())
            except PushRefused:
                if door is self.door:
                    raise
            else:
                if door is self.door:
                    return push


@dataclass(frozen=True, slots=True)
class _Way:
    """A client with what belongs to its profile. asking: held while it asks for OCP's keys."""

    client: OcpClient
    door: PushDoor
    limits: list[Limit]
    asking: asyncio.Lock


class Ways:
    """The ways to OCP: one for each OCP profile at work, all with the same keys and call limits."""

    def __init__(
        self,
        open_client: Callable[[OcpProfile], OcpClient],
        limits_of: Callable[[OcpProfile], list[Limit]],
        slots: CallLimits,
    ) -> None:
        self._open_client = open_client
        self._limits_of = limits_of
        self._slots = slots
        self._open: dict[Ocp, _Way] = {}
        self.taker: PushTaker | None = None

    def open(self, profile: OcpProfile) -> OcpClient:
        """A new way. Raises ConfigError when keys and profile do not fit."""
        client = self._open_client(profile)
        asking = asyncio.Lock()

        async def ask_keys() -> Sequence[Mapping[str, Any]]:
            async with asking:
                return await client.signing_keys()

        self._open[client] = _Way(client, PushDoor(profile, ask_keys), self._limits_of(profile), asking)
        return client

    def door(self, ocp: Ocp) -> PushDoor:
        """What takes pushes in the shape of this way's profile."""
        return self._open[ocp].door

    def put_in_force(self, ocp: Ocp) -> None:
        """From now on pushes are taken in the shape of this way's profile, and its limits hold for all."""
        way = self._open[ocp]
        if self.taker is not None:
            self.taker.door = way.door
        self._slots.change(way.limits)

    async def is_up(self, dispatcher: Dispatcher) -> None:
        """Ask OCP if it is up, by the profile in force. Raises OcpError when it is not, or does not say."""
        with dispatcher.sets.using() as now_used:
            await now_used.ocp.ask(Operation.HEALTH, "", {})

    async def close(self, ocp: Ocp) -> None:
        """Nothing uses this way any more."""
        way = self._open.pop(ocp)
        async with way.asking:
            await way.client.aclose()

    async def aclose(self) -> None:
        """Close every way."""
        for ocp in list(self._open):
            await self.close(ocp)
