"""The bridge inside OCP's limits: no call too many, whoever is killed; order kept; the circuit; what is told of it all."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from pg_bridge.link import events as link
from tests.benchmarks.inside_limits import Day, play
from tests.doubles.stack import QUICK, Stack, stack

pytestmark = pytest.mark.asyncio


async def scrape(made: Stack) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(made.push_url.replace("/ocp/status-events", "/metrics"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def value(text: str, name: str) -> float:
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)


async def test_a_thousand_instructions_go_in_within_the_limits_and_in_order(tmp_path: Path) -> None:
    played = await play(tmp_path, Day(instructions=1000, sessions=4, rounds=5))

    assert 1000 == played.entered
    assert 0 == played.turned_away
    assert [] == played.out_of_order
    assert 480 >= played.most_in_a_minute
    assert 30 > played.seconds


async def test_a_bridge_that_is_killed_and_started_again_never_calls_too_often(tmp_path: Path) -> None:
    """By the pretend OCP's own count: a second burst at the start would be one too many."""
    made = Stack(tmp_path, extra=QUICK, ocp_options=("--calls", "100"))
    made.ocp_settings = "company_calls = 100\n"
    try:
        await made.start_ocp()
        for life, due in enumerate((50, 2)):
            await made.start_bridge()
            pss = await made.pss()
            for number in range(50):
                made.words.send_enquiry(pss, f"K{life}{number}", related="NEVERSEEN")
            await pss.wait_for(lambda event, pss=pss, due=due: len(pss.received) >= due, timeout_s=30)
            made.bridge.kill()
            await made.bridge.wait()
            await pss.wait_for(lambda event: isinstance(event, link.Closed))
        counted = await made.control("calls")
    finally:
        await made.stop()

    assert 0 == counted["turned_away"]
    assert 50 < counted["let_in"]
    assert 100 >= counted["most_at_once"]


async def test_the_circuit_opens_and_closes_and_the_instruction_is_entered_once(tmp_path: Path) -> None:
    async with stack(tmp_path, extra=QUICK) as made:
        words, pss = made.words, await made.pss()
        await made.fault("si_add", "closed", count=8, retry_after_s=0)
        words.send_deliver(pss, "CIRC1")
        await pss.message(words.template["answer"], words.holds("related", "CIRC1"), words.holds("accepted"))
        assert await made.eventually(lambda: made.entries(kind="circuit_closed"))
        opened = made.entries(kind="circuit_opened")
        text = await scrape(made)
        entered = await made.entered("CIRC1")
        log = (tmp_path / "bridge.log").read_text("utf-8")
        await pss.log_off()

    assert 1 == len(entered)
    assert 1 <= len(opened)
    assert "503" in opened[0].body()["text"]
    assert '"circuit_opened"' in log
    assert '"circuit_closed"' in log
    assert 0.0 == value(text, "pg_bridge_ocp_circuit_open")
    assert len(opened) == value(text, "pg_bridge_ocp_circuit_opened_total")


async def test_an_outage_is_told_as_awaited_then_as_done(tmp_path: Path) -> None:
    """OCP is away for longer than an answer may take: input is told as awaited, an enquiry is refused."""
    async with stack(tmp_path, extra=QUICK + "answer_within_s = 1.5\n") as made:
        words, pss = made.words, await made.pss()
        await made.fault("", "closed", count=0, retry_after_s=0)
        words.send_deliver(pss, "AWAY1")
        words.send_enquiry(pss, "AWAY2", related="NEVERSEEN")
        await pss.message(words.template["answer"], words.holds("related", "AWAY1"))
        await pss.message(words.template["standing"], words.holds("related", "AWAY2"))
        assert [] == await made.entered("AWAY1")
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.delete(f"{made.ocp_url}/_simulator/faults")
        await pss.message(words.template["told"], words.holds("related", "AWAY1"))
        entered = await made.entered("AWAY1")
        await pss.log_off()

    assert 1 == len(entered)


async def test_metrics_tell_what_was_called_and_what_is_left(tmp_path: Path) -> None:
    async with stack(tmp_path, extra=QUICK) as made:
        words, pss = made.words, await made.pss()
        await made.fault("si_add", "throttled", retry_after_s=0)
        words.send_deliver(pss, "METER1")
        await pss.message(words.template["answer"], words.holds("related", "METER1"), words.holds("accepted"))
        text = await scrape(made)
        await pss.log_off()

    assert 1.0 == value(text, 'pg_bridge_ocp_calls_total{operation="si_add",outcome="ok"}')
    assert 1.0 == value(text, "pg_bridge_ocp_throttled_total")
    assert 2.0 == value(text, 'pg_bridge_ocp_call_seconds_count{operation="si_add"}')
    assert 2.0 == value(text, 'pg_bridge_ocp_entries_total{operation="si_add"}')
    assert 0 < value(text, 'pg_bridge_ocp_call_slots{limit="480_in_60s"}') <= 240
    assert 0.0 == value(text, 'pg_bridge_lane_waiting{operation="si_add",participant="B01234"}')
    assert 0.0 == value(text, "pg_bridge_exchanges_in_doubt")


def _journal_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("journal.sqlite*"))


async def test_each_call_is_journaled_as_it_went_over_without_its_secrets(tmp_path: Path) -> None:
    async with stack(tmp_path, extra=QUICK) as made:
        words, pss = made.words, await made.pss()
        await made.fault("si_add", "broken_json")
        words.send_deliver(pss, "WIRE1")
        await pss.message(words.template["answer"], words.holds("related", "WIRE1"), words.holds("accepted"))
        calls = [entry.body() for entry in made.entries(kind="call_ended")]
        (batch,) = (entry.body() for entry in made.entries(kind="batch_called"))
        await pss.log_off()
    adds = [call for call in calls if call["operation"] == "si_add"]
    raw = _journal_bytes(tmp_path)

    assert {batch["request_id"]} == {call["request_id"] for call in adds}
    assert {batch["payload_hash"]} == {call["asked"]["hash"] for call in adds}
    assert 200 == adds[0]["status"]
    assert "PGB-OCP-002" == adds[0]["error"]
    assert "Authorization: Bearer ***" in adds[0]["sent"].splitlines()
    assert "content-type" in adds[0]["received"].lower()
    assert any('"code"' in call["answered"]["text"] for call in calls)
    assert any("WIRE1" in call["asked"].get("text", "") for call in calls if call["operation"] == "si_query")
    assert not re.search(rb"eyJ[\w-]{10,}\.", raw)
