"""Messages with several instructions, one a block: entered together, judged alone, answered in their order."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.outbound import Seat, choose
from pg_bridge.exchange.records import AnswersLeft, write_entry
from pg_bridge.exchange.recovery import recover
from pg_bridge.exchange.state import State
from tests.doubles.core import Core, actions, kinds

THREE = ("I00000001", "I00000002", "I00000003")


def hold(core: Core, *named: str, reference: str = "H1", session: str = "S1", sequence: int = 2) -> a.Decision:
    """A PSS asks to hold the SIs named."""
    body = core.words.blocks("hold", reference, *named)
    text = body.decode("ascii")
    return core.offer(e.RequestArrived(session, "B01234", "PSS1", sequence, "SI06", "530", text, body))


def knowing(number: str) -> Core:
    """A core that entered this SI: by its number it is no other one's."""
    core = Core()
    core.request("R1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", number)]))
    left = AnswersLeft(exchanges=("X1",))
    apply(core.state, left, 0)
    core.entries.append(write_entry(left, 0))
    return core


def call(core: Core) -> str:
    (made,) = core.offer(e.LaneOpen("B01234", "si_hold")).actions
    assert isinstance(made, a.Call)
    return made.request_id


def answers(decision: a.Decision) -> list[tuple[str, str, bool]]:
    """Exchange, status and whether it is the last, of each answer."""
    found = [action for action in decision.actions if isinstance(action, a.Answer)]
    return [(one.token, one.reply.body.split(":25D::")[1].split("\r\n")[0], one.is_last) for one in found]


def held(core: Core, number: str) -> dict[str, object]:
    return core.accepted("H1", number, "MATCHED_ON_HOLD")


def test_blocks_are_received_together_and_called_in_one_call() -> None:
    core = Core()
    decision = hold(core, *THREE)
    request_id = call(core)
    entries = msgspec.json.decode(core.state.batches[request_id].body)["data"]

    assert ["instruction_received"] * 3 == kinds(decision)
    assert ["X1", "X1-2", "X1-3"] == list(core.state.exchanges)
    assert list(THREE) == [entry["siNumber"] for entry in entries]
    assert {"H1"} == {entry["requestReference"] for entry in entries}


def test_each_block_is_judged_alone_and_answered_in_order() -> None:
    core = Core()
    hold(core, *THREE)
    decision = core.offer(
        e.CallAnswered(call(core), [held(core, THREE[0]), core.refused("H1", "407002"), held(core, THREE[2])])
    )

    assert [("X1", "TPRC//PACK", False), ("X1-2", "TPRC//REJT", False), ("X1-3", "TPRC//PACK", True)] == answers(
        decision
    )


def test_block_whose_si_is_sought_holds_back_the_answers_behind_it() -> None:
    core = knowing(THREE[1])
    decision = hold(core, "ELSEWHERE", THREE[1])
    second = core.offer(e.CallAnswered(call(core), [held(core, THREE[1])]))
    first = core.offer(e.SiSought("X2", []))

    assert "Seek" in actions(decision)
    assert [] == answers(second)
    assert [("X2", "TPRC//REJT", False), ("X2-2", "TPRC//PACK", True)] == answers(first)


def test_repeated_message_gets_all_stored_answers() -> None:
    core = Core()
    hold(core, *THREE)
    core.offer(e.CallAnswered(call(core), [held(core, number) for number in THREE]))
    again = hold(core, *THREE, sequence=3)

    assert ["request_repeated"] == kinds(again)
    assert ["X1", "X1-2", "X1-3"] == [token for token, _, _ in answers(again)]
    assert all(action.possible_duplicate for action in again.actions if isinstance(action, a.Answer))


def test_message_repeated_while_it_is_under_way_is_answered_once_each_way() -> None:
    core = Core()
    hold(core, *THREE)
    request_id = call(core)
    again = hold(core, *THREE, session="S2", sequence=9)
    decision = core.offer(e.CallAnswered(request_id, [held(core, number) for number in THREE]))
    sent = [(one.session, one.token) for one in decision.actions if isinstance(one, a.Answer)]

    assert [] == answers(again)
    assert [("S1", "X1"), ("S1", "X1-2"), ("S1", "X1-3")] == [each for each in sent if each[0] == "S1"]
    assert [("S2", "X1"), ("S2", "X1-2"), ("S2", "X1-3")] == [each for each in sent if each[0] == "S2"]


def test_fault_in_one_block_refuses_the_whole_with_one_answer() -> None:
    core = Core()
    body = core.words.blocks("hold", "H1", *THREE).replace(b":20C::PREV//I00000002\r\n", b"")
    arrived = e.RequestArrived("S1", "B01234", "PSS1", 2, "SI06", "530", body.decode("ascii"), body)
    decision = core.offer(arrived)

    assert ["message_refused"] == kinds(decision)
    assert [("X1", "TPRC//REJT", True)] == answers(decision)


def test_journal_alone_gives_every_block_and_the_answers_go_out_in_order() -> None:
    core = Core()
    hold(core, *THREE)
    core.offer(e.CallAnswered(call(core), [held(core, number) for number in THREE]))
    state = core.replayed()
    recover(state)

    assert ["X1", "X1-2", "X1-3"] == list(state.outbox("B01234").queue)
    assert "X1" == state.uses["B01234", "2026-11-24", "H1"].exchange


def test_update_waits_for_the_answer_of_its_own_block() -> None:
    core = Core()
    hold(core, *THREE)
    call(core)
    caused = {"lastRequestReference": "H1", "updatedAt": "2026-11-24T10:00:01.000+08:00"}
    core.offer(e.UpdatesArrived([core.event(THREE[1], 1, "HELD", "MATCHED_ON_HOLD", holdOwn=True, **caused)]))

    assert [0, 1, 0] == [len(exchange.held) for exchange in core.state.exchanges.values()]


def queued(state: State) -> list[str]:
    return list(state.outbox("B01234").queue)


def test_block_answered_before_an_earlier_one_waits_for_it_when_its_session_ends() -> None:
    core = knowing(THREE[1])
    hold(core, "ELSEWHERE", THREE[1])
    core.offer(e.CallAnswered(call(core), [held(core, THREE[1])]))
    for exchange in core.state.parts_of(core.state.exchanges["X2"]):  # as the loop does when a session ends
        exchange.askers.clear()
        queue_answer(core.state, exchange)
    before = queued(core.state)
    core.offer(e.SiSought("X2", []))

    assert [] == before
    assert ["X2", "X2-2"] == queued(core.state)


def test_block_answered_before_an_earlier_one_waits_for_it_after_a_restart() -> None:
    core = knowing(THREE[1])
    hold(core, "ELSEWHERE", THREE[1])
    core.offer(e.CallAnswered(call(core), [held(core, THREE[1])]))
    core.state = core.replayed()
    recover(core.state)
    before = queued(core.state)
    core.offer(e.SiSought("X2", []))

    assert [] == before
    assert ["X2", "X2-2"] == queued(core.state)


def test_answers_sent_again_go_to_one_session_however_many_are_on() -> None:
    core = Core()
    hold(core, *THREE)
    core.offer(e.CallAnswered(call(core), [held(core, number) for number in THREE]))
    recover(core.state)
    outbox = core.state.outbox("B01234")
    outbox.sent["X1"] = "S2"
    seats = [Seat("S1", "PSS1", 16), Seat("S2", "PSS2", 16)]

    assert [] == choose(outbox, seats, 10_000)
    assert ["X1-2", "X1-3"] == [delivery.id for _, delivery in choose(outbox, seats[1:], 10_000)]
