"""The market's entries, read for reports: pages of trades, reference data, and the last state of each trade.

Works beside the running bridge, and when it is down. Memory does not grow with the number of trades: pages are read
one at a time, and what must be compared with all others is sorted on disk, in a private database of SQLite that has no
name and is gone with the process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Kind, Stored
from pg_bridge.exchange.kinds.market import reference_data_reference, trades_reference
from pg_bridge.journal.queries import QUERIES, SORTING
from pg_bridge.journal.store import close_quietly, journal_errors, open_to_read, read_meta, read_row

#: of the pages of one day, the entries that are looked at in one step
_HEADS = 500


class MarketReader:
    """Reads a journal's market entries. Use as a context manager. Raises JournalError, JournalCorrupt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_to_read(path)
        try:
            read_meta(self._connection, path)
        except BaseException:
            close_quietly(self._connection)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close_quietly(self._connection)

    def trade_positions(self, market: str, trade_date: str) -> list[int]:
        """Where the pages of a market (its meaning) and day stand, in order: as many as there are now."""
        return self._positions(Kind.TRADES_TAKEN, trades_reference(market, trade_date))

    def reference_positions(self, topic: str) -> list[int]:
        """Where a kind of reference data was taken, in order."""
        return self._positions(Kind.REFERENCE_DATA_TAKEN, reference_data_reference(topic))

    def read(self, position: int) -> Stored:
        """One entry, whole. Raises JournalError when it is not there, or its payload was let go."""
        with journal_errors(f"reading the journal {self._path}"):
            row = self._connection.execute(QUERIES["read"], (position,)).fetchone()
        if row is None or row[-1] is None:
            raise JournalError(f"the journal {self._path} does not hold what entry {position} was made of any more")
        return read_row(row)

    def _positions(self, kind: Kind, value: str) -> list[int]:
        with journal_errors(f"reading the journal {self._path}"):
            found = [row[0] for row in self._connection.execute(QUERIES["find"], {"value": value})]
            of_kind: list[int] = []
            for start in range(0, len(found), _HEADS):
                part = found[start : start + _HEADS]
                holes = ",".join("?" * len(part))
                query = QUERIES["of_kind"].replace("(:among)", f"({holes})")
                of_kind += [row[0] for row in self._connection.execute(query, (kind.value, *part))]
        return of_kind


class LastStates:
    """Which of many entries about trades tell the last state of theirs. Use as a context manager."""

    def __init__(self) -> None:
        self._disk = sqlite3.connect("", isolation_level=None)
        self._disk.executescript(SORTING)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close_quietly(self._disk)

    def add(self, told: Iterable[tuple[str, int, str]]) -> None:
        """Take entries: the trade's reference, the entry's sequence, the trade's status. Raises JournalError."""
        with journal_errors("sorting trades on disk"):
            self._disk.executemany(QUERIES["add_state"], told)

    def superseded(self, cancelled: str) -> Iterator[int]:
        """The sequences, rising, of entries that a later one about the same trade replaces, and of cancelled trades.

        cancelled: the status of those.
        """
        with journal_errors("sorting trades on disk"):
            self._disk.execute(QUERIES["sort_states"])
            for row in self._disk.execute(QUERIES["superseded"], {"cancelled": cancelled}):
                yield row[0]
