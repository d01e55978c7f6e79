"""The bridge is killed at a step of a deletion or a hold: it is done once at OCP, and answered at least once.

At most one copy goes without the mark. By the shipped mappings, and by those of another OCP and another PG.
"""

from __future__ import annotations

import pytest

from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.acceptance.test_functions import enter, pair
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: each step with one of both: the bridge goes the same way for either
KILLS = (
    ("when_received_is_durable", "deletion"),
    ("before_the_call", "hold"),
    ("after_the_call", "deletion"),
    ("after_the_call", "hold"),
    ("before_answered_is_durable", "deletion"),
    ("before_the_reply", "hold"),
)


CONFIGURED = ""


def send(made: Stack, pss: ScriptedPss, what: str, reference: str, number: str) -> None:
    if what == "hold":
        made.words.send_blocks(pss, what, reference, number)
    else:
        made.words.send_about(pss, what, reference, number)


@pytest.mark.parametrize(("step", "what"), KILLS)
async def test_one_request_about_an_si_and_its_answer(step: str, what: str, each_stack: Stack) -> None:
    made, words = each_stack, each_stack.words
    count = KILLS.index((step, what))
    stock, reference = f"007{count:02d}", f"KILL{count:02d}"
    answer = words.answer_to(what)
    pss = await made.pss()
    if what == "hold":
        buyer = await made.pss("C00019")
        number, _ = await pair(made, pss, buyer, f"K{count}", stock)
        await buyer.log_off()
    else:
        number = await enter(made, pss, f"K{count}", stock)
    await pss.log_off()
    await made.stop_bridge()

    await made.start_killable_bridge(step)
    pss = await made.pss()
    send(made, pss, what, reference, number)
    await pss.wait_for(lambda event: isinstance(event, link.Closed))
    copies = list(pss.received)
    assert await made.bridge.wait() == -9

    await made.start_bridge()
    pss = await made.pss()
    await pss.message(answer, words.holds("related", reference), words.holds("done" if what == "hold" else "cancelled"))
    await pss.log_off()
    copies = [got for got in (*copies, *pss.received) if words.holds("related", reference) in got.text]
    copies = [got for got in copies if got.frame.template == answer]

    assert 1 == len(await made.entered(reference))
    assert 1 <= len(copies)
    assert 1 >= sum(not got.frame.possible_duplicate for got in copies)
    assert 1 == len({got.text for got in copies})
    assert () == verify(made.journal).findings
