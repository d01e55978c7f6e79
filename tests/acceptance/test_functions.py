"""Every function of a PSS end to end, against the pretend OCP. Shipped mappings, and both others."""

from __future__ import annotations

import re

import pytest

from pg_bridge.simulator.pss import Received, ScriptedPss
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def enter(made: Stack, pss: ScriptedPss, reference: str, stock: str, *, is_receive: bool = False) -> str:
    """Have a PSS enter an SI; gives its number."""
    send = made.words.send_receive if is_receive else made.words.send_deliver
    send(pss, reference, stock=stock)
    got = await pss.message(
        made.words.template["answer"], made.words.holds("related", reference), made.words.holds("accepted")
    )
    number = re.search(r":20C::PREV//(\S+)", got.text)
    assert number is not None
    return number[1]


async def about(
    made: Stack, pss: ScriptedPss, what: str, reference: str, named: str, holds: str, *, is_receive: bool = False
) -> Received:
    """Have a PSS change, delete or revoke an SI; the answer must hold what is named."""
    words = made.words
    words.send_about(pss, what, reference, named, is_receive=is_receive)
    return await pss.message(words.answer_to(what), words.holds("related", reference), words.holds(holds))


async def si(made: Stack, number: str) -> dict[str, object]:
    """The SI at the pretend OCP: how often it was touched, and how it stands."""
    done = (await made.control("ledger"))["done"]
    lines = [line for line in done if line["si_number"] == number]
    return {"touched": len(lines), "status": lines[-1]["status"], "operation": lines[-1]["operation"]}


