"""The one loop: event -> decide -> journal -> act.

Events are decided at once, one after another. What they decided waits for the committer, which makes all that has
gathered durable in one append and only then lets the actions leave. So nothing is called, answered or delivered
that the journal does not hold, and a disk that syncs slowly makes batches larger, not answers earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pg_bridge import telemetry
from pg_bridge.dispatcher.acting import Acting
from pg_bridge.dispatcher.batching import Batching
from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.committing import Committer
from pg_bridge.dispatcher.downloads import Downloads
from pg_bridge.dispatcher.errands import Errands
from pg_bridge.dispatcher.fetching import Fetching
from pg_bridge.dispatcher.handing import Handing
from pg_bridge.dispatcher.reconciling import Reconciling
from pg_bridge.dispatcher.sets import SetAtWork, Sets
from pg_bridge.errors import Finding, MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.decide import decide
from pg_bridge.exchange.entries import Position
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.ports import Files, Journal, Ocp, Reports, Sessions, Slots
from pg_bridge.exchange.records import Record, read_entry, write_entry
from pg_bridge.exchange.recovery import forget, recover, resume
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Terms, epoch_us

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """Bounds of the loop."""

    #: entries that may wait to become durable; beyond that requests are told BUSY and pushes 503
    most_pending: int = 20_000
    #: OCP's pages are asked again this long after a gap could not be filled, in seconds
    refetch_s: float = 5.0
    #: 0 to 1, anew each time: pauses before something goes again are longer by chance
    chance: Callable[[], float] = lambda: 0.0


class Dispatcher:
    """Holds the state; the edges hand it events and it uses them through ports."""

    def __init__(
        self,
        *,
        terms: Terms,
        journal: Journal,
        ocp: Ocp,
        ocp_hash: str = "",
        close_ocp: Callable[[], Coroutine[Any, Any, None]] | None = None,
        slots: Slots,
        reports: Reports | None = None,
        clock: Clock,
        options: DispatcherOptions = DispatcherOptions(),
    ) -> None:
        self.state = State()
        self.sets = Sets(SetAtWork(terms, ocp, ocp_hash, close_ocp), self.state)
        self._journal = journal
        self._clock = clock
        self._options = options
        self._log = telemetry.logger()
        self._committer = Committer()
        #: set when durability is in doubt: the bridge must stop
        self.failed = self._committer.failed
        self._chores = Chores()
        self._batching = Batching(self.state, slots, self.offer, self._chores.spawn)
        self._errands = Errands(
            state=self.state,
            sets=self.sets,
            slots=slots,
            chores=self._chores,
            offer=self.offer,
            lane_freed=self._batching.touch,
            clock=clock,
        )
        fetching = Fetching(
            state=self.state,
            sets=self.sets,
            slots=slots,
            chores=self._chores,
            offer=self.offer,
            refetch_s=options.refetch_s,
            clock=clock,
        )
        self.fetch = fetching.fetch
        self.reconciling = Reconciling(
            state=self.state,
            sets=self.sets,
            slots=slots,
            chores=self._chores,
            fetching=fetching,
            offer=self.offer,
            clock=clock,
        )
        fetching.gone = self.reconciling.events_gone
        #: UTC microseconds since 1970 of the last entry of the process before; 0: there was none
        self.last_alive_us = 0
        self._downloads = Downloads(self, journal, reports, self._chores.spawn)
        self._handing = Handing(self, self._committer, self._downloads)
        self._acting = Acting(
            self,
            committer=self._committer,
            handing=self._handing,
            errands=self._errands,
            fetching=fetching,
            downloads=self._downloads,
            batching=self._batching,
            chores=self._chores,
            clock=clock,
            chance=options.chance,
        )
        # What sessions tell goes straight to who handed them something.
        self.session_opened = self._handing.session_opened
        self.session_closed = self._handing.session_closed
        self.answer_written = self._handing.answer_written
        self.answers_left = self._handing.answers_left
        self.delivery_acknowledged = self._handing.delivery_acknowledged

    @property
    def terms(self) -> Terms:
        """The terms of the set in force."""
        return self.sets.in_force.terms

    # --- start ---------------------------------------------------------------------------------------------

    async def replay(self) -> int:
        """Build the state from the journal; gives the number of entries read."""
        count = 0
        async for stored in self._journal.replay(0):
            apply(self.state, read_entry(stored.entry), stored.entry.at_us)
            self._downloads.recall(stored)
            count += 1
        self.last_alive_us = self.state.last_us
        return count

    def begin(self, sessions: Sessions, *, version: str, replayed: int, files: Files | None = None) -> None:
        """Take up what was open when the last process ended."""
        self._handing.begin(sessions)
        self._acting.files = files
        self._committer.durable_records = self.state.folded
        self.forget()
        first = self.sets.in_force
        reopened = recover(self.state, first.terms.set_hash)
        self.note(
            r.NodeStarted(
                version=version,
                mapping=first.name.hash,
                replayed=replayed,
                reopened=reopened,
                set_name=first.name.name,
                set_version=first.name.version,
                ocp_hash=first.ocp_hash,
            )
        )
        self._know_since(first)
        self._committer.gather(actions=resume(self.state))
        self._batching.touch_all(self.state.lanes)

    # --- the mapping set -----------------------------------------------------------------------------------

    def change_set(self, new: SetAtWork, who: r.Who, *, files: int, findings: Sequence[Finding] = ()) -> int:
        """Put another mapping set in force, between two events; gives the number of exchanges that end by the old one.

        It is in force for every event offered from now on; `durable` then says from which position on.
        """
        before = self.sets.in_force
        in_flight = self.sets.change(new)
        held_back = [key for key, feed in self.state.feeds.items() if feed.early]
        self.note(
            r.MappingsLoaded(
                mapping=new.name.hash,
                loaded=new.name,
                before=before.name,
                ocp_hash=new.ocp_hash,
                who=who,
                files=files,
                in_flight=in_flight,
                findings=tuple(findings),
            )
        )
        self._know_since(new)
        self._committer.gather(
            actions=[
                a.Fetch(*key, self.state.feeds[key].next_sequence - 1)
                for key in held_back
                if not self.state.feeds[key].early
            ]
        )
        return in_flight

    def _know_since(self, at_work: SetAtWork) -> None:
        def know(waiter: asyncio.Future[Position]) -> None:
            if not waiter.cancelled() and waiter.exception() is None:
                at_work.since = waiter.result()

        self._committer.waiter().add_done_callback(know)

    def forget(self) -> None:
        """Let go of what the days before yesterday left behind."""
        yesterday = self._clock() - timedelta(days=1)
        forget(self.state, self.terms.business_date(yesterday))
        self._downloads.forget()

    # --- events --------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now; say BUSY."""
        return self._committer.pending >= self._options.most_pending or self.failed.done()

    def offer(self, event: e.Event) -> None:
        """Decide on `event`; what it decided leaves when it is durable."""
        try:
            decision = decide(self.state, event, self.sets.of_event(event).terms, self._clock())
        except MappingError as error:
            if not isinstance(event, e.RequestArrived):
                raise
            self._park(event, error)
            return
        self._committer.gather(decision.entries, decision.actions)
        if isinstance(event, e.RequestArrived):
            self._batching.touch_all(key for key in self.state.lanes if key[0] == event.participant)

    def _park(self, event: e.RequestArrived, error: MappingError) -> None:
        """No answer to it can be written. Decided before anything was folded: nothing was done; the PSS is told so."""
        self._log.error(telemetry.EVENT_FAILED, template=event.template, error=str(error))
        refusal = a.Refuse(event.session, event.sequence, "NO ANSWER CAN BE WRITTEN, NOTHING WAS DONE")
        self._committer.gather(actions=[refusal])
        self.note(
            r.RequestParked(
                participant=event.participant,
                session=event.session,
                sequence=event.sequence,
                template=event.template,
                legacy=event.legacy,
                findings=error.told(event.template),
            )
        )

    def note(self, record: Record) -> None:
        """Journal something that happened and asks for no decision."""
        at_us = epoch_us(self._clock())
        apply(self.state, record, at_us)
        self._committer.gather([write_entry(record, at_us)])

    async def durable(self) -> Position:
        """Return when all that was offered so far is durable: the position of the last of it, 0 if nothing waited.

        Raises JournalError.
        """
        if self.failed.done():
            raise self.failed.result()
        return await self._committer.waiter()

    def session_freed(self, participant: str) -> None:
        """A session that took no deliveries takes some again."""
        self._handing.session_freed(participant)

    def file_told(self, exchange_id: str) -> None:
        """The report of a drop folder's file is durable there."""
        self.note(r.AnswersLeft(exchanges=(exchange_id,)))

    # --- the loop ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit and act until cancelled."""
        while True:
            await self._committer.woken()
            self._batching.close_batches()
            actions = await self._committer.commit(self._journal)
            if actions is None:
                return
            for action in actions:
                self._acting.act(action)
            for gone in self.sets.let_go():
                if gone.close is not None:
                    self._chores.spawn(gone.close())

    async def close(self, reason: str) -> None:
        """Stop calling; journal the end."""
        await self._chores.close()
        if not self.failed.done():
            self.note(r.NodeStopped(reason=reason))
            await self.durable()
