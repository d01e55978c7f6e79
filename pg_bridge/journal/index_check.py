"""Whether the search index of a journal says neither less nor more than its entries: part of verify.

A list that leaves an entry out deceives as well as a missing entry does. The index is ordered by value, the entries
by position; instead of sorting either, both are summed up to one number a segment by a keyed hash (Python's own, its
key new in each process), and only where the sums differ the rows are laid side by side.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from pg_bridge.journal.queries import QUERIES
from pg_bridge.journal.store import SEGMENT_SIZE

_read_references = msgspec.json.Decoder(dict[str, str]).decode


class IndexCheck:
    """Fed with every readable entry, then asked."""

    def __init__(self) -> None:
        self._sums: dict[int, int] = {}
        self._times: dict[int, tuple[int, int]] = {}
        self._counts: dict[int, int] = {}

    def entry(self, position: int, at_us: int, exchange: str, refs: str) -> None:
        """Count an entry in; `refs` is readable."""
        segment = (position - 1) // SEGMENT_SIZE
        total = self._sums.get(segment, 0)
        for value in _values(exchange, refs):
            total += hash((value, position))
        self._sums[segment] = total
        self._counts[segment] = self._counts.get(segment, 0) + 1
        first, last = self._times.get(segment, (at_us, at_us))
        self._times[segment] = (min(first, at_us), max(last, at_us))

    def faults(self, connection: sqlite3.Connection, size: int | None) -> Iterator[tuple[str, str]]:
        """(place, text) of each fault. `size`: the number of entries; None when some are missing."""
        segments = {row[0]: (row[1], row[2]) for row in connection.execute(QUERIES["verify_segments"])}
        if size is not None and sorted(segments) != list(range(size // SEGMENT_SIZE)):
            yield "search index", "it does not have the segments that the entries make"
        indexed: dict[int, int] = {}
        for segment, value, position in connection.execute(QUERIES["verify_references"]):
            indexed[segment] = indexed.get(segment, 0) + hash((value, position))
        for segment, total in indexed.items():
            if segment not in segments and total:
                yield f"search index, segment {segment}", "it has references of a segment that is not complete"
        for segment, at in segments.items():
            if self._counts.get(segment) != SEGMENT_SIZE:
                continue  # entries are missing or unreadable: said already
            if self._times[segment] != at:
                yield f"search index, segment {segment}", "its times are not those of its entries"
            if self._sums[segment] != indexed.get(segment, 0):
                yield from _differences(connection, segment)


def _values(exchange: str, refs: str) -> set[str]:
    values = set(_read_references(refs).values()) if refs != "{}" else set()
    values.add(exchange)
    values.discard("")
    return values


def _differences(connection: sqlite3.Connection, segment: int) -> Iterator[tuple[str, str]]:
    first = segment * SEGMENT_SIZE + 1
    held = {
        (value, position)
        for value, position in connection.execute(QUERIES["segment_references"], (segment,)).fetchall()
    }
    meant = {
        (value, position)
        for position, exchange, refs in connection.execute(
            QUERIES["segment_entries"], (first, first + SEGMENT_SIZE - 1)
        )
        for value in _values(exchange, refs)
    }
    for value, position in sorted(meant - held, key=str):
        yield f"entry {position}", f"it cannot be found by {value!r}: the search index leaves it out"
    for value, position in sorted(held - meant, key=str):
        yield f"entry {position}", f"the search index says {value!r} of it, which it is not"
