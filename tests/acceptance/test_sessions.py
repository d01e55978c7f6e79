"""Sessions as a PSS sees them: the order of answers, two nodes, breaks, and what comes again after them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from pg_bridge.link import events as link
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.stack import Stack, up

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A bridge with a second node, whose answers leave as they come."""
    made = Stack(tmp_path_factory.mktemp("nodes"))
    made.pss_settings = 'secondary = "127.0.0.1:0"\nanswer_order = "any"\n'
    async with up(made):
        yield made


async def closed(pss: ScriptedPss) -> None:
    await pss.wait_for(lambda event: isinstance(event, link.Closed))


async def slow_then_quick(made: Stack, name: str) -> list[str]:
    """The answers to an instruction that OCP takes its time for, and to an enquiry right behind it."""
    pss = await made.pss()
    made.words.send_deliver(pss, f"{name}0")
    await pss.message("SI51", f"RELA//{name}0")
    await made.fault("si_add", "late", delay_s=1.0)
    made.words.send_deliver(pss, f"{name}1")
    made.words.send_enquiry(pss, f"{name}2", related=f"{name}0")
    await pss.message("SI51", f"RELA//{name}1")
    await pss.message("T03A")
    await pss.log_off()
    return [got.frame.template for got in pss.received if got.is_answer][1:]


async def test_answers_leave_as_they_come_where_it_is_set_so(two_nodes: Stack) -> None:
    assert ["T03A", "SI51"] == await slow_then_quick(two_nodes, "ANY")


async def test_answers_leave_in_the_order_of_requests_otherwise(shared_stack: Stack) -> None:
    assert ["SI51", "T03A"] == await slow_then_quick(shared_stack, "ORDER")


async def test_log_off_is_answered_behind_what_is_in_flight(two_nodes: Stack) -> None:
    pss = await two_nodes.pss()
    await two_nodes.fault("si_add", "late", delay_s=0.5)
    two_nodes.words.send_deliver(pss, "LAST1")
    await pss.log_off()
    kinds = [type(event) for event in pss.events]

    assert kinds.index(link.AnswerReceived) < kinds.index(link.LoggedOff)


async def test_each_node_s_session_gets_what_its_terminal_entered(two_nodes: Stack) -> None:
    first, second = await two_nodes.pss(), await two_nodes.pss(terminal="PSS2", node=1)
    other = await two_nodes.pss("C00019")
    for pss, name, stock in ((first, "NODE1", "00011"), (second, "NODE2", "00012")):
        two_nodes.words.send_deliver(pss, name, stock=stock)
        await pss.message("SI51", f"RELA//{name}\r\n", "PACK")
        two_nodes.words.send_receive(other, f"C{name}", stock=stock)
        await pss.message("SI60", f"RELA//{name}\r\n", "MTCH//MACH")
    told = [[got.text.split("RELA//")[1][:5] for got in pss.received] for pss in (first, second)]
    for pss in (first, second, other):
        await pss.log_off()

    assert 2 == len(set(two_nodes.ports))
    assert [["NODE1"] * 2, ["NODE2"] * 2] == told


async def test_terminal_that_comes_back_at_the_other_node_gets_there_what_it_had_not_acknowledged(
    two_nodes: Stack,
) -> None:
    first = await two_nodes.pss(acknowledges=False)
    other = await two_nodes.pss("C00019")
    two_nodes.words.send_deliver(first, "MOVE1", stock="00013")
    await first.message("SI51", "RELA//MOVE1\r\n")
    two_nodes.words.send_receive(other, "MOVE2", stock="00013")
    told = await first.message("SI60", "RELA//MOVE1\r\n")
    second = await two_nodes.pss(node=1)
    await closed(first)
    again = await second.message("SI60", "RELA//MOVE1\r\n")
    await second.log_off()
    await other.log_off()

    assert (False, True) == (told.frame.possible_duplicate, again.frame.possible_duplicate)
    assert told.frame.body == again.frame.body
    # its log-on's answer was number 1 of this session
    assert 2 == again.frame.sequence
    assert told.frame.session_id != again.frame.session_id


async def test_answer_that_a_break_came_before_is_there_at_the_next_log_on(two_nodes: Stack) -> None:
    pss = await two_nodes.pss()
    await two_nodes.fault("si_add", "late", delay_s=0.5)
    two_nodes.words.send_deliver(pss, "BREAK1")
    await two_nodes.eventually_entered("BREAK1")
    pss.abort()
    pss = await two_nodes.pss(acknowledges=False)
    answer = await pss.message("SI51", "RELA//BREAK1\r\n", "PACK")
    # not acknowledged: it comes again
    pss.abort()
    pss = await two_nodes.pss()
    again = await pss.message("SI51", "RELA//BREAK1\r\n")
    await pss.log_off()
    entered = await two_nodes.entered("BREAK1")

    assert answer.frame.possible_duplicate
    assert again.frame.possible_duplicate
    assert answer.frame.body == again.frame.body
    assert 1 == len(entered)
