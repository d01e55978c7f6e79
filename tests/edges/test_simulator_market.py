"""Reference data and trades of the pretend OCP over real HTTP, by the shipped profile and by another."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.pretend import PretendOcp
from pg_bridge.simulator.run import serving
from tests.doubles.mapping_sets import set_files
from tests.doubles.ocp_caller import COMPANY, OcpCaller, Wall, registrations, shipped_profile, si_entry
from tests.doubles.running_ocp import START, running

REFDATA = "/api/refdata/{}/v1"
TRADES, RANGE = "/api/trades/v1", "/api/trades/range/v1"
TODAY = {"tradeDate": "2026-11-23", "market": "HKMK"}


async def get(caller: OcpCaller, path: str, status: int = 200, **parameters: Any) -> dict[str, Any]:
    reply = await caller.http.get(path, params=parameters, headers=caller.headers())
    assert status == reply.status_code, reply.text
    document: dict[str, Any] = reply.json()
    return document


async def every_page(caller: OcpCaller, path: str, **parameters: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor = "0"
    while True:
        page = await get(caller, path, nextCursor=cursor, **parameters)
        entries += page["data"]
        cursor = page["nextCursor"]
        if cursor == "0":
            assert page["totalSize"] == len(entries)
            return entries


# ---- reference data


@pytest.mark.parametrize(
    ("name", "schema", "size", "parameters"),
    [
        ("participants", "ParticipantsAnswer", 250, {}),
        ("stocks", "StocksAnswer", 999, {}),
        ("calendar", "CalendarAnswer", 400, {"fromDate": "2026-01-01", "toDate": "2026-12-31"}),
        ("ncp-gcp-mapping", "NcpGcpMappingAnswer", 1000, {"businessDate": "2026-11-20"}),
    ],
)
async def test_a_list_is_read_page_by_page_and_fits_its_schema(name, schema, size, parameters) -> None:
    async with running() as (one, other):
        first = await get(one, REFDATA.format(name), size=size, **parameters)
        entries = await every_page(one, REFDATA.format(name), size=size, **parameters)
        others = await every_page(other, REFDATA.format(name), size=77, **parameters)

    assert [] == shipped_profile().faults(schema, first)
    assert size == len(first["data"]) if first["nextCursor"] != "0" else len(entries) <= size
    assert first["data"] == entries[:size]
    assert others == entries


async def test_lists_are_as_large_as_the_market() -> None:
    async with running() as (one, _):
        stocks = await every_page(one, REFDATA.format("stocks"), size=1000)
        shanghai = await every_page(one, REFDATA.format("stocks"), size=1000, market="MAMK")
        participants = await every_page(one, REFDATA.format("participants"), size=1000)
        days = await every_page(one, REFDATA.format("calendar"), size=1000, fromDate="2026-12-21", toDate="2026-12-27")

    assert (3000, 550, 600, 21) == (len(stocks), len(shanghai), len(participants), len(days))
    assert {"B01234": "GENERAL_CLEARING", "C00019": "CUSTODIAN"}.items() <= {
        each["participantId"]: each["participantType"] for each in participants
    }.items()
    assert ["WORKING", "WORKING", "WORKING", "HALF", "HOLIDAY", "WEEKEND", "WEEKEND"] == [
        day["dayType"] for day in days if day["market"] == "HKMK"
    ]


async def test_a_day_to_come_has_no_list_and_a_past_one_fewer_participants() -> None:
    async with running() as (one, _):
        to_come = await get(one, REFDATA.format("participants"), businessDate="2026-11-24")
        past = await get(one, REFDATA.format("participants"), businessDate="2005-11-23")

    assert ([], 0, "0") == (to_come["data"], to_come["totalSize"], to_come["nextCursor"])
    assert 0 < past["totalSize"] < 600


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        (REFDATA.format("stocks"), {"market": "NYSE"}, "400003"),
        (REFDATA.format("stocks"), {"size": 1001}, "400003"),
        (REFDATA.format("stocks"), {"nextCursor": "x"}, "400002"),
        (REFDATA.format("participants"), {"market": "HKMK"}, "400004"),
        (REFDATA.format("participants"), {"businessDate": "2026-02-30"}, "400002"),
        (REFDATA.format("participants"), {"businessDate": "0001-01-01"}, "400003"),
        (REFDATA.format("calendar"), {"fromDate": "2026-01-01"}, "400001"),
        (REFDATA.format("calendar"), {"fromDate": "2026-01-01", "toDate": "2027-01-02"}, "400003"),
        (REFDATA.format("calendar"), {"fromDate": "2026-01-02", "toDate": "2026-01-01"}, "400003"),
        (REFDATA.format("calendar"), {"fromDate": "9999-12-31", "toDate": "9999-12-31"}, "400003"),
        (TRADES, {"market": "HKMK"}, "400001"),
        (TRADES, {**TODAY, "waitSeconds": 31}, "400003"),
        (TRADES, {**TODAY, "size": 1001}, "400003"),
        (TRADES, {**TODAY, "afterSequence": -1}, "400002"),
        (RANGE, {**TODAY, "fromSequence": 1, "toSequence": 1001}, "400003"),
        (RANGE, {**TODAY, "fromSequence": 5, "toSequence": 4}, "400003"),
        (RANGE, {**TODAY, "fromSequence": 0, "toSequence": 4}, "400003"),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_code(path, parameters, code) -> None:
    async with running() as (one, _):
        assert code == (await get(one, path, 400, **parameters))["code"]


async def test_the_book_knows_the_generated_data_when_told_to() -> None:
    async with running(reference_data=True) as (one, _):
        stocks = await every_page(one, REFDATA.format("stocks"), size=1000)
        known = {each["stockCode"]: each for each in stocks}
        ineligible = next(each for each in stocks if not each["ccassEligible"] and each["market"] == "HKMK")
        further = next(
            each for each in stocks if each["domainStockCode"] != each["stockCode"] and each["ccassEligible"]
        )
        unknown = next(code for code in (f"{number:05d}" for number in range(1, 9999)) if code not in known)
        told = [
            si_entry("R1"),
            si_entry("R2", stockCode=unknown, isin=None),
            si_entry("R3", stockCode=ineligible["stockCode"], isin=None),
            si_entry("R4", stockCode=further["stockCode"], isin=further["isin"]),
            si_entry("R5", counterpartyId="Z99999"),
            si_entry("R6", settlementDate="2026-12-25"),
            si_entry("R7", isin="HK0000000000"),
        ]
        entries = (await one.add(*told)).json()["data"]

    assert [None, "400101", "400102", "400105", "400103", "400106", "400101"] == [
        entry["exception"][0]["recordErrorCode"] if entry["exception"] else None for entry in entries
    ]


async def test_every_well_formed_stock_is_known_otherwise() -> None:
    async with running() as (one, _):
        entries = (await one.add(si_entry("R1", stockCode="99999", isin="XX0000000000"))).json()["data"]

    assert [] == entries[0]["exception"]


# ---- trades


async def test_the_day_is_told_in_order_from_one_without_gaps_and_fits_its_schema() -> None:
    async with running(trades_at_once=2500) as (one, _):
        entries: list[dict[str, Any]] = []
        while True:
            page = await get(one, TRADES, **TODAY, afterSequence=len(entries), size=1000)
            assert [] == shipped_profile().faults("TradesAnswer", page)
            entries += page["data"]
            if page["nextCursor"] == "0":
                break
            assert str(len(entries)) == page["nextCursor"]

    assert list(range(1, 2501)) == [entry["sequence"] for entry in entries]
    assert 2500 == page["totalSize"]
    assert sorted(entry["tradeTime"] for entry in entries if entry["status"] == "NEW") == [
        entry["tradeTime"] for entry in entries if entry["status"] == "NEW"
    ]


async def test_a_correction_or_cancellation_repeats_the_reference_of_a_trade_told_before() -> None:
    async with running(trades_at_once=1000) as (one, _):
        entries = (await get(one, TRADES, **TODAY, size=1000))["data"]
    told: dict[str, dict[str, Any]] = {}
    counts = {"NEW": 0, "CORRECTED": 0, "CANCELLED": 0}
    kept = ("ncpId", "brokerNumber", "stockCode", "side", "counterpartyBrokerNumber", "tradeTime", "settlementDate")
    for entry in entries:
        counts[entry["status"]] += 1
        before = told.get(entry["tradeReference"])
        assert (before is None) == (entry["status"] == "NEW")
        if before is not None:
            assert "CANCELLED" != before["status"]
            assert [before[name] for name in kept] == [entry[name] for name in kept]
            changed = (before["quantity"], before["price"]) != (entry["quantity"], entry["price"])
            assert changed == (entry["status"] == "CORRECTED")
        told[entry["tradeReference"]] = entry

    assert 10 < counts["CORRECTED"] < 45
    assert 2 < counts["CANCELLED"] < 25


async def test_trades_are_those_of_the_companys_ncps_in_listed_eligible_stocks() -> None:
    async with running(trades_at_once=300) as (one, other):
        mapping = await every_page(one, REFDATA.format("ncp-gcp-mapping"), size=1000)
        stocks = {each["stockCode"]: each for each in await every_page(one, REFDATA.format("stocks"), size=1000)}
        found = {}
        for market in ("HKMK", "MAMK", "SZMK"):
            page = await get(one, TRADES, tradeDate="2026-11-23", market=market, size=300)
            found[market] = page["data"]
            ours = {(each["ncpId"], each["brokerNumber"]) for each in mapping
                    if each["gcpParticipantId"] == "B01234" and each["market"] == market}  # fmt: skip
            assert {(each["ncpId"], each["brokerNumber"]) for each in page["data"]} <= ours
        custodians = await get(other, TRADES, **TODAY)

    assert [] == custodians["data"]
    assert [300] * 3 == [len(entries) for entries in found.values()]
    for market, entries in found.items():
        for entry in entries:
            stock = stocks[entry["stockCode"]]
            assert (market, True, entry["isin"]) == (stock["market"], stock["ccassEligible"], stock["isin"])
            assert 0 == entry["quantity"] % stock["boardLot"]
            exact = entry["quantity"] * int(entry["price"].replace(".", ""))
            assert (exact + 5) // 10 == int(entry["value"].replace(".", ""))
    assert {"2026-11-25", "2026-11-23"} == {entries[0]["settlementDate"] for entries in found.values()}


async def test_a_range_is_told_as_it_was_the_first_time() -> None:
    async with running(trades_at_once=500) as (one, _):
        gap = await get(one, RANGE, **TODAY, fromSequence=120, toSequence=130)
        every = await get(one, TRADES, **TODAY, size=1000)
        beyond = await get(one, RANGE, **TODAY, fromSequence=495, toSequence=600)
        nowhere = await get(one, RANGE, **TODAY, fromSequence=501, toSequence=510)

    assert every["data"][119:130] == gap["data"]
    assert every["data"][494:] == beyond["data"]
    assert [] == nowhere["data"]


async def test_the_seed_alone_decides_the_trades() -> None:
    answers = []
    for seed in (5, 5, 6):
        async with running(trades_at_once=200, seed=seed) as (one, _):
            reply = await one.http.get(TRADES, params={**TODAY, "size": 200}, headers=one.headers())
            answers.append(reply.content)

    assert answers[0] == answers[1] != answers[2]


async def test_trades_come_by_rate_as_the_clock_goes() -> None:
    async with running(trades_a_second=2.0) as (one, _):
        counts = []
        for moment in ("09:30:00", "09:30:10", "12:00:00", "12:59:59", "13:00:05", "23:00:00"):
            await one.control("clock", {"jump": f"2026-11-23T{moment}+08:00"})
            counts.append((await get(one, TRADES, **TODAY, size=1))["totalSize"])
        await one.control("clock", {"jump": "2026-12-24T20:00:00+08:00"})
        half = await get(one, TRADES, tradeDate="2026-12-24", market="HKMK", size=1)
        await one.control("clock", {"jump": "2026-12-26T20:00:00+08:00"})
        holiday = await get(one, TRADES, tradeDate="2026-12-25", market="HKMK", size=1)
        to_come = await get(one, TRADES, tradeDate="2026-12-28", market="HKMK", size=1)

    assert [0, 20, 18_000, 18_000, 18_010, 39_600] == counts
    assert (18_000, 0, 0) == (half["totalSize"], holiday["totalSize"], to_come["totalSize"])


async def test_a_long_poll_is_answered_when_the_clock_brings_the_trade() -> None:
    async with running(trades_a_second=1.0) as (one, _):
        waiting = asyncio.create_task(get(one, TRADES, **TODAY, waitSeconds=30))
        # the echo is answered behind the poll, which has arrived then
        await get(one, "/api/system/echo/v1")
        assert not waiting.done()
        await one.control("clock", {"advance_s": 3})
        answer = await asyncio.wait_for(waiting, 3)
        at_once = await get(one, TRADES, **TODAY, waitSeconds=30, afterSequence=2)

    assert [1, 2, 3] == [entry["sequence"] for entry in answer["data"]]
    assert [3] == [entry["sequence"] for entry in at_once["data"]]


async def test_a_long_poll_ends_empty_when_its_time_is_over() -> None:
    async with running() as (one, _):
        answer = await asyncio.wait_for(get(one, TRADES, **TODAY, waitSeconds=1), 4)

    assert ([], "0") == (answer["data"], answer["nextCursor"])


async def test_a_long_poll_is_answered_by_a_running_clock() -> None:
    async with running(trades_a_second=1.0) as (one, _):
        waiting = asyncio.create_task(get(one, TRADES, **TODAY, waitSeconds=30))
        await get(one, "/api/system/echo/v1")
        # from now on 60 s of it pass in one of the wall, which the test moves
        await one.control("clock", {"mode": "runs", "rate": 60})
        assert not waiting.done()
        one.wall.pass_s(1)
        answer = await asyncio.wait_for(waiting, 3)

    assert 60 == len(answer["data"])


async def test_the_pretend_ocp_ends_while_somebody_waits() -> None:
    wall = Wall()
    options = read_options({"registrations": registrations(), "start": START, "clock": "stands"})
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        async with serving(create_app(shipped_profile(), options, wall)) as url:
            http.base_url = httpx.URL(url)
            one = OcpCaller(http, wall)
            await one.log_in()
            waiting = asyncio.create_task(get(one, TRADES, **TODAY, waitSeconds=30))
            await get(one, "/api/system/echo/v1")
        answer = await asyncio.wait_for(waiting, 2)

    assert [] == answer["data"]


async def test_faults_and_entitlement_are_those_of_any_operation() -> None:
    granted = registrations()
    granted["companies"]["CP00001"]["functions"] = ["trades", "echo"]
    async with running(registrations=granted, trades_at_once=10) as (one, _):
        await one.control("faults", {"kind": "throttled", "operation": "trades"})
        throttled = await get(one, TRADES, 429, **TODAY)
        after = await get(one, TRADES, **TODAY)
        denied = await get(one, REFDATA.format("stocks"), 403)

    assert (10, "403001", "429") == (len(after["data"]), denied["code"], throttled["code"])


# ---- another profile


def other_profile() -> OcpProfile:
    return read_ocp_profile(set_files("ocp_b"))


def pretend(profile: OcpProfile, keys: dict[str, Any] | None = None) -> PretendOcp:
    companies = registrations()
    if keys is not None:
        for each in (*companies["companies"].values(), *companies["machines"].values()):
            each["jwks"] = keys
    document = {"registrations": companies, "start": START, "clock": "stands", "trades_at_once": 50}
    ocp: PretendOcp = create_app(profile, read_options(document), Wall()).state.ocp
    return ocp


ASKED: dict[Operation, tuple[dict[str, Any], dict[str, Any], str]] = {
    Operation.STOCKS: ({"market": "HKMK"}, {"venue": "HK"}, "stock"),
    Operation.PARTICIPANTS: ({}, {}, "participant"),
    Operation.NCP_GCP_MAPPING: ({}, {}, "ncp_mapping"),
    Operation.CALENDAR: (
        {"fromDate": "2026-12-20", "toDate": "2026-12-31"},
        {"since": 20261220, "until": 20261231},
        "calendar_day",
    ),
    Operation.TRADES: (TODAY, {"when": {"day": "20261123"}, "venue": "HK"}, "trade"),
    Operation.TRADE_RANGE: (
        {**TODAY, "fromSequence": 3, "toSequence": 9},
        {"day": 20261123, "venue": "HK", "first": 3, "last": 9},
        "trade",
    ),
}
CODED = {
    "market", "participant_type", "day_kind", "side", "trading_method", "isolation_reason", "short_sell", "origin",
    "hedge", "trade_status",
}  # fmt: skip


async def test_another_profile_tells_the_same_market_in_its_own_words() -> None:
    ours, theirs = shipped_profile(), read_ocp_profile(set_files("ocp_b"))
    one, other = pretend(ours), pretend(theirs, {"keys": []})
    for operation, (asked, asked_otherwise, group) in ASKED.items():
        found = one.market.answer(operation, COMPANY, asked)
        found_otherwise = other.market.answer(operation, COMPANY, asked_otherwise)
        schema = theirs.operations[operation].answer
        entries = [msgspec.json.decode(entry) for entry in found_otherwise.entries]

        assert 0 < found.total == found_otherwise.total
        assert [] == [fault for entry in entries for fault in theirs.faults(schema, entry)]
        for raw, otherwise in zip(found.entries, entries, strict=True):
            told = ours.read(group, msgspec.json.decode(raw))
            again = theirs.read(group, otherwise)
            assert told.keys() == again.keys()
            assert [] == [name for name in told if name not in CODED and told[name] != again[name]]
