"""Another mapping set comes into force: what is in flight ends by the one it was received under."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.dispatcher.sets import SetAtWork, Sets
from pg_bridge.errors import OcpError, OcpOutcomeUnknown, OcpUnavailable
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.recovery import recover, resume
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Terms
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.profiles.concepts import EventType, Operation, Status
from tests.doubles.core import Core, book, kinds
from tests.doubles.fake_ocp import FakeOcp, Json
from tests.doubles.loop import Answers, FakeLoop, running
from tests.doubles.mapping_files import changed
from tests.doubles.sets import EDITED_STOCK, OTHER_MEMBER, edited_book, other_ocp_book
from tests.doubles.stack import deliver, enquiry

WHO = r.Who(user="ops", uid=1000, pid=1, by="A. Chan", reason="a test")
OLD, NEW, OTHER = book().hash[:12], edited_book().hash[:12], other_ocp_book().hash[:12]


class GatedOcp(FakeOcp):
    """Answers only when the gate is open."""

    def __init__(self, core: Core, of: MappingBook) -> None:
        super().__init__(of.ocp, lambda: core.now)
        self.gate = asyncio.Event()
        self.began = asyncio.Event()
        self.closed = False

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[Json]:
        self.began.set()
        await self.gate.wait()
        return await super().write(operation, participant, request_id, body)

    async def ask(self, operation: Operation, participant: str, document: Json) -> list[Json]:  # type: ignore[override]
        self.began.set()
        await self.gate.wait()
        return await super().ask(operation, participant, document)

    async def close(self) -> None:
        self.closed = True


class GatedSlots:
    """No call may go before the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    def try_slot(self, priority: int = 1) -> bool:
        return self.gate.is_set()

    async def slot(self, priority: int = 1) -> None:
        await self.gate.wait()


class Loop(FakeLoop):
    """A dispatcher under the shipped set, with fakes at its ports."""

    def __init__(self) -> None:
        self.core = Core(retry_first_s=0.001)
        self.journal = MemoryJournal()
        self.ocp = GatedOcp(self.core, book())
        self.slots = GatedSlots()
        self.sessions = Answers(self.journal)
        self.dispatcher = Dispatcher(
            terms=self.core.terms,
            journal=self.journal,
            ocp=self.ocp,
            ocp_hash="shipped",
            close_ocp=self.ocp.close,
            slots=self.slots,
            clock=lambda: self.core.now,
        )
        self.sessions.dispatcher = self.dispatcher

    def request(
        self, reference: str, sequence: int, *, template: str = "SI01", type_: str = "543", body: bytes = b""
    ) -> None:
        body = body or deliver(reference, stock=EDITED_STOCK)
        self.dispatcher.offer(
            e.RequestArrived("S1", "B01234", "PSS1", sequence, template, type_, body.decode("ascii"), body)
        )

    def change(self, to: MappingBook, ocp: GatedOcp | None = None) -> SetAtWork:
        """Put a set in force; with an OCP of its own, where its profile differs."""
        terms = Terms(to, self.core.terms.fresh, self.core.terms.options)
        now = self.dispatcher.sets.in_force
        new = SetAtWork(terms, now.ocp, now.ocp_hash, now.close)
        if ocp is not None:
            new = SetAtWork(terms, ocp, to.hash, ocp.close)
        self.dispatcher.change_set(new, WHO, files=24)
        return new

    def sets(self, *kinds: Kind) -> list[str]:
        """The sets that entries of these kinds name."""
        return [entry.mapping.rpartition("/")[2] for entry in self.journal.entries if entry.kind in kinds]

    def bodies(self, kind: Kind) -> list[Json]:
        return [entry.body() for entry in self.journal.entries if entry.kind is kind]


def looping() -> AbstractAsyncContextManager[Loop]:
    return running(Loop())


async def test_what_is_in_flight_ends_by_its_set_and_the_next_message_goes_by_the_new() -> None:
    async with looping() as loop:
        loop.request("R1", 2)
        await loop.ocp.began.wait()
        loop.change(edited_book())
        loop.request("R2", 3)
        await loop.dispatcher.durable()
        held = [one.terms.set_hash for one in loop.dispatcher.sets.held]
        loop.ocp.gate.set()
        await loop.answered(2)
        left = [one.terms.set_hash for one in loop.dispatcher.sets.held]

    received = loop.bodies(Kind.INSTRUCTION_RECEIVED)
    assert [OLD, NEW] == loop.sets(Kind.INSTRUCTION_RECEIVED)
    assert ["HKMK", "MAMK"] == [body["document"]["market"] for body in received]
    assert [OLD, NEW] == loop.sets(Kind.EXCHANGE_ANSWERED)
    assert [OLD, NEW] == held
    assert [NEW] == left
    assert not loop.ocp.closed


