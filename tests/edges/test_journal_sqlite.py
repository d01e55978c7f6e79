"""The journal on disk: opened again, refused, full, failing, killed."""

# ruff: noqa: ASYNC240 - a test has nothing else to do while it waits for the disk

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pg_bridge.errors import JournalCorrupt, JournalError, JournalFull
from pg_bridge.exchange.entries import Entry, Stored
from pg_bridge.journal.checkpoint import Signer
from pg_bridge.journal.sqlite import SqliteJournal, SqliteOptions
from pg_bridge.journal.verify import verify
from tests.doubles.journal_entries import entry

# Appends for ever from four tasks; a line of positions for each append that returned, and what the first failure was.
WRITER = """
import asyncio, resource, sys
from pathlib import Path
from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.journal.sqlite import SqliteJournal, SqliteOptions

async def main(path, most_bytes):
    journal = await SqliteJournal.open(Path(path), node="n1", options=SqliteOptions(checkpoint_entries=50))
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    entry = Entry(kind=Kind.INSTRUCTION_RECEIVED, at_us=1, exchange="x", references={"seme": "S"}, payload=b"A" * 500)
    async def appends():
        while True:
            positions = await journal.append([entry, entry])
            print(*positions, flush=True)
    try:
        await asyncio.gather(*(appends() for _ in range(4)))
    except JournalError as error:
        print("failed", type(error).__name__, flush=True)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        await journal.append([entry])
    except JournalError:
        print("refused", flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def written(path: Path, *entries: Entry, options: SqliteOptions | None = None) -> None:
    journal = await SqliteJournal.open(path, node="n1", options=options or SqliteOptions())
    for one in entries:
        await journal.append([one])
    await journal.close()


async def read_back(path: Path) -> list[Stored]:
    journal = await SqliteJournal.open(path, node="n1")
    try:
        return [stored async for stored in journal.replay(0)]
    finally:
        await journal.close()


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


# --- opening -------------------------------------------------------------------------------------------------


async def test_opened_again_it_has_everything_and_goes_on(path: Path) -> None:
    await written(path, entry(1), entry(2))
    await written(path, entry(3))

    assert [Stored(number, entry(number)) for number in (1, 2, 3)] == await read_back(path)
    verdict = verify(path)
    assert verdict.findings == ()
    assert (verdict.entries, verdict.unsigned) == (3, 0)


async def test_directory_is_made(tmp_path: Path) -> None:
    await written(tmp_path / "new" / "deep" / "journal.sqlite", entry(1))

    assert (tmp_path / "new" / "deep" / "journal.sqlite").exists()


async def test_key_is_for_its_owner_alone(path: Path) -> None:
    await written(path)
    key = Path(f"{path}.key")

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32


async def test_second_writer_is_refused_until_the_first_is_gone(path: Path) -> None:
    first = await SqliteJournal.open(path, node="n1")
    with pytest.raises(JournalError, match="another process writes it; stop that one first"):
        await SqliteJournal.open(path, node="n1")
    await first.append([entry(1)])
    await first.close()

    await written(path, entry(2))


async def test_refused_opening_lets_go_of_the_lock(path: Path) -> None:
    await written(path)
    with pytest.raises(JournalError):
        await SqliteJournal.open(path, node="n2")

    await written(path, entry(1))


async def test_journal_of_another_node_is_refused(path: Path) -> None:
    await written(path)

    with pytest.raises(JournalError, match="it is of node n1, not n2; name that node"):
        await SqliteJournal.open(path, node="n2")


async def test_newer_schema_is_refused(path: Path) -> None:
    await written(path)
    with database(path) as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE name = 'schema'")

    with pytest.raises(JournalError, match="its schema is 2, this version knows 1; use the version"):
        await SqliteJournal.open(path, node="n1")


async def test_missing_key_is_refused(path: Path) -> None:
    await written(path)
    Path(f"{path}.key").unlink()

    with pytest.raises(JournalError, match=r"its key .*\.key is missing; put it back"):
        await SqliteJournal.open(path, node="n1")
    assert not Path(f"{path}.key").exists()


async def test_key_of_another_journal_is_refused(path: Path) -> None:
    await written(path)
    Path(f"{path}.key").write_bytes(Signer.new_seed())

    with pytest.raises(JournalError, match="is another journal's key; put the right one back"):
        await SqliteJournal.open(path, node="n1")


@pytest.mark.parametrize("key", [b"", b"short", b"k" * 33])
@pytest.mark.parametrize("is_new", [True, False])
async def test_key_file_that_holds_no_key_is_refused(path: Path, key: bytes, is_new: bool) -> None:
    if not is_new:
        await written(path)
    Path(f"{path}.key").write_bytes(key)

    with pytest.raises(JournalError, match="holds no key of 32 bytes"):
        await SqliteJournal.open(path, node="n1")


async def test_opening_that_breaks_off_leaves_no_half_made_journal(path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        await SqliteJournal.open(path, node="\ud800")

    await written(path, entry(1))
    assert [Stored(1, entry(1))] == await read_back(path)


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(4000)])
async def test_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(JournalError):
        await SqliteJournal.open(path, node="n1")


async def test_database_of_something_else_is_refused(path: Path) -> None:
    with database(path) as connection:
        connection.execute("CREATE TABLE other (a)")

    with pytest.raises(JournalError):
        await SqliteJournal.open(path, node="n1")


async def test_missing_entry_is_found_at_opening(path: Path) -> None:
    await written(path, entry(1), entry(2), entry(3))
    with database(path) as connection:
        connection.execute("DELETE FROM entry WHERE position = 2")

    with pytest.raises(JournalCorrupt, match="audit verify"):
        await SqliteJournal.open(path, node="n1")


# --- queue and checkpoints -----------------------------------------------------------------------------------


async def test_full_queue_takes_nothing_and_is_free_again(path: Path) -> None:
    gate = threading.Event()

    def random(size: int) -> bytes:
        gate.wait(30)
        return os.urandom(size)

    journal = await SqliteJournal.open(path, node="n1", options=SqliteOptions(most_queued=10), random=random)
    waiting = asyncio.create_task(journal.append([entry(number) for number in range(8)]))
    await asyncio.sleep(0)
    with pytest.raises(JournalFull):
        await journal.append([entry(number) for number in range(3)])
    gate.set()

    assert list(await waiting) == list(range(1, 9))
    assert list(await journal.append([entry(9)])) == [9]
    assert len(list(await journal.append([entry(number) for number in range(20)]))) == 20
    await journal.close()
    assert verify(path).entries == 29


async def test_abandoned_append_is_written_and_the_next_goes_on(path: Path) -> None:
    gate = threading.Event()

    def random(size: int) -> bytes:
        gate.wait(30)
        return os.urandom(size)

    journal = await SqliteJournal.open(path, node="n1", random=random)
    waiting = asyncio.create_task(journal.append([entry(1)]))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()

    assert list(await journal.append([entry(2)])) == [2]
    await journal.close()


async def test_checkpoints_come_by_count_and_at_the_close(path: Path) -> None:
    options = SqliteOptions(checkpoint_entries=5, checkpoint_s=3600)
    await written(path, *(entry(number) for number in range(12)), options=options)

    with database(path) as connection:
        assert connection.execute("SELECT size FROM checkpoint ORDER BY size").fetchall() == [(5,), (10,), (12,)]


async def test_checkpoint_comes_by_time(path: Path) -> None:
    journal = await SqliteJournal.open(path, node="n1", options=SqliteOptions(checkpoint_s=0.01))
    await journal.append([entry(1)])
    async with asyncio.timeout(10):
        while (await asyncio.to_thread(verify, path)).checkpoints == 0:
            pass

    await journal.close()


async def test_salts_differ_so_that_equal_payloads_do_not_show(path: Path) -> None:
    await written(path, entry(1), entry(1))

    with database(path) as connection:
        hashes = connection.execute("SELECT payload_hash FROM entry").fetchall()
    assert len(set(hashes)) == 2


# --- failing -------------------------------------------------------------------------------------------------


async def test_disk_error_takes_nothing_more_until_opened_again(path: Path) -> None:
    journal = await SqliteJournal.open(path, node="n1")
    await journal.append([entry(1)])
    journal._connection.close()

    with pytest.raises(JournalError):
        await journal.append([entry(2)])
    with pytest.raises(JournalError):
        await journal.append([entry(3)])
    await journal.close()
    assert [Stored(1, entry(1))] == await read_back(path)


async def test_every_append_of_a_failed_commit_is_told(path: Path) -> None:
    journal = await SqliteJournal.open(path, node="n1")
    journal._connection.close()
    told = await asyncio.gather(*(journal.append([entry(number)]) for number in range(5)), return_exceptions=True)

    assert [isinstance(one, JournalError) for one in told] == [True] * 5
    await journal.close()


@pytest.mark.parametrize("changes", [{"at_us": 2**70}, {"participant": "\ud800"}, {"payload": None}])
async def test_entry_that_cannot_be_written_raises_and_nobody_waits_for_ever(
    path: Path, changes: dict[str, object]
) -> None:
    journal = await SqliteJournal.open(path, node="n1")

    with pytest.raises(JournalError):
        await asyncio.wait_for(journal.append([entry(1), entry(2, **changes)]), 10)
    with pytest.raises(JournalError):
        await asyncio.wait_for(journal.append([entry(3)]), 10)
    await journal.close()
    assert await read_back(path) == []


async def test_append_after_the_close_raises_and_a_second_close_does_nothing(path: Path) -> None:
    journal = await SqliteJournal.open(path, node="n1")
    await journal.close()
    await journal.close()

    with pytest.raises(JournalError):
        await asyncio.wait_for(journal.append([entry(1)]), 10)


def acknowledged(output: str) -> set[int]:
    return {int(word) for line in output.splitlines() if line[:1].isdigit() for word in line.split()}


def test_full_disk_raises_and_keeps_what_was_acknowledged(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path), "300000"], capture_output=True, text=True, timeout=60, check=False
    )
    positions = acknowledged(done.stdout)

    assert "failed Journal" in done.stdout, done.stderr
    assert "refused" in done.stdout
    assert len(positions) > 20
    stored = asyncio.run(read_back(path))
    assert positions <= {one.position for one in stored}
    assert verify(path).findings == ()


def test_killed_three_times_it_keeps_what_was_acknowledged(path: Path) -> None:
    positions: set[int] = set()
    for round_ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), "0"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(100 + 37 * round_)]
            os.kill(process.pid, signal.SIGKILL)
            # The last line may be cut by the kill.
            rest = process.stdout.read().rpartition("\n")[0]
        fresh = acknowledged("".join(lines) + rest)

        assert len(fresh) >= 200
        assert not fresh & positions
        positions |= fresh
        verdict = verify(path)
        assert verdict.findings == ()
        assert verdict.entries >= max(positions)

    stored = asyncio.run(read_back(path))
    assert positions <= {one.position for one in stored}
    assert list(range(1, len(stored) + 1)) == [one.position for one in stored]
    assert verify(path).findings == ()
