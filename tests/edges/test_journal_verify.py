"""Whatever is changed in a journal file, verify says so and names the place; it never raises for what it reads."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.journal import layout
from pg_bridge.journal.checkpoint import Signer
from pg_bridge.journal.sqlite import SqliteJournal, SqliteOptions
from pg_bridge.journal.tree import Frontier, leaf_hash
from pg_bridge.journal.verify import AuditVerdict, verify
from tests.doubles.journal_entries import entry

ENTRIES = 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a journal of 12 entries, with checkpoints at 5, 10 and 12."""
    path = tmp_path_factory.mktemp("whole") / "journal.sqlite"

    async def write() -> None:
        options = SqliteOptions(checkpoint_entries=5, checkpoint_s=3600)
        journal = await SqliteJournal.open(path, node="n1", options=options)
        for number in range(1, ENTRIES + 1):
            await journal.append([entry(number, exchange=f"exch{number:04d}")])
        await journal.close()

    asyncio.run(write())
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, whole: bytes) -> Path:
    copy = tmp_path / "journal.sqlite"
    copy.write_bytes(whole)
    return copy


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        with connection:
            for statement in statements:
                connection.execute(statement)
    finally:
        connection.close()


def with_rows(path: Path, work: Callable[[sqlite3.Connection], None]) -> None:
    connection = sqlite3.connect(path)
    try:
        with connection:
            work(connection)
    finally:
        connection.close()


def told(verdict: AuditVerdict) -> set[tuple[str, str]]:
    return {(finding.code, finding.path) for finding in verdict.findings}


def hash_anew(connection: sqlite3.Connection) -> None:
    """What one who can write the file, but has no key, does to hide a change: every hash again."""
    rows = connection.execute(layout.read_queries()["whole_entries"]).fetchall()
    for position, at_us, kind, exchange, participant, refs, mapping, findings, _, _, salt, payload in rows:
        hash_ = layout.payload_hash(salt, payload)
        fields = (position, at_us, "n1", kind, exchange, participant, refs, mapping, findings, hash_)
        connection.execute(
            "UPDATE entry SET payload_hash = ?, leaf_hash = ? WHERE position = ?",
            (hash_, leaf_hash(layout.leaf(*fields)), position),
        )


def make_room(connection: sqlite3.Connection, at: int) -> None:
    for table in ("entry", "payload"):
        connection.execute(f"UPDATE {table} SET position = -position - 1 WHERE position >= {at}")  # noqa: S608
        connection.execute(f"UPDATE {table} SET position = -position WHERE position < 0")  # noqa: S608


def copy_entry(connection: sqlite3.Connection, source: int, position: int) -> None:
    connection.execute(
        "INSERT INTO entry SELECT ?, at_us, kind, exchange, participant, refs, mapping, findings, payload_hash, "
        "leaf_hash FROM entry WHERE position = ?",
        (position, source),
    )
    connection.execute(
        "INSERT INTO payload SELECT ?, salt, payload FROM payload WHERE position = ?", (position, source)
    )


# --- what is good --------------------------------------------------------------------------------------------


def test_untouched_journal_is_good(path: Path) -> None:
    verdict = verify(path)

    assert verdict.findings == ()
    assert verdict.is_good
    assert (verdict.entries, verdict.checkpoints, verdict.unsigned, verdict.payloads_gone) == (ENTRIES, 3, 0, 0)
    assert len(bytes.fromhex(verdict.root)) == len(bytes.fromhex(verdict.public_key)) == 32


def test_hashing_anew_changes_nothing_in_a_good_journal(path: Path) -> None:
    with_rows(path, hash_anew)

    assert verify(path).is_good


# --- one bit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bit", [0, 3, 7])
@pytest.mark.parametrize("column", ["payload", "salt"])
def test_bit_of_a_payload(path: Path, column: str, bit: int) -> None:
    def flip(connection: sqlite3.Connection) -> None:
        (value,) = connection.execute(f"SELECT {column} FROM payload WHERE position = 3").fetchone()  # noqa: S608
        changed = bytes([value[0] ^ 1 << bit, *value[1:]])
        connection.execute(f"UPDATE payload SET {column} = ? WHERE position = 3", (changed,))  # noqa: S608

    with_rows(path, flip)

    assert told(verify(path)) == {("PGB-AUD-003", "entry 3")}


