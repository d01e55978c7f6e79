"""The SQLite journal against a real disk: durability, the queue's bound, checkpoints, faults of the disk, the lock."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pg_bridge.errors import JournalCorrupt, JournalError, JournalFull
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.checkpoint import PublicKey, read_key
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.journal.store import key_path
from pg_bridge.journal.verify import verify
from pg_bridge.journal.writer import JournalOptions
from tests.doubles.journal_samples import StillClock, make_journal, sample_entries, sample_entry

ROOT = Path(__file__).parents[2]
SLEEPLESS = JournalOptions(checkpoint_after_s=3_600.0)

APPENDER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from pg_bridge.journal.sqlite import SqliteJournal
from tests.doubles.journal_samples import sample_entries

async def main(path, appenders):
    journal = await SqliteJournal.open(path, node="n1", clock=lambda: datetime.now(UTC))
    async def append():
        while True:
            positions = await journal.append(sample_entries(3, first=journal.last + 1))
            print(positions[0], positions[-1], flush=True)
    await asyncio.gather(*(append() for _ in range(appenders)))

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def checkpoints(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [size for (size,) in connection.execute("SELECT size FROM checkpoint ORDER BY size")]


async def test_entries_and_tree_survive_closing_at_every_size(tmp_path: Path) -> None:
    """Sizes around powers of two, so that the right edge is made again from each shape."""
    path = tmp_path / "j.sqlite"
    sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 1023, 1024, 1025, 2048, 2050]
    at = 0
    for size in sizes:
        async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
            assert journal.last == at
            await journal.append(sample_entries(size - at, first=at + 1))
            at = size
    verdict = verify(path)

    assert verdict.findings == ()
    assert (verdict.entries, verdict.checkpoints, verdict.unsigned) == (2050, len(sizes), 0)


@pytest.mark.parametrize("appenders", [1, 16])
def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, appenders: int) -> None:
    path = tmp_path / "j.sqlite"
    acknowledged = 0
    for lines in (1, 40, 200):
        with start(APPENDER, path, appenders) as child:
            assert child.stdout is not None
            for _ in range(lines):
                acknowledged = max(acknowledged, int(child.stdout.readline().split()[1]))
            child.send_signal(signal.SIGKILL)
            # What it had printed before it died was acknowledged as well; the last line may be cut.
            rest = child.stdout.read().split("\n")[:-1]
            acknowledged = max([acknowledged, *(int(line.split()[1]) for line in rest)])
        verdict = verify(path)

        assert verdict.findings == ()
        assert verdict.entries >= acknowledged


async def test_a_killed_journal_opens_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with start(APPENDER, path, 4) as child:
        assert child.stdout is not None
        last = [int(child.stdout.readline().split()[1]) for _ in range(30)][-1]
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        before = journal.last
        positions = await journal.append(sample_entries(2, first=before + 1))

    assert before >= last
    assert list(positions) == [before + 1, before + 2]
    assert verify(path).is_good


async def test_a_torn_log_loses_only_what_was_not_acknowledged(tmp_path: Path) -> None:
    """The last bytes of the write-ahead log never reached the disk: the commit they belong to is not there."""
    path, copy = tmp_path / "j.sqlite", tmp_path / "copy.sqlite"
    async with await SqliteJournal.open(path, node="n1", clock=StillClock(), options=SLEEPLESS) as journal:
        await journal.append(sample_entries(5))
        whole = (tmp_path / "j.sqlite-wal").stat().st_size
        await journal.append(sample_entries(5, first=6))
        log = (tmp_path / "j.sqlite-wal").read_bytes()
        copy.write_bytes(path.read_bytes())
        (tmp_path / "copy.sqlite-wal").write_bytes(log[: (whole + len(log)) // 2])
        key_path(copy).write_bytes(key_path(path).read_bytes())
        key_path(copy).chmod(0o600)

    async with await SqliteJournal.open(copy, node="n1", clock=StillClock()) as torn:
        assert torn.last == 5
        await torn.append(sample_entries(1, first=6))

    assert verify(copy).is_good


async def test_a_full_queue_refuses_at_once_and_takes_again_later(tmp_path: Path) -> None:
    options = JournalOptions(queue_entries=10, checkpoint_after_s=3_600.0)
    async with await SqliteJournal.open(
        tmp_path / "j.sqlite", node="n1", clock=StillClock(), options=options
    ) as journal:
        waiting = asyncio.ensure_future(journal.append(sample_entries(8)))
        await asyncio.sleep(0)  # lets the task begin

        with pytest.raises(JournalFull) as refused:
            await journal.append(sample_entries(3))

        assert refused.value.retryable
        assert list(await waiting) == list(range(1, 9))
        assert list(await journal.append(sample_entries(3))) == [9, 10, 11]


async def test_the_queue_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    options = JournalOptions(queue_bytes=10_000, checkpoint_after_s=3_600.0)
    async with await SqliteJournal.open(
        tmp_path / "j.sqlite", node="n1", clock=StillClock(), options=options
    ) as journal:
        waiting = asyncio.ensure_future(journal.append([sample_entry(1, payload=b"x" * 50_000)]))
        await asyncio.sleep(0)  # lets the task begin

        with pytest.raises(JournalFull):
            await journal.append(sample_entries(1))

        assert list(await waiting) == [1]


async def test_an_append_that_is_cancelled_frees_its_place(tmp_path: Path) -> None:
    options = JournalOptions(queue_entries=10, checkpoint_after_s=3_600.0)
    async with await SqliteJournal.open(
        tmp_path / "j.sqlite", node="n1", clock=StillClock(), options=options
    ) as journal:
        for _ in range(5):
            task = asyncio.ensure_future(journal.append(sample_entries(9)))
            await asyncio.sleep(0)  # lets the task begin
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(JournalFull):
                await journal.append(sample_entries(9))
            await journal.append(sample_entries(1))

        assert journal.last == 50


async def test_an_entry_that_cannot_be_written_refuses_only_its_own_append(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        good, bad, late, other = await asyncio.gather(
            journal.append(sample_entries(2)),
            journal.append([sample_entry(3), sample_entry(4, references={"reference": "\ud800"})]),
            journal.append([sample_entry(5, at_us=2**63)]),
            journal.append(sample_entries(2, first=6)),
            return_exceptions=True,
        )

        assert (good, other) == (range(1, 3), range(3, 5))
        assert isinstance(bad, JournalError)
        assert isinstance(late, JournalError)
    assert verify(path).is_good


async def test_a_checkpoint_is_signed_after_enough_entries(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    notes: list[str] = []
    options = JournalOptions(checkpoint_entries=10, checkpoint_after_s=3_600.0)
    async with await SqliteJournal.open(
        path, node="n1", clock=StillClock(), options=options, on_checkpoint=notes.append
    ) as journal:
        for number in range(1, 26):
            await journal.append([sample_entry(number)])
        public = journal.public_key

    assert checkpoints(path) == [10, 20, 25]
    assert [public.open_checkpoint(note).size for note in notes] == [10, 20, 25]


async def test_a_checkpoint_is_signed_with_the_next_commit_when_time_has_passed(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    clock = StillClock()
    async with await SqliteJournal.open(path, node="n1", clock=clock, options=SLEEPLESS) as journal:
        await journal.append(sample_entries(1))
        clock.go(3_599)
        await journal.append(sample_entries(1, first=2))
        clock.go(1)
        await journal.append(sample_entries(1, first=3))
        await journal.append(sample_entries(1, first=4))

        assert checkpoints(path) == [3]


async def test_a_checkpoint_is_signed_when_nothing_more_comes(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    signed = asyncio.Event()
    async with await SqliteJournal.open(
        path,
        node="n1",
        clock=lambda: datetime.now(UTC),
        options=JournalOptions(checkpoint_after_s=0.01),
        on_checkpoint=lambda _: signed.set(),
    ) as journal:
        await journal.append(sample_entries(3))
        await asyncio.wait_for(signed.wait(), 10)

        assert checkpoints(path)[-1] == 3


async def test_entries_of_a_killed_process_are_signed_after_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with start(APPENDER, path, 1) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        size = journal.last

    assert checkpoints(path)[-1] == size


async def test_key_is_secret_and_known_to_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    written = await make_journal(path, sample_entries(3))

    assert stat.S_IMODE(key_path(path).stat().st_mode) == 0o600
    assert str(read_key(key_path(path)).public) == written == verify(path).public_key
    assert PublicKey.parse(written).name == "pg-bridge/n1"
    with closing(sqlite3.connect(path)) as connection:
        assert dict(connection.execute("SELECT name, value FROM meta"))["public_key"] == written
        (note,) = connection.execute("SELECT note FROM checkpoint").fetchone()
    assert PublicKey.parse(written).open_checkpoint(note).size == 3


async def test_a_key_left_by_a_start_that_was_killed_is_used(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    first = await make_journal(path, [])
    path.unlink()

    assert await make_journal(path, sample_entries(1)) == first


async def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()):
        with pytest.raises(JournalError, match="another process"):
            await SqliteJournal.open(path, node="n1", clock=StillClock())
        with start(APPENDER, path, 1) as child:
            _, errors = child.communicate(timeout=30)

        assert "another process writes the journal" in errors
    await make_journal(path, sample_entries(1))


def _spoil_version(path: Path) -> None:
    change(path, "UPDATE meta SET value = '99' WHERE name = 'schema_version'")


def _spoil_kind(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)


def _spoil_tables(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE other (a)")


def _spoil_meta(path: Path) -> None:
    change(path, "DELETE FROM meta WHERE name = 'public_key'")


def _spoil_head(path: Path) -> None:
    change(path, "UPDATE entry SET leaf_hash = zeroblob(32) WHERE position = 300")


def _spoil_subtree(path: Path) -> None:
    change(path, "DELETE FROM subtree")


def _spoil_tail(path: Path) -> None:
    change(path, "DELETE FROM entry WHERE position = 300")


def _spoil_key(path: Path) -> None:
    key_path(path).unlink()


def _spoil_mode(path: Path) -> None:
    key_path(path).chmod(0o640)


def _spoil_key_text(path: Path) -> None:
    key_path(path).write_text("PRIVATE+KEY+nonsense")


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (_spoil_version, JournalError, "newer pg-bridge"),
        (_spoil_kind, JournalCorrupt, "restore a backup"),
        (_spoil_tables, JournalError, "name another file"),
        (_spoil_meta, JournalCorrupt, "restore a backup"),
        (_spoil_head, JournalCorrupt, "audit verify"),
        (_spoil_subtree, JournalCorrupt, "audit verify"),
        (_spoil_tail, JournalCorrupt, "audit verify"),
        (_spoil_key, JournalError, "put it back"),
        (_spoil_mode, JournalError, "chmod 600"),
        (_spoil_key_text, JournalError, "key"),
    ],
)
async def test_a_journal_that_cannot_be_trusted_is_not_opened(
    tmp_path: Path, spoil: Callable[[Path], None], kind: type[JournalError], says: str
) -> None:
    path = tmp_path / "j.sqlite"
    await make_journal(path, sample_entries(300))
    spoil(path)

    with pytest.raises(kind, match=says):
        await SqliteJournal.open(path, node="n1", clock=StillClock())


async def test_a_journal_of_another_node_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    await make_journal(path, sample_entries(3))

    with pytest.raises(JournalError, match="of node 'n1', not of 'n2'"):
        await SqliteJournal.open(path, node="n2", clock=StillClock())


async def test_a_key_of_another_journal_is_refused(tmp_path: Path) -> None:
    await make_journal(tmp_path / "a.sqlite", sample_entries(3))
    await make_journal(tmp_path / "b.sqlite", sample_entries(3))
    key_path(tmp_path / "a.sqlite").write_bytes(key_path(tmp_path / "b.sqlite").read_bytes())

    with pytest.raises(JournalError, match="not this journal's"):
        await SqliteJournal.open(tmp_path / "a.sqlite", node="n1", clock=StillClock())


@pytest.mark.parametrize("place", ["file/j.sqlite", "folder"])
async def test_a_place_that_cannot_hold_a_journal_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    with pytest.raises(JournalError):
        await SqliteJournal.open(tmp_path / place, node="n1", clock=StillClock())


async def test_a_closed_journal_refuses(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "j.sqlite", node="n1", clock=StillClock())
    waiting = asyncio.ensure_future(journal.append(sample_entries(5)))
    await asyncio.sleep(0)  # lets the task begin
    await journal.close()
    await journal.close()

    assert list(await waiting) == [1, 2, 3, 4, 5]
    with pytest.raises(JournalError, match="closed"):
        await journal.append(sample_entries(1))
    with pytest.raises(JournalError, match="closed"):
        await journal.read(1)


FULL_DISK = """
import asyncio, json, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from pg_bridge.errors import JournalError
from pg_bridge.journal.sqlite import SqliteJournal
from tests.doubles.journal_samples import sample_entries, sample_entry

