"""The bridge is killed at each step between receipt and answer.

Exactly one SI at OCP; at the PSS at least one answer, and at most one without the mark.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import Received
from tests.doubles.killable_bridge import STEPS
from tests.doubles.stack import Stack, deliver, receive


@pytest.mark.parametrize("step", STEPS)
async def test_one_instruction_and_its_answer(step: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    reference = "KILL00001"
    copies: list[Received] = []
    try:
        await stack.start_ocp()
        await stack.start_killable_bridge(step)
        pss = await stack.pss()
        pss.send("543", "SI01", deliver(reference))
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        copies += pss.received
        assert await stack.bridge.wait() == -9

        await stack.start_bridge()
        pss = await stack.pss()
        if step in ("on_receipt", "before_received_is_durable"):
            # Nothing of it is known: the PSS asks again, as it must after a break.
            pss.send("543", "SI01", deliver(reference), possible_duplicate=True)
        await pss.message("SI51", f":20C::RELA//{reference}", ":25D::IPRC//PACK")
        # Asked once more it gives the stored answer, marked, and enters nothing.
        count = len(pss.received)
        pss.send("543", "SI01", deliver(reference), possible_duplicate=True)
        await pss.message("SI51", f":20C::RELA//{reference}", after=count)
        await pss.log_off()
        copies += [got for got in pss.received if got.frame.template == "SI51"]
        entered = await stack.entered(reference)
    finally:
        await stack.stop()

    assert 1 == len(entered)
    assert 1 <= len(copies)
    assert 1 >= sum(not got.frame.possible_duplicate for got in copies)
    assert 1 == len({got.text for got in copies})
    assert () == verify(stack.journal).findings


async def test_updates_after_a_kill_come_once_or_marked(tmp_path: Path) -> None:
    """Updates that waited for a PSS that was off, over a kill: each comes, in order, the answers before them."""
    stack = Stack(tmp_path)
    try:
        await stack.start_ocp()
        await stack.start_bridge()
        seller = await stack.pss("B01234")
        seller.send("543", "SI01", deliver("UPD00001"))
        await seller.message("SI51", ":20C::RELA//UPD00001")
        seller.abort()
        buyer = await stack.pss("C00019")
        buyer.send("541", "SI01", receive("UPD00002"))
        await buyer.message("SI60", ":25D::MTCH//MACH")
        assert await stack.eventually(lambda: stack.entries(kind="delivery_queued", participant="B01234"))
        stack.bridge.kill()
        await stack.bridge.wait()

        await stack.start_bridge()
        seller = await stack.pss("B01234")
        matched = await seller.message("SI60", ":20C::RELA//UPD00001", ":25D::MTCH//MACH")
        await seller.log_off()
    finally:
        await stack.stop()

    assert matched.frame.possible_duplicate
    assert 1 == sum(got.frame.template == "SI60" for got in seller.received)
    assert () == verify(stack.journal).findings
