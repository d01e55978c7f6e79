"""What follows from a request of a PSS, and from time."""

from __future__ import annotations

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.records import Fault
from tests.doubles.core import Core, actions, kinds
from tests.doubles.stack import enquiry


def answer_of(decision: a.Decision) -> a.Answer:
    (answer,) = [action for action in decision.actions if isinstance(action, a.Answer)]
    return answer


def test_good_request_waits_in_its_lane() -> None:
    core = Core()
    decision = core.request("R1")

    assert ["instruction_received"] == kinds(decision)
    assert ["Watch"] == actions(decision)
    assert ["X1"] == list(core.state.lanes["B01234", "si_add"].waiting)


def test_faulty_request_is_answered_and_entered_nowhere() -> None:
    core = Core()
    decision = core.request("R1", quantity="0,")

    assert ["message_refused"] == kinds(decision)
    assert ":24B::REJT//DQUA" in answer_of(decision).reply.body
    assert {} == core.state.lanes
    assert {} == core.state.uses


def test_faulty_request_may_be_corrected_under_its_reference() -> None:
    core = Core()
    core.request("R1", quantity="0,")

    assert ["instruction_received"] == kinds(core.request("R1", sequence=3))


def test_repeat_before_the_answer_waits_for_it_and_is_marked() -> None:
    core = Core()
    core.request("R1")
    assert ["request_repeated"] == kinds(core.request("R1", sequence=3))
    request_id = core.call()
    decision = core.offer(e.CallAnswered(request_id, [core.accepted("R1", "I00000001")]))
    sent = [(each.sequence, each.possible_duplicate) for each in decision.actions if isinstance(each, a.Answer)]

    assert [(2, False), (3, True)] == sent


def test_repeat_after_the_answer_gets_the_stored_one_marked() -> None:
    core = Core()
    core.request("R1")
    first = answer_of(core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001")])))
    second = answer_of(core.request("R1", sequence=3))

    assert first.reply == second.reply
    assert second.possible_duplicate


def test_same_reference_with_another_body_is_refused() -> None:
    core = Core()
    core.request("R1")
    decision = core.request("R1", sequence=3, quantity="2,")

    assert ["message_refused"] == kinds(decision)
    assert "duplicate reference" in answer_of(decision).reply.body
    assert 1 == len(core.state.lanes["B01234", "si_add"].waiting)


def test_same_reference_on_another_hong_kong_day_is_another_request() -> None:
    core = Core()
    core.request("R1")
    core.wait(16 * 3600)

    assert ["instruction_received"] == kinds(core.request("R1", sequence=3))


def test_overdue_request_is_told_once_and_its_outcome_follows() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    told = core.offer(e.Overdue("X1"))
    again = core.offer(e.Overdue("X1"))
    decision = core.offer(e.CallAnswered(request_id, [core.accepted("R1", "I00000001")]))
    delivered = [core.state.exchanges["X1"].held, list(core.state.outbox("B01234").queue.values())]
    (delivery,) = [one for several in delivered for one in several]

    assert ["exchange_awaited"] == kinds(told)
    assert ":25D::IPRC//PPRC" in answer_of(told).reply.body
    assert [] == kinds(again)
    assert ["exchange_answered", "delivery_queued"] == kinds(decision)
    assert "SI60" == delivery.reply.template
    assert ":25D::MTCH//NMAT" in delivery.reply.body


def test_refusal_told_late_is_a_status_change() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    core.offer(e.Overdue("X1"))
    core.offer(e.CallAnswered(request_id, [core.refused("R1", "400101")]))
    (delivery,) = core.state.outbox("B01234").queue.values()

    assert ":25D::IPRC//REJT" in delivery.reply.body
    assert ":24B::REJT//DSEC" in delivery.reply.body


def test_pending_at_ocp_is_accepted_and_waits() -> None:
    core = Core()
    core.request("R1")
    decision = core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001", "PENDING")]))

    assert ":25D::IPRC//PPRC" in answer_of(decision).reply.body
    assert ":20C::PREV//I00000001" in answer_of(decision).reply.body


def ask(core: Core) -> a.Decision:
    body = enquiry("Q1", number="I00000001")
    return core.offer(e.RequestArrived("S1", "B01234", "PSS1", 2, "SI07", "549", body.decode(), body))


def test_enquiry_found_nothing_and_refused() -> None:
    core = Core()
    decision = ask(core)
    assert ["enquiry_received"] == kinds(decision)
    assert ["Watch", "Ask"] == actions(decision)
    found = core.offer(e.EnquiryAnswered("X1", [core.event("I00000001", 1, "MATCHED", "MATCHED")]))
    ask(core)
    nothing = core.offer(e.EnquiryAnswered("X2", []))
    ask(core)
    refused = core.offer(e.EnquiryFailed("X3", "no", Fault("403001", "not_granted", "not granted", "NARR")))

    assert ":25D::MTCH//MACH" in answer_of(found).reply.body
    assert ":25D::SPRC//REJT" in answer_of(nothing).reply.body
    assert ":24B::REJT//NARR" in answer_of(refused).reply.body


def test_enquiry_is_asked_again_until_its_time_is_over() -> None:
    core = Core(answer_within_s=20.0)
    ask(core)
    first = core.offer(e.EnquiryFailed("X1", "OCP is closed", retry_after_s=5.0))
    core.wait(16)
    last = core.offer(e.EnquiryFailed("X1", "OCP is closed", retry_after_s=5.0))

    assert [a.Ask("X1", 5.0)] == first.actions
    assert ":25D::SPRC//REJT" in answer_of(last).reply.body
