"""A journal that lasts as long as its process: for tests and offline use. Held to the contract of the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Position, Stored


class MemoryJournal:
    """Fulfils exchange.ports.Journal."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: when set, every append raises it
        self.error: JournalError | None = None

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Take `entries` at once."""
        if self.error is not None:
            raise self.error
        first = len(self.entries) + 1
        self.entries += entries
        return range(first, len(self.entries) + 1)

    async def replay(self, after: Position) -> AsyncIterator[Stored]:
        """Every entry behind `after`."""
        for position, entry in enumerate(self.entries[after:], after + 1):
            yield Stored(position, entry)

    async def read(self, position: Position) -> Stored:
        """One entry. Raises JournalError when there is none."""
        if not 0 < position <= len(self.entries):
            raise JournalError(f"reading the journal: there is no entry {position}")
        return Stored(position, self.entries[position - 1])
