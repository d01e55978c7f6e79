"""What OCP does wrong: each fault has its answer, an entry, and never a second SI. Shipped mappings, and both others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


#: fault -> the kind of entry that tells of it
_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "denied": ({"kind": "denied"}, ""),
    "throttled": ({"kind": "throttled"}, "ocp_failed"),
    "broken": ({"kind": "broken"}, "outcome_unknown"),
    "broken after the work": ({"kind": "broken", "work": True}, "outcome_unknown"),
    "closed": ({"kind": "closed"}, "ocp_failed"),
    "timed out": ({"kind": "timed_out"}, "outcome_unknown"),
    "timed out before the work": ({"kind": "timed_out", "work": False}, "outcome_unknown"),
    "cut before": ({"kind": "cut_before"}, "outcome_unknown"),
    "cut after": ({"kind": "cut_after"}, "outcome_unknown"),
    "broken JSON": ({"kind": "broken_json"}, "outcome_unknown"),
    "wrong shape": ({"kind": "wrong_shape"}, "outcome_unknown"),
}


@pytest.mark.parametrize("kind", list(_FAULTS))
async def test_call_fault_ends_in_one_accepted_instruction(kind: str, each_stack: Stack) -> None:
    reference = f"F{list(_FAULTS).index(kind):02d}"
    words = each_stack.words
    pss = await each_stack.pss()
    fault, entry = _FAULTS[kind]
    await each_stack.fault("si_add", **fault)
    before = len(each_stack.entries(kind=entry or "none"))
    words.send_deliver(pss, reference, stock="00011")
    await pss.message(words.template["answer"], words.holds("related", reference), words.holds("accepted"))
    await pss.log_off()

    assert 1 == len(await each_stack.entered(reference))
    if entry:
        assert before < len(each_stack.entries(kind=entry))


async def test_refused_whole_is_refused_to_the_pss(each_stack: Stack) -> None:
    words, pss = each_stack.words, await each_stack.pss()
    await each_stack.fault("si_add", "refused", refusal="outside_hours")
    words.send_deliver(pss, "WHOLE1")
    due = [words.holds("related", "WHOLE1"), words.holds("refused"), words.holds("in_words")]
    await pss.message(words.template["answer"], *due)
    await pss.log_off()

    assert [] == await each_stack.entered("WHOLE1")


async def test_unknown_stock_is_refused_with_its_reason(each_stack: Stack) -> None:
    await each_stack.fault("si_add", "entries_refused", refusal="unknown_stock")
    words, pss = each_stack.words, await each_stack.pss()
    words.send_deliver(pss, "STOCK1", stock="00012")
    due = [words.holds("related", "STOCK1"), words.holds("refused"), words.holds("no_such_security")]
    await pss.message(words.template["answer"], *due)
    await pss.log_off()

    assert [] == await each_stack.entered("STOCK1")


async def test_enquiry_survives_a_fault_and_finds_nothing(each_stack: Stack) -> None:
    words, pss = each_stack.words, await each_stack.pss()
    await each_stack.fault("si_query", "broken", count=2)
    words.send_enquiry(pss, "ENQ1", related="NEVERSEEN")
    await pss.message(words.template["standing"], words.holds("related", "ENQ1"), words.holds("nothing_found"))
    await pss.log_off()


_PUSH_FAULTS = {
    "push_bad_signature": "push_refused",
    "push_old_timestamp": "",
    "push_repeat": "update_repeated",
    "push_gap": "gap_found",
    "push_reorder": "gap_found",
}


@pytest.mark.parametrize("kind", list(_PUSH_FAULTS))
async def test_push_fault_still_tells_each_side_once(kind: str, each_stack: Stack) -> None:
    number = list(_PUSH_FAULTS).index(kind)
    stock = f"001{number:02d}"
    words = each_stack.words
    answer, status, matched = words.template["answer"], words.template["told"], words.holds("matched")
    seller, buyer = await each_stack.pss("B01234"), await each_stack.pss("C00019")
    words.send_deliver(seller, f"PS{number}", stock=stock)
    await seller.message(answer, words.holds("related", f"PS{number}"))
    await each_stack.fault("push", kind, delay_s=3600)
    words.send_receive(buyer, f"PB{number}", stock=stock)
    await buyer.message(answer, words.holds("related", f"PB{number}"))
    # What follows shows a gap: an event that was withheld is then asked for.
    words.send_receive(buyer, f"PN{number}", stock="00777")
    words.send_deliver(seller, f"PM{number}", stock="00778")
    await seller.message(status, words.holds("related", f"PS{number}"), matched)
    await buyer.message(status, words.holds("related", f"PB{number}"), matched)
    await seller.log_off()
    await buyer.log_off()
    told = [got for got in seller.received if words.holds("related", f"PS{number}") in got.text and matched in got.text]

    assert 1 == len(told)
    entry = _PUSH_FAULTS[kind]
    if entry:
        assert await each_stack.eventually(lambda: each_stack.entries(kind=entry))
