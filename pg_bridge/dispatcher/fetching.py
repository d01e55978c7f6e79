"""Status events that are missing, asked for: by day, until OCP has told them or does not have them any more."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime

from pg_bridge import telemetry
from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.sets import Sets
from pg_bridge.errors import OcpError, OcpRefused
from pg_bridge.exchange import events as e
from pg_bridge.exchange.ports import Slots
from pg_bridge.exchange.state import State
from pg_bridge.exchange.updates import is_over, is_waited_for
from pg_bridge.profiles.concepts import Operation

#: (participant, business date)
Day = tuple[str, str]
#: when OCP was asked so often for what is missing, with pauses, and answered without it, it does not have it
LOST_AFTER = 3
#: timers and clocks differ a little: so much of a pause is one
_PAUSED = 0.9


class Fetching:
    """Asks OCP for status events; gives what it gets to `offer`.

    gone: told of a day of which events are lost; is_whole: of all that is missing there.
    """

    def __init__(
        self,
        *,
        state: State,
        sets: Sets,
        slots: Slots,
        chores: Chores,
        offer: Callable[[e.Event], None],
        refetch_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._sets = sets
        self._slots = slots
        self._chores = chores
        self._offer = offer
        self._refetch_s = refetch_s
        self._clock = clock
        self.gone: Callable[[Day, bool], Awaitable[None]] | None = None
        self._locks: defaultdict[Day, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: days that were wanted while they were being asked for
        self._wanted_again: set[Day] = set()
        self._again_later: set[Day] = set()
        #: when OCP answered without what is missing
        self._in_vain: defaultdict[Day, list[datetime]] = defaultdict(list)
        self._log = telemetry.logger()

    async def fetch(self, participant: str, business_date: str, after: int | None = None) -> None:
        """Ask for a day's events behind those that came, or behind `after`; what is still missing is asked for again.

        While that day is being asked for, it is asked for once more afterwards.
        """
        day = (participant, business_date)
        if self._locks[day].locked():
            self._wanted_again.add(day)
            return
        await self.hear(participant, business_date, after)

    async def hear(self, participant: str, business_date: str, after: int | None = None) -> bool:
        """As `fetch`, but wait for one that is under way, and ask then. Gives whether OCP answered."""
        day = (participant, business_date)
        async with self._locks[day]:
            return await self._ask(day, after)

    async def _ask(self, day: Day, after: int | None) -> bool:
        participant, business_date = day
        is_answered = is_refused = False
        try:
            await self._slots.slot()
            with self._sets.using() as at_work:
                feed = self._state.feeds.get(day)
                behind = feed.next_sequence - 1 if feed is not None else after or 0
                ended = is_over(self._state, at_work.terms, participant, business_date, self._clock())
                document = at_work.terms.ocp.write(
                    "events_query",
                    {"participant_id": participant, "business_date": business_date, "after_sequence": behind},
                )
                events = await at_work.ocp.ask(Operation.STATUS_EVENTS, participant, document)
            is_answered = True
        except OcpError as error:
            self._log.warning(telemetry.OCP_FAILED, participant=participant, day=business_date, error=str(error))
            is_refused = isinstance(error, OcpRefused)
        is_wanted_again = day in self._wanted_again
        self._wanted_again.discard(day)
        # What comes has the shape of the profile by which it was asked for.
        is_of_before = at_work.ocp is not self._sets.in_force.ocp
        if is_answered and not is_of_before:
            self._offer(e.EventsFetched(participant, business_date, events, ended))
        if is_of_before or (is_wanted_again and is_waited_for(self._state, *day)):
            self._chores.spawn(self._fetched(day))
        elif is_answered or is_refused:
            await self._see_to(day, is_refused)
        else:
            self._later(day)
        return is_answered and not is_of_before

    async def _see_to(self, day: Day, is_refused: bool) -> None:
        """After an answer: what is still missing is asked for again, until it is clear that it is lost."""
        feed = self._state.feeds.get(day)
        is_gap = feed is not None and bool(feed.early) and self._state.open_days.get(day[0]) == day[1]
        if not is_gap and not (is_refused and is_waited_for(self._state, *day)):
            self._in_vain.pop(day, None)
            if is_waited_for(self._state, *day):
                self._later(day)
            return
        in_vain, now = self._in_vain[day], self._clock()
        if not in_vain or (now - in_vain[-1]).total_seconds() >= self._refetch_s * _PAUSED:
            in_vain.append(now)
        if len(in_vain) < LOST_AFTER or self.gone is None:
            self._later(day)
            return
        del self._in_vain[day]
        await self.gone(day, is_refused)

    def _later(self, day: Day) -> None:
        """Ask again after a while, where something still waits for it."""
        if day in self._again_later:
            return
        self._again_later.add(day)

        def again() -> None:
            self._again_later.discard(day)
            if is_waited_for(self._state, *day):
                self._chores.spawn(self._fetched(day))

        self._chores.later(self._refetch_s, again)

    async def _fetched(self, day: Day) -> None:
        await self.fetch(*day)
