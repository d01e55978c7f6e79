"""Reports on their way: journaled once, handed as fast as the session takes them, the same bytes again after a break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pg_bridge.cli.send_reports import report_part
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.link.parts import Assembly
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.fake_reports import FakeReports
from tests.doubles.loop import dispatching

FORM = book().legacy.parts
assert FORM is not None
REPORT = bytes(range(256)) * 4_000  # three parts


class Line:
    """Sessions, each with so much room; what they were given."""

    def __init__(self) -> None:
        self.room: dict[str, int] = {"S1": 100}
        self.given: list[tuple[str, str, bool]] = []
        self.changed = asyncio.Event()
        self.dispatcher: Dispatcher | None = None

    def seats(self, participant: str) -> Sequence[Seat]:
        return [Seat(session, "PSS1", 16) for session in self.room]

    def has_room(self, session: str, *, is_delivery: bool) -> bool:
        return self.room.get(session, 1) > 0

    def _give(self, session: str, body: str, *, is_copy: bool) -> bool:
        if session not in self.room:
            return False
        self.room[session] -= 1
        self.given.append((session, body, is_copy))
        self.changed.set()
        return True

    def answer(self, answer: a.Answer) -> bool:
        return self._give(answer.session, answer.reply.body, is_copy=answer.possible_duplicate)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        return self._give(session, delivery.reply.body, is_copy=delivery.is_copy)

    def refuse(self, refusal: a.Refuse) -> None:
        raise AssertionError(refusal)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.given) < count:
                self.changed.clear()
                await self.changed.wait()


class Loop:
    def __init__(self, journal: MemoryJournal, reports: FakeReports) -> None:
        core = Core()
        self.line = Line()
        self.dispatcher = Dispatcher(
            terms=core.terms,
            journal=journal,
            ocp=FakeOcp(book().ocp, lambda: core.now),
            slots=Slots(),
            reports=reports,
            clock=lambda: core.now,
        )

    def ask(self, reference: str = "DOWN1", session: str = "S1", sequence: int = 2) -> None:
        body = f":20:{reference}\r\n:12:011\r\n:77E:REPT/CCLID01\r\nDATE/20261123\r\n".encode()
        self.dispatcher.offer(e.RequestArrived(session, "B01234", "PSS1", sequence, "FL02", "598", "", body))


class Slots:
    def try_slot(self, priority: int = 1) -> bool:
        return True

    async def slot(self, priority: int = 1) -> None:
        return None


@asynccontextmanager
async def looping(journal: MemoryJournal, reports: FakeReports, room: dict[str, int]) -> AsyncIterator[Loop]:
    made = Loop(journal, reports)
    made.line.room = room
    replayed = await made.dispatcher.replay()
    made.dispatcher.begin(made.line, version="test", replayed=replayed)
    async with dispatching(made.dispatcher):
        yield made


@pytest.fixture
def reports() -> FakeReports:
    made = FakeReports()
    made.put("B01234", "20261123", "CCLID01", REPORT)
    return made


def whole(bodies: Sequence[str]) -> Any:
    assembly = Assembly(FORM)
    for body in bodies:
        part = report_part(FORM, body.encode("ascii"))
        assert part is not None
        step = assembly.take(part)
    return step.content


def kinds(journal: MemoryJournal) -> list[str]:
    return [entry.kind.value for entry in journal.entries]


async def test_pieces_are_durable_before_the_answer_is_decided_and_stand_once(reports: FakeReports) -> None:
    journal = MemoryJournal()
    async with looping(journal, reports, {"S1": 100}) as loop:
        loop.ask("DOWN1")
        await loop.line.until(3)
        loop.ask("DOWN2", sequence=3)
        await loop.line.until(6)
    told = kinds(journal)

    assert (
        REPORT
        == whole([body for _, body, _ in loop.line.given[:3]])
        == whole([body for _, body, _ in loop.line.given[3:]])
    )
    assert ["report_piece"] * 3 == told[told.index("report_piece") : told.index("report_read")]
    assert 3 == told.count("report_piece")
    assert 2 == told.count("report_read") == told.count("exchange_answered")
    assert 2 == len(reports.opened) == len(reports.closed)


async def test_session_without_room_is_waited_for(reports: FakeReports) -> None:
    async with looping(MemoryJournal(), reports, {"S1": 1}) as loop:
        loop.ask()
        await loop.line.until(1)
        for _ in range(50):
            await asyncio.sleep(0)
        given_then = len(loop.line.given)
        loop.line.room["S1"] = 5
        await loop.line.until(3)

    assert 1 == given_then
    assert REPORT == whole([body for _, body, _ in loop.line.given])


async def test_session_that_ends_midway_gets_it_whole_again_by_another_marked(reports: FakeReports) -> None:
    async with looping(MemoryJournal(), reports, {"S1": 1}) as loop:
        loop.ask()
        await loop.line.until(1)
        reports.contents.clear()
        del loop.line.room["S1"]
        loop.dispatcher.session_closed(r.SessionClosed(participant="B01234", session="S1", reason="cut"))
        loop.line.room["S2"] = 10
        loop.dispatcher.session_opened(
            r.SessionOpened(participant="B01234", session="S2", terminal="PSS1", address="127.0.0.1")
        )
        await loop.line.until(4)

    again = [given for given in loop.line.given if given[0] == "S2"]
    assert REPORT == whole([body for _, body, _ in again])
    assert {True} == {is_copy for _, _, is_copy in again}


async def test_next_process_brings_the_same_bytes_from_the_journal(reports: FakeReports) -> None:
    journal = MemoryJournal()
    async with looping(journal, reports, {"S1": 1}) as loop:
        loop.ask()
        await loop.line.until(1)
    reports.contents.clear()
    async with looping(journal, reports, {"S9": 10}) as then:
        await then.line.until(3)

    assert REPORT == whole([body for _, body, _ in then.line.given])
    assert {True} == {is_copy for _, _, is_copy in then.line.given}
    assert 3 == kinds(journal).count("report_piece")


async def test_report_that_changes_while_it_is_read_is_refused(reports: FakeReports) -> None:
    reports.is_written = True
    async with looping(MemoryJournal(), reports, {"S1": 100}) as loop:
        loop.ask()
        await loop.line.until(1)

    assert "TEXT/the report is being written. ask for it again later" in loop.line.given[0][1]


async def test_pieces_of_answers_that_left_are_let_go_of(reports: FakeReports) -> None:
    journal = MemoryJournal()
    async with looping(journal, reports, {"S1": 100}) as loop:
        loop.ask()
        await loop.line.until(3)
        (exchange,) = loop.dispatcher.state.exchanges
        loop.dispatcher.answers_left("S1", [exchange])
        del loop.dispatcher.state.exchanges[exchange]
        loop.dispatcher.forget()
        loop.ask("DOWN2", sequence=3)
        await loop.line.until(6)

    assert 6 == kinds(journal).count("report_piece")
