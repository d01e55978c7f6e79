"""The journal's file: opened to write (by one process at a time) or to read, and its foreign errors renamed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from pg_bridge.errors import JournalCorrupt, JournalError
from pg_bridge.exchange.entries import Entry, Kind, Stored
from pg_bridge.journal.checkpoint import RandomBytes, SigningKey, key_name, make_key, read_key
from pg_bridge.journal.queries import QUERIES, SCHEMA

SCHEMA_VERSION = 1
SEGMENT_SIZE = 1024
"""Entries whose references are indexed together; queries.sql has it too."""

_APPLICATION_ID = 0x50474A31  # "PGJ1", so that `file` and we know a journal from any other database

# WAL with FULL: a commit returns after its fsync. The write-ahead log is folded in every 8 MiB.
_WRITER_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16384;
PRAGMA temp_store = MEMORY;
"""
_PAGE_SIZE = 8192  # rows of one kilobyte waste a quarter of a 4096-byte page

_DAMAGE = ("malformed", "not a database", "disk image", "corrupt")


@contextmanager
def journal_errors(doing: str) -> Iterator[None]:
    """Rename what sqlite and the disk raise: JournalCorrupt for damage, JournalError for everything else."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if any(sign in text for sign in _DAMAGE):
            raise JournalCorrupt(
                f"{doing}: {text}; the file is damaged: keep it, run `pg-bridge audit verify`, and restore a backup"
            ) from error
        raise JournalError(f"{doing}: {text}") from error
    except OSError as error:
        raise JournalError(f"{doing}: {error}") from error


def key_path(path: Path) -> Path:
    """Where the signing key of a journal lies: beside it."""
    return path.with_name(path.name + ".key")


def take_lock(path: Path) -> sqlite3.Connection:
    """Be the one writer of the journal at `path`, until the connection is closed or the process ends.

    An exclusive lock on a second, empty database works alike on every system, and between connections of one
    process too; a lock on the journal itself would keep readers out.
    """
    lock_path = path.with_name(path.name + ".lock")
    with journal_errors(f"locking {lock_path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(lock_path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            lock.close()
            if "locked" in str(error):
                raise JournalError(f"another process writes the journal {path}: stop that one first") from error
            raise
    return lock


def open_to_write(path: Path, node: str, random_bytes: RandomBytes) -> tuple[sqlite3.Connection, SigningKey]:
    """Open the journal, or make it with its key. Raises JournalError, JournalCorrupt."""
    name = key_name(node)
    with journal_errors(f"opening the journal {path}"):
        connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return connection, _make(connection, path, node, name, random_bytes)
            key = _own_key(read_meta(connection, path), path, node)
            connection.executescript(_WRITER_PRAGMAS)
        except BaseException:
            connection.close()
            raise
    return connection, key


def _own_key(meta: Mapping[str, str], path: Path, node: str) -> SigningKey:
    if meta["node"] != node:
        raise JournalError(f"the journal {path} is of node {meta['node']!r}, not of {node!r}")
    key = read_key(key_path(path))
    if str(key.public) != meta["public_key"]:
        raise JournalError(
            f"the signing key {key_path(path)} is not this journal's ({meta['public_key']}): put the right one back"
        )
    return key


def _make(connection: sqlite3.Connection, path: Path, node: str, name: str, random_bytes: RandomBytes) -> SigningKey:
    # A start that was killed between key and tables left a key that nothing is signed with yet: it is used.
    at = key_path(path)
    key = read_key(at) if at.exists() else make_key(at, name, random_bytes)
    if key.public.name != name:
        raise JournalError(f"the signing key {at} is of {key.public.name}, not of {name}: move it away")
    connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
    connection.executescript(_WRITER_PRAGMAS)
    connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {_APPLICATION_ID}; {SCHEMA}")
    connection.executemany(
        QUERIES["insert_meta"],
        [("schema_version", str(SCHEMA_VERSION)), ("node", node), ("public_key", str(key.public))],
    )
    connection.execute("COMMIT")
    return key


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; works beside the writer, after a kill, and on a read-only disk."""
    if not path.is_file():
        raise JournalError(f"there is no journal {path}")
    uri = f"file:{quote(str(path.absolute()))}"
    with journal_errors(f"opening the journal {path}"):
        connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A folder that cannot be written to has no room for sqlite's shared memory; with no log there, the
            # file is whole and none can change it.
            connection.close()
            if os.access(path.parent, os.W_OK) or path.with_name(path.name + "-wal").exists():
                raise
            return sqlite3.connect(
                f"{uri}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
            )
        except BaseException:
            connection.close()
            raise
    return connection


def read_meta(connection: sqlite3.Connection, path: Path) -> dict[str, str]:
    """What the journal says of itself: schema_version, node, public_key. Raises JournalError, JournalCorrupt."""
    with journal_errors(f"reading the journal {path}"):
        application_id = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "meta" not in tables:
            raise JournalError(f"{path} is a database, but no journal: name another file")
        meta = dict(connection.execute(QUERIES["meta"]).fetchall())
    version = meta.get("schema_version", "")
    if application_id != _APPLICATION_ID or not version.isdecimal() or not {"node", "public_key"} <= meta.keys():
        raise JournalCorrupt(f"{path} does not say what it is: keep it, and restore a backup")
    if int(version) > SCHEMA_VERSION:
        raise JournalError(
            f"the journal {path} was written by a newer pg-bridge (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): start that version again"
        )
    return meta


def close_quietly(*connections: sqlite3.Connection) -> None:
    """Close them all, whatever state they are in."""
    for connection in connections:
        with closing(connection):
            pass


_read_references = msgspec.json.Decoder(dict[str, str]).decode
_read_findings = msgspec.json.Decoder(tuple[str, ...]).decode
_KINDS = {kind.value: kind for kind in Kind}


def read_row(row: Sequence[Any]) -> Stored:
    """A row of the queries `replay`, `read` and `list`. Raises JournalCorrupt."""
    position, at_us, kind, exchange, participant, references, mapping, findings, payload = row
    try:
        entry = Entry(
            kind=_KINDS[kind],
            at_us=at_us,
            exchange=exchange,
            participant=participant,
            references=_read_references(references) if references != "{}" else {},
            mapping=mapping,
            findings=_read_findings(findings) if findings != "[]" else (),
            payload=payload if payload is not None else b"null",
        )
    except (KeyError, msgspec.DecodeError) as error:
        raise JournalCorrupt(f"entry {position} cannot be read: run `pg-bridge audit verify`") from error
    return Stored(position, entry)
