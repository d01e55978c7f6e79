"""Asks OCP how a participant's SIs stand: at day end, on command, and where events are lost."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from pg_bridge import telemetry
from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.fetching import Day, Fetching
from pg_bridge.dispatcher.sets import SetAtWork, Sets
from pg_bridge.errors import Finding, OcpError, OcpUnavailable
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.ports import Slots
from pg_bridge.exchange.reconciliation import by_number, compare, open_sis
from pg_bridge.exchange.state import State
from pg_bridge.exchange.telling import FINAL
from pg_bridge.profiles.concepts import Operation, Status

#: more SIs of one day of input than this are asked for by that day, fewer each by its number
FEW = 10
#: events that are lost are asked for by siQuery again after this time, where OCP cannot be asked now, in seconds
AGAIN_S = 30.0
#: status events older than so many days are not asked for: how the SIs stand tells more
MOST_DAYS = 14


class Reconciling:
    """Asks, and has what differs told. `offer` takes the events."""

    def __init__(
        self,
        *,
        state: State,
        sets: Sets,
        slots: Slots,
        chores: Chores,
        fetching: Fetching,
        offer: Callable[[e.Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._sets = sets
        self._slots = slots
        self._chores = chores
        self._fetching = fetching
        self._offer = offer
        self._clock = clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: an alarm for whoever counts: (participant, code of the finding)
        self.on_disagreement: Callable[[str, str], None] = lambda *_: None
        self._log = telemetry.logger()

    async def reconcile(
        self, participant: str, business_date: str, who: r.Who | None = None
    ) -> tuple[r.Reconciled, list[Finding]]:
        """Compare every open SI of a participant with siQuery; gives the sums, and a finding for each disagreement.

        What OCP's events tell is heard first. Raises OcpError when OCP cannot be asked: nothing was compared.
        """
        async with self._locks[participant]:
            await self._hear(participant)
            known = {number: standing.version for number, standing in open_sis(self._state, participant).items()}
            with self._sets.using() as at_work:
                entries = await self._ask(at_work, participant, known)
            listed = e.SisListed(participant, business_date, entries, known, who)
            if compare(self._state, at_work.terms, listed)[1]:
                # It may have happened between the two questions: then its events are there now.
                await self._hear(participant)
            record, wrong = compare(self._state, at_work.terms, listed)
            self._offer(listed)
            for finding in wrong.values():
                self._log.error(
                    telemetry.DISAGREEMENT_FOUND, participant=participant, code=finding.code, si=finding.path
                )
                self.on_disagreement(participant, finding.code)
            return record, list(wrong.values())

    async def events_gone(self, day: Day, is_whole: bool) -> None:
        """Events of a day are lost: have the PSS told how the SIs stand now. Tried until OCP answers.

        is_whole: OCP has nothing more of that day.
        """
        participant, business_date = day
        self._log.error(telemetry.EVENTS_LOST, participant=participant, day=business_date)
        try:
            async with self._locks[participant]:
                with self._sets.using() as at_work:
                    entries = await self._ask(
                        at_work, participant, open_sis(self._state, participant), since=business_date
                    )
                self._offer(e.EventsGone(participant, business_date, entries, is_whole))
        except OcpError as error:
            self._log.warning(telemetry.OCP_FAILED, participant=participant, error=str(error))
            self._chores.later(AGAIN_S, lambda: self._chores.spawn(self.events_gone(day, is_whole)))

    async def _hear(self, participant: str) -> None:
        """Take the events of every day of the participant that is not closed. Raises OcpError where OCP tells none."""
        days = sorted(day for whose, day in self._state.feeds if whose == participant)
        for day in days or [self._today()]:
            feed = self._state.feeds.get((participant, day))
            if feed is not None and feed.is_closed:
                continue
            if not await self._fetching.hear(participant, day):
                raise OcpUnavailable(f"asking for the status events of {participant}")

    def _today(self) -> str:
        return self._sets.in_force.terms.business_date(self._clock())

    async def _ask(
        self, at_work: SetAtWork, participant: str, known: Iterable[str], *, since: str = ""
    ) -> list[dict[str, Any]]:
        """The participant's SIs that OCP holds to be open, and those among `known` that it does not.

        since: also all that were entered on this day or later. Raises OcpError.
        """
        ocp = at_work.terms.ocp
        entries: list[dict[str, Any]] = []

        async def ask(**asked: str) -> None:
            await self._slots.slot()
            question = ocp.write("query", {"participant_id": participant, **asked})
            entries.extend(await at_work.ocp.ask(Operation.SI_QUERY, participant, question))

        for status in Status:
            if status not in FINAL:
                await ask(status=ocp.code("status", status))
        days: defaultdict[str, list[str]] = defaultdict(list)
        listed = by_number(at_work.terms, entries)
        for number in known:
            if number not in listed:
                standing = self._state.standings.get((participant, number))
                days[standing.day if standing is not None else ""].append(number)
        if since:
            day, today = date.fromisoformat(since), date.fromisoformat(self._today())
            for passed in range(min((today - day).days, MOST_DAYS) + 1):
                days.setdefault((day + timedelta(days=passed)).isoformat(), [])
        for of_day, numbers in days.items():
            if of_day and (len(numbers) > FEW or (since and of_day >= since)):
                await ask(business_date=of_day)
                continue
            for number in numbers:
                await ask(si_number=number)
        return entries
