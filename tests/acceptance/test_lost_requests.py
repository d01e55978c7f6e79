"""Requests about an SI that are lost on the way to OCP: each is done once, and credited with its own work only.

Shipped mappings, and both others.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pg_bridge.simulator.pss import ScriptedPss
from tests.acceptance.test_functions import enter, pair
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: lost after the work, and before it
FAULTS: dict[str, dict[str, Any]] = {
    "504 after the work": {"kind": "timed_out"},
    "504 before the work": {"kind": "timed_out", "work": False},
    "500 after the work": {"kind": "broken", "work": True},
    "cut after the work": {"kind": "cut_after"},
    "cut before the work": {"kind": "cut_before"},
}
#: what is asked -> operation, text of the answer when it is done, text when the SI stands so already
ASKED = {
    "change": ("si_change", "accepted", "accepted"),
    "deletion": ("si_delete", "cancelled", "cancel_denied"),
    "revocation": ("si_revoke", "cancel_waits", "cancel_refused"),
    "authorisation": ("si_authorise", "done", "not_done"),
    "hold": ("si_hold", "done", "not_done"),
}
_numbers = itertools.count(1)


CONFIGURED = "[exchange]\nretry_first_s = 0.1\nretry_most_s = 0.2\n"


async def ready_for(made: Stack, pss: ScriptedPss, what: str) -> str:
    """Have an SI in the state that the request needs; gives its number."""
    count = next(_numbers)
    reference, stock = f"LOST{count}", f"01{count:03d}"
    if what in ("hold", "revocation"):
        buyer = await made.pss("C00019")
        number, _ = await pair(made, pss, buyer, reference, stock)
        await buyer.log_off()
        return number
    if what != "authorisation":
        return await enter(made, pss, reference, stock)
    await made.control("rules", {"maker_checker": ["B01234"]})
    made.words.send_deliver(pss, reference, stock=stock)
    got = await pss.message(made.words.template["answer"], made.words.holds("related", reference))
    await made.control("rules", {"maker_checker": []})
    return got.text.split(":20C::PREV//")[1].split("\r\n")[0]


async def ask(made: Stack, pss: ScriptedPss, what: str, number: str, holds: str) -> str:
    """Ask, and wait for an answer that holds this; gives the request's reference."""
    words, reference = made.words, f"ASK{next(_numbers)}"
    if what in ("hold", "authorisation"):
        words.send_blocks(pss, what, reference, number)
    else:
        words.send_about(pss, what, reference, number)
    await pss.message(words.answer_to(what), words.holds("related", reference), words.holds(holds))
    return reference


@pytest.mark.parametrize("what", list(ASKED))
@pytest.mark.parametrize("fault", list(FAULTS))
async def test_lost_request_is_done_once(fault: str, what: str, each_stack: Stack) -> None:
    pss = await each_stack.pss()
    operation, done, _ = ASKED[what]
    number = await ready_for(each_stack, pss, what)
    before = len(each_stack.entries(kind="outcome_unknown"))
    await each_stack.fault(operation, **FAULTS[fault])
    reference = await ask(each_stack, pss, what, number, done)
    await pss.log_off()

    assert [operation] == [line["operation"] for line in await each_stack.entered(reference)]
    assert before < len(each_stack.entries(kind="outcome_unknown"))


@pytest.mark.parametrize("what", list(ASKED))
async def test_lost_request_is_not_credited_with_anothers_like_act(what: str, each_stack: Stack) -> None:
    """The SI stands as asked for already, by another request; what is lost before its work gets OCP's own answer."""
    pss = await each_stack.pss()
    operation, done, already = ASKED[what]
    number = await ready_for(each_stack, pss, what)
    first = await ask(each_stack, pss, what, number, done)
    await each_stack.fault(operation, "cut_before")
    second = await ask(each_stack, pss, what, number, already)
    await pss.log_off()

    assert 1 == len(await each_stack.entered(first))
    assert (1 if what == "change" else 0) == len(await each_stack.entered(second))
