"""Recorded traffic through another mapping set: what would have come out differently.

Strategy: the journal's records are folded into a state as a replay does, and before each fold the translation that
the record tells of is run again with what it was given then: the frame's text block, the participant, the time, OCP's
entry. What one run made up (our own reference) is taken from the record, so that it is no difference.
What cannot be run again says why. Nothing is written and nothing is called.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec

from pg_bridge.exchange import message_retranslation as message
from pg_bridge.exchange import records as r
from pg_bridge.exchange import request_retranslation as request
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.kinds.broadcasts import BroadcastOrdered
from pg_bridge.exchange.kinds.reports import ReportRead
from pg_bridge.exchange.recovery import forget, hong_kong_day
from pg_bridge.exchange.rerun import Rerun, not_run
from pg_bridge.exchange.retranslated import Retranslated, Way
from pg_bridge.exchange.terms import NO_PROFILES, Profiles
from pg_bridge.link.framing import Framing
from pg_bridge.mapping.book import MappingBook


class Retranslation:
    """Takes a journal's entries in order, each once.

    framing: of the set that the frames came in, where it is known. profiles: participants' own `profile.*` texts.
    """

    def __init__(self, book: MappingBook, framing: Framing | None = None, profiles: Profiles = NO_PROFILES) -> None:
        self._run = Rerun(book, framing, profiles)
        self._day = ""

    def take(self, stored: Stored) -> list[Retranslated]:
        """What became of the translations that this entry, and the one before it, tell of."""
        entry, run = stored.entry, self._run
        day = hong_kong_day(entry.at_us)
        if day > self._day:
            self._new_day(day)
        try:
            record = r.read_entry(entry)
        except (msgspec.MsgspecError, KeyError) as error:
            return [*self.end(), not_run(stored, Way.UNREADABLE, f"its entry cannot be read: {error}")]
        found: list[Retranslated] = []
        if run.event is not None and not self._tells_of_the_event(record):
            found += self.end()
        again = _RUNS.get(type(record))
        if again is not None:
            found += again(run, record, stored)
        try:
            apply(run.state, record, entry.at_us)
        except (KeyError, ValueError) as error:
            why = f"the journal lacks what came before it: {type(error).__name__} {error}"
            found.append(not_run(stored, Way.UNREADABLE, why))
        run.state.outboxes.clear()  # what waits to be delivered is of no use here, and may be much
        return found

    def end(self) -> list[Retranslated]:
        """What is still open: to be asked for behind the last entry."""
        event, self._run.event = self._run.event, None
        return [] if event is None else [message.update(self._run, event, Way.UPDATE, None)]

    def _new_day(self, day: str) -> None:
        """Let go of days gone by, as the bridge does."""
        self._day = day
        run = self._run
        forget(run.state, (date.fromisoformat(day) - timedelta(days=1)).isoformat())
        run.carried = {id_: kept for id_, kept in run.carried.items() if id_ in run.state.exchanges}

    def _tells_of_the_event(self, record: r.Record) -> bool:
        event = self._run.event
        return (
            isinstance(record, r.DeliveryQueued | r.UpdateParked | r.UpdatePassedOver)
            and event is not None
            and record.event_id == event.event_id
        )


def _opened(run: Rerun, record: r.SessionOpened, stored: Stored) -> list[Retranslated]:
    run.terminals[record.session] = record.terminal
    return []


def _closed(run: Rerun, record: r.SessionClosed, stored: Stored) -> list[Retranslated]:
    run.terminals.pop(record.session, None)
    return []


_RUNS: dict[type[r.Record], Callable[[Rerun, Any, Stored], list[Retranslated]]] = {
    r.SessionOpened: _opened,
    r.SessionClosed: _closed,
    r.RequestReceived: request.taken,
    r.MessageRefused: request.refused,
    r.RequestParked: request.parked,
    r.ExchangeAwaited: message.awaited,
    r.ExchangeAnswered: message.answered,
    r.ExchangeInDoubt: message.in_doubt,
    r.UpdateReceived: message.came,
    r.UpdateReleased: message.released,
    r.UpdateParked: message.update_parked,
    r.UpdatePassedOver: message.passed_over,
    r.SnapshotTaken: message.snapshot_taken,
    r.DeliveryQueued: message.queued,
    ReportRead: message.report_read,
    BroadcastOrdered: message.broadcast,
}