async def test_change_is_an_entry_that_names_both_sets_and_who_did_it() -> None:
    async with looping() as loop:
        loop.request("R1", 2)
        new = loop.change(edited_book())
        position = await loop.dispatcher.durable()
        loop.ocp.gate.set()

    (loaded,) = loop.bodies(Kind.MAPPINGS_LOADED)
    assert position == new.since
    assert Kind.MAPPINGS_LOADED is loop.journal.entries[position - 1].kind
    assert {"name": "hk-default", "version": "2026.11", "hash": book().hash} == loaded["before"]
    assert {"name": "hk-default", "version": "edited", "hash": edited_book().hash} == loaded["loaded"]
    assert {"user": "ops", "uid": 1000, "pid": 1, "by": "A. Chan", "reason": "a test"} == loaded["who"]
    assert 1 == loaded["in_flight"]


async def test_batch_never_mixes_members_of_two_sets_each_goes_to_the_ocp_of_its_set() -> None:
    async with looping() as loop:
        other = GatedOcp(loop.core, other_ocp_book())
        for ocp in (loop.ocp, other):
            ocp.gate.set()
        loop.slots.gate.clear()
        loop.request("R1", 2)
        loop.request("R2", 3)
        loop.change(other_ocp_book(), other)
        loop.request("R3", 4)
        loop.slots.gate.set()
        await loop.answered(3)
        await asyncio.sleep(0)

    batches = loop.bodies(Kind.BATCH_CALLED)
    assert [2, 1] == [len(batch["members"]) for batch in batches]
    assert [2, 1] == [len(loop.ocp.ledger), len(other.ledger)]
    assert OTHER_MEMBER not in str(batches[0]["body"])
    assert OTHER_MEMBER in str(batches[1]["body"])
    assert loop.ocp.closed
    assert not other.closed


async def test_late_outcome_is_told_by_the_set_of_the_request() -> None:
    async with looping() as loop:
        loop.request("R1", 2)
        await loop.ocp.began.wait()
        (id_,) = loop.dispatcher.state.exchanges
        loop.change(edited_book())
        loop.dispatcher.offer(e.Overdue(id_))
        await loop.answered(1)
        loop.ocp.gate.set()
        async with asyncio.timeout(5):
            while not loop.sessions.delivered:
                await loop.dispatcher.durable()
                await asyncio.sleep(0)

    assert [OLD] == loop.sets(Kind.EXCHANGE_AWAITED)
    assert [OLD] == loop.sets(Kind.DELIVERY_QUEUED)


@pytest.mark.parametrize("error", [OcpUnavailable("503"), OcpOutcomeUnknown("504")])
async def test_call_that_failed_is_looked_for_and_made_again_at_the_ocp_of_its_set(error: OcpError) -> None:
    async with looping() as loop:
        other = GatedOcp(loop.core, other_ocp_book())
        loop.ocp.fail_next(error, operation=Operation.SI_ADD)
        loop.request("R1", 2)
        await loop.ocp.began.wait()
        loop.change(other_ocp_book(), other)
        loop.ocp.gate.set()
        await loop.answered(1)

    assert 1 == len(loop.ocp.ledger)
    assert [] == other.called
    assert [OLD] == loop.sets(Kind.EXCHANGE_ANSWERED)


async def test_enquiry_in_flight_is_answered_by_its_set() -> None:
    async with looping() as loop:
        loop.request("", 2, template="SI07", type_="549", body=enquiry("E1", related="NONE"))
        await loop.ocp.began.wait()
        loop.change(other_ocp_book(), GatedOcp(loop.core, other_ocp_book()))
        loop.ocp.gate.set()
        await loop.answered(1)

    assert [OLD] == loop.sets(Kind.EXCHANGE_ANSWERED)


async def test_update_of_what_was_answered_goes_by_the_set_in_force() -> None:
    async with looping() as loop:
        loop.ocp.gate.set()
        loop.request("R1", 2)
        await loop.answered(1)
        loop.change(edited_book())
        number = loop.ocp.ledger[0].si_number
        events = [loop.ocp.tell(number, EventType.MATCHED, Status.MATCHED)]
        asked = {"participant_id": "B01234", "business_date": "2026-11-24", "after_sequence": 0}
        events = await loop.ocp.ask(Operation.STATUS_EVENTS, "B01234", book().ocp.write("events_query", asked))
        loop.dispatcher.offer(e.UpdatesArrived(events))
        await loop.dispatcher.durable()

    assert [NEW] == loop.sets(Kind.DELIVERY_QUEUED)


