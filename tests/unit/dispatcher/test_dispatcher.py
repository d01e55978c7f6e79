"""The loop: nothing leaves before it is durable, and nothing at all when durability is in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import JournalError, OcpOutcomeUnknown, OcpUnavailable
from pg_bridge.exchange import events as e
from pg_bridge.exchange.entries import Entry
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.record import Reply
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.profiles.concepts import Operation
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.loop import Answers, FakeLoop, FreeSlots, running
from tests.doubles.stack import deliver


class WatchedOcp(FakeOcp):
    """Notes what the journal held when it was called."""

    journal: MemoryJournal
    held: list[list[Entry]]

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[e.Json]:
        self.held.append(list(self.journal.entries))
        return await super().write(operation, participant, request_id, body)


class Loop(FakeLoop):
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


def looping() -> AbstractAsyncContextManager[Loop]:
    return running(Loop())


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


async def test_what_is_sent_in_one_go_about_one_si_reaches_ocp_in_that_order() -> None:
    """Input, change, hold and deletion, by reference and by number: four lanes, one SI."""
    words = Core().words
    async with looping() as loop:
        loop.request("R1")
        for number, (template, reference) in enumerate((("SI03", "C1"), ("SI04", "C2"), ("SI04", "C3")), 3):
            body = words.about(deliver(reference, function="NEWM" if template == "SI03" else "CANC"), "R1")
            loop.dispatcher.offer(
                e.RequestArrived("S1", "B01234", "PSS1", number, template, "543", body.decode("ascii"), body)
            )
        await loop.answered(4)

    assert ["R1", "C1", "C2", "C3"] == [done.request_reference for done in loop.ocp.ledger]


async def test_si_that_is_found_behind_an_earlier_request_waits_and_the_loop_goes_on() -> None:
    words = Core().words
    async with looping() as loop:
        loop.request("R1")
        await loop.answered(1)
        loop.ocp.fail_next(OcpOutcomeUnknown("504"), after_work=True, operation=Operation.SI_DELETE)
        for number, (template, reference, named) in enumerate((("SI04", "C1", "I00000001"), ("SI03", "C2", "R1")), 3):
            body = words.about(deliver(reference, function="NEWM" if template == "SI03" else "CANC"), named)
            loop.dispatcher.offer(
                e.RequestArrived("S1", "B01234", "PSS1", number, template, "543", body.decode("ascii"), body)
            )
        await loop.answered(3)

    assert ["R1", "C1", "C2"] == [done.request_reference for done in loop.ocp.ledger]
