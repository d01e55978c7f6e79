"""The one thread that writes: group commit.

It takes everything that waits, up to a bound, into one transaction, so that a slow disk makes commits larger, not
appends rarer. It shares the interpreter lock with the event loop: rows go to sqlite many to a statement, and the
reference index is made inside sqlite. After a failed commit nobody knows what the disk holds: the thread
refuses everything until the journal is opened again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry
from pg_bridge.journal import leaf
from pg_bridge.journal.checkpoint import RandomBytes, SigningKey
from pg_bridge.journal.queries import QUERIES, insert_rows
from pg_bridge.journal.store import SEGMENT_SIZE
from pg_bridge.journal.tree import RightEdge, leaf_hash

Clock = Callable[[], datetime]
Outcome = range | JournalError

_ROWS_A_STATEMENT = 100
_UNWRITABLE = (ValueError, TypeError, OverflowError, AttributeError)


@dataclass(frozen=True, slots=True)
class Append:
    """Entries that wait together; `token` is the caller's own, handed back with the outcome."""

    entries: Sequence[Entry]
    size_bytes: int
    token: Any


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one commit: an outcome each, the checkpoint signed with it, and why none follows."""

    outcomes: list[tuple[Append, Outcome]]
    note: str = ""
    failure: JournalError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOptions:
    """Bounds of the journal. `queue_*`: what may wait before an append is refused with JournalFull."""

    commit_entries: int = 2_000
    commit_bytes: int = 16 * 2**20
    queue_entries: int = 20_000
    queue_bytes: int = 64 * 2**20
    checkpoint_entries: int = 1_000
    checkpoint_after_s: float = 1.0


class Writer:
    """Owns the writing connection and the tree's right edge; `settle` is called from its thread, once a commit."""

    def __init__(
        self,
        *,
        connection: sqlite3.Connection,
        node: str,
        key: SigningKey,
        edge: RightEdge,
        signed_size: int,
        clock: Clock,
        random_bytes: RandomBytes,
        options: JournalOptions,
        settle: Callable[[Settlement], None],
    ) -> None:
        self._connection = connection
        self._node = node
        self._key = key
        self._edge = edge
        self._signed_size = signed_size
        self._clock = clock
        self._random_bytes = random_bytes
        self._options = options
        self._settle = settle
        self._queue: SimpleQueue[Append | None] = SimpleQueue()
        self._failed: JournalError | None = None
        self._unsigned_since: datetime | None = clock() if edge.size > signed_size else None
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, append: Append) -> None:
        """Queue; the outcome comes by `settle`."""
        self._queue.put(append)

    def stop(self) -> None:
        """Write what waits, sign a last checkpoint, and end; returns at once, `join` waits."""
        self._queue.put(None)

    def join(self) -> None:
        """Return when the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next_group()
            if self._failed is not None:
                self._settle(self._refuse(group, self._failed))
                continue
            try:
                settlement = self._commit(group, is_last=not is_open)
            except (sqlite3.Error, OSError) as error:
                self._failed = JournalError(f"writing to the journal: {error}; it refuses entries until opened again")
                self._failed.__cause__ = error
                self._roll_back()
                settlement = self._refuse(group, self._failed)
            self._settle(settlement)

    def _refuse(self, group: list[Append], failure: JournalError) -> Settlement:
        return Settlement([(append, failure) for append in group], failure=failure)

    def _next_group(self) -> tuple[list[Append], bool]:
        """What waits, at most a commit's bound; empty when only a checkpoint is due. False: no more will come."""
        try:
            append = self._queue.get(timeout=self._patience_s())
        except Empty:
            return [], True
        group: list[Append] = []
        entries = size_bytes = 0
        options = self._options
        while append is not None:
            group.append(append)
            entries += len(append.entries)
            size_bytes += append.size_bytes
            if entries >= options.commit_entries or size_bytes >= options.commit_bytes:
                return group, True
            try:
                append = self._queue.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _patience_s(self) -> float | None:
        """How long to wait for an append before a checkpoint is due; None: for ever."""
        if self._unsigned_since is None or self._failed is not None:
            return None
        waited = (self._clock() - self._unsigned_since) / timedelta(seconds=1)
        after_s = self._options.checkpoint_after_s
        return min(max(after_s - waited, 0.0), after_s)

    def _commit(self, group: list[Append], *, is_last: bool) -> Settlement:
        before = self._edge.size
        rows = _Rows(self._edge)
        outcomes: list[tuple[Append, Outcome]] = [(append, self._add(append.entries, rows)) for append in group]
        after = self._edge.size
        note = self._checkpoint_due(after, is_last=is_last)
        if after == before and not note:
            return Settlement(outcomes)
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._insert("insert_entry", rows.entries, 10)
        self._insert("insert_payload", rows.payloads, 3)
        if rows.subtrees:
            self._connection.executemany(QUERIES["insert_subtree"], rows.subtrees)
        for number in range(before // SEGMENT_SIZE, after // SEGMENT_SIZE):
            bounds = {"number": number, "first": number * SEGMENT_SIZE + 1, "last": (number + 1) * SEGMENT_SIZE}
            execute(QUERIES["insert_segment"], bounds)
            execute(QUERIES["insert_references"], bounds)
        if note:
            execute(QUERIES["insert_checkpoint"], (after, note))
        execute("COMMIT")
        if note:
            self._signed_size = after
            self._unsigned_since = None
        elif self._unsigned_since is None:
            self._unsigned_since = self._clock()
        return Settlement(outcomes, note)

    def _add(self, entries: Sequence[Entry], rows: _Rows) -> Outcome:
        """Hash the entries into the tree and lay out their rows; an entry that cannot be written refuses its append."""
        first = rows.edge.size + 1
        salts = self._random_bytes(leaf.SALT_SIZE * len(entries))
        try:
            laid = [
                self._lay_out(first + number, entry, salts[leaf.SALT_SIZE * number : leaf.SALT_SIZE * (number + 1)])
                for number, entry in enumerate(entries)
            ]
        except _UNWRITABLE as error:
            refused = JournalError(f"an entry cannot be written: {error}")
            refused.__cause__ = error
            return refused
        for entry_row, payload_row in laid:
            rows.entries += entry_row
            rows.payloads += payload_row
            rows.subtrees += rows.edge.append(entry_row[9])
        return range(first, first + len(entries))

    def _lay_out(self, position: int, entry: Entry, salt: bytes) -> tuple[tuple[Any, ...], tuple[int, bytes, bytes]]:
        at_us = entry.at_us
        if at_us.bit_length() > 63:
            raise OverflowError(f"at_us {at_us} is no time")
        kind = entry.kind._value_
        references = leaf.references_json(entry.references)
        findings = leaf.findings_json(entry.findings)
        digest = leaf.payload_hash(salt, entry.payload)
        hashed = leaf_hash(
            leaf.leaf_bytes(
                position, at_us, self._node, kind, entry.exchange, entry.participant, references, entry.mapping,
                findings, digest,
            )
        )  # fmt: skip
        return (
            position, at_us, kind, entry.exchange, entry.participant, references.decode(), entry.mapping,
            findings.decode(), digest, hashed,
        ), (position, salt, entry.payload)  # fmt: skip

    def _insert(self, name: str, values: list[Any], width: int) -> None:
        most = _ROWS_A_STATEMENT * width
        for start in range(0, len(values), most):
            part = values[start : start + most]
            self._connection.execute(insert_rows(name, len(part) // width), part)

    def _checkpoint_due(self, size: int, *, is_last: bool) -> str:
        """The signed note, when enough entries or time passed since the last."""
        unsigned = size - self._signed_size
        if not unsigned:
            return ""
        is_due = is_last or unsigned >= self._options.checkpoint_entries
        if not is_due and self._unsigned_since is not None:
            waited = self._clock() - self._unsigned_since
            is_due = waited >= timedelta(seconds=self._options.checkpoint_after_s) or waited < timedelta(0)
        return self._key.sign_checkpoint(size, self._edge.root()) if is_due else ""

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:  # the first fault is the one to tell; this one goes along
                if self._failed is not None:
                    self._failed.add_note(f"rolling back: {error}")


class _Rows:
    """Flat values of one commit's rows, and the tree that they grow."""

    __slots__ = ("edge", "entries", "payloads", "subtrees")

    def __init__(self, edge: RightEdge) -> None:
        self.edge = edge
        self.entries: list[Any] = []
        self.payloads: list[Any] = []
        self.subtrees: list[tuple[int, int, bytes]] = []
