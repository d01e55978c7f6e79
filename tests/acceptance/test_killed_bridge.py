"""The bridge is killed at each step between receipt and answer.

Exactly one SI at OCP; at the PSS at least one answer, and at most one without the mark. By the shipped mappings, and
by those of another OCP and another PG.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import Received
from tests.doubles.killable_bridge import STEPS
from tests.doubles.stack import Stack


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
@pytest.mark.parametrize("step", STEPS)
async def test_one_instruction_and_its_answer(step: str, set_name: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, set_name=set_name)
    words = stack.words
    answer, related = words.template["answer"], words.holds("related", "KILL00001")
    reference = "KILL00001"
    copies: list[Received] = []
    try:
        await stack.start_ocp()
        await stack.start_killable_bridge(step)
        pss = await stack.pss()
        words.send_deliver(pss, reference)
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        copies += pss.received
        assert await stack.bridge.wait() == -9

        await stack.start_bridge()
        pss = await stack.pss()
        if step in ("on_receipt", "before_received_is_durable"):
            # Nothing of it is known: the PSS asks again, as it must after a break.
            words.send_deliver(pss, reference, possible_duplicate=True)
        await pss.message(answer, related, words.holds("accepted"))
        # Asked once more it gives the stored answer, marked, and enters nothing.
        count = len(pss.received)
        words.send_deliver(pss, reference, possible_duplicate=True)
        await pss.message(answer, related, after=count)
        await pss.log_off()
        copies += [got for got in pss.received if got.frame.template == answer]
        entered = await stack.entered(reference)
    finally:
        await stack.stop()

    assert 1 == len(entered)
    assert 1 <= len(copies)
    assert 1 >= sum(not got.frame.possible_duplicate for got in copies)
    assert 1 == len({got.text for got in copies})
    assert () == verify(stack.journal).findings


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
async def test_updates_after_a_kill_come_once_or_marked(set_name: str, tmp_path: Path) -> None:
    """Updates that waited for a PSS that was off, over a kill: each comes, in order, the answers before them."""
    stack = Stack(tmp_path, set_name=set_name)
    words = stack.words
    told, has_matched = words.template["told"], words.holds("matched")
    try:
        await stack.start_ocp()
        await stack.start_bridge()
        seller = await stack.pss("B01234")
        words.send_deliver(seller, "UPD00001")
        await seller.message(words.template["answer"], words.holds("related", "UPD00001"))
        seller.abort()
        buyer = await stack.pss("C00019")
        words.send_receive(buyer, "UPD00002")
        await buyer.message(told, has_matched)
        assert await stack.eventually(lambda: stack.entries(kind="delivery_queued", participant="B01234"))
        stack.bridge.kill()
        await stack.bridge.wait()

        await stack.start_bridge()
        seller = await stack.pss("B01234")
        matched = await seller.message(told, words.holds("related", "UPD00001"), has_matched)
        await seller.log_off()
    finally:
        await stack.stop()

    assert matched.frame.possible_duplicate
    assert 1 == sum(got.frame.template == told for got in seller.received)
    assert () == verify(stack.journal).findings
