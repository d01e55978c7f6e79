"""Answers of several frames: handed over in order, and after a break all of them again."""

from __future__ import annotations

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.outbound import Seat, choose
from pg_bridge.exchange.outcome import told
from pg_bridge.exchange.recovery import recover
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, epoch_us
from tests.doubles.core import Core

SEATS = [Seat("S1", "PSS1", 16), Seat("S2", "PSS2", 16)]


def ask(core: Core) -> None:
    """A PSS of B01234 asks for something; its exchange is X1."""
    body = core.words.enquiry("E1", number="I00000001")
    asking = core.words.asking
    core.offer(
        e.RequestArrived(
            "S1", "B01234", "PSS1", 2, asking["template"], asking["message_type"], body.decode("ascii"), body
        )
    )


def answer(core: Core, frames: int = 3, outcome: str = "found") -> list[a.Answer]:
    """It is answered by messages 1, 2, 3 ...; gives what is handed over."""
    decision = a.Decision()
    note = Note(decision, lambda record, at_us: apply(core.state, record, at_us), epoch_us(core.now))
    first, *more = [r.Reply("T1", "548", str(number)) for number in range(1, frames + 1)]
    note.record(
        r.ExchangeAnswered(
            exchange="X1", participant="B01234", reference="E1", outcome=outcome, reply=first, more=tuple(more)
        )
    )
    told(core.state, core.state.exchanges["X1"], note)
    core.entries += decision.entries
    return [action for action in decision.actions if isinstance(action, a.Answer)]


def acknowledge(core: Core, delivery: str) -> None:
    record = r.DeliveryAcknowledged(exchange="X1", participant="B01234", delivery=delivery)
    apply(core.state, record, epoch_us(core.now))
    core.entries.append(r.write_entry(record, epoch_us(core.now)))


def waiting(state: State) -> list[tuple[str, str, bool]]:
    """Id, body and mark of each delivery that waits."""
    return [(one.id, one.reply.body, one.is_copy) for one in state.outbox("B01234").queue.values()]


def test_frames_are_handed_over_in_order_and_only_the_last_tells_that_the_answer_was_written() -> None:
    core = Core()
    ask(core)
    handed = answer(core)

    assert [("1", None, False), ("2", None, False), ("3", "X1", True)] == [
        (one.reply.body, one.token, one.is_last) for one in handed
    ]


def test_answer_not_known_to_have_left_goes_again_whole_in_order_and_marked() -> None:
    core = Core()
    ask(core)
    answer(core)
    queue_answer(core.state, core.state.exchanges["X1"])
    sent = choose(core.state.outbox("B01234"), SEATS, 10_000)

    assert [("X1", "1", True), ("X1.2", "2", True), ("X1.3", "3", True)] == waiting(core.state)
    assert [("S1", "1"), ("S1", "2"), ("S1", "3")] == [(session, one.reply.body) for session, one in sent]


def test_journal_alone_gives_the_frames_that_were_not_acknowledged() -> None:
    core = Core()
    ask(core)
    answer(core)
    queue_answer(core.state, core.state.exchanges["X1"])
    acknowledge(core, "X1.2")
    state = core.replayed()
    recover(state)

    assert [("X1", "1", True), ("X1.3", "3", True)] == waiting(core.state) == waiting(state)


def test_answer_has_left_when_every_frame_is_acknowledged() -> None:
    core = Core()
    ask(core)
    answer(core)
    queue_answer(core.state, core.state.exchanges["X1"])
    seen = []
    for delivery in ("X1.3", "X1", "X1.2"):
        acknowledge(core, delivery)
        seen.append(core.state.exchanges["X1"].has_left)
    state = core.replayed()
    recover(state)

    assert [False, False, True] == seen
    assert [] == waiting(core.state) == waiting(state)


def test_frames_behind_one_that_is_under_way_go_to_its_session() -> None:
    core = Core()
    ask(core)
    answer(core)
    queue_answer(core.state, core.state.exchanges["X1"])
    outbox = core.state.outbox("B01234")
    outbox.sent["X1"] = "S2"

    assert [] == choose(outbox, SEATS, 10_000)
    assert ["2", "3"] == [one.reply.body for _, one in choose(outbox, SEATS[1:], 10_000)]


def test_answer_of_an_enquiry_is_let_go_once_it_has_left() -> None:
    core = Core()
    ask(core)
    answer(core)
    apply(core.state, r.AnswersLeft(exchanges=("X1",)), 0)
    exchange = core.state.exchanges["X1"]

    assert [("X1", "")] == [(id_, reply.body) for id_, reply in exchange.frames]
