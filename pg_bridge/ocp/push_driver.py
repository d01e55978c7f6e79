"""The drivers that fetch updates themselves: what they need of the bridge, and how each is kept going.

A driver follows one participant's events for as long as it can. Whatever ends that, it begins anew after a pause,
behind the last event that is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

from pg_bridge.errors import JournalError, OcpError

Json = dict[str, Any]

#: the part of a company's calls that polling may use: instructions need the others
POLL_SHARE = 0.25
#: seconds before a driver that ended begins anew: first, and at most
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class Updates(Protocol):
    """Where a driver brings what it gets."""

    async def take(self, events: Sequence[Json]) -> None:
        """Return when all events are durable; wait while none can be. Raises JournalError."""
        ...

    def refuse(self, participant: str, text: str, body: bytes) -> None:
        """Something came that is no event: it is noted, and OCP asked what it was to be."""
        ...

    def place(self, participant: str) -> tuple[str, int]:
        """Business date and sequence behind which events are still to come."""
        ...

    def failed(self, participant: str, error: OcpError) -> None:
        """The driver cannot be told events now."""
        ...

    async def ask(self, participant: str) -> None:
        """Ask OCP for the events that may have been missed."""
        ...


#: follows one participant's events until they end; gives how many came
Follow = Callable[[str], Awaitable[int]]


async def keep_following(participants: Iterable[str], follow: Follow, updates: Updates) -> None:
    """Follow every participant's events, each by itself, for ever. Ends when cancelled, or by JournalError."""
    async with asyncio.TaskGroup() as group:
        for participant in participants:
            group.create_task(_keep(participant, follow, updates))


async def _keep(participant: str, follow: Follow, updates: Updates) -> None:
    pause_s = PAUSE_S
    while True:
        came = 0
        try:
            came = await follow(participant)
        except JournalError:
            return  # the bridge is about to stop
        except OcpError as error:
            updates.failed(participant, error)
            pause_s = max(pause_s, getattr(error, "retry_after_s", None) or 0.0)
        await asyncio.sleep(pause_s)
        pause_s = PAUSE_S if came else min(pause_s * 2, LONGEST_PAUSE_S)
        await updates.ask(participant)


async def keep_polling(
    participants: Sequence[str], updates: Updates, *, poll_s: float, calls: int, period_s: float
) -> None:
    """Ask for each participant's events every `poll_s`, or as often as a quarter of the calls allow, for ever.

    Ends when cancelled. calls: that are allowed in `period_s`, 0: any number.
    """
    pause_s = max(poll_s, len(participants) * period_s / (calls * POLL_SHARE) if calls else 0.0)
    while True:
        async with asyncio.TaskGroup() as group:
            for participant in participants:
                group.create_task(updates.ask(participant))
        await asyncio.sleep(pause_s)
