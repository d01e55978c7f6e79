"""What OCP does wrong: each fault has its answer, an entry, and never a second SI."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles.stack import Stack, deliver, enquiry, receive

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
async def test_call_fault_ends_in_one_accepted_instruction(kind: str, shared_stack: Stack) -> None:
    reference = f"F{list(_FAULTS).index(kind):02d}"
    pss = await shared_stack.pss()
    fault, entry = _FAULTS[kind]
    await shared_stack.fault("si_add", **fault)
    before = len(shared_stack.entries(kind=entry or "none"))
    pss.send("543", "SI01", deliver(reference, stock="00011"))
    await pss.message("SI51", f":20C::RELA//{reference}\r\n", ":25D::IPRC//PACK")
    await pss.log_off()

    assert 1 == len(await shared_stack.entered(reference))
    if entry:
        assert before < len(shared_stack.entries(kind=entry))


async def test_refused_whole_is_refused_to_the_pss(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    await shared_stack.fault("si_add", "refused", refusal="outside_hours")
    pss.send("543", "SI01", deliver("WHOLE1"))
    await pss.message("SI51", ":20C::RELA//WHOLE1", ":25D::IPRC//REJT", ":24B::REJT//NARR")
    await pss.log_off()

    assert [] == await shared_stack.entered("WHOLE1")


async def test_unknown_stock_is_refused_with_its_reason(shared_stack: Stack) -> None:
    await shared_stack.fault("si_add", "entries_refused", refusal="unknown_stock")
    pss = await shared_stack.pss()
    pss.send("543", "SI01", deliver("STOCK1", stock="00012"))
    await pss.message("SI51", ":20C::RELA//STOCK1", ":25D::IPRC//REJT", ":24B::REJT//DSEC")
    await pss.log_off()

    assert [] == await shared_stack.entered("STOCK1")


async def test_enquiry_survives_a_fault_and_finds_nothing(shared_stack: Stack) -> None:
    pss = await shared_stack.pss()
    await shared_stack.fault("si_query", "broken", count=2)
    pss.send("549", "SI07", enquiry("ENQ1", related="NEVERSEEN"))
    await pss.message("T03A", ":20C::RELA//ENQ1", ":25D::SPRC//REJT")
    await pss.log_off()


_PUSH_FAULTS = {
    "push_bad_signature": "push_refused",
    "push_old_timestamp": "",
    "push_repeat": "update_repeated",
    "push_gap": "gap_found",
    "push_reorder": "gap_found",
}


@pytest.mark.parametrize("kind", list(_PUSH_FAULTS))
async def test_push_fault_still_tells_each_side_once(kind: str, shared_stack: Stack) -> None:
    number = list(_PUSH_FAULTS).index(kind)
    stock = f"001{number:02d}"
    seller, buyer = await shared_stack.pss("B01234"), await shared_stack.pss("C00019")
    seller.send("543", "SI01", deliver(f"PS{number}", stock=stock))
    await seller.message("SI51", f":20C::RELA//PS{number}\r\n")
    await shared_stack.fault("push", kind, delay_s=3600)
    buyer.send("541", "SI01", receive(f"PB{number}", stock=stock))
    await buyer.message("SI51", f":20C::RELA//PB{number}\r\n")
    # What follows shows a gap: an event that was withheld is then asked for.
    buyer.send("541", "SI01", receive(f"PN{number}", stock="00777"))
    seller.send("543", "SI01", deliver(f"PM{number}", stock="00778"))
    await seller.message("SI60", f":20C::RELA//PS{number}\r\n", ":25D::MTCH//MACH")
    await buyer.message("SI60", f":20C::RELA//PB{number}\r\n", ":25D::MTCH//MACH")
    await seller.log_off()
    await buyer.log_off()
    told = [got for got in seller.received if f"RELA//PS{number}\r\n" in got.text and "MACH" in got.text]

    assert 1 == len(told)
    entry = _PUSH_FAULTS[kind]
    if entry:
        assert await shared_stack.eventually(lambda: shared_stack.entries(kind=entry))