@pytest.mark.parametrize("bit", [0, 3, 7])
@pytest.mark.parametrize(
    "column",
    ["at_us", "kind", "exchange", "participant", "refs", "mapping", "findings", "payload_hash", "leaf_hash"],
)
def test_bit_of_an_entry(path: Path, column: str, bit: int) -> None:
    def flip(connection: sqlite3.Connection) -> None:
        (value,) = connection.execute(f"SELECT {column} FROM entry WHERE position = 3").fetchone()  # noqa: S608
        if isinstance(value, int):
            connection.execute("UPDATE entry SET at_us = ? WHERE position = 3", (value ^ 1 << bit,))
            return
        raw = value if isinstance(value, bytes) else value.encode()
        changed = bytes([raw[0] ^ 1 << bit, *raw[1:]])
        as_type = "?" if isinstance(value, bytes) else "CAST(? AS TEXT)"
        connection.execute(f"UPDATE entry SET {column} = {as_type} WHERE position = 3", (changed,))  # noqa: S608

    with_rows(path, flip)
    found = told(verify(path))

    assert ("PGB-AUD-004", "entry 3") in found
    assert {"entry 3"} >= {place for _, place in found if place.startswith("entry")}


def test_position_of_an_entry(path: Path) -> None:
    change(path, "UPDATE entry SET position = 99 WHERE position = 3")
    found = told(verify(path))

    assert {("PGB-AUD-002", "entry 4"), ("PGB-AUD-004", "entry 99"), ("PGB-AUD-007", "entry 3")} <= found
    assert ("PGB-AUD-005", "checkpoint 5") in found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payload SET payload = 'text' WHERE position = 3",
        "UPDATE payload SET salt = 'text' WHERE position = 3",
        "UPDATE payload SET salt = 7 WHERE position = 3",
        "UPDATE entry SET payload_hash = 'text' WHERE position = 3",
        "UPDATE entry SET payload_hash = 7 WHERE position = 3",
        "UPDATE entry SET leaf_hash = 'text' WHERE position = 3",
        "UPDATE entry SET at_us = 'text' WHERE position = 3",
        "UPDATE entry SET at_us = 1e300 WHERE position = 3",
        "UPDATE entry SET kind = x'ff' WHERE position = 3",
        "UPDATE entry SET refs = CAST(x'ff' AS TEXT) WHERE position = 3",
    ],
)
def test_value_of_another_type_is_found_and_does_not_raise(path: Path, statement: str) -> None:
    change(path, statement)

    assert "entry 3" in {place for _, place in told(verify(path))}


def test_blob_that_a_leaf_would_show_as_the_right_text_is_found(path: Path) -> None:
    raw = base64.b64decode("exch0003")
    change(path, f"UPDATE entry SET exchange = x'{raw.hex()}' WHERE position = 3")  # noqa: S608

    assert ("PGB-AUD-004", "entry 3") in told(verify(path))


# --- entries -------------------------------------------------------------------------------------------------


