"""The check of a journal by a reader of its own: it trusts nothing but the file and the public key in it.

Every payload is hashed again with its salt, every leaf from its row, the tree from the leaves; each checkpoint's
signature and root is held against that. What one file cannot show of itself: a tail cut off, or an older copy put in
its place, with checkpoints and all. A second place for checkpoints shows those.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pg_bridge.errors import Finding, JournalError
from pg_bridge.journal import layout
from pg_bridge.journal.checkpoint import read_checkpoint
from pg_bridge.journal.tree import Frontier, leaf_hash

Report = Callable[[str, str, str], None]

_TYPES = (int, int, str, str, str, str, str, str, bytes)
_NO_LEAF = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a check found. unsigned: entries behind the last checkpoint; they are whole but not signed for yet."""

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


def verify(path: Path, *, most_findings: int = 1_000) -> AuditVerdict:
    """Check the journal file. Raises JournalError when it cannot be read at all."""
    if not path.exists():
        raise JournalError(f"verifying the journal: there is no file {path}")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.text_factory = _text
            return _verify(connection, most_findings)
    except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
        finding = Finding("PGB-AUD-001", "error", str(path), f"SQLite cannot read the file: {error}")
        return AuditVerdict(0, 0, 0, 0, "", "", (finding,))


def _text(raw: bytes) -> str | bytes:
    """Text that is no UTF-8 stays bytes, which no text column may hold."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _key(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def _verify(connection: sqlite3.Connection, most: int) -> AuditVerdict:
    queries = layout.read_queries()
    findings: list[Finding] = []

    def fault(code: str, place: str, text: str) -> None:
        if len(findings) < most:
            findings.append(Finding(code, "error", place, text))

    def meta(name: str) -> str:
        row = connection.execute(queries["meta"], (name,)).fetchone()
        return "" if row is None else str(row[0])

    node, public_key = meta("node"), _key(meta("public_key"))
    notes = connection.execute(queries["checkpoints"]).fetchall()
    due = dict(notes)
    frontier = Frontier()
    gone = 0
    expected = 1
    for row in connection.execute(queries["whole_entries"]):
        position, at_us, kind, exchange, participant, refs, mapping, findings_text, hash_, leaf, salt, payload = row
        place = f"entry {position}"
        if position != expected:
            fault("PGB-AUD-002", place, f"position {expected} is due: entries are missing or were moved")
        expected = position + 1
        if payload is None:
            gone += 1
        elif type(salt) is not bytes or type(payload) is not bytes or layout.payload_hash(salt, payload) != hash_:
            fault("PGB-AUD-003", place, "the payload is not the one that was written")
        # A value of another type may be written in a leaf as the right one is.
        if tuple(map(type, row[:9])) == _TYPES:
            computed = leaf_hash(
                layout.leaf(position, at_us, node, kind, exchange, participant, refs, mapping, findings_text, hash_)
            )
        else:
            computed = _NO_LEAF
        if computed != leaf or computed == _NO_LEAF:
            fault("PGB-AUD-004", place, "the entry is not the one that was written")
        frontier.append(computed)
        note = due.pop(frontier.size, None)
        if note is not None:
            _checkpoint(note, public_key, node, frontier, fault)
    for size in due:
        fault("PGB-AUD-006", f"checkpoint {size}", f"it signs for {size} entries, there are {frontier.size}")
    for (position,) in connection.execute(queries["orphan_payloads"]):
        fault("PGB-AUD-007", f"entry {position}", "its payload is there, the entry is not")
    signed = max((size for size, _ in notes), default=0)
    if gone:
        fault("PGB-AUD-008", "payloads", f"{gone} payloads are gone, and no policy of this version removes any")
    return AuditVerdict(
        frontier.size,
        len(notes),
        max(0, frontier.size - signed),
        gone,
        frontier.root().hex(),
        public_key.hex(),
        tuple(findings),
    )


def _checkpoint(note: str | bytes, public_key: bytes, node: str, frontier: Frontier, report: Report) -> None:
    place = f"checkpoint {frontier.size}"
    checkpoint = read_checkpoint(note, public_key) if isinstance(note, str) else "the note is no checkpoint"
    if isinstance(checkpoint, str):
        report("PGB-AUD-005", place, checkpoint)
    elif checkpoint.origin != f"pg-bridge/{node}" or checkpoint.size != frontier.size:
        report("PGB-AUD-005", place, "it is the checkpoint of another journal or size")
    elif checkpoint.root != frontier.root():
        report("PGB-AUD-005", place, f"entries 1 to {frontier.size} are not those that were signed")