async def main(path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = await SqliteJournal.open(path, node="n1", clock=lambda: datetime.now(UTC))
    durable = list(await journal.append(sample_entries(5)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    waiting = [journal.append([sample_entry(n, payload=b"x" * 200_000)]) for n in range(6, 12)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        await journal.append(sample_entries(1))
        after = "taken"
    except JournalError as error:
        after = str(error)
    read = (await journal.read(5)).position
    await journal.close()
    durable += [p for outcome in outcomes if isinstance(outcome, range) for p in outcome]
    refused = [str(outcome) for outcome in outcomes if isinstance(outcome, JournalError)]
    print(json.dumps({"durable": durable, "refused": refused, "after": after, "read": read}))

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_full_disk_raises_in_every_append_until_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with start(FULL_DISK, path) as child:
        out, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    told = json.loads(out)
    verdict = verify(path)

    assert told["refused"]
    assert len(told["refused"]) + len(told["durable"]) == 11
    assert "until opened again" in told["refused"][0]
    assert "until opened again" in told["after"]
    assert told["read"] == 5
    assert verdict.findings == ()
    assert verdict.entries >= len(told["durable"])
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        await journal.append(sample_entries(1))
    assert verify(path).is_good


def test_a_loop_that_ends_without_close_leaves_a_journal_that_opens(tmp_path: Path) -> None:
    """The process's end is the common case; the writer thread must neither hang nor complain."""
    path = tmp_path / "j.sqlite"
    script = APPENDER.replace("while True", "for _ in range(5)")
    with start(script, path, 1) as child:
        out, errors = child.communicate(timeout=60)

    assert (child.returncode, errors, len(out.splitlines())) == (0, "", 5)
    assert verify(path).entries == 15


async def test_reading_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    await make_journal(path, [sample_entry(n, kind=Kind.UPDATE_RECEIVED) for n in range(1, 1_501)], batch=500)
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        turning = asyncio.ensure_future(turn())
        count = len([stored async for stored in journal.replay(0)])
        turning.cancel()

    assert count == 1_500
    assert turns > 3