def test_removed_entry(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE position = 3")

    assert {("PGB-AUD-002", "entry 4"), ("PGB-AUD-007", "entry 3")} <= told(verify(path))


def test_removed_entry_with_its_payload_and_those_behind_moved_up(path: Path) -> None:
    def remove(connection: sqlite3.Connection) -> None:
        for table in ("entry", "payload"):
            connection.execute(f"DELETE FROM {table} WHERE position = 3")  # noqa: S608
            connection.execute(f"UPDATE {table} SET position = position - 1 WHERE position > 3")  # noqa: S608
        hash_anew(connection)

    with_rows(path, remove)

    assert {("PGB-AUD-005", "checkpoint 5"), ("PGB-AUD-005", "checkpoint 10"), ("PGB-AUD-006", "checkpoint 12")} == (
        told(verify(path))
    )


def test_moved_entries(path: Path) -> None:
    def swap(connection: sqlite3.Connection) -> None:
        for table in ("entry", "payload"):
            for source, target in ((3, 99), (4, 3), (99, 4)):
                connection.execute(f"UPDATE {table} SET position = ? WHERE position = ?", (target, source))  # noqa: S608

    with_rows(path, swap)

    assert {("PGB-AUD-004", "entry 3"), ("PGB-AUD-004", "entry 4")} <= told(verify(path))


def test_moved_entries_hashed_anew(path: Path) -> None:
    def swap(connection: sqlite3.Connection) -> None:
        for table in ("entry", "payload"):
            for source, target in ((3, 99), (4, 3), (99, 4)):
                connection.execute(f"UPDATE {table} SET position = ? WHERE position = ?", (target, source))  # noqa: S608
        hash_anew(connection)

    with_rows(path, swap)

    assert {("PGB-AUD-005", f"checkpoint {size}") for size in (5, 10, 12)} == told(verify(path))


def test_inserted_entry(path: Path) -> None:
    def insert(connection: sqlite3.Connection) -> None:
        make_room(connection, 4)
        copy_entry(connection, 1, 4)

    with_rows(path, insert)

    assert {("PGB-AUD-004", "entry 4"), ("PGB-AUD-004", "entry 5")} <= told(verify(path))


def test_inserted_entry_hashed_anew(path: Path) -> None:
    def insert(connection: sqlite3.Connection) -> None:
        make_room(connection, 4)
        copy_entry(connection, 1, 4)
        hash_anew(connection)

    with_rows(path, insert)

    assert {("PGB-AUD-005", f"checkpoint {size}") for size in (5, 10, 12)} == told(verify(path))


def test_rewritten_payload_hashed_anew(path: Path) -> None:
    def rewrite(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE payload SET payload = ? WHERE position = 7", (b"{}",))
        hash_anew(connection)

    with_rows(path, rewrite)

    assert told(verify(path)) == {("PGB-AUD-005", "checkpoint 10"), ("PGB-AUD-005", "checkpoint 12")}


def test_payload_gone(path: Path) -> None:
    change(path, "DELETE FROM payload WHERE position = 3")
    verdict = verify(path)

    assert told(verdict) == {("PGB-AUD-008", "payloads")}
    assert verdict.payloads_gone == 1


def test_cut_tail_behind_a_checkpoint(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE position > 9", "DELETE FROM payload WHERE position > 9")

    assert told(verify(path)) == {("PGB-AUD-006", "checkpoint 10"), ("PGB-AUD-006", "checkpoint 12")}


def test_entry_behind_the_last_checkpoint_is_told_as_unsigned(path: Path) -> None:
    change(path, "DELETE FROM checkpoint WHERE size = 12")
    verdict = verify(path)

    assert verdict.is_good
    assert verdict.unsigned == 2


# --- checkpoints and meta ------------------------------------------------------------------------------------


def replace_note(path: Path, size: int, note: str | bytes | None) -> None:
    with_rows(
        path,
        lambda connection: connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size)) and None,
    )


def note_at(path: Path, size: int) -> str:
    connection = sqlite3.connect(path)
    try:
        note: str = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()[0]
        return note
    finally:
        connection.close()


def root_at(path: Path, size: int) -> bytes:
    connection = sqlite3.connect(path)
    try:
        frontier = Frontier()
        for (leaf,) in connection.execute("SELECT leaf_hash FROM entry WHERE position <= ? ORDER BY position", (size,)):
            frontier.append(leaf)
        return frontier.root()
    finally:
        connection.close()


def test_forged_checkpoint(path: Path) -> None:
    first, second = note_at(path, 5), note_at(path, 10)
    replace_note(path, 10, second.replace(second.split("\n")[2], first.split("\n")[2]))

    assert told(verify(path)) == {("PGB-AUD-005", "checkpoint 10")}


def test_checkpoint_of_another_size(path: Path) -> None:
    replace_note(path, 10, note_at(path, 5))

    assert told(verify(path)) == {("PGB-AUD-005", "checkpoint 10")}


def test_checkpoint_signed_by_another_key(path: Path) -> None:
    replace_note(path, 10, Signer("pg-bridge/n1", bytes(32)).sign(10, root_at(path, 10)))

    assert told(verify(path)) == {("PGB-AUD-005", "checkpoint 10")}


@pytest.mark.parametrize("note", ["", "garbage", "\u00e9\n5\n\u00e9\n\n\u2014 \u00e9 \u00e9\n", b"\xff\x00"])
def test_checkpoint_that_is_none(path: Path, note: str | bytes) -> None:
    replace_note(path, 10, note)

    assert told(verify(path)) == {("PGB-AUD-005", "checkpoint 10")}


@pytest.mark.parametrize("key", ["", "zz", "00", "00" * 32, "\u00e9"])
def test_public_key_that_is_none_or_another(path: Path, key: str) -> None:
    with_rows(
        path,
        lambda connection: connection.execute("UPDATE meta SET value = ? WHERE name = 'public_key'", (key,)) and None,
    )

    assert {("PGB-AUD-005", f"checkpoint {size}") for size in (5, 10, 12)} <= told(verify(path))


def test_node_that_is_another(path: Path) -> None:
    change(path, "UPDATE meta SET value = 'n2' WHERE name = 'node'")

    assert ("PGB-AUD-004", "entry 1") in told(verify(path))


def test_findings_are_bounded(path: Path) -> None:
    change(path, "UPDATE meta SET value = 'n2' WHERE name = 'node'")

    assert len(verify(path, most_findings=3).findings) == 3


# --- the file ------------------------------------------------------------------------------------------------


def test_no_file_raises(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no file"):
        verify(tmp_path / "none.sqlite")


@pytest.mark.parametrize("content", [b"", b"garbage", b"garbage" * 5_000, b"SQLite format 3\0" + bytes(5_000)])
def test_garbage_in_place_of_the_file_is_a_finding(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert told(verify(path)) == {("PGB-AUD-001", str(path))}


@pytest.mark.parametrize("size", [100, 4_096, 10_000, -4_096, -1])
def test_cut_file_is_told(path: Path, whole: bytes, size: int) -> None:
    path.write_bytes(whole[:size])

    assert not verify(path).is_good


def test_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert {code for code, _ in told(verify(tmp_path))} == {"PGB-AUD-001"}


def test_bits_flipped_anywhere_never_raise(path: Path, whole: bytes) -> None:
    random = Random(20261123)
    for _ in range(300):
        changed = bytearray(whole)
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
        path.write_bytes(changed)
        verify(path)
