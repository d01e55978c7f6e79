"""Which SI a change, deletion or revocation is about, what becomes of its call, and what the PSS is told after it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.records import Fault
from pg_bridge.exchange.recovery import recover, resume
from tests.doubles.core import Core, actions, kinds

NUMBER = "I00000001"
#: what, template of its request, lane
WAYS = [("change", "SI03", "si_change"), ("deletion", "SI04", "si_delete"), ("revocation", "SI05", "si_revoke")]


def entered(*references: str) -> Core:
    """A core that entered an SI under each reference: I00000001, I00000002 ..."""
    core = Core()
    for number, reference in enumerate(references, 1):
        core.request(reference, sequence=number + 1)
        core.offer(e.CallAnswered(core.call(), [core.accepted(reference, f"I{number:08d}")]))
        core.offer(e.UpdatesArrived([core.event(f"I{number:08d}", number, "CREATED", "UNMATCHED")]))
    for exchange in core.state.exchanges.values():
        exchange.is_sent = True
    return core


def ask(core: Core, named: str, reference: str = "C1", template: str = "SI04") -> a.Decision:
    """A PSS sends a change, deletion or revocation of the SI that it names."""
    function = "NEWM" if template == "SI03" else "CANC"
    body = core.words.about(core.words.deliver(reference, function=function), named)
    return core.offer(e.RequestArrived("S1", "B01234", "PSS1", 9, template, "543", body.decode("ascii"), body))


def called(core: Core, operation: str) -> tuple[str, dict[str, Any]]:
    """The lane opens: the request id, and the one entry of the call."""
    (call,) = core.offer(e.LaneOpen("B01234", operation)).actions
    assert isinstance(call, a.Call)
    (entry,) = msgspec.json.decode(core.state.batches[call.request_id].body)["data"]
    return call.request_id, entry


def stands(core: Core, number: str, status: str, **more: Any) -> dict[str, Any]:
    """An SI as OCP tells it."""
    return core.event(number, 1, "CHANGED", status, **more)


def body_of(decision: a.Decision) -> str:
    (answer,) = [action for action in decision.actions if isinstance(action, a.Answer)]
    return answer.reply.body


@pytest.mark.parametrize(("what", "template", "operation"), WAYS)
def test_si_that_we_entered_is_known_by_its_number(what: str, template: str, operation: str) -> None:
    core = entered("R1")
    decision = ask(core, NUMBER, template=template)
    _, entry = called(core, operation)

    assert "si_found" in kinds(decision) or what != "change"
    assert "Seek" not in actions(decision)
    assert ("C1", NUMBER) == (entry["requestReference"], entry["siNumber"])
    assert entry["participantReference"] == ("R1" if what == "change" else None)


def test_of_a_reference_ocp_is_asked_although_we_entered_one_under_it() -> None:
    """Another may have been entered under it elsewhere, or on another day: then neither is touched."""
    core = entered("R1")
    decision = ask(core, "R1")
    both = [stands(core, number, "UNMATCHED", participantReference="R1") for number in (NUMBER, "I00000077")]
    refused = core.offer(e.SiSought("X2", both))

    assert a.Seek("X2") in decision.actions
    assert ":25D::CPRC//REJT" in body_of(refused)
    assert ("B01234", "si_delete") not in core.state.lanes


def test_si_that_was_entered_elsewhere_is_asked_for() -> None:
    core = Core()
    decision = ask(core, "ELSEWHERE")
    nothing_waits = ("B01234", "si_delete") not in core.state.lanes
    found = core.offer(e.SiSought("X1", [stands(core, "I00000077", "UNMATCHED", participantReference="ELSEWHERE")]))
    _, entry = called(core, "si_delete")

    assert a.Seek("X1") in decision.actions
    assert nothing_waits
    assert ["si_found"] == kinds(found)
    assert "I00000077" == entry["siNumber"]


def test_reference_of_no_si_is_refused() -> None:
    core = Core()
    ask(core, "NOWHERE")
    decision = core.offer(e.SiSought("X1", []))

    assert ["exchange_answered"] == kinds(decision)
    assert ":25D::CPRC//REJT" in body_of(decision)
    assert "SI unknown: NOWHERE" in body_of(decision)


def test_of_several_open_sis_under_one_reference_none_is_chosen() -> None:
    core = Core()
    ask(core, "TWICE")
    both = [stands(core, number, "UNMATCHED", participantReference="TWICE") for number in ("I00000005", "I00000006")]
    decision = core.offer(e.SiSought("X1", both))
    text = body_of(decision).replace("\r\n", " ")

    assert "I00000005 I00000006" in text
    assert ":25D::CPRC//REJT" in text
    assert ("B01234", "si_delete") not in core.state.lanes


def test_of_several_sis_under_one_reference_the_only_open_one_is_meant() -> None:
    core = Core()
    ask(core, "TWICE")
    both = [
        stands(core, "I00000005", "DELETED", participantReference="TWICE"),
        stands(core, "I00000006", "UNMATCHED", participantReference="TWICE"),
    ]
    core.offer(e.SiSought("X1", both))

    assert "I00000006" == called(core, "si_delete")[1]["siNumber"]


def test_request_about_an_si_whose_input_is_under_way_waits_for_it() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    asked = ask(core, "R1")
    decision = core.offer(e.CallAnswered(request_id, [core.accepted("R1", NUMBER)]))

    found = core.offer(e.SiSought("X2", [stands(core, NUMBER, "UNMATCHED", participantReference="R1")]))

    assert "Seek" not in actions(asked)
    assert ["exchange_answered"] == kinds(decision)
    assert a.Seek("X2") in decision.actions
    assert a.OpenLane("B01234", "si_delete") in found.actions
    assert NUMBER == called(core, "si_delete")[1]["siNumber"]


def test_request_about_an_input_that_was_refused_is_refused() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    ask(core, "R1")
    decision = core.offer(e.CallAnswered(request_id, [core.refused("R1", "400101")]))

    assert a.Seek("X2") in decision.actions
    assert "SI unknown: R1" in body_of(core.offer(e.SiSought("X2", [])))


def test_while_ocp_does_not_tell_it_is_asked_again_and_a_refusal_is_told() -> None:
    core = Core()
    ask(core, "ELSEWHERE")
    again = core.offer(e.SeekFailed("X1", None, 7.0))
    refused = core.offer(e.SeekFailed("X1", Fault("403001", "not_granted", "403001 no", "NARR")))

    assert [a.Seek("X1", 7.0)] == again.actions
    assert ":25D::CPRC//REJT" in body_of(refused)


def test_journal_alone_gives_the_same_state_and_what_was_sought_is_sought_again() -> None:
    core = entered("R1")
    ask(core, NUMBER, "C1", "SI03")
    ask(core, "ELSEWHERE", "C2")
    state = core.replayed()
    recover(state)

    assert core.state.exchanges["X2"].document == state.exchanges["X2"].document
    assert list(core.state.lanes["B01234", "si_change"].waiting) == list(state.lanes["B01234", "si_change"].waiting)
    assert a.Seek("X3") in resume(state)


@pytest.mark.parametrize(
    ("template", "operation", "status", "told"),
    [
        ("SI03", "si_change", "UNMATCHED", ":25D::IPRC//PACK"),
        ("SI03", "si_change", "PENDING", ":25D::IPRC//PPRC"),
        ("SI04", "si_delete", "DELETED", ":25D::CPRC//CAND"),
        ("SI04", "si_delete", "PENDING", ":25D::CPRC//CANP"),
        ("SI05", "si_revoke", "REVOKED", ":25D::CPRC//CAND"),
        ("SI05", "si_revoke", "MATCHED", ":25D::CPRC//CANP"),
    ],
)
def test_what_was_taken_is_told_by_the_status(template: str, operation: str, status: str, told: str) -> None:
    core = entered("R1")
    ask(core, NUMBER, template=template)
    request_id, _ = called(core, operation)
    decision = core.offer(e.CallAnswered(request_id, [core.accepted("C1", NUMBER, status)]))

    assert told in body_of(decision)
    assert f":20C::PREV//{NUMBER}" in body_of(decision)
    assert "R1" == core.state.instructions["B01234", NUMBER].reference


def test_state_that_forbids_a_deletion_is_told_as_such() -> None:
    core = entered("R1")
    ask(core, NUMBER)
    request_id, _ = called(core, "si_delete")
    decision = core.offer(e.CallAnswered(request_id, [core.refused("C1", "407002")]))

    assert ":25D::CPRC//DEND" in body_of(decision)
    assert ":24B::DEND//NARR" in body_of(decision)
    assert f":20C::PREV//{NUMBER}" in body_of(decision)


def test_lost_deletion_that_ocp_shows_is_done() -> None:
    core = entered("R1")
    ask(core, NUMBER)
    request_id, _ = called(core, "si_delete")
    core.offer(e.CallLost(request_id, "cut"))
    seen = stands(core, NUMBER, "DELETED", lastRequestReference="C1")
    decision = core.offer(e.Looked(request_id, {"X2": seen}))

    assert ":25D::CPRC//CAND" in body_of(decision)
    assert Stage.ANSWERED is core.state.exchanges["X2"].stage


def test_what_a_request_brought_about_is_told_after_its_answer() -> None:
    core = entered("R1")
    ask(core, NUMBER)
    request_id, _ = called(core, "si_delete")
    today = {"lastRequestReference": "C1", "updatedAt": "2026-11-24T10:00:01.000+08:00"}
    core.offer(e.UpdatesArrived([core.event(NUMBER, 2, "DELETED", "DELETED", **today)]))
    before = list(core.state.outbox("B01234").queue)
    held = len(core.state.exchanges["X2"].held)
    core.offer(e.CallAnswered(request_id, [core.accepted("C1", NUMBER, "DELETED")]))

    assert [] == before
    assert 1 == held
    assert 1 == len(core.replayed().exchanges["X2"].held)
