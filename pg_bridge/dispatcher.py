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
from pg_bridge.downloads import Downloads
from pg_bridge.errands import Chores, Errands
from pg_bridge.errors import Finding, JournalError, JournalFull, MappingError
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.calls import resume
from pg_bridge.exchange.decide import decide
from pg_bridge.exchange.entries import Entry, Position
from pg_bridge.exchange.fold import apply, forget, queue_answer, recover, release
from pg_bridge.exchange.outbound import choose
from pg_bridge.exchange.ports import Files, Journal, Ocp, Reports, Sessions, Slots
from pg_bridge.exchange.records import Record, read_entry, write_entry
from pg_bridge.exchange.state import Stage, State
from pg_bridge.exchange.terms import Terms, epoch_us
from pg_bridge.sets import SetAtWork, Sets

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """Bounds of the loop."""

    #: entries that may wait to become durable; beyond that requests are told BUSY and pushes 503
    most_pending: int = 20_000
    #: OCP's pages are asked again this long after a gap could not be filled, in seconds
    refetch_s: float = 5.0


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
        self._slots = slots
        self._clock = clock
        self._options = options
        self._sessions: Sessions | None = None
        self._files: Files | None = None
        self._entries: list[Entry] = []
        self._actions: list[e.Action] = []
        #: who waits, with the number of entries that must be durable
        self._durable: list[tuple[int, asyncio.Future[Position]]] = []
        #: how many of the records that the state was folded from are durable
        self._durable_records = 0
        self._wake = asyncio.Event()
        self._awaiting_slot: set[tuple[str, str]] = set()
        self._touched_lanes: set[tuple[str, str]] = set()
        self._log = telemetry.logger()
        self._chores = Chores()
        self._errands = Errands(
            state=self.state,
            sets=self.sets,
            slots=slots,
            chores=self._chores,
            offer=self.offer,
            lane_freed=self._touched_lanes.add,
            refetch_s=options.refetch_s,
            clock=clock,
        )
        self.fetch = self._errands.fetch
        self._downloads = Downloads(self, journal, reports, self._chores.spawn)
        #: set when durability is in doubt: the bridge must stop
        self.failed: asyncio.Future[JournalError] = asyncio.get_running_loop().create_future()

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
        return count

    def begin(self, sessions: Sessions, *, version: str, replayed: int, files: Files | None = None) -> None:
        """Take up what was open when the last process ended."""
        self._sessions = self._downloads.sessions = sessions
        self._durable_records = self.state.folded
        self._files = files
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
        self._actions += resume(self.state)
        self._touched_lanes |= set(self.state.lanes)
        self._wake.set()

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
        for key in held_back:
            if not self.state.feeds[key].early:
                self._actions.append(e.Fetch(*key, self.state.feeds[key].next_sequence - 1))
        return in_flight

    def _know_since(self, at_work: SetAtWork) -> None:
        def know(waiter: asyncio.Future[Position]) -> None:
            if not waiter.cancelled() and waiter.exception() is None:
                at_work.since = waiter.result()

        self._waiter().add_done_callback(know)

    def forget(self) -> None:
        """Let go of what the days before yesterday left behind."""
        yesterday = self._clock() - timedelta(days=1)
        forget(self.state, self.terms.business_date(yesterday))
        self._downloads.forget()

    # --- events --------------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now; say BUSY."""
        return len(self._entries) >= self._options.most_pending or self.failed.done()

    def offer(self, event: e.Event) -> None:
        """Decide on `event`; what it decided leaves when it is durable."""
        try:
            decision = decide(self.state, event, self.sets.of_event(event).terms, self._clock())
        except MappingError as error:
            if not isinstance(event, e.RequestArrived):
                raise
            # Decided before anything was folded: nothing was done, and the PSS is told so.
            self._log.error(telemetry.EVENT_FAILED, template=event.template, error=str(error))
            self._actions.append(e.Refuse(event.session, event.sequence, "NO ANSWER CAN BE WRITTEN, NOTHING WAS DONE"))
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
            return
        self._entries += decision.entries
        self._actions += decision.actions
        if isinstance(event, e.RequestArrived):
            self._touched_lanes.update(key for key in self.state.lanes if key[0] == event.participant)
        self._wake.set()

    def note(self, record: Record) -> None:
        """Journal something that happened and asks for no decision."""
        at_us = epoch_us(self._clock())
        apply(self.state, record, at_us)
        self._entries.append(write_entry(record, at_us))
        self._wake.set()

    async def durable(self) -> Position:
        """Return when all that was offered so far is durable: the position of the last of it, 0 if nothing waited.

        Raises JournalError.
        """
        if self.failed.done():
            raise self.failed.result()
        return await self._waiter()

    def _waiter(self) -> asyncio.Future[Position]:
        waiter: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._durable.append((len(self._entries), waiter))
        self._wake.set()
        return waiter

    def delivery_acknowledged(self, delivery: str, participant: str) -> None:
        """The PSS acknowledged a delivery."""
        outbox = self.state.outbox(participant)
        found = outbox.queue.get(delivery)
        self.note(
            r.DeliveryAcknowledged(
                exchange=found.exchange if found is not None else "",
                participant=participant,
                delivery=delivery,
            )
        )
        self._pump(participant)

    def answer_written(self, exchange_id: str) -> None:
        """A copy of the exchange's answer was given to the socket: its updates may follow."""
        exchange = self.state.exchanges.get(exchange_id)
        if exchange is not None:
            exchange.is_sent = True
            if exchange.held:
                release(self.state, exchange)
                self._pump(exchange.participant)

    def file_told(self, exchange_id: str) -> None:
        """The report of a drop folder's file is durable there."""
        self.note(r.AnswersLeft(exchanges=(exchange_id,)))

    def answers_left(self, session: str, exchanges: Sequence[str]) -> None:
        """These answers are known to have left."""
        asked = self.state.asked.get(session, {})
        fresh = [id_ for id_ in exchanges if asked.pop(id_, 0) is None]
        if fresh:
            self.note(r.AnswersLeft(exchanges=tuple(fresh)))

    def session_opened(self, record: r.SessionOpened) -> None:
        """A PSS logged on: what waits for its participant may go."""
        self.note(record)
        self._log.info(telemetry.SESSION_OPENED, participant=record.participant, terminal=record.terminal)
        self._actions.append(e.Pump(record.participant))

    def session_freed(self, participant: str) -> None:
        """A session that took no deliveries takes some again."""
        self._actions.append(e.Pump(participant))
        self._wake.set()

    def session_closed(self, record: r.SessionClosed) -> None:
        """A session ended: what it was sent and did not acknowledge goes again; unleft answers become deliveries."""
        outbox = self.state.outbox(record.participant)
        for delivery_id in [id_ for id_, session in outbox.sent.items() if session == record.session]:
            del outbox.sent[delivery_id]
            outbox.queue[delivery_id].is_copy = True
        for exchange_id in self.state.asked.pop(record.session, {}):
            exchange = self.state.exchanges[exchange_id]
            exchange.askers = [asker for asker in exchange.askers if asker[0] != record.session]
            if exchange.reply is not None and not exchange.has_left:
                queue_answer(self.state, exchange)
        self.note(record)
        if record.participant in self.state.intakes:
            self.offer(e.SessionEnded(record.participant, record.session))
        self._log.info(telemetry.SESSION_CLOSED, participant=record.participant, reason=record.reason)
        self._actions.append(e.Pump(record.participant))

    # --- journal -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Commit and act until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._close_batches()
            entries, actions, waiters = self._entries, self._actions, self._durable
            self._entries, self._actions, self._durable = [], [], []
            positions = await self._commit(entries, waiters) if entries else ()
            if positions is None:
                return
            self._durable_records += len(entries)
            for count, waiter in waiters:
                if not waiter.done():
                    waiter.set_result(positions[count - 1] if count else 0)
            for action in actions:
                self._act(action)
            for gone in self.sets.let_go():
                if gone.close is not None:
                    self._chores.spawn(gone.close())

    async def _commit(
        self, entries: list[Entry], waiters: list[tuple[int, asyncio.Future[Position]]]
    ) -> Sequence[Position] | None:
        """The positions of `entries`, durable; None when the journal failed."""
        while True:
            try:
                return await self._journal.append(entries)
            except JournalFull:
                await asyncio.sleep(0.01)
            except JournalError as error:
                # What was decided is not durable: none of it may leave. The next process replays what is.
                self._log.critical(telemetry.JOURNAL_FAILED, error=str(error))
                self.failed.set_result(error)
                # Those too that came to wait while the append was under way: nobody will wake them later.
                for _, waiter in (*waiters, *self._durable):
                    if not waiter.done():
                        waiter.set_exception(error)
                return None

    def _close_batches(self) -> None:
        """Close the batch of every lane that is free and may call, so that it is one commit with what it holds."""
        for key in self._touched_lanes:
            lane = self.state.lanes.get(key)
            if lane is None or lane.calling or not lane.waiting or key in self._awaiting_slot:
                continue
            if self._slots.try_slot():
                self.offer(e.LaneOpen(*key))
            else:
                self._awaiting_slot.add(key)
                self._chores.spawn(self._open_later(key))
        self._touched_lanes.clear()

    async def _open_later(self, key: tuple[str, str]) -> None:
        await self._slots.slot()
        self._awaiting_slot.discard(key)
        self.offer(e.LaneOpen(*key))

    # --- actions -------------------------------------------------------------------------------------------

    def _act(self, action: e.Action) -> None:
        match action:
            case e.Answer():
                self._answer(action)
            case e.NoAnswer():
                if self._sessions is not None:
                    self._sessions.pass_over(action)
            case e.Judge():
                self._chores.spawn(self._errands.judge(action.file))
            case e.WatchParts():
                overdue = e.PartsOverdue(action.participant, action.mark)
                self._chores.later(action.after_s, lambda: self.offer(overdue))
            case e.FileEnded():
                if self._files is not None:
                    self._files.ended(action)
            case e.Refuse():
                if self._sessions is not None:
                    self._sessions.refuse(action)
            case e.Pump():
                self._pump(action.participant)
            case e.Call():
                self._chores.later(
                    action.after_s,
                    lambda: self._chores.spawn(self._errands.call(action.request_id)),
                )
            case e.Look():
                self._chores.later(action.after_s, lambda: self._chores.spawn(self._errands.look(action.request_id)))
            case e.Ask():
                self._chores.later(action.after_s, lambda: self._chores.spawn(self._errands.ask(action.exchange)))
            case e.ReadReport():
                self._chores.spawn(self._downloads.read(action.exchange))
            case e.Seek():
                self._chores.later(action.after_s, lambda: self._chores.spawn(self._errands.seek(action.exchange)))
            case e.OpenLane():
                self._touched_lanes.add((action.participant, action.operation))
                self._wake.set()
            case e.Watch():
                self._watch(action.exchange)
            case e.Fetch():
                self._chores.spawn(self.fetch(action.participant, action.business_date, action.after))

    def _answer(self, answer: e.Answer) -> None:
        if answer.reply.data:
            self._downloads.hand(answer.session, answer)
        elif self._sessions is not None and not self._sessions.answer(answer):
            self._downloads.unanswered(answer)

    def _pump(self, participant: str) -> None:
        """Give sessions what may go. Whoever calls: a delivery whose entry is not durable stays until the `Pump` of
        its own decision, which acts when it is.
        """
        if self._sessions is None:
            return
        outbox = self.state.outbox(participant)
        if len(outbox.queue) == len(outbox.sent):
            return
        for session, delivery in choose(outbox, self._sessions.seats(participant), self._durable_records):
            if delivery.reply.data:
                outbox.sent[delivery.id] = session
                self._downloads.hand(session, delivery)
            elif self._sessions.deliver(session, delivery):
                outbox.sent[delivery.id] = session

    def _watch(self, exchange_id: str) -> None:
        exchange = self.state.exchanges.get(exchange_id)
        if exchange is None or exchange.reply is not None:
            return
        waited_s = (epoch_us(self._clock()) - exchange.received_us) / 1e6
        self._chores.later(
            max(0.001, self.terms.options.answer_within_s - waited_s),
            lambda: self._overdue(exchange_id),
        )

    def _overdue(self, exchange_id: str) -> None:
        exchange = self.state.exchanges.get(exchange_id)
        if exchange is not None and exchange.stage is not Stage.ANSWERED:
            self.offer(e.Overdue(exchange_id))

    async def close(self, reason: str) -> None:
        """Stop calling; journal the end."""
        await self._chores.close()
        if not self.failed.done():
            self.note(r.NodeStopped(reason=reason))
            await self.durable()
