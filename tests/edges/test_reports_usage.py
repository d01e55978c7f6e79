"""`pg-bridge reports usage`, from journals on disk."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.records import Bytes, CallEnded, write_entry
from pg_bridge.journal.sqlite import SqliteJournal

#: the last second of 24 November in Hong Kong
EVENING = datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)


def call(
    operation: str, participant: str, entries: int, *, after_s: int = 0, status: int = 200, error: str = ""
) -> Entry:
    body = Bytes(2, "0" * 64, "{}")
    record = CallEnded(
        participant=participant, operation=operation, company="HKB01234", machine="M1", entries=entries, method="POST",
        url="https://ocp.example/", sent="", asked=body, status=status, received="", answered=body, duration_us=1,
        error=error,
    )  # fmt: skip
    return write_entry(record, int(EVENING.timestamp() + after_s) * 1_000_000)


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    async with await SqliteJournal.open(path, node="node1") as made:
        await made.append(
            [
                call("si_add", "B01234", 400),
                call("si_add", "B01234", 100),
                call("si_add", "C00019", 7),
                call("si_add", "B01234", 9, status=429, error="PGB-OCP-006"),
                call("si_add", "B01234", 9, status=0, error="PGB-OCP-002"),
                call("si_add", "B01234", 9, status=400, error="PGB-OCP-004"),
                Entry(kind=Kind.NODE_STOPPED, at_us=0),
                call("si_query", "B01234", 3, after_s=1),
            ]
        )
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["reports", "usage", *arguments])
    assert 0 == result.exit_code, result.output
    return result.stdout


async def test_calls_and_entries_are_counted_by_day_company_participant_and_service(journal: Path) -> None:
    told = msgspec.json.decode(run("-j", str(journal), "--json"))
    rows = [tuple(row.values()) for row in told["usage"]]

    assert [
        ("2026-11-24", "HKB01234", "B01234", "si_add", 5, 509, 1, 1, 1),
        ("2026-11-24", "HKB01234", "C00019", "si_add", 1, 7, 0, 0, 0),
        ("2026-11-25", "HKB01234", "B01234", "si_query", 1, 3, 0, 0, 0),
    ] == rows
    assert {"calls": 7, "entries": 519, "refused": 1, "throttled": 1, "failed": 1} == told["totals"]


async def test_days_are_those_of_hong_kong_both_included(journal: Path) -> None:
    first = msgspec.json.decode(run("-j", str(journal), "--json", "--to", "2026-11-24"))
    second = msgspec.json.decode(run("-j", str(journal), "--json", "--from", "2026-11-25", "--to", "2026-11-25"))

    assert {"2026-11-24"} == {row["day"] for row in first["usage"]}
    assert ["si_query"] == [row["service"] for row in second["usage"]]


async def test_csv_has_a_head_line_and_a_line_a_row(journal: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("-j", str(journal), "--csv"))))

    assert 3 == len(rows)
    assert ("si_add", "509") == (rows[0]["service"], rows[0]["entries"])
    assert "7 calls, 519 entries" in run("-j", str(journal))


async def test_days_that_end_before_they_begin_are_wrong_use(journal: Path) -> None:
    result = CliRunner().invoke(
        app, ["reports", "usage", "-j", str(journal), "--from", "2026-11-25", "--to", "2026-11-24"]
    )

    assert 0 != result.exit_code
    assert "before the first" in str(result.exception)


async def test_call_whose_payload_was_dropped_still_counts(journal: Path) -> None:
    import sqlite3

    with sqlite3.connect(journal) as connection:
        connection.execute("DELETE FROM payload WHERE position = 3")
    told = msgspec.json.decode(run("-j", str(journal), "--json"))

    assert 7 == told["totals"]["calls"]
    assert "unknown" in {row["service"] for row in told["usage"]}
