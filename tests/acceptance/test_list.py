"""List SIs end to end, against the pretend OCP: pages, filters, nothing, refusals, and what a break does to pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.journal.verify import verify
from pg_bridge.link import events as link
from pg_bridge.simulator.pss import Received, ScriptedPss
from tests.acceptance.test_functions import about, enter
from tests.doubles.killable_bridge import BETWEEN_PAGES
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def enter_many(made: Stack, pss: ScriptedPss, start: str, count: int, stock: str) -> None:
    """Have a PSS enter SIs of one stock, as quickly as the bridge reads."""
    words = made.words
    for number in range(count):
        words.send_deliver(pss, f"{start}{number:03d}", stock=stock)
    await pss.message(
        words.template["answer"], words.holds("related", f"{start}{count - 1:03d}"), words.holds("accepted"),
        timeout_s=30,
    )  # fmt: skip


async def listed(
    made: Stack, pss: ScriptedPss, reference: str, *asked: str, pages: int = 1, **more: str
) -> list[Received]:
    """The pages that answer a list enquiry."""
    words, before = made.words, len(pss.received)
    words.send_list(pss, reference, *asked, **more)
    related = words.holds("related", reference)

    def own(event: link.Event) -> bool:
        got = [one for one in pss.received[before:] if one.frame.template == words.listed and related in one.text]
        return len(got) >= pages

    await pss.wait_for(own)
    return [one for one in pss.received[before:] if one.frame.template == words.listed and related in one.text]


def marks(pages: list[Received]) -> list[str]:
    return [page.text.split(":28E:")[1].split("\r\n")[0] for page in pages]


def numbers(pages: list[Received]) -> list[str]:
    """The SI numbers that stand in them, in order."""
    return [number for page in pages for number in re.findall(r":20C::PREV//(I\d{8})", page.text)]


async def test_250_sis_come_in_three_pages_in_order(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    await enter_many(each_stack, pss, "MANY", 250, "00031")
    pages = await listed(each_stack, pss, "LST1", stock="00031", pages=3)
    await pss.log_off()

    assert ["00001/MORE", "00002/MORE", "00003/LAST"] == marks(pages)
    assert [100, 100, 50] == [len(numbers([page])) for page in pages]
    assert 250 == len(set(numbers(pages)))
    assert sorted(numbers(pages)) == numbers(pages)
    assert not any(page.frame.possible_duplicate for page in pages)


async def test_those_of_a_status_and_stock_stand_under_their_status(each_stack: Stack) -> None:
    seller, buyer = await each_stack.pss(), await each_stack.pss("C00019")
    words = each_stack.words
    matched = await enter(each_stack, seller, "STS1", "00032")
    await enter(each_stack, buyer, "STS2", "00032", is_receive=True)
    await seller.message(words.template["told"], words.holds("related", "STS1"), words.holds("matched"))
    waiting = await enter(each_stack, seller, "STS3", "00032")
    both = await listed(each_stack, seller, "LST2", stock="00032")
    unmatched = await listed(each_stack, seller, "LST3", "unmatched", stock="00032")
    others = await listed(each_stack, seller, "LST4", "matched", stock="00032")
    await seller.log_off()
    await buyer.log_off()

    assert [matched, waiting] == numbers(both)
    assert 1 == both[0].text.count(words.holds("is_pending")) == both[0].text.count(words.holds("is_unmatched"))
    assert [waiting] == numbers(unmatched)
    assert [matched] == numbers(others)
    assert ["00001/ONLY"] == marks(others)


async def test_those_deleted_today(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    words = each_stack.words
    gone = await enter(each_stack, pss, "DEL1", "00033")
    await enter(each_stack, pss, "DEL2", "00033")
    await about(each_stack, pss, "deletion", "DEL3", "DEL1", "cancelled")
    pages = await listed(each_stack, pss, "LST5", stock="00033", narrowed="deleted_today")
    await pss.log_off()

    assert [gone] == numbers(pages)
    assert words.holds("is_cancelled") in pages[0].text


async def test_nothing_to_list(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    pages = await listed(each_stack, pss, "LST6", stock="00034")
    await pss.log_off()

    assert ["00001/ONLY"] == marks(pages)
    assert [] == numbers(pages)
    assert each_stack.words.holds("nothing_to_list") in pages[0].text


async def test_refused_by_the_rules_and_by_ocp(each_stack: Stack) -> None:
    pss = await each_stack.pss()
    words = each_stack.words
    (by_rules,) = await listed(each_stack, pss, "LST7", day="20200102")
    await each_stack.fault("si_query", "refused")
    (by_ocp,) = await listed(each_stack, pss, "LST8", stock="00031")
    await pss.log_off()

    assert {"548"} == {got.frame.message_type for got in (by_rules, by_ocp)}
    assert words.holds("list_refused") in by_rules.text
    assert words.holds("list_refused") in by_ocp.text


@pytest.mark.parametrize("set_name", ["shipped", "both_b"])
async def test_pages_cut_off_come_again_whole_in_order_and_marked(set_name: str, tmp_path: Path) -> None:
    made = Stack(tmp_path, set_name=set_name)
    words = made.words
    try:
        await made.start_ocp()
        await made.start_bridge()
        pss = await made.pss()
        await enter_many(made, pss, "CUT", 250, "00035")
        await pss.log_off()
        made.bridge.terminate()
        await made.bridge.wait()

        await made.start_killable_bridge(BETWEEN_PAGES)
        pss = await made.pss()
        words.send_list(pss, "LSTCUT", stock="00035")
        await pss.wait_for(lambda event: isinstance(event, link.Closed))
        before = [got for got in pss.received if got.frame.template == words.listed]
        assert await made.bridge.wait() == -9

        await made.start_bridge()
        pss = await made.pss()
        await pss.message(words.listed, words.holds("related", "LSTCUT"), "/LAST")
        again = [got for got in pss.received if got.frame.template == words.listed]
        await pss.log_off()
        assert await made.eventually(lambda: len(made.entries(kind="delivery_acknowledged")) >= 3)
        later = await made.pss()
        await later.log_off()
    finally:
        await made.stop()

    shown = CliRunner().invoke(app, ["audit", "show", "LSTCUT", "-j", str(made.journal)]).output

    assert all(f"reply {number}: MT537 {words.listed}" in shown for number in (2, 3))
    assert [False] * len(before) == [got.frame.possible_duplicate for got in before]
    assert ["00001/MORE", "00002/MORE", "00003/LAST"] == marks(again)
    assert [True] * 3 == [got.frame.possible_duplicate for got in again]
    assert [got.text for got in before] == [got.text for got in again][: len(before)]
    assert 250 == len(set(numbers(again)))
    assert not [got for got in later.received if got.frame.template == words.listed]
    assert () == verify(made.journal).findings
