"""Whoever touches the journal is found, and the place is named."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal import leaf
from pg_bridge.journal.checkpoint import SigningKey, read_key
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.journal.store import key_path
from pg_bridge.journal.tree import RightEdge, leaf_hash
from pg_bridge.journal.verify import AuditVerdict, verify
from pg_bridge.journal.writer import JournalOptions
from tests.doubles.journal_samples import StillClock, make_journal, sample_entries, sample_entry

SIZE = 1_300
"""More than a segment of the search index, and five kept subtrees."""

COLUMNS = "at_us, kind, exchange, participant, refs, mapping, findings, payload_hash, leaf_hash"


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed journal of SIZE entries, a checkpoint every 100."""
    at = tmp_path / "j.sqlite"
    await make_journal(
        at, [sample_entry(n, findings=("PGB-MSG-003",) if n % 500 == 0 else ()) for n in range(1, SIZE + 1)]
    )
    return at


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.executescript(statement)
        connection.commit()


def places(verdict: AuditVerdict) -> set[str]:
    return {finding.path for finding in verdict.findings}


def rehash(path: Path, position: int, **changes: object) -> None:
    """Alter an entry as one would who knows the leaf: with a leaf hash that fits."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            f"UPDATE entry SET {', '.join(f'{name} = ?' for name in changes)} WHERE position = ?",  # noqa: S608
            (*changes.values(), position),
        )
        row = connection.execute(f"SELECT {COLUMNS} FROM entry WHERE position = ?", (position,)).fetchone()  # noqa: S608
        at_us, kind, exchange, participant, refs, mapping, findings, digest, _ = row
        made = leaf_hash(
            leaf.leaf_bytes(
                position, at_us, "n1", kind, exchange, participant, refs.encode(), mapping, findings.encode(), digest
            )
        )
        connection.execute("UPDATE entry SET leaf_hash = ? WHERE position = ?", (made, position))
        connection.commit()


def rebuilt_root(path: Path, size: int) -> bytes:
    edge = RightEdge()
    with closing(sqlite3.connect(path)) as connection:
        for (hashed,) in connection.execute(
            "SELECT leaf_hash FROM entry WHERE position <= ? ORDER BY position", (size,)
        ):
            edge.append(hashed)
    return edge.root()


def test_an_untouched_journal_is_good(path: Path) -> None:
    verdict = verify(path)

    assert verdict.is_good
    assert (verdict.entries, verdict.checkpoints, verdict.unsigned, verdict.payloads_gone) == (SIZE, 13, 0, 0)
    assert verdict.root == rebuilt_root(path, SIZE).hex()


def test_progress_is_told(path: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(path, progress=lambda done, total: told.append((done, total)))

    assert told == [(1_000, SIZE)]


@pytest.mark.parametrize(
    "column",
    [
        "at_us = at_us + 1",
        "kind = 'enquiry_received'",
        "exchange = 'x000008'",
        "exchange = ''",
        "participant = 'C00020'",
        """refs = '{"reference":"SEME000008","si_number":"SI00000007"}'""",
        """refs = '{"reference": "SEME000007","si_number":"SI00000007"}'""",
        "refs = 'no json'",
        "mapping = ''",
        """findings = '["PGB-MSG-003"]'""",
        "payload_hash = zeroblob(32)",
        "leaf_hash = zeroblob(32)",
        "leaf_hash = x'00'",
    ],
)
def test_an_altered_entry_is_named(path: Path, column: str) -> None:
    change(path, f"UPDATE entry SET {column} WHERE position = 7")  # noqa: S608

    assert "entry 7" in places(verify(path))


def test_members_that_are_shifted_within_the_same_leaf_are_named(tmp_path: Path) -> None:
    """`refs` that swallow the mapping make the very same leaf bytes; they are no canonical references."""
    from_leaf = '{"reference":"R"},"m",["A"'
    path = tmp_path / "j.sqlite"
    change_to = f"UPDATE entry SET refs = '{from_leaf}', mapping = 'B', findings = '\"C\"]' WHERE position = 1"  # noqa: S608
    asyncio.run(
        make_journal(path, [sample_entry(1, references={"reference": "R"}, mapping="m", findings=("A", "B", "C"))])
    )
    change(path, change_to)

    assert "entry 1" in places(verify(path))


@pytest.mark.parametrize(
    "column", ["body = CAST(body || x'00' AS BLOB)", "body = x''", "salt = zeroblob(16)", "body = x'ff'"]
)
def test_an_altered_payload_is_named(path: Path, column: str) -> None:
    change(path, f"UPDATE payload SET {column} WHERE position = 7")  # noqa: S608
    verdict = verify(path)

    assert [(finding.code, finding.path) for finding in verdict.findings] == [("PGB-AUD-003", "entry 7")]


def test_one_flipped_bit_of_a_payload_is_named(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b":20C::SEME//000777") + 12
    data[at] ^= 1
    path.write_bytes(data)

    assert places(verify(path)) == {"entry 777"}


def test_a_missing_payload_is_named(path: Path) -> None:
    change(path, "DELETE FROM payload WHERE position = 7")
    verdict = verify(path)

    assert places(verdict) == {"entry 7"}
    assert verdict.payloads_gone == 1


@pytest.mark.parametrize(("first", "last"), [(1, 1), (7, 7), (7, 9), (1_150, 1_150)])
def test_a_missing_entry_is_named(path: Path, first: int, last: int) -> None:
    change(path, f"DELETE FROM entry WHERE position BETWEEN {first} AND {last}")  # noqa: S608
    verdict = verify(path)

    assert f"entry {first}" in places(verdict)
    assert {f"entry {number}" for number in range(first, last + 1)} <= places(verdict)  # their payloads are astray
    assert any(finding.code == "PGB-AUD-002" for finding in verdict.findings)


def test_a_missing_tail_is_named(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE position > 1295", "DELETE FROM payload WHERE position > 1295")
    verdict = verify(path)

    assert "entries 1296 to 1300" in next(f.text for f in verdict.findings if f.path == "entry 1296")


def test_a_missing_entry_whose_gap_was_closed_is_named(path: Path) -> None:
    for table in ("entry", "payload"):
        change(
            path,
            f"DELETE FROM {table} WHERE position = 7",  # noqa: S608
            f"UPDATE {table} SET position = -position WHERE position > 7",  # noqa: S608
            f"UPDATE {table} SET position = -position - 1 WHERE position < 0",  # noqa: S608
        )

    assert {"entry 7", "entry 8", "entry 1299"} <= places(verify(path, most_findings=5_000))


def test_entries_that_changed_places_are_named(path: Path) -> None:
    for table in ("entry", "payload"):
        change(
            path,
            f"UPDATE {table} SET position = -7 WHERE position = 7",  # noqa: S608
            f"UPDATE {table} SET position = 7 WHERE position = 9",  # noqa: S608
            f"UPDATE {table} SET position = 9 WHERE position = -7",  # noqa: S608
        )

    assert {"entry 7", "entry 9"} <= places(verify(path))


@pytest.mark.parametrize("position", [-3, 0])
def test_an_entry_inserted_before_the_first_is_named(path: Path, position: int) -> None:
    change(path, f"INSERT INTO entry SELECT {position}, {COLUMNS} FROM entry WHERE position = 7")  # noqa: S608

    assert f"entry {position}" in places(verify(path))


def test_an_inserted_entry_is_named(path: Path) -> None:
    for table in ("entry", "payload"):
        columns = COLUMNS if table == "entry" else "salt, body"
        change(
            path,
            f"UPDATE {table} SET position = -position WHERE position >= 7",  # noqa: S608
            f"UPDATE {table} SET position = 1 - position WHERE position < 0",  # noqa: S608
            f"INSERT INTO {table} SELECT 7, {columns} FROM {table} WHERE position = 3",  # noqa: S608
        )

    assert "entry 7" in places(verify(path))


def test_an_entry_altered_with_its_hash_is_found_by_the_signed_root(path: Path) -> None:
    rehash(path, 777, participant="C99999")
    verdict = verify(path)

    assert "checkpoint 800" in places(verdict)
    assert "entries 701 to 800" in verdict.findings[0].text


def test_a_checkpoint_of_another_key_is_named(path: Path) -> None:
    forged = SigningKey("pg-bridge/n1", bytes(32)).sign_checkpoint(100, rebuilt_root(path, 100))
    change(path, f"UPDATE checkpoint SET note = '{forged}' WHERE size = 100")  # noqa: S608

    assert places(verify(path)) == {"checkpoint 100"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checkpoint SET note = replace(note, 'pg-bridge', 'pg-bridgE') WHERE size = 100",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 200) WHERE size = 100",
        "UPDATE checkpoint SET note = '' WHERE size = 100",
    ],
)
def test_a_forged_checkpoint_is_named(path: Path, statement: str) -> None:
    change(path, statement)

    assert places(verify(path)) == {"checkpoint 100"}


def test_a_checkpoint_of_entries_that_never_were_is_named(path: Path) -> None:
    note = read_key(key_path(path)).sign_checkpoint(2_000, bytes(32))
    change(path, f"INSERT INTO checkpoint VALUES (2000, '{note}')")  # noqa: S608

    assert "entry 1301" in places(verify(path))


def test_a_history_forged_with_a_new_key_does_not_stand_against_the_noted_one(path: Path) -> None:
    """Everything is consistent but the key, which was noted when the journal was made."""
    noted = verify(path).public_key
    rehash(path, 1_299, participant="C99999")
    forger = SigningKey("pg-bridge/n1", bytes(32))
    with closing(sqlite3.connect(path)) as connection:
        for (size,) in connection.execute("SELECT size FROM checkpoint").fetchall():
            note = forger.sign_checkpoint(size, rebuilt_root(path, size))
            connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size))
        connection.execute("UPDATE meta SET value = ? WHERE name = 'public_key'", (str(forger.public),))
        connection.commit()

    assert verify(path).is_good
    assert {str(path), "checkpoint 100", "checkpoint 1300"} <= places(verify(path, public_key=noted))


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DELETE FROM reference WHERE value = 'SEME000007'", "entry 7"),
        ("DELETE FROM reference WHERE value = 'x000007'", "entry 7"),
        ("INSERT INTO reference VALUES (0, 'SEME000007', 8)", "entry 8"),
        ("UPDATE reference SET value = 'SEME000008' WHERE value = 'SEME000007'", "entry 7"),
        ("INSERT INTO reference VALUES (1, 'SEME000007', 8)", "search index, segment 1"),
        ("DELETE FROM segment", "search index"),
        ("UPDATE segment SET last_at_us = 0", "search index, segment 0"),
        ("DELETE FROM subtree WHERE number = 3", "entry 769"),
        ("UPDATE subtree SET hash = zeroblob(32) WHERE number = 1", "entry 257"),
        ("INSERT INTO subtree VALUES (8, 99, zeroblob(32))", "subtree 8/99"),
        ("INSERT INTO payload VALUES (5000, x'', x'')", "entry 5000"),
    ],
)
def test_what_is_made_from_the_entries_is_held_against_them(path: Path, statement: str, place: str) -> None:
    change(path, statement)

    assert place in places(verify(path))


async def test_entries_behind_the_last_checkpoint_are_told_and_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    options = JournalOptions(checkpoint_entries=10, checkpoint_after_s=3_600.0)
    async with await SqliteJournal.open(path, node="n1", clock=StillClock(), options=options) as journal:
        await journal.append(sample_entries(10))
        await journal.append(sample_entries(3, first=11))
        verdict = verify(path)

    assert (verdict.is_good, verdict.entries, verdict.checkpoints, verdict.unsigned) == (True, 13, 1, 3)


def test_an_empty_journal_is_good(tmp_path: Path) -> None:
    asyncio.run(make_journal(tmp_path / "j.sqlite", []))

    assert verify(tmp_path / "j.sqlite").is_good


def test_findings_are_bounded(path: Path) -> None:
    change(path, "UPDATE entry SET participant = ''")
    verdict = verify(path, most_findings=20)

    assert len(verdict.findings) == 21
    assert "more are left out" in verdict.findings[-1].text


def _no_file(path: Path) -> None:
    path.unlink()


def _other_database(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE other (a);")


@pytest.mark.parametrize("spoil", [_no_file, _other_database])
def test_what_is_no_journal_is_refused(path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(path)

    with pytest.raises(JournalError):
        verify(path)


def test_a_file_that_sqlite_cannot_read_is_a_finding(path: Path) -> None:
    path.write_bytes(b"\x00" * 100_000)
    assert not verify(path).is_good


def test_a_cut_file_is_a_finding(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])

    assert not verify(path).is_good


def content(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = ("meta", "entry", "payload", "checkpoint", "reference", "segment", "subtree")
        return [row for table in tables for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]  # noqa: S608


async def test_any_flipped_bit_is_found_or_changed_nothing(tmp_path: Path) -> None:
    """Bits in pages' unused room say nothing; every other one is found, and nothing but a verdict comes of it."""
    whole, path = tmp_path / "whole.sqlite", tmp_path / "j.sqlite"
    await make_journal(whole, [sample_entry(n, kind=Kind.UPDATE_RECEIVED) for n in range(1, 301)])
    original, known = whole.read_bytes(), content_or_none(whole)
    chance = random.Random(6962)
    found = 0
    for _ in range(250):
        flipped = bytearray(original)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            is_good = verify(path).is_good
        except JournalError:
            is_good = False
        found += not is_good

        assert not is_good or content_or_none(path) == known
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    assert found > 50


def content_or_none(path: Path) -> list[tuple[object, ...]] | None:
    copy = path.with_name("content.sqlite")
    shutil.copyfile(path, copy)
    try:
        return content(copy)
    except sqlite3.Error:
        return None
    finally:
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