async def test_unmatched_si_is_changed_and_deleted_by_reference(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    words = each_stack.words
    number = await enter(each_stack, pss, "CHG1", "00021")
    changed = await about(each_stack, pss, "change", "CHG2", "CHG1", "accepted")
    await pss.message(words.template["told"], words.holds("related", "CHG1"))
    deleted = await about(each_stack, pss, "deletion", "CHG3", "CHG1", "cancelled")
    await pss.message(words.template["told"], words.holds("related", "CHG1"), words.holds("gone"))
    await pss.log_off()

    assert number in changed.text
    assert number in deleted.text
    assert {"touched": 3, "status": "deleted", "operation": "si_delete"} == await si(each_stack, number)


async def test_what_a_request_brought_about_is_told_after_its_answer(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    words = each_stack.words
    await enter(each_stack, pss, "AFT1", "00022")
    await about(each_stack, pss, "deletion", "AFT2", "AFT1", "cancelled")
    await pss.message(words.template["told"], words.holds("related", "AFT1"), words.holds("gone"))
    await pss.log_off()
    order = [
        got.frame.template
        for got in pss.received
        if words.holds("related", "AFT2") in got.text or words.holds("gone") in got.text
    ]

    assert [words.answer_to("deletion"), words.template["told"]] == order


async def test_matched_si_cannot_be_deleted_and_is_revoked_by_both(each_stack: Stack) -> None:
    seller, buyer = await each_stack.pss(), await each_stack.pss("C00019")
    words = each_stack.words
    number = await enter(each_stack, seller, "REV1", "00023")
    other = await enter(each_stack, buyer, "REV2", "00023", is_receive=True)
    await seller.message(words.template["told"], words.holds("related", "REV1"), words.holds("matched"))
    await about(each_stack, seller, "deletion", "REV3", number, "cancel_denied")
    await about(each_stack, seller, "revocation", "REV4", "REV1", "cancel_waits")
    await about(each_stack, buyer, "revocation", "REV5", other, "cancelled", is_receive=True)
    await seller.message(words.template["told"], words.holds("related", "REV1"), words.holds("gone"))
    await buyer.message(words.template["told"], words.holds("related", "REV2"), words.holds("gone"))
    await seller.log_off()
    await buyer.log_off()

    assert {"touched": 2, "status": "matched", "operation": "si_revoke"} == await si(each_stack, number)
    assert {"touched": 2, "status": "revoked", "operation": "si_revoke"} == await si(each_stack, other)


async def test_reference_of_no_si_is_refused_and_nothing_is_done(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    answer = await about(each_stack, pss, "deletion", "NOSI1", "NOSUCHSI", "cancel_refused")
    await pss.log_off()

    assert "SI unknown" in answer.text
    assert [] == await each_stack.entered("NOSI1")


async def test_si_entered_at_another_time_is_asked_for_at_ocp(each_stack: Stack) -> None:
    """Sent in one go: the deletion names an SI whose input is still under way."""
    pss = await each_stack.pss()
    words = each_stack.words
    words.send_deliver(pss, "GO1", stock="00024")
    await about(each_stack, pss, "deletion", "GO2", "GO1", "cancelled")
    await pss.log_off()

    assert ["si_add"] == [line["operation"] for line in await each_stack.entered("GO1")]
    assert ["si_delete"] == [line["operation"] for line in await each_stack.entered("GO2")]


async def pair(made: Stack, seller: ScriptedPss, buyer: ScriptedPss, reference: str, stock: str) -> tuple[str, str]:
    """Have both sides enter an SI that matches; gives their numbers."""
    own = await enter(made, seller, f"{reference}S", stock)
    other = await enter(made, buyer, f"{reference}B", stock, is_receive=True)
    related = made.words.holds("related", f"{reference}S")
    await seller.message(made.words.template["told"], related, made.words.holds("matched"))
    return own, other


async def test_hold_and_release_are_judged_block_by_block(each_stack: Stack) -> None:
    seller, buyer = await each_stack.pss(), await each_stack.pss("C00019")
    words = each_stack.words
    first, _ = await pair(each_stack, seller, buyer, "HLA", "00031")
    second, _ = await pair(each_stack, seller, buyer, "HLB", "00032")
    words.send_blocks(seller, "hold", "HLD1", first, "NOSUCHSI", "HLBS")
    await seller.message(words.answer_to("hold"), words.holds("related", "HLD1"), second)
    answers = [got.text for got in seller.received if got.frame.template == words.answer_to("hold")]
    await seller.message(words.template["told"], words.holds("related", "HLAS"), words.holds("own_hold"))
    await seller.message(words.template["told"], words.holds("related", "HLBS"), words.holds("own_hold"))
    words.send_blocks(seller, "release", "REL1", first, second)
    await seller.message(words.answer_to("release"), words.holds("related", "REL1"), first, words.holds("done"))
    await seller.message(words.answer_to("release"), words.holds("related", "REL1"), second, words.holds("done"))
    await seller.log_off()
    await buyer.log_off()

    assert [True] * 3 == [first in answers[0], "SI unknown" in answers[1], second in answers[2]]
    assert ["done", "not_done", "done"] == ["done" if words.holds("done") in text else "not_done" for text in answers]
    assert {first, second} == {line["si_number"] for line in await each_stack.entered("HLD1")}
    assert {"touched": 3, "status": "matched", "operation": "si_hold"} == await si(each_stack, first)


async def test_pending_sis_are_authorised_block_by_block(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    words = each_stack.words
    await each_stack.control("rules", {"maker_checker": ["B01234"]})
    for reference in ("AUT1", "AUT2"):
        words.send_deliver(pss, reference, stock="00034")
        await pss.message(words.template["answer"], words.holds("related", reference))
    await each_stack.control("rules", {"maker_checker": []})
    before = len(pss.received)
    words.send_blocks(pss, "authorisation", "AUT3", "AUT1", "AUT2")
    related = words.holds("related", "AUT3")
    await each_stack.eventually(lambda: 2 == sum(related in got.text for got in pss.received[before:]))
    words.send_blocks(pss, "authorisation", "AUT4", "AUT1")
    await pss.message(words.answer_to("authorisation"), words.holds("related", "AUT4"), words.holds("not_done"))
    await pss.log_off()

    assert [True, True] == [words.holds("done") in got.text for got in pss.received[before:] if related in got.text]
    assert ["si_authorise"] * 2 == [line["operation"] for line in await each_stack.entered("AUT3")]
    assert [] == await each_stack.entered("AUT4")
