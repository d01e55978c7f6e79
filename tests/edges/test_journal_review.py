"""The look at a journal while it is written: the newest by each filter, and all of one exchange by any of its names."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.review import AuditReader, times
from pg_bridge.journal.sqlite import SqliteJournal
from tests.doubles.journal_entries import AT_US, entry

# Two instructions that went out in one call; the call is entry 3, each answer names it. Then another participant.
STORY = [
    entry(1, exchange="x1", references={"seme": "SEME1"}, findings=()),
    entry(2, exchange="x2", references={"seme": "SEME2"}, findings=("PGB-MSG-003", "PGB-MAP-001")),
    entry(3, kind=Kind.BATCH_CALLED, exchange="", references={"request_id": "R1"}, findings=()),
    entry(4, kind=Kind.EXCHANGE_ANSWERED, exchange="x1", references={"request_id": "R1", "si_number": "M00000001"}),
    entry(5, kind=Kind.EXCHANGE_ANSWERED, exchange="x2", references={"request_id": "R1", "si_number": "M00000002"}),
    entry(6, kind=Kind.UPDATE_RECEIVED, exchange="", references={"event_id": "E1", "si_number": "M00000001"}),
    entry(7, exchange="x7", participant="C00019", references={"seme": "SEME1"}, mapping=""),
    entry(8, kind=Kind.NODE_STOPPED, exchange="", participant="", references={}, findings=("PGB-MSG-0031",)),
]


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    journal = await SqliteJournal.open(tmp_path / "journal.sqlite", node="n1")
    await journal.append(STORY)
    yield tmp_path / "journal.sqlite"
    await journal.close()


@pytest.fixture
def reader(path: Path) -> Iterator[AuditReader]:
    with AuditReader(path) as reader:
        yield reader


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"most": 3}, [6, 7, 8]),
        ({"most": 0}, []),
        ({"kind": "exchange_answered"}, [4, 5]),
        ({"kind": "exchange_answered", "most": 1}, [5]),
        ({"kind": "nonsense"}, []),
        ({"participant": "C00019"}, [7]),
        ({"reference": "SEME1"}, [1, 7]),
        ({"reference": "M00000001"}, [4, 6]),
        ({"reference": "x2"}, [2, 5]),
        ({"reference": "SEME"}, []),
        ({"finding": "PGB-MAP-001"}, [2]),
        ({"finding": "PGB-MSG-003"}, [2, 4, 5, 6, 7]),
        ({"finding": "PGB-MSG"}, []),
        ({"finding": "%"}, []),
        ({"finding": "PGB_MSG_003"}, []),
        ({"since_us": AT_US + 7}, [7, 8]),
        ({"since_us": AT_US + 9}, []),
        ({"reference": "SEME1", "participant": "B01234"}, [1]),
        ({"kind": "instruction_received", "finding": "PGB-MSG-003", "since_us": AT_US + 3}, [7]),
        ({"participant": "' OR 1=1 --"}, []),
    ],
)
async def test_newest_by_each_filter(reader: AuditReader, filters: dict[str, Any], expected: list[int]) -> None:
    assert expected == [stored.position for stored in reader.newest(**filters)]


async def test_newest_has_all_but_the_payload(reader: AuditReader) -> None:
    (stored,) = reader.newest(participant="C00019")

    assert stored.entry.payload == b"{}"
    assert (stored.entry.references, stored.entry.findings) == (STORY[6].references, STORY[6].findings)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("x1", [1, 3, 4]),
        ("x2", [2, 3, 5]),
        ("SEME2", [2, 3, 5]),
        ("SEME1", [1, 3, 4, 7]),
        ("M00000002", [2, 3, 5]),
        ("M00000001", [1, 3, 4, 6]),
        ("R1", [1, 2, 3, 4, 5]),
        ("E1", [6]),
        ("", []),
        ("none", []),
        ("B01234", []),
    ],
)
async def test_exchange_by_any_name(reader: AuditReader, key: str, expected: list[int]) -> None:
    assert expected == [stored.position for stored in reader.exchange(key)]


async def test_exchange_has_its_payloads(reader: AuditReader) -> None:
    assert [STORY[0], STORY[2], STORY[3]] == [stored.entry for stored in reader.exchange("x1")]


async def test_entries_behind_a_position(reader: AuditReader) -> None:
    assert STORY[6:] == [stored.entry for stored in reader.behind(6)]
    assert [stored.position for stored in reader.behind(6, most=1)] == [7]


async def test_what_is_appended_meanwhile_is_seen(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "journal.sqlite", node="n1")
    with AuditReader(tmp_path / "journal.sqlite") as reader:
        assert reader.newest() == []
        await journal.append([entry(1)])
        assert [stored.position for stored in reader.newest()] == [1]
    await journal.close()


async def test_reader_cannot_write(reader: AuditReader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM entry")


async def test_times_between_entries(reader: AuditReader) -> None:
    assert [(STORY[0], 0), (STORY[2], 2), (STORY[3], 1)] == times(reader.exchange("x1"))
    assert times([]) == []


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no file"):
        AuditReader(tmp_path / "none.sqlite")


@pytest.mark.parametrize("content", [b"", b"garbage" * 1_000])
def test_file_that_is_no_journal_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)

    with AuditReader(path) as reader:
        for look in (reader.newest, lambda: reader.exchange("x1"), lambda: reader.behind(0)):
            with pytest.raises(JournalError):
                look()


async def test_reference_to_an_entry_that_is_gone_is_told(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM entry WHERE position = 4")
    connection.close()

    with AuditReader(path) as reader, pytest.raises(JournalError, match="4"):
        reader.exchange("x1")
