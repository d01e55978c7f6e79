"""The check of a journal by a reader of its own, that trusts nothing but the file and a public key.

It hashes every payload with its salt, every entry to its leaf, and the tree from the leaves, and holds each
checkpoint against that. The stored leaf hashes tell which entry was altered; the signed roots tell whether the leaf
hashes themselves are the ones that were signed. Whoever alters an entry and its leaf hash is found by the
first checkpoint behind it: between that and the checkpoint before, no file can tell more.

What one file cannot show of itself: a tail cut off together with its checkpoints, or an older copy put in its place. A
second place for checkpoints shows those. The public key in the file is as good as the file: give the one you
noted when the journal was made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.errors import Finding, JournalCorrupt, JournalError
from pg_bridge.journal import leaf
from pg_bridge.journal.checkpoint import PublicKey, key_name
from pg_bridge.journal.index_check import IndexCheck
from pg_bridge.journal.queries import QUERIES
from pg_bridge.journal.store import close_quietly, open_to_read, read_meta
from pg_bridge.journal.tree import RightEdge, leaf_hash

UNREADABLE = "PGB-AUD-001"
POSITION = "PGB-AUD-002"
PAYLOAD = "PGB-AUD-003"
ENTRY = "PGB-AUD-004"
CHECKPOINT = "PGB-AUD-005"
MISSING_TAIL = "PGB-AUD-006"
STRAY_PAYLOAD = "PGB-AUD-007"
PAYLOAD_GONE = "PGB-AUD-008"
SUBTREE = "PGB-AUD-009"
INDEX = "PGB-AUD-010"
KEY = "PGB-AUD-011"

_ROW_TYPES = (int, int, str, str, str, str, str, str, bytes, bytes)
_PROGRESS_EVERY = 1_000

_read_references = msgspec.json.Decoder(dict[str, str]).decode
_read_findings = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a check found. unsigned: entries behind the last checkpoint; they are whole but not signed for yet.

    root: the tree's root over all entries, hex. public_key: the written form of the key that signed.
    """

    entries: int
    checkpoints: int
    unsigned: int
    payloads_gone: int
    root: str
    public_key: str
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Nothing is wrong."""
        return not self.findings


def verify(
    path: Path,
    *,
    public_key: str = "",
    most_findings: int = 1_000,
    progress: Callable[[int, int], None] | None = None,
) -> AuditVerdict:
    """Check the journal file, also while the bridge writes it: what it held at the start of the check.

    public_key: the key as noted elsewhere (`name+id+base64`); without it the file's own is taken. progress: called
    with entries done and entries in all. Raises JournalError when there is no such file or it is no journal.
    """
    check = _Check(most_findings)
    try:
        connection = open_to_read(path)
    except JournalCorrupt as error:
        check.fault(UNREADABLE, str(path), str(error))
        return check.verdict("")
    try:
        return _verify(connection, path, public_key, check, progress)
    except sqlite3.Error as error:
        check.fault(UNREADABLE, str(path), f"behind entry {check.position} the file cannot be read: {error}")
        return check.verdict(public_key)
    finally:
        close_quietly(connection)


def _verify(
    connection: sqlite3.Connection,
    path: Path,
    public_key: str,
    check: _Check,
    progress: Callable[[int, int], None] | None,
) -> AuditVerdict:
    connection.execute("BEGIN")  # one view of the file, whatever is appended meanwhile
    try:
        meta = read_meta(connection, path)
        own = meta["public_key"]
        if public_key and public_key != own:
            check.fault(KEY, str(path), f"the file names another key, {own}, than the one expected")
        public = PublicKey.parse(public_key or own)
        if public.name != key_name(meta["node"]):
            check.fault(KEY, str(path), f"the key {public.name} is not that of node {meta['node']!r}")
    except JournalCorrupt as error:
        check.fault(UNREADABLE, str(path), str(error))
        return check.verdict(public_key)
    notes = connection.execute(QUERIES["verify_checkpoints"]).fetchall()
    subtrees = {(row[0], row[1]): row[2] for row in connection.execute(QUERIES["verify_subtrees"])}
    check.begin(meta["node"], public, notes, subtrees)
    total = connection.execute(QUERIES["last_position"]).fetchone()[0]
    for row in _rows(connection):
        check.entry(row)
        if progress is not None and not check.entries % _PROGRESS_EVERY:
            progress(check.entries, total)
    check.end(connection)
    return check.verdict(str(public))


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Every entry with its payload, from the lowest position; text that is no UTF-8 any more comes with U+FFFD."""
    last = -(2**63)
    cursor = connection.execute(QUERIES["verify_entries"], (last,))
    while True:
        try:
            for row in cursor:
                last = row[0]
                yield row
        except sqlite3.OperationalError as error:
            if "decode" not in str(error).lower() or connection.text_factory is not str:
                raise
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            cursor = connection.execute(QUERIES["verify_entries"], (last,))
        else:
            return


