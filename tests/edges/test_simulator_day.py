"""Hours, weather and the life of a day, over real HTTP."""

from __future__ import annotations

import msgspec
import pytest

from pg_bridge.profiles.hours import HOURS_FILE, read_hours
from tests.doubles.ocp_caller import MAPPINGS, OcpCaller, other_side, si_entry
from tests.doubles.running_ocp import running

HOURS = msgspec.to_builtins(read_hours({HOURS_FILE: (MAPPINGS / HOURS_FILE).read_text("utf-8")}))
OPEN = {"market_hours": HOURS, "keeps_hours": True}


async def jump(one: OcpCaller, to: str) -> None:
    await one.control("clock", {"jump": f"2026-11-{to}+08:00"})


async def statuses(one: OcpCaller) -> dict[str, str]:
    found = await one.query(participantId="B01234")
    return {entry["participantReference"]: entry["status"] for entry in found["data"]}


@pytest.mark.parametrize(
    ("moment", "code", "next_time"),
    [
        ("23T15:45:00", "406001", "24T09:00:00"),
        ("23T17:00:00", "0", "24T09:00:00"),
        ("28T10:00:00", "406002", "30T09:00:00"),
    ],
)
async def test_a_write_outside_of_the_sessions_is_refused_whole(moment, code, next_time) -> None:
    async with running(**OPEN) as (one, _):
        await jump(one, moment)
        request_id = "6f1c1f0a-4a33-4df4-9d7a-6f6e6a7f2b11"
        due = "2026-11-30"
        reply = (await one.add(si_entry("R1", settlementDate=due), request_id=request_id)).json()
        await jump(one, next_time)
        later = (await one.add(si_entry("R1", settlementDate=due), request_id=request_id)).json()

        assert code == reply["code"]
        assert ("0" if code != "0" else "411002") == later["code"]


async def test_of_several_markets_the_closed_ones_entries_are_refused() -> None:
    async with running(**OPEN) as (one, _):
        await one.add(si_entry("R1"), si_entry("R2", market="SZMK"))
        await jump(one, "23T16:00:00")
        reply = (await one.add(si_entry("R3"), si_entry("R4", market="SZMK", quantity=5))).json()
        named = [
            {"requestReference": f"D{number}", "participantId": "B01234", "siNumber": f"I0000000{number}"}
            for number in (1, 2)
        ]
        deleted = (await one.post("/api/si/instructions/delete/v1", {"data": named})).json()
        alone = (await one.post("/api/si/instructions/delete/v1", {"data": named[:1]})).json()

        for answer in (reply, deleted):
            codes = [[fault["recordErrorCode"] for fault in entry["exception"]] for entry in answer["data"]]
            assert ("0", [["406001"], []]) == (answer["code"], codes)
        assert ("406001", []) == (alone["code"], alone["data"])


async def test_a_typhoon_closes_the_day_and_its_runs_and_nothing_fails() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1"))
        await other.add(other_side("S1"))
        await jump(one, "25T09:00:00")
        await one.control("weather", {"weather": "typhoon", "until": "2026-11-25T13:00:00+08:00"})
        refused = (await one.add(si_entry("R2"))).json()
        await jump(one, "25T21:00:00")
        evening = await statuses(one)
        await jump(one, "26T10:30:00")

        assert "406002" == refused["code"]
        assert ({"R1": "MATCHED"}, {"R1": "SETTLED"}) == (evening, await statuses(one))


async def test_no_run_takes_place_on_a_holiday() -> None:
    async with running(holidays=["2026-11-26"]) as (one, other):
        await one.add(si_entry("R1"))
        await other.add(other_side("S1"))
        await one.control("lack", {"si_number": "I00000001", "reason": "lack_money"})
        await jump(one, "25T20:00:00")
        await one.control("lack", {"si_number": "I00000001", "reason": None})
        failing = await statuses(one)
        await jump(one, "26T23:00:00")
        on_the_holiday = await statuses(one)
        next_run = (await one.control("state"))["next_run"]
        await jump(one, "27T10:30:00")

        assert [{"R1": "FAILING"}] * 2 == [failing, on_the_holiday]
        assert "2026-11-27T10:00:00+08:00" == next_run
        assert {"R1": "SETTLED"} == await statuses(one)


async def test_shares_on_hold_are_paid_by_their_run_or_given_back_and_fail() -> None:
    for runs, status, reason in ((["11:00"], "SETTLED", None), ([], "FAILING", "LACK_MONEY")):
        async with running(payment_runs=runs) as (one, other):
            await one.add(si_entry("R1", paymentInstruction="RDP"))
            await other.add(other_side("S1", paymentInstruction="RDP"))
            await jump(one, "25T10:30:00")
            held = await statuses(one)
            await jump(one, "25T20:00:00")
            after = (await one.query(participantId="B01234"))["data"][0]
            events = [event["eventType"] for event in (await one.events("B01234", "2026-11-25"))["data"]]

            assert {"R1": "SHARES_ON_HOLD"} == held
            assert (status, reason) == (after["status"], after["reasonCode"])
            assert (["SHARES_HELD", "SETTLED"] if runs else ["SHARES_HELD", "SHARES_RELEASED", "FAILING"]) == events


async def test_one_pair_settles_at_once_by_a_delivery_instruction() -> None:
    async with running() as (one, other):
        await one.add(si_entry("R1"), si_entry("R2", quantity=5))
        await other.add(other_side("S1"), other_side("S2", quantity=5))
        await jump(one, "25T09:00:00")
        moved = await one.control("run", {"run": "settle", "si_number": "I00000004"})

        assert ({"moved": 1}, {"R1": "MATCHED", "R2": "SETTLED"}) == (moved, await statuses(one))


async def test_a_change_is_kept_with_both_images() -> None:
    async with running() as (one, _):
        await one.add(si_entry("R1"))
        changed = si_entry("R2", quantity=7, participantReference="R1") | {"siNumber": "I00000001"}
        await one.post("/api/si/instructions/change/v1", {"data": [changed]})
        changes = (await one.control("changes?si_number=I00000001"))["changes"]
        await one.control("changes?si_number=I9", status=404)

        assert [(2, "R2", 1000, 7)] == [
            (each["version"], each["request_reference"], each["before"]["quantity"], each["after"]["quantity"])
            for each in changes
        ]


async def test_bad_orders_of_the_day_are_refused_by_name() -> None:
    async with running() as (one, _):
        unknown = await one.control("weather", {"weather": "snow"}, status=422)
        past = {"weather": "typhoon", "until": "2026-11-23T09:30:00+08:00"}

        assert ["body", "weather"] == unknown["detail"][0]["loc"]
        assert (await one.control("weather", past, status=409))["detail"].startswith("until: ")
        assert (await one.control("hours", {"keep": True}, status=409))["detail"].startswith("keep: ")
