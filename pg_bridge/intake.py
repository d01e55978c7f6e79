"""Where updates come in, whichever driver brings them: they are offered to the dispatcher and durable when taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import JournalFull, OcpError
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.updates import has_room
from pg_bridge.profiles.ocp import OcpProfile

#: what is not taken because the journal, or the buffer of early events, is full is tried again after this, in seconds
_FULL_S = 0.1
#: of what was refused, so many bytes are journaled
MOST_KEPT = 65_536


class UpdateIntake:
    """Takes status events that are checked. Fulfils what the drivers of ocp need."""

    def __init__(self, dispatcher: Dispatcher, clock: Callable[[], datetime]) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._began = clock()
        #: participant -> when it was last heard of
        self._heard: dict[str, datetime] = {}
        #: participants of which something came that could not be read
        self.to_ask: set[str] = set()
        self._log = telemetry.logger()

    def heard(self, participant: str) -> datetime:
        """When the participant was last heard of, or asked for; at first, when the bridge began."""
        return self._heard.get(participant, self._began)

    def hear(self, participant: str) -> None:
        """OCP told something of the participant, or was asked about it: it is not silent."""
        self._heard[participant] = self._clock()

    async def take_now(self, events: Sequence[dict[str, Any]], delivery_id: str = "", *, is_late: bool = False) -> None:
        """Return when all events are durable. Raises JournalFull when they cannot be taken now, JournalError."""
        dispatcher = self._dispatcher
        profile = dispatcher.terms.ocp
        if dispatcher.is_full:
            raise JournalFull("the journal is busy")
        if not has_room(dispatcher.state, dispatcher.terms, events):
            raise JournalFull("too many events wait for earlier ones")
        for event in events:
            self.hear(_participant(profile, event))
        dispatcher.offer(e.UpdatesArrived(events, delivery_id, is_late))
        await dispatcher.durable()

    async def take(self, events: Sequence[dict[str, Any]]) -> None:
        """As `take_now`, but wait while they cannot be taken. Raises JournalError."""
        while True:
            try:
                return await self.take_now(events)
            except JournalFull:
                if self._dispatcher.failed.done():
                    raise self._dispatcher.failed.result() from None
                await asyncio.sleep(_FULL_S)

    def refuse(self, participant: str, text: str, body: bytes) -> None:
        """Note what came and is no event; OCP is asked soon what it was to be."""
        self._dispatcher.note(
            r.PushRefused(participant=participant, status=0, text=text, body=body[:MOST_KEPT], size=len(body))
        )
        self._log.warning(telemetry.PUSH_REFUSED, participant=participant, error=text)
        self.to_ask.add(participant)

    def place(self, participant: str) -> tuple[str, int]:
        """Business date and sequence behind which events are still to come."""
        state = self._dispatcher.state
        date = state.open_days.get(participant) or self._dispatcher.terms.business_date(self._clock())
        feed = state.feeds.get((participant, date))
        return date, feed.next_sequence - 1 if feed is not None else 0

    def failed(self, participant: str, error: OcpError) -> None:
        """A driver cannot be told events now."""
        self._log.warning(telemetry.OCP_FAILED, participant=participant, doing="following", error=str(error))

    async def ask(self, participant: str) -> None:
        """Ask OCP for the events of every day of the participant that is not closed, and of today."""
        self.to_ask.discard(participant)
        state = self._dispatcher.state
        today = self._dispatcher.terms.business_date(self._clock())
        for date in sorted({date for whose, date in state.feeds if whose == participant} | {today}):
            feed = state.feeds.get((participant, date))
            if feed is None or not feed.is_closed:
                await self._dispatcher.fetch(participant, date)
        self.hear(participant)


def _participant(profile: OcpProfile, event: Mapping[str, Any]) -> str:
    return str(profile.get("si", "participant_id", profile.get("event", "si", event)))
