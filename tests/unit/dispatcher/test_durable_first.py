"""Nothing is delivered that the journal does not hold, whoever asks for deliveries in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.entries import Entry, Position
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.journal.memory import MemoryJournal
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.loop import FreeSlots


class HeldJournal(MemoryJournal):
    """While it is held, each append waits to be let through."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.began = asyncio.Event()
        self._passes = asyncio.Semaphore(0)

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        self.began.set()
        if self.is_held:
            await self._passes.acquire()
        return await super().append(entries)

    async def next_append(self) -> None:
        """Let the append that waits through; the next one has come when this returns."""
        self.began.clear()
        self._passes.release()
        await self.began.wait()

    def open(self) -> None:
        """Hold nothing any more."""
        self.is_held = False
        self._passes.release()

    def holds(self, delivery: str) -> bool:
        """Whether an entry queues this delivery."""
        return any(entry.references.get("delivery") == delivery for entry in self.entries)


class Desk:
    """One session that is on. Notes in order what left, and what left before its entry was durable."""

    def __init__(self, journal: HeldJournal) -> None:
        self._journal = journal
        self.dispatcher: Dispatcher | None = None
        self.left: list[str] = []
        self.too_early: list[str] = []
        #: answers wait in the session, as behind an earlier request's
        self.keeps_answers = False
        self.is_gone = False
        self.window = 16

    def seats(self, participant: str) -> Sequence[Seat]:
        return [Seat("S1", "PSS1", self.window)]

    def answer(self, answer: a.Answer) -> bool:
        if self.is_gone:
            return False
        if not self.keeps_answers:
            self.write(answer)
        return True

    def write(self, answer: a.Answer) -> None:
        assert self.dispatcher is not None
        assert answer.token is not None
        self.left.append(answer.token)
        if not any(e_.exchange == answer.token and "reply" in str(e_.payload) for e_ in self._journal.entries):
            self.too_early.append(answer.token)
        self.dispatcher.answer_written(answer.token)

    def refuse(self, refusal: a.Refuse) -> None:
        raise AssertionError(refusal)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        self.left.append(delivery.id)
        answer = any(e_.exchange == delivery.id and "reply" in str(e_.payload) for e_ in self._journal.entries)
        if not self._journal.holds(delivery.id) and not answer:
            self.too_early.append(delivery.id)
        return True


class Loop:
    """A dispatcher over a journal that can be held back."""

    def __init__(self) -> None:
        self.core = Core(retry_first_s=0.001)
        self.journal = HeldJournal()
        self.sessions = Desk(self.journal)
        ocp = FakeOcp(book().ocp, lambda: self.core.now)
        self.dispatcher = Dispatcher(
            terms=self.core.terms, journal=self.journal, ocp=ocp, slots=FreeSlots(), clock=lambda: self.core.now
        )
        self.sessions.dispatcher = self.dispatcher

    def request(self, reference: str, sequence: int = 2) -> None:
        body = self.core.words.deliver(reference)
        self.dispatcher.offer(
            e.RequestArrived("S1", "B01234", "PSS1", sequence, "SI01", "543", body.decode("ascii"), body)
        )

    def update(self, sequence: int) -> None:
        """An SI of nobody's matched."""
        nobodys = {"participantReference": None, "requestReference": None}
        self.dispatcher.offer(
            e.UpdatesArrived([self.core.event("I00000077", sequence, "MATCHED", "MATCHED", **nobodys)])
        )

    async def hold_back(self) -> None:
        """Hold the journal, and let an append come to it."""
        self.journal.is_held = True
        self.journal.began.clear()
        self.dispatcher.note(r.SessionRefused(participant="", terminal="", address="", text="held"))
        await self.journal.began.wait()

    async def settle(self, has_come: Callable[[], object] = lambda: True) -> None:
        """Hold nothing, and wait until all is durable and has acted."""
        self.journal.open()
        async with asyncio.timeout(5):
            while True:
                await self.dispatcher.durable()
                await asyncio.sleep(0)
                if has_come():
                    return


@pytest.fixture
async def loop() -> AsyncIterator[Loop]:
    async with looping() as made:
        yield made


