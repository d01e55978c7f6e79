"""An outcome that is late: the PSS is told in time that it is awaited, and the outcome follows unasked."""

from __future__ import annotations

import pytest

from tests.acceptance.test_functions import enter
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


#: it is told early that an outcome is awaited
CONFIGURED = "[exchange]\nanswer_within_s = 0.3\n"


async def test_late_outcome_is_told_as_awaited_and_follows(each_stack: Stack) -> None:
    pss, words = await each_stack.pss(), each_stack.words
    answer, told = words.template["answer"], words.template["told"]
    await each_stack.fault("si_add", "late", delay_s=1.5)
    words.send_deliver(pss, "LATE1", stock="00041")
    first = await pss.message(answer, words.holds("related", "LATE1"))
    words.send_deliver(pss, "LATE2", stock="00042")
    await pss.message(told, words.holds("related", "LATE1"), timeout_s=10)
    await pss.message(answer, words.holds("related", "LATE2"), timeout_s=10)
    await pss.log_off()
    entered = await each_stack.entered("LATE1")
    answers = [got for got in pss.received if got.frame.template == answer]

    assert "THE OUTCOME AT OCP IS NOT KNOWN" in first.text
    assert ":70D::REAS//" in first.text
    assert 1 == len(entered)
    assert 1 == sum(words.holds("related", "LATE1") in got.text for got in answers)


async def test_late_outcome_of_a_deletion_is_told_by_the_code_of_its_answer(each_stack: Stack) -> None:
    pss, words = await each_stack.pss(), each_stack.words
    number = await enter(each_stack, pss, "LATE3", "00043")
    await each_stack.fault("si_delete", "late", delay_s=1.0)
    words.send_about(pss, "deletion", "LATE4", number)
    first = await pss.message(words.answer_to("deletion"), words.holds("related", "LATE4"))
    done = await pss.message(words.template["told"], words.holds("cancelled"), number, timeout_s=10)
    await each_stack.fault("si_delete", "late", delay_s=1.0)
    words.send_about(pss, "deletion", "LATE5", number)
    await pss.message(words.answer_to("deletion"), words.holds("related", "LATE5"))
    refused = await pss.message(words.template["told"], words.holds("cancel_denied"), number, timeout_s=10)
    await pss.log_off()

    assert words.holds("cancel_waits") in first.text
    assert words.holds("gone") in done.text
    assert words.holds("related", "LATE5") in refused.text
    assert 1 == len(await each_stack.entered("LATE4"))
    assert [] == await each_stack.entered("LATE5")
