"""The journal without a disk: for tests, and for trying things. Fulfils exchange.ports.Journal.

Durable for as long as the object lives. No tree: what nobody else can touch needs no proof.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Position, Stored


class MemoryJournal:
    """`refusal`: set it, and every append raises it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.refusal: JournalError | None = None

    @property
    def last(self) -> Position:
        """The position of the newest entry, 0 when there is none."""
        return len(self.entries)

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Keep `entries`, in order and together. Raises `refusal`."""
        if self.refusal is not None:
            raise self.refusal
        first = len(self.entries) + 1
        self.entries.extend(entries)
        return range(first, first + len(entries))

    async def replay(self, after: Position) -> AsyncIterator[Stored]:
        """Every entry behind `after`, in order; those too that are appended meanwhile."""
        position = after
        while position < len(self.entries):
            position += 1
            yield Stored(position, self.entries[position - 1])

    async def read(self, position: Position) -> Stored:
        """One entry. Raises JournalError when there is none."""
        if not 0 < position <= len(self.entries):
            raise JournalError(f"the journal has no entry {position}")
        return Stored(position, self.entries[position - 1])

    async def close(self) -> None:
        """Nothing to close."""
