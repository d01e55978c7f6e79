"""Counterparties that answer by themselves, over real HTTP."""

from __future__ import annotations

from tests.doubles.ocp_caller import OcpCaller, si_entry
from tests.doubles.running_ocp import running


async def differing(one: OcpCaller, participant: str = "B01234") -> list[int]:
    """Which of a participant's SIs, by their place, did not match."""
    found = (await one.query(participantId=participant, size=1000))["data"]
    return [at for at, entry in enumerate(found) if entry["status"] != "MATCHED"]


async def test_it_accepts_all_at_once() -> None:
    async with running() as (one, _):
        await one.control("counterparties", {"participant": "C00019"})
        reply = (
            await one.add(si_entry("R1"), si_entry("R2", paymentInstruction="FOP", currency=None, amount=None))
        ).json()
        types = [event["eventType"] for event in (await one.events("B01234"))["data"]]

        assert ["UNMATCHED", "UNMATCHED"] == [entry["status"] for entry in reply["data"]]
        assert ["CREATED", "CREATED", "MATCHED", "MATCHED"] == types
        assert 2 == (await one.control("counterparties"))["counterparties"][0]["answered"]
        assert 2 == len((await one.control("ledger"))["done"])


async def test_one_in_n_differs_in_one_item_as_the_seed_says() -> None:
    seen = []
    for seed in (1, 1, 2):
        async with running(seed=seed) as (one, _):
            await one.control("counterparties", {"participant": "C00019", "mismatch_one_in": 5})
            await one.add(*(si_entry(f"R{n}", quantity=n * 100, amount=f"{n}.00") for n in range(1, 41)))
            seen.append(await differing(one))
            reasons = {
                entry["reasonCode"] for entry in (await one.query(participantId="B01234", status="UNMATCHED"))["data"]
            }

            assert 8 == len(seen[-1])
            assert [0, 1, 2, 3, 4, 5, 6, 7] == [place // 5 for place in seen[-1]]
            assert reasons <= {"DIFF_QUANTITY", "DIFF_AMOUNT", "DIFF_DATE"}

    assert seen[0] == seen[1] != seen[2]


async def test_a_late_one_answers_when_its_time_has_come_on_the_clock() -> None:
    async with running() as (one, _):
        await one.control("counterparties", {"participant": "", "late_s": 90})
        await one.add(si_entry("R1", counterpartyId="C00077"))
        await one.control("clock", {"advance_s": 60})
        due = (await one.control("counterparties"))["next_due"]
        before = await differing(one)
        await one.control("clock", {"advance_s": 3600})
        matched = (await one.events("B01234"))["data"][-1]

        assert "2026-11-23T09:31:30+08:00" == due
        assert ([0], []) == (before, await differing(one))
        assert ("MATCHED", "2026-11-23T09:31:30.000+08:00") == (matched["eventType"], matched["occurredAt"])


async def test_who_has_a_company_answers_for_itself_only_when_named() -> None:
    async with running() as (one, _):
        await one.control("counterparties", {})
        await one.add(si_entry("R1"))

        assert [0] == await differing(one)


async def test_it_takes_its_answer_back_and_revokes_when_asked() -> None:
    async with running(seed=1) as (one, _):
        await one.control("counterparties", {"participant": "C00019", "mismatch_one_in": 1})
        await one.add(si_entry("R1"))
        named = {"participantId": "B01234", "requestReference": "R2", "siNumber": "I00000001"}
        await one.post("/api/si/instructions/delete/v1", {"data": [named]})
        await one.control("counterparties", {"participant": "C00019"})
        await one.add(si_entry("R3"))
        named |= {"requestReference": "R4", "siNumber": "I00000003"}
        await one.post("/api/si/instructions/revoke/v1", {"data": [named]})
        entries = (await one.control("sis"))["sis"]

        assert ["DELETED", "DELETED", "REVOKED", "REVOKED"] == [entry["status"] for entry in entries]


async def test_it_authorises_what_it_enters() -> None:
    async with running(maker_checker=["C00019"]) as (one, _):
        await one.control("counterparties", {"participant": "C00019"})
        await one.add(si_entry("R1"))

        assert [] == await differing(one)


async def test_none_answers_after_they_were_cleared() -> None:
    async with running(counterparties=[{"participant": "C00019", "late_s": 10}]) as (one, _):
        await one.add(si_entry("R1"))
        reply = await one.http.delete("/_simulator/counterparties")
        await one.control("clock", {"advance_s": 60})
        await one.add(si_entry("R2", quantity=5))

        assert {"counterparties": [], "next_due": None} == reply.json()
        assert [0, 1] == await differing(one)


async def test_bad_orders_of_counterparties_are_refused_by_name() -> None:
    async with running() as (one, _):
        for order, name in (
            ({"late_s": -1}, "late_s"),
            ({"mismatch": 3}, "mismatch"),
            ({"mismatch_one_in": 1.5}, "mismatch_one_in"),
        ):
            refused = await one.control("counterparties", order, status=422)

            assert ["body", name] == refused["detail"][0]["loc"]


async def test_others_answer_after_a_reset_as_before_it() -> None:
    async with running(counterparties=[{}]) as (one, _):
        await one.add(si_entry("R1", counterpartyId="C00077"))
        await one.control("reset", {})
        await one.log_in()
        await one.add(si_entry("R1", counterpartyId="C00077"))

        assert [] == await differing(one)


async def test_an_answer_that_will_not_come_is_not_said_to_be_due() -> None:
    async with running(counterparties=[{"participant": "C00019", "late_s": 10}]) as (one, _):
        await one.add(si_entry("R1"))
        named = {"participantId": "B01234", "requestReference": "R2", "siNumber": "I00000001"}
        await one.post("/api/si/instructions/delete/v1", {"data": [named]})

        assert None is (await one.control("counterparties"))["next_due"]