@pytest.mark.parametrize("is_other", [False, True])
async def test_events_held_for_their_order_are_asked_for_again_where_their_shape_is_another(is_other: bool) -> None:
    async with looping() as loop:
        other = GatedOcp(loop.core, other_ocp_book())
        loop.dispatcher.offer(e.UpdatesArrived([loop.core.event("I00000001", 3, "MATCHED", "MATCHED")]))
        await loop.dispatcher.durable()
        loop.change(other_ocp_book(), other) if is_other else loop.change(edited_book())
        held = dict(loop.dispatcher.state.feed("B01234", "2026-11-24").early)
        if is_other:
            async with asyncio.timeout(5):
                await other.began.wait()
        for ocp in (loop.ocp, other):
            ocp.gate.set()
    replayed = State()
    for entry in loop.journal.entries:
        apply(replayed, r.read_entry(entry), entry.at_us)

    assert ([] if is_other else [3]) == list(held)
    assert held == replayed.feed("B01234", "2026-11-24").early


@pytest.mark.parametrize("fails", [False, True])
async def test_events_asked_for_by_the_profile_before_are_asked_for_again(fails: bool) -> None:
    async with looping() as loop:
        other = GatedOcp(loop.core, other_ocp_book())
        if fails:
            loop.ocp.fail_next(OcpUnavailable("503"))
        fetch = asyncio.ensure_future(loop.dispatcher.fetch("B01234", "2026-11-24", 0))
        await loop.ocp.began.wait()
        loop.change(other_ocp_book(), other)
        loop.ocp.gate.set()
        await fetch
        async with asyncio.timeout(5):
            await other.began.wait()
        other.gate.set()

    assert [Operation.STATUS_EVENTS] == [call.operation for call in loop.ocp.called]


def test_message_taken_before_is_a_repeat_also_where_the_new_set_would_refuse_it() -> None:
    core = Core()
    core.request("R1")
    strict = load(changed("legacy/codes.toml", 'default = "HKMK"', ""))
    core.terms = Terms(strict, core.terms.fresh)
    again, new = core.request("R1", sequence=3), core.request("R2", sequence=4)

    assert ["request_repeated"] == kinds(again)
    assert ["message_refused"] == kinds(new)


def test_sets_go_back_and_forth_and_each_exchange_keeps_its_own() -> None:
    core = Core()
    core.request("R1")
    first = SetAtWork(core.terms, FakeOcp(book().ocp, lambda: core.now))
    second = SetAtWork(Terms(edited_book(), core.terms.fresh), first.ocp)
    sets = Sets(first, core.state)
    in_flight = [sets.change(second), sets.change(first)]
    gone = sets.let_go()
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001")]))

    assert [1, 0] == in_flight
    assert [] == gone  # its way to OCP is the other's too
    assert [first] == sets.held
    assert first is sets.named(OLD)
    assert None is sets.named(NEW)


def test_after_a_restart_what_is_open_ends_by_the_set_that_is_there() -> None:
    core = Core()
    core.request("R1")
    core.call()
    core.request("R2", sequence=3)
    state = core.replayed()
    recover(state, NEW)
    batch = next(iter(state.batches.values()))

    assert {NEW} == {exchange.ends_by for exchange in state.exchanges.values()}
    assert {OLD} == {exchange.translated_by for exchange in state.exchanges.values()}
    assert NEW == batch.ends_by
    assert [a.Look(batch.request_id)] == [action for action in resume(state) if isinstance(action, a.Look)]


def test_start_entry_of_an_older_journal_is_read_and_lets_go_of_nothing() -> None:
    payload = msgspec.json.encode({"version": "0.1.0", "mapping": "ab" * 32, "replayed": 0, "reopened": 0})
    record = r.read_entry(Entry(kind=Kind.NODE_STARTED, at_us=0, payload=payload))
    state = State(ocp_hash="shipped")
    state.feed("B01234", "2026-11-24").early[3] = b"{}"
    apply(state, record, 0)

    assert isinstance(record, r.NodeStarted)
    assert ("ab" * 32, "", "") == (record.mapping, record.set_name, record.set_version)
    assert {3: b"{}"} == state.feed("B01234", "2026-11-24").early


def test_start_under_another_ocp_profile_lets_go_of_events_held_for_their_order() -> None:
    state = State(ocp_hash="shipped")
    state.feed("B01234", "2026-11-24").early[3] = b"{}"
    started = r.NodeStarted(version="", mapping="", replayed=0, reopened=0, set_name="x", ocp_hash="other")
    apply(state, started, 0)

    assert {} == state.feed("B01234", "2026-11-24").early
    assert 1 == state.feed("B01234", "2026-11-24").next_sequence
