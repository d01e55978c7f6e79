"""What an operator finds in a journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pg_bridge.errors import JournalError
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.review import AuditReader, times
from pg_bridge.journal.sqlite import SqliteJournal
from tests.doubles.journal_samples import START_US, StillClock, make_journal, sample_entries, sample_entry

SIZE = 2_500
"""Two complete segments of the search index and a tail."""


@pytest.fixture(scope="module")
def long_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("review") / "j.sqlite"
    entries = [
        sample_entry(
            n,
            kind=Kind.MESSAGE_REFUSED if n % 100 == 0 else Kind.INSTRUCTION_RECEIVED,
            findings=("PGB-MSG-003", "PGB-MSG-004") if n % 400 == 0 else (),
        )
        for n in range(1, SIZE + 1)
    ]
    asyncio.run(make_journal(path, entries, batch=300))
    return path


def positions(path: Path, **filters: object) -> list[int]:
    with AuditReader(path) as reader:
        return [stored.position for stored in reader.newest(**filters)]  # type: ignore[arg-type]


def test_the_newest_come_last(long_path: Path) -> None:
    assert positions(long_path, most=3) == [2_498, 2_499, 2_500]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "message_refused"}, [2_300, 2_400, 2_500]),
        ({"participant": "C00019"}, [2_495, 2_497, 2_499]),
        ({"participant": "C00019", "kind": "message_refused"}, []),
        ({"finding": "PGB-MSG-004"}, [1_600, 2_000, 2_400]),
        ({"finding": "PGB-MSG"}, []),
        ({"reference": "SEME000007"}, [7]),
        ({"reference": "SI00002499"}, [2_499]),
        ({"reference": "x001024"}, [1_024]),
        ({"reference": "SEME0000"}, []),
        ({"exchange": "x001025"}, [1_025]),
        ({"exchange": "SEME000007"}, []),
        ({"reference": "SEME000400", "finding": "PGB-MSG-003"}, [400]),
        ({"reference": "SEME000401", "finding": "PGB-MSG-003"}, []),
        ({"since_us": START_US + 2_499_000_000}, [2_499, 2_500]),
        ({"since_us": START_US + 9_999_000_000}, []),
        ({"until_us": START_US + 3_000_000}, [1, 2]),
        ({"until_us": START_US + 1_026_000_000}, [1_023, 1_024, 1_025]),
        ({"until_us": START_US + 2_450_000_000}, [2_447, 2_448, 2_449]),
        ({"until_us": START_US}, []),
        ({"since_us": START_US + 1_024_000_000, "until_us": START_US + 1_025_000_000}, [1_024]),
    ],
)
def test_filters_narrow_the_list(long_path: Path, filters: dict[str, object], expected: list[int]) -> None:
    assert positions(long_path, **filters, most=3) == expected


async def test_time_is_found_though_the_clock_went_back(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    entries = sample_entries(1_100)
    await make_journal(path, [*entries, sample_entry(1_101, at_us=START_US - 5)])

    assert positions(path, until_us=START_US) == [1_101]
    assert positions(path, since_us=START_US + 1_100_000_000) == [1_100]


def test_all_entries_behind_a_position_are_given(long_path: Path) -> None:
    with AuditReader(long_path) as reader:
        assert [stored.position for stored in reader.behind(2_498)] == [2_499, 2_500]
        assert [stored.position for stored in reader.behind(0, 2)] == [1, 2]


@pytest.fixture
async def day(tmp_path: Path) -> Path:
    """Two exchanges in one call, and a third of another participant that uses the same SEME as the first."""
    path = tmp_path / "j.sqlite"

    def says(kind: Kind, exchange: str, participant: str, **references: str) -> object:
        return sample_entry(1, kind=kind, exchange=exchange, participant=participant, references=references)

    entries = [
        says(Kind.INSTRUCTION_RECEIVED, "x1", "C00019", reference="SEME1"),  # 1
        says(Kind.INSTRUCTION_RECEIVED, "x2", "C00019", reference="SEME2"),  # 2
        says(Kind.INSTRUCTION_RECEIVED, "x3", "B00021", reference="SEME1"),  # 3
        says(Kind.BATCH_CALLED, "", "C00019", request_id="r1"),  # 4
        says(Kind.BATCH_CALLED, "", "B00021", request_id="r2", member_0="x3"),  # 5
        says(Kind.EXCHANGE_ANSWERED, "x1", "C00019", reference="SEME1", si_number="SI1", request_id="r1"),  # 6
        says(Kind.EXCHANGE_ANSWERED, "x2", "C00019", reference="SEME2", si_number="SI2", request_id="r1"),  # 7
        says(Kind.UPDATE_RECEIVED, "", "C00019", event_id="e1", si_number="SI1"),  # 8
        says(Kind.DELIVERY_QUEUED, "x1", "C00019", delivery="d1", reference="SEME1", event_id="e1"),  # 9
        says(Kind.DELIVERY_ACKNOWLEDGED, "", "C00019", delivery="d1"),  # 10
        says(Kind.MESSAGE_REFUSED, "", "B00021", reference="SEME1"),  # 11
    ]
    await make_journal(path, entries)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("x1", [1, 4, 6, 8, 9, 10]),
        ("SI1", [1, 4, 6, 8, 9, 10]),
        ("e1", [1, 4, 6, 8, 9, 10]),
        ("x2", [2, 4, 7]),
        ("r1", [1, 2, 4, 6, 7, 8, 9, 10]),
        ("r2", [3, 5, 11]),
        ("x3", [3, 5, 11]),
        ("SEME1", [1, 3, 4, 5, 6, 8, 9, 10, 11]),
        ("nothing", []),
        ("", []),
    ],
)
def test_an_exchange_is_shown_whole(day: Path, key: str, expected: list[int]) -> None:
    with AuditReader(day) as reader:
        assert [stored.position for stored in reader.exchange(key)] == expected


def test_times_are_those_between_entries(long_path: Path) -> None:
    with AuditReader(long_path) as reader:
        assert [since for _, since in times(reader.newest(most=3))] == [0, 1_000_000, 1_000_000]
    assert times([]) == []


async def test_the_journal_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    async with await SqliteJournal.open(path, node="n1", clock=StillClock()) as journal:
        with AuditReader(path) as reader:
            assert reader.newest() == []
            await journal.append(sample_entries(3))
            assert len(reader.newest()) == 3
            assert reader.node == "n1"


def test_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        AuditReader(tmp_path / "j.sqlite")
    (tmp_path / "text").write_text("not a journal at all " * 10)
    with pytest.raises(JournalError):
        AuditReader(tmp_path / "text")
