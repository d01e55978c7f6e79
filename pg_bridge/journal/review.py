"""A read-only look at a journal: the newest entries that fit, and all there is of one exchange.

Works beside the running bridge. Never reads inside a payload.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from pg_bridge.exchange.entries import Entry, Stored
from pg_bridge.journal.queries import QUERIES
from pg_bridge.journal.store import close_quietly, journal_errors, open_to_read, read_meta, read_row

_EVER = 2**63 - 1


class AuditReader:
    """Reads while the bridge writes. Use as a context manager. Raises JournalError, JournalCorrupt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection = open_to_read(path)
        try:
            self.node = read_meta(self._connection, path)["node"]
        except BaseException:
            close_quietly(self._connection)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        close_quietly(self._connection)

    def newest(
        self,
        *,
        kind: str = "",
        participant: str = "",
        exchange: str = "",
        reference: str = "",
        finding: str = "",
        since_us: int | None = None,
        until_us: int | None = None,
        most: int = 50,
    ) -> list[Stored]:
        """The newest entries that fit all of what is given, at most `most`, the newest last.

        reference: a whole value of any name, or an exchange id. since_us, until_us: UTC, microseconds since 1970,
        the first included, the second not.
        """
        among = self._among(reference=reference or exchange, finding=finding)
        bounds = self._between(since_us, until_us) | {
            "kind": kind or None,
            "participant": participant or None,
            "exchange": exchange or None,
            "limit": most,
        }
        if among is None:
            found = self._stored("list", bounds)
        else:
            found = self._stored("list_among", bounds | {"among": msgspec.json.encode(sorted(among)).decode()})
        return found[::-1]

    def each(self, kind: str, *, since_us: int | None = None, until_us: int | None = None) -> Iterator[Stored]:
        """Every entry of a kind, in order, one at a time in memory. since_us, until_us: as of `newest`."""
        with journal_errors(f"reading the journal {self._path}"):
            for row in self._connection.execute(QUERIES["each"], self._between(since_us, until_us) | {"kind": kind}):
                yield read_row(row)

    def _between(self, since_us: int | None, until_us: int | None) -> dict[str, Any]:
        """What bounds a query by time: by position, as near as segments tell it, and to the microsecond."""
        high = None if until_us is None else self._one("highest_until", {"until_us": until_us})
        return {
            "low": 1 if since_us is None else self._one("lowest_since", {"since_us": since_us}),
            "high": _EVER if high is None else high,
            "since_us": since_us,
            "until_us": until_us,
        }

    def behind(self, position: int, most: int = 10_000) -> list[Stored]:
        """The entries behind `position`, at most `most`, in order: to follow the journal as it grows."""
        with journal_errors(f"reading the journal {self._path}"):
            return [read_row(row) for row in self._connection.execute(QUERIES["replay"], (position, most))]

    def exchange(self, key: str) -> list[Stored]:
        """Everything of the exchanges found by `key`: an exchange id, or any reference (SEME, SI number, request id).

        With the entries that are of no exchange but name it or share a reference with it: the calls that it
        travelled in, and updates. In order.
        """
        seeds = self._at(self._find(key))
        exchanges = {stored.entry.exchange for stored in seeds if stored.entry.exchange}
        for stored in seeds:  # a call names its members as references
            if not stored.entry.exchange:
                exchanges.update(value for value in stored.entry.references.values() if self._is_exchange(value))
        found = {stored.position: stored for stored in seeds}
        for exchange in exchanges:
            of_it = self._at(self._find(exchange))
            own = [stored for stored in of_it if stored.entry.exchange == exchange]
            participants = {stored.entry.participant for stored in own} | {""}
            shared = {value for stored in own for value in stored.entry.references.values()}
            beside = self._at({position for value in shared for position in self._find(value)})
            found.update((stored.position, stored) for stored in of_it)
            found.update(
                (stored.position, stored)
                for stored in beside
                if not stored.entry.exchange and stored.entry.participant in participants
            )
        return [found[position] for position in sorted(found)]

    def _is_exchange(self, value: str) -> bool:
        return any(stored.entry.exchange == value for stored in self._at(self._find(value)))

    def _among(self, *, reference: str, finding: str) -> set[int] | None:
        """The positions to look at, when a reference or a finding narrows them."""
        among = self._find(reference) if reference else None
        if finding:
            with_it = self._positions("with_finding", {"finding": finding})
            among = with_it if among is None else among & with_it
        return among

    def _find(self, value: str) -> set[int]:
        return self._positions("find", {"value": value}) if value else set()

    def _at(self, positions: set[int]) -> list[Stored]:
        return self._stored("at", {"among": msgspec.json.encode(sorted(positions)).decode()}) if positions else []

    def _positions(self, query: str, arguments: dict[str, Any]) -> set[int]:
        return {row[0] for row in self._rows(query, arguments)}

    def _stored(self, query: str, arguments: dict[str, Any]) -> list[Stored]:
        return [read_row(row) for row in self._rows(query, arguments)]

    def _one(self, query: str, arguments: dict[str, Any]) -> Any:
        return self._rows(query, arguments)[0][0]

    def _rows(self, query: str, arguments: dict[str, Any]) -> list[Any]:
        with journal_errors(f"reading the journal {self._path}"):
            return self._connection.execute(QUERIES[query], arguments).fetchall()


def times(found: Sequence[Stored]) -> list[tuple[Entry, int]]:
    """Each entry with the microseconds since the one before it."""
    return [
        (stored.entry, stored.entry.at_us - found[max(number - 1, 0)].entry.at_us)
        for number, stored in enumerate(found)
    ]
