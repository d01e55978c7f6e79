"""A read-only look at a journal file: the newest entries, and all there is of one exchange."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Stored
from pg_bridge.journal import layout


class AuditReader:
    """Reads while the bridge writes. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise JournalError(f"reading the journal: there is no file {path}")
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._queries = layout.read_queries()

    def __enter__(self) -> AuditReader:
        """The reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._connection.close()

    def newest(
        self,
        *,
        kind: str = "",
        participant: str = "",
        reference: str = "",
        finding: str = "",
        since_us: int = 0,
        most: int = 50,
    ) -> list[Stored]:
        """The newest entries that fit, oldest of them first; without payloads."""
        try:
            rows = self._connection.execute(
                self._queries["newest"],
                {
                    "kind": kind,
                    "participant": participant,
                    "reference": reference,
                    "finding": finding,
                    "since_us": since_us,
                    "most": most,
                },
            ).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"reading the journal: {error}") from error
        return [layout.stored((*row, None)) for row in reversed(rows)]

    def behind(self, position: int, most: int = 10_000) -> list[Stored]:
        """The entries behind `position`, with payloads, oldest first."""
        try:
            rows = self._connection.execute(self._queries["entries_behind"], (position, most)).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"reading the journal: {error}") from error
        return [layout.stored(row) for row in rows]

    def exchange(self, key: str) -> list[Stored]:
        """Everything of the exchanges found by `key`: an exchange id or any reference (SI number, request id ...)."""
        try:
            run, queries = self._connection.execute, self._queries
            positions = {position for (position,) in run(queries["positions_of_reference"], (key,))}
            for (exchange,) in run(queries["exchanges_at"], (key,)).fetchall():
                positions |= {position for (position,) in run(queries["positions_of_reference"], (exchange,))}
            found = [self._one(position) for position in sorted(positions)]
            # The call that an exchange travelled in is named by its answer.
            batches: set[int] = set()
            for stored in found:
                request_id = stored.entry.references.get("request_id", "")
                if request_id:
                    batches |= {
                        position
                        for (position,) in run(queries["positions_of_reference"], (request_id,))
                        if not self._one(position).entry.exchange
                    }
        except sqlite3.Error as error:
            raise JournalError(f"reading the journal: {error}") from error
        return sorted(
            (*found, *(self._one(position) for position in batches - positions)), key=lambda stored: stored.position
        )

    def _one(self, position: int) -> Stored:
        row = self._connection.execute(self._queries["one_entry"], (position,)).fetchone()
        if row is None:
            raise JournalError(f"reading the journal: entry {position} is gone; run `audit verify`")
        return layout.stored(row)


def times(found: Sequence[Stored]) -> list[tuple[Entry, int]]:
    """Each entry with the microseconds since the one before it."""
    before = found[0].entry.at_us if found else 0
    out: list[tuple[Entry, int]] = []
    for stored in found:
        out.append((stored.entry, stored.entry.at_us - before))
        before = stored.entry.at_us
    return out
