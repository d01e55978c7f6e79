"""What the core may rely on of a journal: held by the one in memory and by the one on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Entry, Kind, Stored
from pg_bridge.exchange.ports import Journal
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.journal.sqlite import SqliteJournal, SqliteOptions
from tests.doubles.journal_entries import entry


async def all_behind(journal: Journal, after: int = 0) -> list[Stored]:
    return [stored async for stored in journal.replay(after)]


class JournalContract:
    """Each subclass gives the fixture `journal`."""

    async def test_positions_count_from_one_without_gaps(self, journal: Journal) -> None:
        first = await journal.append([entry(1), entry(2)])
        second = await journal.append([entry(3)])

        assert [*first, *second] == [1, 2, 3]

    async def test_nothing_appended_takes_no_position(self, journal: Journal) -> None:
        none = await journal.append([])
        one = await journal.append([entry(1)])

        assert [list(none), list(one)] == [[], [1]]

    async def test_entries_come_back_as_they_were_given(self, journal: Journal) -> None:
        odd = Entry(
            kind=Kind.PUSH_REFUSED,
            at_us=0,
            references={"z": "1", "a": "\u00e9\u4e2d", "": ""},
            findings=("B", "A"),
            payload=b"\x00\xff not JSON",
        )
        plain = Entry(kind=Kind.NODE_STARTED, at_us=1)
        given = [odd, plain, entry(3)]
        await journal.append(given)

        assert [Stored(1, odd), Stored(2, plain), Stored(3, entry(3))] == await all_behind(journal)

    async def test_appends_at_once_stay_together_and_in_order(self, journal: Journal) -> None:
        batches = [[entry(10 * batch + at) for at in range(batch % 4 + 1)] for batch in range(40)]
        positions = await asyncio.gather(*(journal.append(batch) for batch in batches))

        flat = [position for batch in positions for position in batch]
        assert list(range(1, len(flat) + 1)) == flat
        assert [one for batch in batches for one in batch] == [stored.entry for stored in await all_behind(journal)]

    @pytest.mark.parametrize(("after", "expected"), [(0, [1, 2, 3]), (2, [3]), (3, []), (99, [])])
    async def test_replay_gives_what_is_behind(self, journal: Journal, after: int, expected: list[int]) -> None:
        await journal.append([entry(1), entry(2), entry(3)])

        assert expected == [stored.position for stored in await all_behind(journal, after)]

    async def test_replay_of_nothing_gives_nothing(self, journal: Journal) -> None:
        assert await all_behind(journal) == []

    async def test_replay_left_early_leaves_the_journal_working(self, journal: Journal) -> None:
        await journal.append([entry(1), entry(2)])
        replay = journal.replay(0)
        first = await anext(aiter(replay))
        await replay.aclose()  # type: ignore[attr-defined]

        assert first.position == 1
        assert list(await journal.append([entry(3)])) == [3]

    async def test_what_an_append_returned_can_be_read(self, journal: Journal) -> None:
        (position,) = await journal.append([entry(7)])

        assert Stored(position, entry(7)) == await journal.read(position)

    @pytest.mark.parametrize("position", [-1, 0, 2])
    async def test_reading_what_is_not_there_raises(self, journal: Journal, position: int) -> None:
        await journal.append([entry(1)])

        with pytest.raises(JournalError):
            await journal.read(position)


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self) -> Journal:
        return MemoryJournal()

    async def test_error_that_is_set_is_raised_and_nothing_taken(self) -> None:
        journal = MemoryJournal()
        journal.error = JournalError("disk")

        with pytest.raises(JournalError, match="disk"):
            await journal.append([entry(1)])
        assert journal.entries == []


class TestSqliteJournal(JournalContract):
    @pytest.fixture(params=[SqliteOptions(), SqliteOptions(most_in_commit=2, checkpoint_entries=3, replay_chunk=2)])
    async def journal(self, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Journal]:
        journal = await SqliteJournal.open(tmp_path / "journal.sqlite", node="n1", options=request.param)
        yield journal
        await journal.close()
