"""Reports of a journal on disk: last states whatever their order, whose trades, what is told when there is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pg_bridge.bridge.loading import hash_of_ocp
from pg_bridge.bridge.market_reports import MarketReports, Wanted
from pg_bridge.errors import JournalError, MappingFailed, MappingMissing, ReportError
from pg_bridge.exchange.records import ReferenceDataTaken, TradesTaken, write_entry
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.profiles.market_concepts import Market
from pg_bridge.pss.report_files import write_report
from tests.benchmarks import trade_file
from tests.doubles.core import book
from tests.doubles.mapping_files import shipped
from tests.unit.mapping.test_report_rules import CODES, VALUES

DAY = "2026-11-23"
HASH = hash_of_ocp(shipped())
PROFILE = book().ocp


def trade(sequence: int, number: int, status: str = "new", **changes: Any) -> dict[str, Any]:
    tables = {"trade_currency": "currency"}
    codes = {
        concept: next(
            code
            for held, code in PROFILE.codes(tables.get(concept, concept)).items()
            if held.value == (status if concept == "trade_status" else meaning)
        )
        for concept, meaning in CODES.items()
    }
    own = {"sequence": sequence, "trade_reference": f"{number:016d}", "settlement_date": "2026-11-25"}
    return PROFILE.write("trade", {**VALUES, **codes, **own, **changes})


def page(trades: list[dict[str, Any]], first: int, *, ocp_hash: str = HASH, day: str = DAY) -> TradesTaken:
    return TradesTaken(
        market="hong_kong",
        trade_date=day,
        first=first,
        last=first + len(trades) - 1,
        ocp_hash=ocp_hash,
        trades=msgspec.Raw(msgspec.json.encode(trades)),
    )


def clearing(gcp: str, *ncps: str, day: str = DAY, until: str | None = None) -> ReferenceDataTaken:
    market = next(code for held, code in PROFILE.codes("market").items() if held is Market.HONG_KONG)
    entries = [
        PROFILE.write(
            "ncp_mapping",
            {
                "market": market,
                "ncp_id": ncp,
                "broker_number": "1170",
                "gcp_id": gcp,
                "effective_from": "2026-01-01",
                "effective_to": until,
            },
        )
        for ncp in ncps
    ]
    raw = msgspec.json.encode(entries)
    return ReferenceDataTaken(
        topic="ncp_gcp_mapping",
        business_date=day,
        hash="x",
        count=len(entries),
        ocp_hash=HASH,
        entries=msgspec.Raw(raw),
    )


async def journal(folder: Path, records: Iterable[Any]) -> MarketReports:
    path = folder / "journal.sqlite"
    async with await SqliteJournal.open(path, node="n") as made:
        await made.append([write_entry(record, 1) for record in records])
    return MarketReports(book(), path, HASH)


def wanted(*ncps: str, name: str = "cclid01", day: str = DAY) -> Wanted:
    return Wanted(name, "B01234", day, Market.HONG_KONG, ncps)


def written(reports: MarketReports, folder: Path, what: Wanted) -> list[tuple[str, int]]:
    """Reference and quantity of each record."""
    reports.write(what, [folder / "out"])
    reader = FixedWidthReader(book().legacy.layouts["CCLID01"])
    found = [record.values for record in reader.records([(folder / "out").read_bytes()]) if record.name == "detail"]
    assert not reader.findings
    return [(str(each["trade_reference"])[-1], int(str(each["quantity"]))) for each in found]


async def test_the_last_state_counts_across_pages_and_what_is_cancelled_is_left_out(tmp_path: Path) -> None:
    first = [
        trade(1, 1),
        trade(2, 2),
        trade(3, 3),
        trade(4, 1, "corrected", traded_quantity=500),
        trade(5, 2, "cancelled"),
    ]
    second = [
        trade(6, 4),
        trade(7, 1, "corrected", traded_quantity=600),
        trade(8, 5, "cancelled"),
        trade(9, 3),
        trade(10, 2, "corrected", traded_quantity=700),
    ]
    reports = await journal(tmp_path, [page(first, 1), page(second, 6)])

    assert [("4", 400), ("1", 600), ("3", 400), ("2", 700)] == written(reports, tmp_path, wanted("E00001"))


async def test_a_participant_has_the_trades_of_its_ncps_wherever_a_correction_brought_them(tmp_path: Path) -> None:
    trades = [
        trade(1, 1),
        trade(2, 2, ncp_id="E00002"),
        trade(3, 3, ncp_id="B01234"),
        trade(4, 1, "corrected", ncp_id="E00003"),
        trade(5, 2, "corrected", ncp_id="E00001"),
    ]
    reports = await journal(tmp_path, [page(trades, 1), clearing("B01234", "E00001")])

    assert [("3", 400), ("2", 400)] == written(reports, tmp_path, wanted())
    assert [("1", 400)] == written(reports, tmp_path, wanted("E00003"))


async def test_who_cleared_on_that_day_counts(tmp_path: Path) -> None:
    later = clearing("B01234", "E00001", day="2026-12-01", until="2026-11-22")
    reports = await journal(tmp_path, [page([trade(1, 1)], 1), later])

    assert [] == written(reports, tmp_path, wanted())


async def test_pages_of_another_ocp_profile_are_no_part_of_it(tmp_path: Path) -> None:
    older = page([trade(1, 1, traded_quantity=1)], 1, ocp_hash="other")
    reports = await journal(tmp_path, [older, page([trade(1, 1)], 1)])

    assert [("1", 400)] == written(reports, tmp_path, wanted("E00001"))


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (wanted("E00001", day="2026-11-20"), "PGB-RPT-003"),
        (wanted(), "PGB-RPT-004"),
        (wanted(name="stocks"), "PGB-RPT-003"),
    ],
)
async def test_what_cannot_be_made_is_told_and_no_file_is_left(tmp_path: Path, what: Wanted, code: str) -> None:
    reports = await journal(tmp_path, [page([trade(1, 1)], 1)])
    with pytest.raises(ReportError) as caught:
        reports.write(what, [tmp_path / "folder" / "out"])

    assert [code] == [finding.code for finding in caught.value.findings]
    assert not (tmp_path / "folder").exists() or [] == list((tmp_path / "folder").iterdir())


async def test_a_fault_midway_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    many = [trade(number, number) for number in range(1, 1200)] + [trade(1200, 1200, value="99999999999999.00")]
    reports = await journal(tmp_path, [page(many, 1)])
    (tmp_path / "out").write_bytes(b"before")
    with pytest.raises(MappingFailed):
        reports.write(wanted("E00001"), [tmp_path / "out", tmp_path / "two" / "out"])

    assert b"before" == (tmp_path / "out").read_bytes()
    assert [] == list((tmp_path / "two").iterdir())


async def test_no_such_report_and_no_journal_are_told(tmp_path: Path) -> None:
    reports = await journal(tmp_path, [page([trade(1, 1)], 1)])
    with pytest.raises(MappingMissing, match="cclid01"):
        reports.write(wanted(name="cclid02"), [tmp_path / "out"])
    with pytest.raises(JournalError, match="there is no journal"):
        MarketReports(book(), tmp_path / "none", HASH).write(wanted("E00001"), [tmp_path / "out"])


def test_a_disk_that_does_not_write_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ReportError, match="writing the report out"):
        write_report([b"a"], [tmp_path / "file" / "out"])


async def test_the_benchmark_in_small(tmp_path: Path) -> None:
    ncps = await trade_file.fill(tmp_path / "journal.sqlite", 3000)
    measured = trade_file.measure(tmp_path / "journal.sqlite", ncps, 3000)

    assert 2600 < measured["records"] < 3000
    assert json.dumps(measured)
