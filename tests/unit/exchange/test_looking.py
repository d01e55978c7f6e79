"""What is asked about a lost call: few questions for a large bulk, and nothing credited to the wrong request."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.looking import Look, look_at, take
from tests.doubles.core import Core, kinds

DAY = "2026-11-24"


def lost(core: Core, count: int) -> str:
    """A bulk of inputs that is lost; gives its request id."""
    for number in range(count):
        core.request(f"R{number}", sequence=2 + number)
    request_id = core.call()
    core.offer(e.CallLost(request_id, "time-out"))
    return request_id


def entry(core: Core, reference: str, number: str, **more: Any) -> dict[str, Any]:
    """An SI as an enquiry tells it."""
    return {**core.event(number, 1, "CREATED", "UNMATCHED"), "requestReference": reference, **more}


def looked(core: Core, request_id: str, *answers: list[dict[str, Any]]) -> Look:
    """A look whose questions get these answers."""
    batch = core.state.batches[request_id]
    look = look_at(core.state, batch, core.terms)
    for answer in answers:
        take(core.state, batch, core.terms, look, answer)
    return look


def test_single_lost_input_is_looked_for_by_participant_reference_and_day() -> None:
    core = Core()
    look = look_at(core.state, core.state.batches[lost(core, 1)], core.terms)

    asked = {"participant_id": "B01234", "request_reference": "R0", "business_date": DAY}
    assert [asked] == [question.concepts for question in look.questions]


def test_lost_bulk_of_hundreds_is_looked_for_by_one_listing_of_the_day() -> None:
    core = Core()
    request_id = lost(core, 300)
    look = look_at(core.state, core.state.batches[request_id], core.terms)

    assert [{"participant_id": "B01234", "business_date": DAY}] == [one.concepts for one in look.questions]
    assert 300 == len(look.questions[0].members)


def test_where_the_day_has_more_pages_than_the_bulk_members_each_is_asked_for() -> None:
    core = Core()
    for number in range(2000):
        core.request(f"E{number}", sequence=2 + number)
        if number % 1000 == 999:
            first = core.call()
            answers = [core.accepted(f"E{each}", f"I{each:08d}") for each in range(number - 999, number + 1)]
            core.offer(e.CallAnswered(first, answers))
    look = look_at(core.state, core.state.batches[lost(core, 3)], core.terms)

    assert ["R0", "R1", "R2"] == [one.concepts["request_reference"] for one in look.questions]


def test_listing_is_sorted_out_by_reference() -> None:
    core = Core()
    request_id = lost(core, 5)
    listed = [entry(core, "R1", "I00000001"), entry(core, "R3", "I00000003"), entry(core, "OTHER", "I00000009")]
    look = looked(core, request_id, listed)
    members = core.state.batches[request_id].members
    decision = core.offer(e.Looked(request_id, look.found, look.seen, look.asked))

    assert {members[1]: "I00000001", members[3]: "I00000003"} == {
        id_: one["siNumber"] for id_, one in look.found.items()
    }
    assert ["exchange_answered", "exchange_answered", "outcome_unknown"] == kinds(decision)
    assert [a.Call(request_id)] == [one for one in decision.actions if isinstance(one, a.Call)]


@pytest.mark.parametrize(
    "of_another",
    [{"requestReference": "ELSEWHERE"}, {"createdAt": "2026-11-23T10:00:00.000+08:00"}],
    ids=["touched by a request with the same reference", "entered under it on another day"],
)
def test_si_of_another_is_not_taken_for_the_lost_input(of_another: dict[str, str]) -> None:
    """OCP finds by a request's reference also what that request changed."""
    core = Core()
    request_id = lost(core, 1)
    look = looked(core, request_id, [{**entry(core, "R0", "I00000001", lastRequestReference="R0"), **of_another}])
    decision = core.offer(e.Looked(request_id, look.found, look.seen, look.asked))
    (told,) = decision.entries

    assert {} == look.found
    assert [
        {
            "exchange": "X1",
            "si_number": "I00000001",
            "status": "UNMATCHED",
            "last_request_reference": "R0",
            "version": "1",
        }
    ] == [told.body()["seen"][0]]
    assert 0 == told.body().get("asked", 0)


def test_doubt_tells_what_was_seen_last() -> None:
    core = Core()
    request_id = lost(core, 1)
    seen = {"X1": entry(core, "ELSEWHERE", "I00000001")}
    core.offer(e.Looked(request_id, {}))
    core.offer(e.CallRefused(request_id, core.terms.faults_of_ocp([("411002", "used")])))
    for _ in range(3):
        decision = core.offer(e.Looked(request_id, {}, seen, 1))
        core.wait(30)

    assert ["exchange_in_doubt"] == kinds(decision)
    assert "I00000001" == decision.entries[0].body()["seen"]["si_number"]
    assert core.state.exchanges["X1"].doubt == core.replayed().exchanges["X1"].doubt != ""


def test_lost_call_that_ocp_turns_away_for_a_day_is_not_sent_again_but_looked_for() -> None:
    core = Core()
    request_id = lost(core, 1)
    core.offer(e.Looked(request_id, {}))
    core.wait(86_000)
    young = core.offer(e.CallFailed(request_id, "E", "closed", 100.0))
    core.wait(400)
    old = core.offer(e.CallFailed(request_id, "E", "closed", 100.0))
    end = core.offer(e.Looked(request_id, {}))

    assert [a.Call(request_id, 100.0)] == young.actions
    assert [a.Look(request_id)] == old.actions
    assert ["exchange_in_doubt"] == kinds(end)


def test_pause_before_a_lost_call_goes_again_never_outlives_its_id() -> None:
    core = Core(retry_first_s=30.0, retry_most_s=30.0)
    request_id = lost(core, 1)
    core.offer(e.Looked(request_id, {}))
    core.offer(e.CallLost(request_id, "cut"))
    core.wait(86_400 - 29)

    assert ["exchange_in_doubt"] == kinds(core.offer(e.Looked(request_id, {})))
