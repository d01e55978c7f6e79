"""The journal in one SQLite file: WAL, full sync, one writer thread with group commit.

Strategy: `append` queues its entries and waits. The thread takes all that is queued, writes it in one transaction and,
once that is on disk, resolves every waiting append with one call into the loop. What is hashed is hashed in the
thread. A checkpoint is signed after 1,000 entries or 1 s, whichever comes first, in the transaction of a commit or
in one of its own. After any disk error the journal takes nothing more: durability is in doubt until it is reopened.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pg_bridge.errors import JournalCorrupt, JournalError, JournalFull
from pg_bridge.exchange.entries import Entry, Position, Stored
from pg_bridge.journal import layout
from pg_bridge.journal.checkpoint import Signer
from pg_bridge.journal.tree import Frontier, leaf_hash


@dataclass(frozen=True, slots=True)
class SqliteOptions:
    """Bounds of the queue and of checkpoints."""

    most_queued: int = 50_000
    most_in_commit: int = 5_000
    checkpoint_entries: int = 1_000
    checkpoint_s: float = 1.0
    replay_chunk: int = 2_000


@contextlib.contextmanager
def _renamed(doing: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise JournalError(f"{doing}: {error}") from error
        raise JournalCorrupt(f"{doing}: {error}") from error
    except OSError as error:
        raise JournalError(f"{doing}: {error}") from error


@dataclass(slots=True)
class _Append:
    entries: Sequence[Entry]
    done: asyncio.Future[Sequence[Position]]


class SqliteJournal:
    """Fulfils exchange.ports.Journal. Open with `open`, end with `close`."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: int, node: str, signer: Signer, frontier: Frontier,
        options: SqliteOptions, random: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self.path = path
        self.node = node
        self._connection = connection
        self._lock = lock
        self._signer = signer
        self._frontier = frontier
        self._options = options
        self._random = random
        self._queries = layout.read_queries()
        self._queue: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._queued = 0
        self._failed: JournalError | None = None
        self._is_closed = False
        self._signed_size = frontier.size
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        node: str,
        options: SqliteOptions = SqliteOptions(),
        random: Callable[[int], bytes] = os.urandom,
    ) -> SqliteJournal:
        """Open the journal, making it when it is new. Raises JournalError, JournalCorrupt with what to do."""
        with _renamed(f"opening the journal {path}"):
            lock = _lock(path)
            try:
                connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                try:
                    signer, frontier = _prepare(connection, path, node)
                except BaseException:
                    connection.close()
                    raise
            except BaseException:
                os.close(lock)
                raise
        return cls(path, connection, lock, node, signer, frontier, options, random)

    async def close(self) -> None:
        """Write what is queued, sign a last checkpoint, close the file."""
        if self._is_closed:
            return
        self._is_closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()
        os.close(self._lock)

    # --- exchange.ports.Journal ----------------------------------------------------------------------------

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Return when `entries` are on disk, in order and together. Raises JournalFull, JournalError."""
        if self._failed is not None:
            raise JournalError(str(self._failed)) from self._failed
        if self._is_closed:
            raise JournalError("writing the journal: it is closed")
        if self._queued + len(entries) > self._options.most_queued and self._queued:
            raise JournalFull
        self._queued += len(entries)
        done: asyncio.Future[Sequence[Position]] = self._loop.create_future()
        self._queue.put(_Append(entries, done))
        return await done

    async def replay(self, after: Position) -> AsyncIterator[Stored]:
        """Every entry behind `after`."""
        query, most = self._queries["entries_behind"], self._options.replay_chunk
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, check_same_thread=False)
        try:
            while True:
                with _renamed("replaying the journal"):
                    rows = await asyncio.to_thread(lambda: connection.execute(query, (after, most)).fetchall())  # noqa: B023 - awaited at once
                for row in rows:
                    yield layout.stored(row)
                if len(rows) < most:
                    return
                after = rows[-1][0]
        finally:
            connection.close()

    async def read(self, position: Position) -> Stored:
        """One entry. Raises JournalError when there is none."""

        def fetch() -> Any:
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
            try:
                return connection.execute(self._queries["one_entry"], (position,)).fetchone()
            finally:
                connection.close()

        with _renamed("reading the journal"):
            row = await asyncio.to_thread(fetch)
        if row is None:
            raise JournalError(f"reading the journal: there is no entry {position}")
        return layout.stored(row)

    # --- the writer thread ---------------------------------------------------------------------------------

    def _write(self) -> None:
        last = False
        while not last:
            batch: list[_Append] = []
            try:
                wait_s = self._options.checkpoint_s if self._signed_size != self._frontier.size else None
                first = self._queue.get(timeout=wait_s)
            except queue.Empty:
                self._sign_alone()
                continue
            count = 0
            item: _Append | None = first
            while True:
                if item is None:
                    last = True
                    break
                batch.append(item)
                count += len(item.entries)
                if count >= self._options.most_in_commit:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._commit(batch, count)
            if last:
                self._sign_alone()

    def _commit(self, batch: list[_Append], count: int) -> None:
        if self._failed is not None:
            self._tell(batch, count, self._failed)
            return
        before = Frontier(self._frontier.size, self._frontier.edge)
        try:
            with _renamed("writing the journal"):
                positions = self._insert(batch)
        except Exception as error:  # noqa: BLE001 - if the thread died, every append would wait for ever
            failed = error if isinstance(error, JournalError) else JournalError(f"writing the journal: {error!r}")
            self._frontier = before
            self._failed = failed
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            self._tell(batch, count, failed)
            return
        self._tell(batch, count, positions)

    def _insert(self, batch: list[_Append]) -> list[list[Position]]:
        entries: list[tuple[Any, ...]] = []
        payloads: list[tuple[Any, ...]] = []
        references: list[tuple[str, int]] = []
        positions: list[list[Position]] = []
        frontier, node = self._frontier, self.node
        salts = self._random(16 * sum(len(append.entries) for append in batch))
        at = 0
        for append in batch:
            positions.append([])
            for entry in append.entries:
                position = frontier.size + 1
                salt = salts[at : at + 16]
                at += 16
                hash_ = layout.payload_hash(salt, entry.payload)
                refs = layout.as_text(entry.references)
                findings = layout.as_text(entry.findings)
                leaf = leaf_hash(
                    layout.leaf(
                        position, entry.at_us, node, entry.kind, entry.exchange, entry.participant, refs,
                        entry.mapping, findings, hash_,
                    )
                )  # fmt: skip
                frontier.append(leaf)
                entries.append(
                    (
                        position, entry.at_us, entry.kind, entry.exchange, entry.participant, refs, entry.mapping,
                        findings, hash_, leaf,
                    )
                )  # fmt: skip
                payloads.append((position, salt, entry.payload))
                references += [(value, position) for value in entry.references.values()]
                if entry.exchange:
                    references.append((entry.exchange, position))
                positions[-1].append(position)
        run, queries = self._connection, self._queries
        run.execute("BEGIN IMMEDIATE")
        run.executemany(queries["add_entry"], entries)
        run.executemany(queries["add_payload"], payloads)
        if references:
            run.executemany(queries["add_reference"], references)
        if frontier.size - self._signed_size >= self._options.checkpoint_entries:
            self._sign()
        run.execute("COMMIT")
        return positions

    def _sign(self) -> None:
        size = self._frontier.size
        self._connection.execute(
            self._queries["add_checkpoint"], (size, self._signer.sign(size, self._frontier.root()))
        )
        self._signed_size = size

    def _sign_alone(self) -> None:
        if self._failed is not None or self._signed_size == self._frontier.size:
            return
        try:
            with _renamed("signing a checkpoint"):
                self._sign()
        except JournalError as error:
            self._failed = error

    def _tell(self, batch: list[_Append], count: int, outcome: list[list[Position]] | JournalError) -> None:
        def resolve() -> None:
            self._queued -= count
            for index, append in enumerate(batch):
                if append.done.done():
                    continue
                if isinstance(outcome, JournalError):
                    append.done.set_exception(JournalError(str(outcome)))
                else:
                    append.done.set_result(outcome[index])

        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(resolve)


def _lock(path: Path) -> int:
    """Hold the journal for this process: a second writer would break the tree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise JournalError(f"opening the journal {path}: another process writes it; stop that one first") from error
    return lock


