"""The pretend PG's control by HTTP, and `pg-bridge simulate control` against it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError
from tests.doubles.running_pg import AtThePg, pg_here

Typed = Callable[..., Coroutine[Any, Any, str]]
START = "2026-11-23T09:30:00+08:00"


@asynccontextmanager
async def control(**options: Any) -> AsyncIterator[tuple[AtThePg, Typed]]:
    """The pretend PG, and a person who types `pg-bridge simulate control ...`."""
    async with pg_here(start=START, **options) as there:

        async def typed(*words: str) -> str:
            words = ("simulate", "control", *words, "--url", there.url)
            result = await asyncio.to_thread(CliRunner().invoke, app, words)
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert 0 == result.exit_code, result.output
            return result.output

        yield there, typed


async def test_every_verb_that_both_have_and_its_own_print_for_people_and_programs() -> None:
    async with control() as (there, typed):
        pss = await there.pss()
        there.words.send_deliver(pss, "R1")
        await pss.message("SI51", "RELA//R1")
        for words, name, value in (
            (("state",), "statuses", {"unmatched": 1}),
            (("sessions",), "sessions", None),
            (("requests",), "done", None),
            (("ledger",), "done", None),
            (("clock", "--advance", "60"), "now", "2026-11-23T09:31:00+08:00"),
            (("clock", "--rate", "60"), "mode", "runs"),
            (("clock", "--stand"), "mode", "stands"),
            (("run", "day_end"), "moved", 0),
            (("faults", "lost", "--template", "SI51", "--participant", "C00019", "--count", "3"), "faults", None),
            (("faults", "--clear"), "faults", []),
            (("differences", "other_amount", "--template", "SI60", "--every", "2"), "differences", None),
            (("differences", "--clear"), "differences", []),
            (("counterparties", "C00019", "--mismatch-one-in", "3", "--late", "5"), "counterparties", None),
            (("counterparties", "--clear"), "counterparties", []),
            (("rules", "--no-match-at-once", "--maker-checker", "B01234"), "maker_checker", ["B01234"]),
            (("weather", "typhoon"), "weather", "typhoon"),
            (("hours", "off"), "keeps_hours", False),
            (("broadcast", "--head", "NOTICE", "--text", "CLOSED"), "told", ["B01234"]),
            (("reset",), "sis", 0),
        ):
            told = json.loads(await typed(*words, "--json"))

            assert name in told, words
            assert value in (None, told[name]), words
        await pss.message("BC60", "CLOSED")
        await typed("weather", "fair")
        there.words.send_deliver(pss, "R2")
        await pss.message("SI51", "RELA//R2")
        for words, text in (
            (("state",), "unmatched: 1"),
            (("sessions",), "PSS1"),
            (("requests",), "accepted"),
            (("ledger",), "R2"),
            (("faults", "late", "--delay", "2"), "kind late"),
            (("differences", "status_late"), "kind status_late"),
            (("rules",), "revoke_by_both"),
        ):
            assert text in await typed(*words), words


_BAD = (
    (("clock", "--jump", "2026-11-22T00:00:00+08:00"), "is past on this clock"),
    (("run", "lunch"), "run: "),
    (("faults", "melted"), "kind: "),
    (("faults", "lost", "--template", "SI99"), "template: there is none of the name SI99"),
    (("faults", "lost", "--operation", "echo"), "operation: "),
    (("differences", "melted"), "kind: "),
    (("differences", "other_amount", "--template", "SI99"), "templates: there is none of the name SI99"),
    (("differences", "other_amount", "--share", "2"), "share: "),
    (("counterparties", "C00019", "--late", "-1"), "late_s: "),
    (("weather", "snow"), "weather: "),
)


async def test_bad_orders_are_refused_by_name() -> None:
    async with control() as (_, typed):
        for words, told in _BAD:
            with pytest.raises(ConfigError) as refused:
                await typed(*words)

            assert told in str(refused.value), words


async def test_all_that_is_wrong_with_an_order_is_told_and_its_page_is_there() -> None:
    async with control() as (there, _), httpx.AsyncClient(trust_env=False) as http:
        bad = await http.post(f"{there.where['control']}/faults", json={"kind": "x", "skip": -1, "colour": "red"})
        page = await http.get(f"{there.where['control']}/docs")
        routes = (await http.get(f"{there.where['control']}/openapi.json")).json()["paths"]

        assert {"kind", "skip", "colour"} == {fault["loc"][-1] for fault in bad.json()["detail"]}
        assert 200 == page.status_code
        assert {"/state", "/clock", "/run", "/ledger", "/requests", "/faults", "/differences"} <= set(routes)


async def test_the_ledger_tells_what_was_done_and_the_requests_what_was_taken() -> None:
    async with control(maker_checker=["B01234"]) as (there, _):
        pss = await there.pss()
        there.words.send_deliver(pss, "R1")
        there.words.send_deliver(pss, "R1")
        there.words.send_deliver(pss, "R2", counterparty="TOOLONGNAME")
        there.words.send_enquiry(pss, "R3", related="R1")
        await pss.message("T03A")
        number = (await there.control("sis"))["sis"][0]["si_number"]
        there.words.send_blocks(pss, "authorisation", "R4", number, "I99999999")
        await pss.message("SI52", "REJT")
        requests = (await there.control("requests"))["done"]
        done = (await there.control("ledger?after=1"))["done"]

    told = [(one["request_reference"], one["operation"], one["outcome"], one["si_number"]) for one in requests]
    assert ("R1", "si_add", "accepted", number) == told[0]
    assert ["R1", "R2", "R3", "R4", "R4"] == [one[0] for one in told]
    assert ["accepted", "refused", "found", "accepted", "refused"] == [one[2] for one in told]
    assert ["pending", "", "pending", "unmatched", ""] == [one["status"] for one in requests]
    assert [("R4", "si_authorise")] == [(one["request_reference"], one["operation"]) for one in done]


async def test_hold_lack_and_runs_at_the_pg_itself_reach_the_pss() -> None:
    async with control() as (there, typed):
        seller, buyer = await there.pss(), await there.pss("C00019")
        there.words.send_deliver(seller, "S1")
        there.words.send_receive(buyer, "B1")
        await seller.message("SI60", "MACH")
        number = (await there.control("sis?participant=B01234"))["sis"][0]["si_number"]
        await there.control("hold", {"si_number": number, "hold": True})
        await seller.message("SI60", "PEND//PREA")
        await there.control("hold", {"si_number": number, "hold": False})
        await there.control("lack", {"si_number": number, "reason": "lack_money"})
        day = (await there.control("sis"))["sis"][0]["settlement_date"]
        await typed("clock", "--jump", f"{day}T23:00:00+08:00")
        await seller.message("SI60", "PENF")
        await there.control("lack", {"si_number": number, "reason": None})
        await typed("run", "settle")
        await buyer.message("SI61")
        with pytest.raises(httpx.HTTPStatusError):
            await there.control("hold", {"si_number": "I99999999", "hold": True})


async def test_what_nobody_reads_is_refused_by_name_and_a_run_on_an_unknown_si_too() -> None:
    async with control() as (there, _), httpx.AsyncClient(base_url=there.url) as http:
        for path, order, status, named in (
            ("run", {"run": "settle", "si_number": "I50000001"}, 404, "I50000001"),
            ("run", {"run": "match", "sooner": True}, 422, "sooner"),
            ("reset", {"everything": True}, 422, "everything"),
            ("state?deep=1", None, 422, "deep"),
            ("clock", {"jump": "9999-12-31T00:00:00+08:00"}, 409, "goes no further"),
        ):
            method = "GET" if order is None else "POST"
            reply = await http.request(method, f"/_simulator/{path}", json=order)

            assert status == reply.status_code, (path, reply.text)
            assert named in reply.text, path
