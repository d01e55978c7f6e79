"""The journal in one SQLite file. Fulfils exchange.ports.Journal.

The event loop queues and is told; a writer thread commits (writer.py); a reading thread with a connection of its
own serves replay and read.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pg_bridge.errors import JournalCorrupt, JournalError, JournalFull
from pg_bridge.exchange.entries import Entry, Position, Stored
from pg_bridge.journal.checkpoint import Checkpoint, PublicKey, RandomBytes, SigningKey
from pg_bridge.journal.queries import QUERIES
from pg_bridge.journal.store import (
    close_quietly,
    journal_errors,
    open_to_read,
    open_to_write,
    read_row,
    take_lock,
)
from pg_bridge.journal.tree import TILE_LEVELS, Hashes, RightEdge, edge_of, node_hash
from pg_bridge.journal.writer import Append, Clock, JournalOptions, Settlement, Writer

_CHUNK = 500  # entries read at once by replay: about a megabyte, a few milliseconds
_ENTRY_OVERHEAD = 512  # bytes that an entry takes beside its payload

_DEFAULTS = JournalOptions()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteJournal:
    """Made by `open`; `close` or `async with` ends it."""

    def __init__(
        self,
        *,
        path: Path,
        node: str,
        lock: sqlite3.Connection,
        connection: sqlite3.Connection,
        reading: sqlite3.Connection,
        key: SigningKey,
        edge: RightEdge,
        signed_size: int,
        reader: ThreadPoolExecutor,
        clock: Clock,
        random_bytes: RandomBytes,
        options: JournalOptions,
        on_checkpoint: Callable[[str], None] | None,
    ) -> None:
        self.path = path
        self.node = node
        self.public_key: PublicKey = key.public
        self.last: Position = edge.size
        self._lock = lock
        self._connection = connection
        self._reading = reading
        self._reader = reader
        self._options = options
        self._on_checkpoint = on_checkpoint
        self._loop = asyncio.get_running_loop()
        self._waiting_entries = 0
        self._waiting_bytes = 0
        self._refusal: JournalError | None = None
        self._is_closed = False
        self._writer = Writer(
            connection=connection,
            node=node,
            key=key,
            edge=edge,
            signed_size=signed_size,
            clock=clock,
            random_bytes=random_bytes,
            options=options,
            settle=self._settle_from_thread,
        )
        self._writer.start()

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        node: str,
        clock: Clock = _utc_now,
        random_bytes: RandomBytes = os.urandom,
        options: JournalOptions = _DEFAULTS,
        on_checkpoint: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the journal, or make it and its signing key.

        clock: aware UTC, for the age of checkpoints only. on_checkpoint: called on the event loop with each signed
        note once it is durable. Raises JournalError (in use, newer, not ours, no room), JournalCorrupt.
        """
        path = Path(path)
        reader = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        try:
            opened = await asyncio.get_running_loop().run_in_executor(reader, _open, path, node, random_bytes)
        except BaseException:
            reader.shutdown(wait=False)
            raise
        lock, connection, reading, key, edge, signed_size = opened
        return cls(
            path=path,
            node=node,
            lock=lock,
            connection=connection,
            reading=reading,
            key=key,
            edge=edge,
            signed_size=signed_size,
            reader=reader,
            clock=clock,
            random_bytes=random_bytes,
            options=options,
            on_checkpoint=on_checkpoint,
        )

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Return when all `entries` are durable, in order and together; raise JournalError otherwise.

        JournalFull: the queue is full, nothing was taken, come back. A caller that is cancelled while it waits
        does not take its entries back.
        """
        if self._refusal is not None:
            raise JournalError(str(self._refusal)) from self._refusal
        if not entries:
            return range(0)
        size_bytes = 0
        for entry in entries:
            size_bytes += len(entry.payload) + _ENTRY_OVERHEAD
        options = self._options
        # An append larger than the whole queue is taken when it is alone: refusing it would be for ever.
        if self._waiting_entries and (
            self._waiting_entries + len(entries) > options.queue_entries
            or self._waiting_bytes + size_bytes > options.queue_bytes
        ):
            raise JournalFull
        self._waiting_entries += len(entries)
        self._waiting_bytes += size_bytes
        durable: asyncio.Future[range] = self._loop.create_future()
        self._writer.put(Append(entries, size_bytes, durable))
        return await durable

    async def replay(self, after: Position) -> AsyncIterator[Stored]:
        """Every entry behind `after`, in order; those too that are appended meanwhile."""
        chunk = await self._read_chunk(after)
        while chunk:
            for stored in chunk:
                yield stored
            chunk = await self._read_chunk(chunk[-1].position) if len(chunk) == _CHUNK else []

    async def read(self, position: Position) -> Stored:
        """One entry. Raises JournalError when there is none."""
        found = await self._in_reader(lambda: self._rows("read", position))
        if not found:
            raise JournalError(f"the journal has no entry {position}")
        return found[0]

    async def close(self) -> None:
        """Write what waits, sign the last checkpoint, close the file. Raises nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._refusal is None:
            self._refusal = JournalError("the journal is closed")
        self._writer.stop()
        await self._loop.run_in_executor(self._reader, self._writer.join)
        # What the thread settled last is called before this continues: the loop keeps order.
        await self._loop.run_in_executor(self._reader, close_quietly, self._reading, self._connection, self._lock)
        self._reader.shutdown(wait=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _read_chunk(self, after: Position) -> list[Stored]:
        return await self._in_reader(lambda: self._rows("replay", after, _CHUNK))

    async def _in_reader(self, read: Callable[[], list[Stored]]) -> list[Stored]:
        if self._is_closed:
            raise JournalError("the journal is closed")
        return await self._loop.run_in_executor(self._reader, read)

    def _rows(self, query: str, *arguments: int) -> list[Stored]:
        with journal_errors(f"reading the journal {self.path}"):
            return [read_row(row) for row in self._reading.execute(QUERIES[query], arguments)]

    def _settle_from_thread(self, settlement: Settlement) -> None:
        # A loop that was closed without `close` has nobody left to be told.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, settlement)

    def _settle(self, settlement: Settlement) -> None:
        for append, outcome in settlement.outcomes:
            self._waiting_entries -= len(append.entries)
            self._waiting_bytes -= append.size_bytes
            durable: asyncio.Future[range] = append.token
            if isinstance(outcome, range):
                self.last = outcome[-1]
                if not durable.done():
                    durable.set_result(outcome)
            elif not durable.done():
                durable.set_exception(JournalError(str(outcome)))
        if settlement.failure is not None and self._refusal is None:
            self._refusal = settlement.failure
        if settlement.note and self._on_checkpoint is not None:
            self._on_checkpoint(settlement.note)


_Opened = tuple[sqlite3.Connection, sqlite3.Connection, sqlite3.Connection, SigningKey, RightEdge, int]


def _open(path: Path, node: str, random_bytes: RandomBytes) -> _Opened:
    """Lock, writing connection, reading connection, key, the tree's edge, and the size of the last checkpoint."""
    lock = take_lock(path)
    opened = [lock]
    try:
        connection, key = open_to_write(path, node, random_bytes)
        opened.append(connection)
        edge, signed = _read_edge(path, connection, key.public)
        reading = open_to_read(path)
    except BaseException:
        close_quietly(*reversed(opened))
        raise
    return lock, connection, reading, key, edge, signed.size


def _read_edge(path: Path, connection: sqlite3.Connection, public: PublicKey) -> tuple[RightEdge, Checkpoint]:
    """The tree's right edge, after holding it against the last checkpoint. Raises JournalCorrupt."""
    with journal_errors(f"reading the journal {path}"):
        (size,) = connection.execute(QUERIES["last_position"]).fetchone()
        last = connection.execute(QUERIES["last_checkpoint"]).fetchone()
        hashes = _hashes(connection)
        edge = edge_of(size, hashes)
        if last is None:
            return edge, Checkpoint(public.name, 0, b"")
        signed = public.open_checkpoint(last[1])
        if signed.size != last[0] or signed.size > size or edge_of(signed.size, hashes).root() != signed.root:
            raise JournalCorrupt(
                f"the journal {path} does not agree with its own checkpoint of {signed.size} entries: keep it, run "
                f"`pg-bridge audit verify`, and restore a backup"
            )
    return edge, signed


def _hashes(connection: sqlite3.Connection) -> Hashes:
    """Complete subtrees from what the journal keeps: leaves and every eighth level."""

    def hash_of(level: int, number: int) -> bytes:
        if level and level % TILE_LEVELS:
            return node_hash(hash_of(level - 1, 2 * number), hash_of(level - 1, 2 * number + 1))
        if level:
            row = connection.execute(QUERIES["subtree_hash"], (level, number)).fetchone()
        else:
            row = connection.execute(QUERIES["leaf_hash"], (number + 1,)).fetchone()
        if row is None:
            raise JournalCorrupt(
                f"the journal has no hash of the {2**level} entries from {(number << level) + 1} on: keep the file, "
                f"run `pg-bridge audit verify`, and restore a backup"
            )
        found: bytes = row[0]
        return found

    return hash_of