@asynccontextmanager
async def looping() -> AsyncIterator[Loop]:
    made = Loop()
    made.dispatcher.begin(made.sessions, version="test", replayed=0)
    task = asyncio.get_running_loop().create_task(made.dispatcher.run())
    try:
        yield made
    finally:
        made.journal.open()
        await made.dispatcher.close("test")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_acknowledgement_lets_no_delivery_out_that_is_not_durable(loop: Loop) -> None:
    loop.update(1)
    await loop.settle(lambda: loop.sessions.left)
    await loop.hold_back()
    loop.update(2)
    loop.dispatcher.delivery_acknowledged("D1", "B01234")
    before = list(loop.sessions.left)
    await loop.settle(lambda: len(loop.sessions.left) > 1)

    assert ["D1"] == before
    assert ["D1", "D2"] == loop.sessions.left
    assert [] == loop.sessions.too_early


async def test_pump_of_an_earlier_commit_lets_out_only_what_that_one_made_durable(loop: Loop) -> None:
    await loop.hold_back()
    loop.update(1)
    await loop.journal.next_append()  # the first update's
    loop.update(2)
    await loop.journal.next_append()  # the second update's
    before = list(loop.sessions.left)
    await loop.settle(lambda: len(loop.sessions.left) == 2)

    assert ["D1"] == before
    assert ["D1", "D2"] == loop.sessions.left
    assert [] == loop.sessions.too_early


async def test_session_that_ends_lets_out_no_answer_that_is_not_durable(loop: Loop) -> None:
    loop.request("R1")
    await loop.settle(lambda: loop.sessions.left)
    loop.update(1)
    await loop.settle(lambda: len(loop.sessions.left) == 2)
    loop.sessions.keeps_answers = True
    await loop.hold_back()
    bad = loop.core.words.deliver("BAD", quantity="0,")
    loop.dispatcher.offer(e.RequestArrived("S1", "B01234", "PSS1", 3, "SI01", "543", bad.decode("ascii"), bad))
    loop.dispatcher.session_closed(r.SessionClosed(participant="B01234", session="S1", reason="cut"))
    loop.dispatcher.delivery_acknowledged("D1", "B01234")
    before = list(loop.sessions.left)
    loop.sessions.is_gone = True
    await loop.settle(lambda: "X2" in loop.sessions.left)

    assert ["X1", "D1"] == before
    assert [] == loop.sessions.too_early


async def test_answer_whose_session_is_gone_goes_out_marked(loop: Loop) -> None:
    loop.sessions.is_gone = True
    loop.request("R1")
    await loop.settle(lambda: loop.sessions.left)

    assert ["X1"] == loop.sessions.left
    assert [] == loop.sessions.too_early


async def test_update_never_overtakes_the_answer_to_its_own_input(loop: Loop) -> None:
    """The answer waits in the session behind an earlier request's; others' deliveries go meanwhile."""
    loop.sessions.keeps_answers = True
    loop.request("R1")
    await loop.settle(lambda: loop.dispatcher.state.exchanges["X1"].is_told)
    loop.update(1)
    loop.dispatcher.offer(
        e.UpdatesArrived([loop.core.event("I00000001", 2, "MATCHED", "MATCHED", participantReference="R1")])
    )
    await loop.settle(lambda: loop.sessions.left)
    loop.dispatcher.delivery_acknowledged("D1", "B01234")
    await loop.settle()
    before = list(loop.sessions.left)
    loop.dispatcher.answer_written("X1")
    await loop.settle()

    assert ["D1"] == before
    assert ["D1", "D2"] == loop.sessions.left
    assert [] == loop.sessions.too_early


async def test_answers_written_in_one_commit_let_out_their_own_updates_only(loop: Loop) -> None:
    """Answers and updates of two SIs become durable together: each answer still goes before its update."""
    loop.request("R1", 2)
    loop.request("R2", 3)
    await loop.hold_back()
    for sequence, number in ((1, "I00000077"), (2, "I00000001"), (3, "I00000002")):
        reference = {"I00000001": "R1", "I00000002": "R2"}.get(number)
        event = loop.core.event(
            number, sequence, "MATCHED", "MATCHED", participantReference=reference, requestReference=reference
        )
        loop.dispatcher.offer(e.UpdatesArrived([event]))
    await loop.settle(lambda: len(loop.sessions.left) == 5)
    order = loop.sessions.left

    assert order.index("X1") < order.index("D2")
    assert order.index("X2") < order.index("D3")
    assert [] == loop.sessions.too_early
