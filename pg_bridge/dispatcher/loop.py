"""What the parts of the dispatcher use of the loop itself."""

from __future__ import annotations

from typing import Protocol

from pg_bridge.dispatcher.sets import Sets
from pg_bridge.exchange.entries import Position
from pg_bridge.exchange.events import Event
from pg_bridge.exchange.records import Record
from pg_bridge.exchange.state import State


class Loop(Protocol):
    """The dispatcher, as its parts know it."""

    state: State
    sets: Sets

    def offer(self, event: Event) -> None:
        """Decide on an event; what was decided leaves when it is durable."""
        ...

    def note(self, record: Record) -> None:
        """Journal something that happened and asks for no decision."""
        ...

    async def durable(self) -> Position:
        """Return when all that was offered and noted so far is durable. Raises JournalError."""
        ...

    def session_freed(self, participant: str) -> None:
        """A session that took no deliveries takes some again."""
        ...
