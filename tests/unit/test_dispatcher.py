"""The loop: nothing leaves before it is durable, and nothing at all when durability is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from pg_bridge.dispatcher import Dispatcher
from pg_bridge.errors import JournalError, OcpOutcomeUnknown, OcpUnavailable
from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Entry
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.record import Reply
from pg_bridge.exchange.state import Delivery
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.profiles.concepts import Operation
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.stack import deliver


class FreeSlots:
    """Every call may go at once."""

    def try_slot(self, priority: int = 1) -> bool:
        return True

    async def slot(self, priority: int = 1) -> None:
        return None


class Answers:
    """One session that is on; keeps what it was told, with what the journal held then."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.told: list[tuple[e.Answer, int]] = []
        self.refused: list[e.Refuse] = []
        self.passed: list[e.NoAnswer] = []
        self.delivered: list[Delivery] = []
        self.came = asyncio.Event()
        self.dispatcher: Dispatcher | None = None

    def seats(self, participant: str) -> Sequence[Seat]:
        return [Seat("S1", "PSS1", 16)]

    def answer(self, answer: e.Answer) -> bool:
        self.told.append((answer, len(self._journal.entries)))
        self.came.set()
        if self.dispatcher is not None and answer.token is not None:
            self.dispatcher.answer_written(answer.token)
        return True

    def pass_over(self, passed: e.NoAnswer) -> None:
        self.passed.append(passed)

    def refuse(self, refusal: e.Refuse) -> None:
        self.refused.append(refusal)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        self.delivered.append(delivery)
        return True


class WatchedOcp(FakeOcp):
    """Notes what the journal held when it was called."""

    journal: MemoryJournal
    held: list[list[Entry]]

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[e.Json]:
        self.held.append(list(self.journal.entries))
        return await super().write(operation, participant, request_id, body)


class Loop:
    """A dispatcher with fakes at its ports."""

    def __init__(self) -> None:
        core = Core(retry_first_s=0.001)
        self.journal = MemoryJournal()
        self.ocp = WatchedOcp(book().ocp, lambda: core.now)
        self.ocp.journal, self.ocp.held = self.journal, []
        self.sessions = Answers(self.journal)
        self.dispatcher = Dispatcher(
            terms=core.terms, journal=self.journal, ocp=self.ocp, slots=FreeSlots(), clock=lambda: core.now
        )
        self.sessions.dispatcher = self.dispatcher

    def request(self, reference: str, sequence: int = 2) -> None:
        body = deliver(reference)
        self.dispatcher.offer(
            e.RequestArrived("S1", "B01234", "PSS1", sequence, "SI01", "543", body.decode("ascii"), body)
        )

    async def answered(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sessions.told) < count:
                self.sessions.came.clear()
                await self.sessions.came.wait()


@asynccontextmanager
async def looping() -> AsyncIterator[Loop]:
    made = Loop()
    made.dispatcher.begin(made.sessions, version="test", replayed=0)
    task = asyncio.get_running_loop().create_task(made.dispatcher.run())
    try:
        yield made
    finally:
        await made.dispatcher.close("test")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_called_or_answered_before_it_is_durable() -> None:
    async with looping() as loop:
        loop.request("R1")
        await loop.answered(1)
        held = [entry.kind.value for entry in loop.ocp.held[0]]
        (answer, entries_then) = loop.sessions.told[0]

    assert ["instruction_received", "batch_called"] == held[-2:]
    assert "exchange_answered" == loop.journal.entries[entries_then - 1].kind.value
    assert "SI51" == answer.reply.template


async def test_what_comes_together_goes_in_one_call() -> None:
    async with looping() as loop:
        for number in range(10):
            loop.request(f"R{number}", number + 2)
        await loop.answered(10)

    assert 1 == len(loop.ocp.called)
    assert 10 == len(loop.ocp.ledger)


@pytest.mark.parametrize("after_work", [False, True])
@pytest.mark.parametrize("error", [OcpUnavailable("503"), OcpOutcomeUnknown("504")])
async def test_failure_ends_in_one_instruction(error: OcpUnavailable | OcpOutcomeUnknown, after_work: bool) -> None:
    if isinstance(error, OcpUnavailable) and after_work:
        return  # unavailable means that nothing was done
    async with looping() as loop:
        loop.ocp.fail_next(error, after_work=after_work, operation=Operation.SI_ADD)
        loop.request("R1")
        await loop.answered(1)

    assert 1 == len(loop.ocp.ledger)
    assert 1 == len({call.request_id for call in loop.ocp.called if call.operation is Operation.SI_ADD})


async def test_journal_error_lets_nothing_leave() -> None:
    loop = Loop()
    loop.dispatcher.begin(loop.sessions, version="test", replayed=0)
    loop.journal.refusal = JournalError("the disk is gone")
    loop.request("R1")
    waiter = asyncio.ensure_future(loop.dispatcher.durable())
    await loop.dispatcher.run()
    with pytest.raises(JournalError, match="the disk is gone"):
        await waiter

    assert loop.dispatcher.is_full
    assert loop.dispatcher.failed.done()
    assert [] == loop.ocp.called
    assert [] == loop.sessions.told
    with pytest.raises(JournalError):
        await loop.dispatcher.durable()


async def test_who_waits_during_the_append_that_fails_is_told_too() -> None:
    loop = Loop()
    gate = asyncio.Event()
    began = asyncio.Event()

    class GatedJournal(MemoryJournal):
        async def append(self, entries: Sequence[Entry]) -> Sequence[int]:
            began.set()
            await gate.wait()
            raise JournalError("the disk is gone")

    loop.dispatcher._journal = GatedJournal()
    loop.dispatcher.begin(loop.sessions, version="test", replayed=0)
    task = asyncio.ensure_future(loop.dispatcher.run())
    await began.wait()
    waiter = asyncio.ensure_future(loop.dispatcher.durable())
    await asyncio.sleep(0)
    gate.set()
    async with asyncio.timeout(5):
        await task
        with pytest.raises(JournalError, match="the disk is gone"):
            await waiter


async def test_session_that_takes_deliveries_again_is_given_what_waits() -> None:
    async with looping() as loop:
        waiting = Delivery("D1", "B01234", "PSS1", "", Reply("SI60", "548", ":16R:GENL\r\n"))
        loop.dispatcher.state.outbox("B01234").queue["D1"] = waiting
        loop.dispatcher.session_freed("B01234")
        await loop.dispatcher.durable()
        await asyncio.sleep(0)

    assert [waiting] == loop.sessions.delivered
