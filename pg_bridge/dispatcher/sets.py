"""The mapping sets at work: the one in force, and those by which what is in flight ends.

An event that belongs to an exchange or a call is decided by the set that this one was received under; every other
event by the set in force. A set is let go when nothing needs it any more.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.ports import Ocp
from pg_bridge.exchange.records import MappingSet
from pg_bridge.exchange.state import Batch, LaneKey, State
from pg_bridge.exchange.terms import Terms


@dataclass(slots=True, eq=False)
class SetAtWork:
    """One mapping set with its way to OCP. Sets whose OCP profile is the same share the way.

    ocp_hash: of the files of its OCP profile. close: ends its way to OCP. since: the position of the entry by which
    it came into force, 0 while that is not durable.
    """

    terms: Terms
    ocp: Ocp
    ocp_hash: str = ""
    close: Callable[[], Coroutine[Any, Any, None]] | None = None
    since: int = 0
    #: exchanges that may still need it, oldest first; known once another set is in force
    in_flight: deque[Exchange] = field(default_factory=deque)
    #: questions under way that belong to no exchange
    users: int = 0

    @property
    def name(self) -> MappingSet:
        """What it calls itself, with its full hash."""
        book = self.terms.book
        return MappingSet(book.name, book.version, book.hash)

    def is_needed(self) -> bool:
        """Whether anything in flight ends by it."""
        while self.in_flight and not self.in_flight[0].needs_its_set:
            self.in_flight.popleft()
        return bool(self.in_flight) or self.users > 0


class Sets:
    """Chooses the set of each event."""

    def __init__(self, first: SetAtWork, state: State) -> None:
        self.in_force = first
        self._state = state
        self._held: dict[str, SetAtWork] = {first.terms.set_hash: first}

    @property
    def held(self) -> list[SetAtWork]:
        """Every set at work, the one in force last."""
        return [one for one in self._held.values() if one is not self.in_force] + [self.in_force]

    def named(self, set_hash: str) -> SetAtWork | None:
        """The set at work with this hash (its first 12 characters)."""
        return self._held.get(set_hash)

    def of_exchange(self, exchange: Exchange | None) -> SetAtWork:
        """The set by which an exchange ends."""
        return self._of(exchange.ends_by if exchange is not None else "")

    def of_batch(self, batch: Batch | None) -> SetAtWork:
        """The set of a call's members."""
        return self._of(batch.ends_by if batch is not None else "")

    def of_lane(self, key: LaneKey) -> SetAtWork:
        """The set of the first that waits in a lane."""
        lane = self._state.lanes.get(key)
        return self.of_exchange(self._state.exchanges[lane.waiting[0]] if lane is not None and lane.waiting else None)

    def of_event(self, event: e.Event) -> SetAtWork:
        """The set by which to decide on an event."""
        if len(self._held) == 1:
            return self.in_force
        match event:
            case (
                e.RequestArrived() | e.FileArrived() | e.FileJudged() | e.PartsOverdue() | e.SessionEnded()
                | e.UpdatesArrived() | e.EventsFetched() | e.EventsGone() | e.SisListed() | e.BroadcastGiven()
                | e.DoubtResolved()
            ):  # fmt: skip
                return self.in_force
            case e.LaneOpen():
                return self.of_lane((event.participant, event.operation))
            case (
                e.EnquiryAnswered()
                | e.EnquiryFailed()
                | e.SiSought()
                | e.SeekFailed()
                | e.Overdue()
                | e.ReportFound()
                | e.ReportRefused()
            ):
                return self.of_exchange(self._state.exchanges.get(event.exchange))
            case _:
                return self.of_batch(self._state.batches.get(event.request_id))

    def _of(self, set_hash: str) -> SetAtWork:
        return self._held.get(set_hash, self.in_force)

    def change(self, new: SetAtWork) -> int:
        """Put `new` in force; gives the number of exchanges that end by the set before."""
        old = self.in_force
        old.in_flight = deque(
            exchange
            for exchange in self._state.exchanges.values()
            if exchange.needs_its_set and self.of_exchange(exchange) is old
        )
        self._held[new.terms.set_hash] = self.in_force = new
        return len(old.in_flight)

    def let_go(self) -> list[SetAtWork]:
        """Forget the sets that nothing needs; gives those whose way to OCP no other set shares: it is to be closed."""
        if len(self._held) == 1:
            return []
        gone = [one for one in self._held.values() if one is not self.in_force and not one.is_needed()]
        for one in gone:
            del self._held[one.terms.set_hash]
        used = {id(one.ocp) for one in self._held.values()}
        return list({id(one.ocp): one for one in gone if id(one.ocp) not in used}.values())

    @contextlib.contextmanager
    def using(self) -> Iterator[SetAtWork]:
        """The set in force, kept for as long as a question that belongs to no exchange is under way."""
        chosen = self.in_force
        chosen.users += 1
        try:
            yield chosen
        finally:
            chosen.users -= 1