def _signer(path: Path, origin: str, key_file: Path) -> Signer:
    seed = key_file.read_bytes()
    if len(seed) != 32:
        raise JournalError(
            f"opening the journal {path}: {key_file} holds no key of 32 bytes; put the right one back, "
            "or remove it when the journal has no entries yet"
        )
    return Signer(origin, seed)


def _prepare(connection: sqlite3.Connection, path: Path, node: str) -> tuple[Signer, Frontier]:
    queries = layout.read_queries()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    is_new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    origin = f"pg-bridge/{node}"
    key_file = Path(f"{path}.key")
    if is_new:
        if not key_file.exists():
            handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(Signer.new_seed())
                out.flush()
                os.fsync(out.fileno())
        signer = _signer(path, origin, key_file)
        connection.executescript(f"BEGIN;\n{layout.schema()}")
        for name, value in (
            ("schema", layout.SCHEMA_VERSION),
            ("node", node),
            ("public_key", signer.public_key.hex()),
        ):
            connection.execute(queries["set_meta"], (name, value))
        connection.execute("COMMIT")
        return signer, Frontier()

    def meta(name: str) -> str:
        row = connection.execute(queries["meta"], (name,)).fetchone()
        if row is None:
            raise JournalCorrupt(f"opening the journal {path}: its {name} is missing; restore a backup")
        return str(row[0])

    if meta("schema") != layout.SCHEMA_VERSION:
        raise JournalError(
            f"opening the journal {path}: its schema is {meta('schema')}, this version knows {layout.SCHEMA_VERSION}; "
            "use the version of pg-bridge that wrote it, or a newer one"
        )
    if meta("node") != node:
        raise JournalError(f"opening the journal {path}: it is of node {meta('node')}, not {node}; name that node")
    if not key_file.exists():
        raise JournalError(f"opening the journal {path}: its key {key_file} is missing; put it back")
    signer = _signer(path, origin, key_file)
    if signer.public_key.hex() != meta("public_key"):
        raise JournalError(f"opening the journal {path}: {key_file} is another journal's key; put the right one back")
    frontier = Frontier()
    for (leaf,) in connection.execute(queries["leaves"]):
        frontier.append(leaf)
    last = connection.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()[0]
    if last != frontier.size:
        raise JournalCorrupt(
            f"opening the journal {path}: {frontier.size} entries, the last has position {last}; run `audit verify`"
        )
    return signer, frontier
