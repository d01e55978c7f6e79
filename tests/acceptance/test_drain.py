"""SIGTERM: no new connections, what is in flight is answered in time, or else at the next start; nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pg_bridge.cli.world import utc_now
from pg_bridge.errors import SessionError
from pg_bridge.exchange.records import read_entry
from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import LINK, Stack


def stack_with(folder: Path, drain_s: float) -> Stack:
    made = Stack(folder)
    made.pss_settings = f"drain_s = {drain_s}\n"
    return made


async def closed(pss: ScriptedPss) -> None:
    await pss.wait_for(lambda event: isinstance(event, link.Closed), 15)


async def test_in_flight_is_answered_before_the_end_and_nobody_is_let_in_meanwhile(tmp_path: Path) -> None:
    stack = stack_with(tmp_path, 10.0)
    try:
        await stack.start_ocp()
        await stack.start_bridge()
        pss, idle = await stack.pss(), await stack.pss("C00019")
        await stack.fault("si_add", "late", delay_s=1.5)
        stack.words.send_deliver(pss, "DRAIN1")
        assert await stack.eventually_entered("DRAIN1")
        stack.bridge.terminate()
        await closed(idle)
        late = ScriptedPss(LINK, participant="B01234", terminal="PSS9", clock=utc_now)
        with pytest.raises(SessionError, match="dialling"):
            await late.connect(stack.host, stack.port)
        answered_early = [got for got in pss.received if got.is_answer]
        stack.words.send_deliver(pss, "DRAIN2")
        await pss.message("SI51", ":20C::RELA//DRAIN1", "PACK")
        await closed(pss)
        code = await asyncio.wait_for(stack.bridge.wait(), 10)
        entered = await stack.entered("DRAIN2")
    finally:
        await stack.stop()
    refused = [event.code for event in pss.events if isinstance(event, link.RequestRefused)]

    assert 0 == code
    assert [] == answered_early
    assert ["BUSY"] == refused
    assert [] == entered
    assert {"the bridge stops"} == {read_entry(entry).reason for entry in stack.entries(kind="session_closed")}
    assert [] != stack.entries(kind="node_stopped")
    assert () == verify(stack.journal).findings


async def test_what_is_not_answered_in_time_is_answered_after_the_next_start(tmp_path: Path) -> None:
    stack = stack_with(tmp_path, 0.2)
    try:
        await stack.start_ocp()
        await stack.start_bridge()
        pss = await stack.pss()
        await stack.fault("si_add", "late", delay_s=6)
        stack.words.send_deliver(pss, "DRAIN3")
        assert await stack.eventually_entered("DRAIN3")
        stack.bridge.terminate()
        await closed(pss)
        assert 0 == await asyncio.wait_for(stack.bridge.wait(), 5)
        before = list(pss.received)

        await stack.start_bridge()
        pss = await stack.pss()
        answer = await pss.message("SI51", ":20C::RELA//DRAIN3", "PACK")
        await pss.log_off()
        entered = await stack.entered("DRAIN3")
    finally:
        await stack.stop()

    assert [] == before
    assert answer.frame.possible_duplicate
    assert 1 == len(entered)
    assert () == verify(stack.journal).findings


async def test_delivery_under_way_is_waited_for_or_left_for_the_next_start(tmp_path: Path) -> None:
    stack = stack_with(tmp_path, 0.5)
    try:
        await stack.start_ocp()
        await stack.start_bridge()
        seller = await stack.pss("B01234", acknowledges=False)
        buyer = await stack.pss("C00019")
        stack.words.send_deliver(seller, "DRAIN4")
        stack.words.send_receive(buyer, "DRAIN5")
        first = await seller.message("SI60", ":20C::RELA//DRAIN4")
        told = await buyer.message("SI60", ":20C::RELA//DRAIN5")
        stack.bridge.terminate()
        await closed(buyer)
        await closed(seller)
        assert 0 == await asyncio.wait_for(stack.bridge.wait(), 5)

        await stack.start_bridge()
        seller, buyer = await stack.pss("B01234"), await stack.pss("C00019")
        again = await seller.message("SI60", ":20C::RELA//DRAIN4")
        await seller.log_off()
        await buyer.log_off()
    finally:
        await stack.stop()

    assert not first.frame.possible_duplicate
    assert again.frame.possible_duplicate
    assert first.text == again.text
    assert told.text not in [got.text for got in buyer.received]
