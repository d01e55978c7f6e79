"""An outcome that is late: the PSS is told in time that it is awaited, and the outcome follows unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.test_functions import enter
from tests.doubles.stack import Stack, stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["shipped", "both_b"])
async def shared_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A stack by each of the mapping sets, that tells early that an outcome is awaited."""
    extra = "[exchange]\nanswer_within_s = 0.3\n"
    async with stack(tmp_path_factory.mktemp("late"), set_name=request.param, extra=extra) as made:
        yield made


async def test_late_outcome_is_told_as_awaited_and_follows(shared_stack: Stack) -> None:
    pss, words = await shared_stack.pss(), shared_stack.words
    answer, told = words.template["answer"], words.template["told"]
    await shared_stack.fault("si_add", "late", delay_s=1.5)
    words.send_deliver(pss, "LATE1", stock="00041")
    first = await pss.message(answer, words.holds("related", "LATE1"))
    words.send_deliver(pss, "LATE2", stock="00042")
    await pss.message(told, words.holds("related", "LATE1"), timeout_s=10)
    await pss.message(answer, words.holds("related", "LATE2"), timeout_s=10)
    await pss.log_off()
    entered = await shared_stack.entered("LATE1")
    answers = [got for got in pss.received if got.frame.template == answer]

    assert "THE OUTCOME AT OCP IS NOT KNOWN" in first.text
    assert ":70D::REAS//" in first.text
    assert 1 == len(entered)
    assert 1 == sum(words.holds("related", "LATE1") in got.text for got in answers)


async def test_late_outcome_of_a_deletion_is_told_by_the_code_of_its_answer(shared_stack: Stack) -> None:
    pss, words = await shared_stack.pss(), shared_stack.words
    number = await enter(shared_stack, pss, "LATE3", "00043")
    await shared_stack.fault("si_delete", "late", delay_s=1.0)
    words.send_about(pss, "deletion", "LATE4", number)
    first = await pss.message(words.answer_to("deletion"), words.holds("related", "LATE4"))
    done = await pss.message(words.template["told"], words.holds("cancelled"), number, timeout_s=10)
    await shared_stack.fault("si_delete", "late", delay_s=1.0)
    words.send_about(pss, "deletion", "LATE5", number)
    await pss.message(words.answer_to("deletion"), words.holds("related", "LATE5"))
    refused = await pss.message(words.template["told"], words.holds("cancel_denied"), number, timeout_s=10)
    await pss.log_off()

    assert words.holds("cancel_waits") in first.text
    assert words.holds("gone") in done.text
    assert words.holds("related", "LATE5") in refused.text
    assert 1 == len(await shared_stack.entered("LATE4"))
    assert [] == await shared_stack.entered("LATE5")
