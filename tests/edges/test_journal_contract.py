"""What the core relies on, the same for every journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Kind, Position, Stored
from pg_bridge.exchange.ports import Journal
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.journal.sqlite import SqliteJournal
from tests.doubles.journal_samples import StillClock, sample_entries, sample_entry


async def replayed(journal: Journal, after: Position = 0) -> list[Stored]:
    return [stored async for stored in journal.replay(after)]


class JournalContract:
    """Subclasses give a `journal` fixture: empty, and closed afterwards."""

    async def test_positions_begin_at_one_and_have_no_gaps(self, journal: Journal) -> None:
        assert list(await journal.append(sample_entries(3))) == [1, 2, 3]
        assert list(await journal.append(sample_entries(2, first=4))) == [4, 5]

    async def test_what_was_appended_is_replayed_and_read(self, journal: Journal) -> None:
        entries = [
            sample_entry(1, findings=("PGB-MSG-003", "PGB-MSG-004")),
            Entry(kind=Kind.NODE_STARTED, at_us=0),
            Entry(kind=Kind.FRAME_REFUSED, at_us=-1, references={"b": "\u20ac \x00", "a": ""}, payload=b"\x00\xff" * 9),
            sample_entry(4, payload=b"x" * 3_000_000),
        ]
        await journal.append(entries)

        assert await replayed(journal) == [Stored(number, entry) for number, entry in enumerate(entries, 1)]
        assert await journal.read(3) == Stored(3, entries[2])

    async def test_replay_begins_behind_the_position(self, journal: Journal) -> None:
        await journal.append(sample_entries(1_203))

        assert [stored.position for stored in await replayed(journal, after=2)] == list(range(3, 1_204))
        assert await replayed(journal, after=1_203) == []
        assert await replayed(journal, after=9_999) == []

    async def test_nothing_appended_is_nothing(self, journal: Journal) -> None:
        assert list(await journal.append([])) == []
        assert await replayed(journal) == []

    @pytest.mark.parametrize("position", [-1, 0, 3])
    async def test_a_position_without_entry_is_refused(self, journal: Journal, position: Position) -> None:
        await journal.append(sample_entries(2))

        with pytest.raises(JournalError, match=f"no entry {position}"):
            await journal.read(position)

    async def test_appends_that_race_stay_whole_and_in_order(self, journal: Journal) -> None:
        batches = [sample_entries(3, first=10 * number) for number in range(40)]
        positions = await asyncio.gather(*(journal.append(batch) for batch in batches))

        assert sorted(position for batch in positions for position in batch) == list(range(1, 121))
        for batch, at in zip(batches, positions, strict=True):
            assert [(await journal.read(position)).entry for position in at] == batch

    async def test_an_append_is_seen_by_a_replay_that_began_before(self, journal: Journal) -> None:
        await journal.append(sample_entries(1))
        seen = []
        async for stored in journal.replay(0):
            seen.append(stored.position)
            break

        await journal.append(sample_entries(1, first=2))

        assert [*seen, *(stored.position for stored in await replayed(journal, seen[-1]))] == [1, 2]


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    async def journal(self) -> AsyncIterator[Any]:
        journal = MemoryJournal()
        yield journal
        await journal.close()

    async def test_a_refusal_is_raised_by_each_append(self) -> None:
        journal = MemoryJournal()
        journal.refusal = JournalError("the disk is gone")

        with pytest.raises(JournalError, match="the disk is gone"):
            await journal.append(sample_entries(1))

        assert journal.last == 0


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    async def journal(self, tmp_path: Path) -> AsyncIterator[Any]:
        async with await SqliteJournal.open(tmp_path / "j.sqlite", node="n1", clock=StillClock()) as journal:
            yield journal
