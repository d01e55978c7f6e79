"""The core by another OCP and another PG: what it reads, calls and tells is shaped by the profile alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.profiles.concepts import EventType, Refusal, Status
from tests.doubles.core import Core, actions, kinds


@pytest.fixture
def core() -> Core:
    made = Core("both_b")
    made.request("R1")
    _STATED.update(made.terms.ocp.read("si", msgspec.json.decode(made.state.exchanges["X1"].document)))
    return made


#: what R1 states, by concept; the core forgets it when it is answered
_STATED: dict[str, Any] = {}


def answered(core: Core, **more: Any) -> dict[str, Any]:
    """An entry of an answer."""
    values = {"request_reference": "R1", "participant_reference": "R1", "record_errors": [], **more}
    return core.terms.ocp.write("answer", values)


def found(core: Core, status: Status, **more: Any) -> dict[str, Any]:
    """The SI as an enquiry finds it."""
    ocp = core.terms.ocp
    state = {
        "si_number": "I00000009",
        "status": ocp.code("status", status),
        "version": 1,
        "hold_own": False,
        "hold_counterparty": False,
        "revoke_own": False,
        "revoke_counterparty": False,
        "created_at": "2026-11-24T10:00:00.000+08:00",
        "updated_at": "2026-11-24T10:00:00.000+08:00",
    }
    return ocp.write("si", {**_STATED, **state, **more})


def event(core: Core, kind: EventType, status: Status, sequence: int = 1) -> dict[str, Any]:
    ocp = core.terms.ocp
    values = {
        "si": found(core, status),
        "event_id": f"E{sequence}",
        "event_sequence": sequence,
        "event_business_date": "2026-11-24",
        "occurred_at": "2026-11-24T10:00:00.000+08:00",
        "event_type": ocp.code("event_type", kind),
        "new_status": ocp.code("status", status),
    }
    return ocp.write("event", values)


def replies(decision: a.Decision) -> list[str]:
    return [action.reply.body for action in decision.actions if isinstance(action, a.Answer)]


def test_one_instruction_a_call_and_its_body_is_the_entry(core: Core) -> None:
    core.request("R2", sequence=3)
    request_id = core.call()

    assert ("X1",) == core.state.batches[request_id].members
    assert core.state.exchanges["X1"].document == core.state.batches[request_id].body
    assert [] == core.offer(e.LaneOpen("B01234", "si_add")).entries


def test_accepted_and_refused(core: Core) -> None:
    ocp = core.terms.ocp
    status = ocp.code("status", Status.UNMATCHED)
    accepted = core.offer(e.CallAnswered(core.call(), [answered(core, si_number="I00000001", status=status)]))
    core.request("R2", sequence=3)
    code = ocp.code("refusal", Refusal.UNKNOWN_STOCK)
    error = ocp.write("record_error", {"record_error_code": code, "record_error_message": "no"})
    refused = core.offer(e.CallAnswered(core.call(), [answered(core, record_errors=[error])]))

    assert core.words.holds("accepted") in replies(accepted)[0]
    assert core.words.holds("no_such_security") in replies(refused)[0]


def test_a_lost_call_that_an_enquiry_finds_is_answered_as_if_it_were_answered(core: Core) -> None:
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    decision = core.offer(e.Looked(request_id, {"X1": found(core, Status.PENDING)}))

    (body,) = replies(decision)
    assert "I00000009" in body
    assert "PENDING" in body
    assert Stage.ANSWERED is core.state.exchanges["X1"].stage


@pytest.mark.parametrize("is_found", [True, False], ids=["found", "answered"])
def test_an_outcome_told_late_is_a_status_change(core: Core, is_found: bool) -> None:
    request_id = core.call()
    core.offer(e.Overdue("X1"))
    if is_found:
        core.offer(e.CallLost(request_id, "cut"))
        decision = core.offer(e.Looked(request_id, {"X1": found(core, Status.MATCHED)}))
    else:
        status = core.terms.ocp.code("status", Status.MATCHED)
        entry = answered(core, si_number="I00000009", status=status, version=1)
        decision = core.offer(e.CallAnswered(request_id, [entry]))
    (delivery,) = core.state.outboxes["B01234"].queue.values()

    assert ["exchange_answered", "delivery_queued"] == kinds(decision)
    assert core.words.template["told"] == delivery.reply.template
    for text in (core.words.holds("accepted"), core.words.holds("matched"), "I00000009", "FAMT/1000,"):
        assert text in delivery.reply.body


def test_updates_are_told_in_order_and_a_gap_is_asked_for(core: Core) -> None:
    status = core.terms.ocp.code("status", Status.UNMATCHED)
    core.offer(e.CallAnswered(core.call(), [answered(core, si_number="I00000009", status=status)]))
    core.offer(e.UpdatesArrived([event(core, EventType.CREATED, Status.UNMATCHED)]))
    early = core.offer(e.UpdatesArrived([event(core, EventType.SETTLED, Status.SETTLED, sequence=3)]))
    late = core.offer(e.UpdatesArrived([event(core, EventType.MATCHED, Status.MATCHED, sequence=2)]))
    told = [delivery.reply.template for delivery in core.state.outboxes["B01234"].queue.values()]

    assert "Fetch" in actions(early)
    assert a.Fetch("B01234", "2026-11-24", 1) in early.actions
    assert "update_released" in kinds(late)
    assert [core.words.template["told"], core.words.template["done"]] == told


def test_the_journal_alone_gives_the_same_state(core: Core) -> None:
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.offer(e.Looked(request_id, {"X1": found(core, Status.UNMATCHED)}))
    core.offer(e.UpdatesArrived([event(core, EventType.MATCHED, Status.MATCHED)]))
    replayed = core.replayed()

    assert core.state.exchanges["X1"].reply == replayed.exchanges["X1"].reply
    assert core.state.instructions.keys() == replayed.instructions.keys()