class _Check:
    """The state of one pass over the entries."""

    def __init__(self, most_findings: int) -> None:
        self._most = most_findings
        self._findings: list[Finding] = []
        self._left_out = 0
        self._edge = RightEdge()
        self._is_whole = True  # no position is missing, so the tree can be made
        self._roots_hold = True
        self._bad_roots = 0
        self._last_good = 0
        self._broken_tiles: list[tuple[int, int]] = []
        self._notes: list[tuple[int, str]] = []
        self._index = IndexCheck()
        self._with_findings = 0
        self._payloads = 0
        self._payloads_gone = 0
        self.entries = 0
        self.position = 0

    def fault(self, code: str, path: str, text: str) -> None:
        """Note a fault; behind the first `most_findings` they are only counted."""
        if len(self._findings) < self._most:
            self._findings.append(Finding(code, "error", path, text))
        else:
            self._left_out += 1

    def begin(
        self, node: str, public: PublicKey, notes: list[tuple[int, str]], subtrees: dict[tuple[int, int], Any]
    ) -> None:
        """What the file claims."""
        self._node = node
        self._public = public
        self._notes = notes
        self._due = dict(notes)
        self._subtrees = subtrees

    def entry(self, row: tuple[Any, ...]) -> None:
        """Check one entry, its payload and what is due behind it."""
        position, at_us, _, exchange, _, refs, _, findings, digest, stored_hash, salt, body = row
        if position != self.position + 1:
            self._gap(position)
        if position > 0:
            self.position = position
        self.entries += 1
        if body is None:
            self._payloads_gone += 1
            self.fault(PAYLOAD_GONE, f"entry {position}", "its payload is gone; this version removes none")
        else:
            self._payloads += 1
            if type(body) is not bytes or type(salt) is not bytes or leaf.payload_hash(salt, body) != digest:
                self.fault(PAYLOAD, f"entry {position}", "the payload is not the one that was written")
        try:
            computed = self._leaf_hash(row)
        except (ValueError, TypeError, AttributeError):  # text, JSON or a type that the writer never writes
            computed = None
        if computed != stored_hash:
            self.fault(ENTRY, f"entry {position}", "the entry is not the one that was written at this position")
        if findings != "[]":
            self._with_findings += 1
        if computed is not None:
            self._index.entry(position, at_us, exchange, refs)
        if self._is_whole:
            is_hash = type(stored_hash) is bytes and len(stored_hash) == leaf.HASH_SIZE
            self._grow(stored_hash if is_hash else computed or b"")

    def _leaf_hash(self, row: tuple[Any, ...]) -> bytes:
        position, at_us, kind, exchange, participant, refs, mapping, findings, digest, _, _, _ = row
        if tuple(map(type, row[:10])) != _ROW_TYPES:
            raise TypeError("a column holds another type than was written")
        references, codes = refs.encode(), findings.encode()
        # Canonical, or bytes could be shifted between two neighbouring members of the leaf.
        if (refs != "{}" and leaf.references_json(_read_references(references)) != references) or (
            findings != "[]" and leaf.findings_json(_read_findings(codes)) != codes
        ):
            raise ValueError("references or finding codes are not canonical")
        return leaf_hash(
            leaf.leaf_bytes(
                position, at_us, self._node, kind, exchange, participant, references, mapping, codes, digest
            )
        )

    def _gap(self, position: int) -> None:
        self._is_whole = False
        due = self.position + 1
        if position < due:
            self.fault(POSITION, f"entry {position}", "there is no such position: the entry was inserted")
        elif position == due + 1:
            self.fault(POSITION, f"entry {due}", "the entry is missing")
        else:
            self.fault(POSITION, f"entry {due}", f"the entries {due} to {position - 1} are missing")

    def _grow(self, hashed: bytes) -> None:
        edge = self._edge
        for level, number, subtree in edge.append(hashed):
            if self._subtrees.pop((level, number), None) != subtree:
                self._broken_tiles.append((level, number))
        note = self._due.pop(edge.size, None)
        if note is not None:
            self._checkpoint(edge.size, note, edge.root())

    def _checkpoint(self, size: int, note: Any, root: bytes | None) -> None:
        """Hold a note against the root of its size; None: the root cannot be made."""
        try:
            signed = self._public.open_checkpoint(str(note))
        except JournalError as error:
            self.fault(CHECKPOINT, f"checkpoint {size}", str(error))
            return
        if signed.size != size:
            self.fault(CHECKPOINT, f"checkpoint {size}", f"it was signed for {signed.size} entries")
        elif root is None:
            return
        elif signed.root == root:
            self._last_good = size
        else:
            self._bad_roots += 1
            if self._roots_hold:
                self._roots_hold = False
                range_ = f"entries {self._last_good + 1} to {size}"
                text = f"{range_} are not all those that were signed: altered or moved with their hashes"
                self.fault(CHECKPOINT, f"checkpoint {size}", text)

    def end(self, connection: sqlite3.Connection) -> None:
        """What is due behind the last entry, and the tables made from the entries."""
        for size, note in sorted(self._due.items()):
            self._checkpoint(size, note, None)
        covered = max((size for size, _ in self._notes), default=0)
        if covered > self.position:
            gone = f"entry {covered}" if covered == self.position + 1 else f"entries {self.position + 1} to {covered}"
            self.fault(MISSING_TAIL, f"entry {self.position + 1}", f"a checkpoint signs for {gone}: missing")
        if not self._is_whole and self._notes:
            unproven = sum(size in self._due for size, _ in self._notes)
            if unproven:
                self.fault(
                    CHECKPOINT,
                    f"checkpoint {min(self._due)}",
                    f"{unproven} roots cannot be made while entries are missing",
                )
        elif self._bad_roots > 1:
            self.fault(CHECKPOINT, "checkpoints", f"with it {self._bad_roots - 1} later roots do not hold")
        if self._is_whole and self._roots_hold:
            for level, number in self._broken_tiles:
                first = (number << level) + 1
                self.fault(SUBTREE, f"entry {first}", f"the kept hash of {2**level} entries from here on is wrong")
            for level, number in self._subtrees:
                self.fault(SUBTREE, f"subtree {level}/{number}", "a hash is kept of entries that are not there")
        if connection.execute(QUERIES["count_payloads"]).fetchone()[0] != self._payloads:
            for (position,) in connection.execute(QUERIES["stray_payloads"]):
                self.fault(STRAY_PAYLOAD, f"entry {position}", "its payload is there, the entry is not")
        if connection.execute(QUERIES["verify_findings"]).fetchone()[0] != self._with_findings:
            self.fault(INDEX, "index entry_with_findings", "it does not hold every entry with findings")
        for place, text in self._index.faults(connection, self.position if self._is_whole else None):
            self.fault(INDEX, place, text)

    def verdict(self, public_key: str) -> AuditVerdict:
        """What was found."""
        findings = self._findings
        if self._left_out:
            findings = [*findings, Finding(UNREADABLE, "error", "findings", f"{self._left_out} more are left out")]
        covered = max((size for size, _ in self._notes), default=0)
        return AuditVerdict(
            entries=self.entries,
            checkpoints=len(self._notes),
            unsigned=max(0, self.position - covered),
            payloads_gone=self._payloads_gone,
            root=self._edge.root().hex() if self._is_whole else "",
            public_key=public_key,
            findings=tuple(findings),
        )
