"""A running dispatcher with fakes at its ports, and one session that is on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.exchange import actions as a
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.journal.memory import MemoryJournal


class Answers:
    """One session that is on; keeps what it was told, with what the journal held then."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.told: list[tuple[a.Answer, int]] = []
        self.refused: list[a.Refuse] = []
        self.passed: list[a.NoAnswer] = []
        self.delivered: list[Delivery] = []
        self.came = asyncio.Event()
        self.dispatcher: Dispatcher | None = None

    def seats(self, participant: str) -> Sequence[Seat]:
        return [Seat("S1", "PSS1", 16)]

    def answer(self, answer: a.Answer) -> bool:
        self.told.append((answer, len(self._journal.entries)))
        self.came.set()
        if self.dispatcher is not None and answer.token is not None:
            self.dispatcher.answer_written(answer.token)
        return True

    def pass_over(self, passed: a.NoAnswer) -> None:
        self.passed.append(passed)

    def refuse(self, refusal: a.Refuse) -> None:
        self.refused.append(refusal)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        self.delivered.append(delivery)
        return True


class FreeSlots:
    """Every call may go at once."""

    def try_slot(self, priority: int = 1) -> bool:
        return True

    async def slot(self, priority: int = 1) -> None:
        return None


class FakeLoop:
    """What tests of the dispatcher have in common; each makes its own dispatcher."""

    sessions: Answers
    dispatcher: Dispatcher

    async def answered(self, count: int) -> None:
        """Wait until so many answers were told."""
        async with asyncio.timeout(5):
            while len(self.sessions.told) < count:
                self.sessions.came.clear()
                await self.sessions.came.wait()


@asynccontextmanager
async def dispatching(dispatcher: Dispatcher) -> AsyncIterator[None]:
    """The dispatcher, which has begun, runs for as long as this is open."""
    task = asyncio.get_running_loop().create_task(dispatcher.run())
    try:
        yield
    finally:
        await dispatcher.close("test")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


AnyLoop = TypeVar("AnyLoop", bound=FakeLoop)


@asynccontextmanager
async def running(made: AnyLoop) -> AsyncIterator[AnyLoop]:
    """The dispatcher begins, and runs for as long as this is open."""
    made.dispatcher.begin(made.sessions, version="test", replayed=0)
    async with dispatching(made.dispatcher):
        yield made
