"""Calls: batches, refusals, and the rule of unknown outcomes to the letter."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.records import Fault
from pg_bridge.mapping.book import MappingBook, load
from tests.doubles.core import Core, actions, kinds
from tests.doubles.mapping_sets import set_files


def several(count: int) -> Core:
    core = Core()
    for number in range(1, count + 1):
        core.request(f"R{number}", sequence=number + 1)
    return core


def body_of(core: Core, request_id: str) -> bytes:
    return core.state.batches[request_id].body


def stages(core: Core) -> list[Stage]:
    return [exchange.stage for exchange in core.state.exchanges.values()]


def test_batch_holds_what_waits_in_order() -> None:
    core = several(3)
    request_id = core.call()
    entries = msgspec.json.decode(body_of(core, request_id))["data"]

    assert ["R1", "R2", "R3"] == [entry["requestReference"] for entry in entries]
    assert ("X1", "X2", "X3") == core.state.batches[request_id].members


def test_lane_makes_one_call_at_a_time() -> None:
    core = several(1)
    core.call()
    core.request("R2", sequence=3)

    assert [] == core.offer(e.LaneOpen("B01234", "si_add")).entries


def test_bulk_holds_no_more_than_ocp_takes() -> None:
    core = several(1001)
    request_id = core.call()

    assert 1000 == len(core.state.batches[request_id].members)
    assert 1 == len(core.state.lanes["B01234", "si_add"].waiting)


def test_each_entry_has_its_own_outcome() -> None:
    core = several(2)
    decision = core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001"), core.refused("R2", "400101")]))
    bodies = [action.reply.body for action in decision.actions if isinstance(action, a.Answer)]

    assert ["exchange_answered", "exchange_answered"] == kinds(decision)
    assert [True, False] == [":25D::IPRC//PACK" in body for body in bodies]
    assert {} == core.state.batches


def test_single_refused_whole_is_refused() -> None:
    core = several(1)
    fault = Fault("400002", "field_malformed", "400002 no", "NARR")
    decision = core.offer(e.CallRefused(core.call(), (fault,)))

    assert ["exchange_answered"] == kinds(decision)
    assert "refused" == core.state.exchanges["X1"].outcome


@pytest.mark.parametrize("bad", [1, 2, 3, 4, 5])
def test_bulk_refused_whole_is_split_until_the_bad_one_is_found(bad: int) -> None:
    core = several(5)
    fault = Fault("400002", "field_malformed", "400002 no", "NARR")
    request_ids = []
    while core.state.lanes["B01234", "si_add"].waiting:
        request_id = core.call()
        request_ids.append(request_id)
        members = core.state.batches[request_id].members
        if f"X{bad}" in members:
            core.offer(e.CallRefused(request_id, (fault,)))
        else:
            entries = [core.accepted(f"R{member[1:]}", f"I0000000{member[1:]}") for member in members]
            core.offer(e.CallAnswered(request_id, entries))

    assert len(request_ids) == len(set(request_ids))
    outcomes = {exchange.id: exchange.outcome for exchange in core.state.exchanges.values()}
    assert {f"X{n}": "refused" if n == bad else "accepted" for n in range(1, 6)} == outcomes


def test_refusal_that_no_smaller_call_escapes_is_not_split() -> None:
    core = several(3)
    decision = core.offer(e.CallRefused(core.call(), (Fault("406001", "outside_hours", "closed", "NARR"),)))

    assert ["exchange_answered"] * 3 == kinds(decision)


def test_unavailable_goes_again_with_the_same_id_and_backs_off() -> None:
    core = several(1)
    request_id = core.call()
    pauses = []
    for _ in range(7):
        (action,) = core.offer(e.CallFailed(request_id, "PGB-OCP-001", "503", None)).actions
        assert isinstance(action, a.Call)
        assert request_id == action.request_id
        pauses.append(action.after_s)
    told = core.offer(e.CallFailed(request_id, "PGB-OCP-001", "429", 7.0)).actions

    assert [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == pauses
    assert [a.Call(request_id, 7.0)] == told


def test_denied_is_refused_as_a_system_fault() -> None:
    core = several(2)
    decision = core.offer(e.CallDenied(core.call(), Fault("", "ocp_denied", "the token is not taken", "NARR")))

    assert ["exchange_answered"] * 2 == kinds(decision)


def test_lost_call_is_looked_for_and_found_means_done() -> None:
    core = several(1)
    request_id = core.call()
    assert [a.Look(request_id)] == core.offer(e.CallLost(request_id, "504")).actions
    decision = core.offer(e.Looked(request_id, {"X1": core.event("I00000009", 1, "CREATED", "UNMATCHED")}))

    assert ["exchange_answered"] == kinds(decision)
    assert ["Answer"] == actions(decision)
    assert "I00000009" == core.state.exchanges["X1"].si_number


def test_what_is_not_found_goes_again_as_the_same_call() -> None:
    core = several(2)
    request_id = core.call()
    body = body_of(core, request_id)
    core.offer(e.CallLost(request_id, "cut"))
    decision = core.offer(e.Looked(request_id, {"X1": core.event("I00000009", 1, "CREATED", "UNMATCHED")}))

    assert a.Call(request_id) in decision.actions
    assert body == body_of(core, request_id)
    assert [Stage.ANSWERED, Stage.CALLED] == stages(core)


def test_used_id_that_is_not_found_in_three_looks_is_in_doubt() -> None:
    core = several(1)
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.offer(e.Looked(request_id, {}))
    core.offer(e.CallRefused(request_id, (Fault("411002", "request_id_repeated", "used", "NARR"),)))
    pauses = []
    for _ in range(2):
        (look,) = core.offer(e.Looked(request_id, {})).actions
        assert isinstance(look, a.Look)
        pauses.append(look.after_s)
    last = core.offer(e.Looked(request_id, {}))

    assert [30.0, 30.0] == pauses
    assert ["exchange_in_doubt"] == kinds(last)
    assert [] == last.actions
    assert ["X1"] == [exchange.id for exchange in core.state.in_doubt()]


def test_id_older_than_a_day_is_never_sent_again() -> None:
    core = several(1)
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.wait(86_400)

    assert ["exchange_in_doubt"] == kinds(core.offer(e.Looked(request_id, {})))


def test_reference_used_on_a_call_sent_again_may_be_our_own() -> None:
    core = several(1)
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.offer(e.Looked(request_id, {}))
    decision = core.offer(e.CallAnswered(request_id, [core.refused("R1", "409001")]))

    assert ["outcome_unknown"] == kinds(decision)
    assert ["Look"] == actions(decision)


def test_reference_used_on_a_first_call_is_refused() -> None:
    core = several(1)
    decision = core.offer(e.CallAnswered(core.call(), [core.refused("R1", "409001")]))

    assert "refused" == core.state.exchanges["X1"].outcome
    assert ["exchange_answered"] == kinds(decision)


def test_second_answer_of_a_call_changes_nothing() -> None:
    core = several(1)
    request_id = core.call()
    core.offer(e.CallAnswered(request_id, [core.accepted("R1", "I00000001")]))

    assert [] == core.offer(e.CallAnswered(request_id, [core.accepted("R1", "I00000002")])).entries


MALFORMED = Fault("400002", "field_malformed", "400002 no", "NARR")


def sent_again(core: Core) -> str:
    """A call that was lost, not found, and goes again."""
    request_id = core.call()
    core.offer(e.CallLost(request_id, "cut"))
    core.offer(e.Looked(request_id, {}))
    return request_id


def looked(core: Core, request_id: str, count: int) -> list[a.Decision]:
    """So many looks that find nothing."""
    return [core.offer(e.Looked(request_id, {})) for _ in range(count)]


def test_call_sent_again_and_refused_is_looked_for_before_it_is_told() -> None:
    """The first try may have been slow: it may have been done after the look that did not find it."""
    core = several(1)
    request_id = sent_again(core)
    refused = core.offer(e.CallRefused(request_id, (MALFORMED,)))
    decision = core.offer(e.Looked(request_id, {"X1": core.event("I00000009", 1, "CREATED", "UNMATCHED")}))

    assert ["outcome_unknown"] == kinds(refused)
    assert [a.Look(request_id)] == refused.actions
    assert ["exchange_answered"] == kinds(decision)
    assert "accepted" == core.state.exchanges["X1"].outcome


def test_call_sent_again_and_refused_that_no_look_finds_is_refused_and_not_in_doubt() -> None:
    core = several(1)
    request_id = sent_again(core)
    core.offer(e.CallRefused(request_id, (MALFORMED,)))
    *before, last = looked(core, request_id, 3)

    assert [["Look"], ["Look"]] == [actions(one) for one in before]
    assert ["exchange_answered"] == kinds(last)
    assert "refused" == core.state.exchanges["X1"].outcome


@pytest.mark.parametrize("bad", [2, 3, 4])
def test_bulk_sent_again_and_refused_whole_is_split_as_a_first_one_is(bad: int) -> None:
    """One of four was done by the first try; of the others only the bad one is refused."""
    core = several(4)
    first = sent_again(core)
    core.offer(e.CallRefused(first, (MALFORMED,)))
    core.offer(e.Looked(first, {"X1": core.event("I00000001", 1, "CREATED", "UNMATCHED")}))
    early = core.offer(e.LaneOpen("B01234", "si_add")).entries
    looked(core, first, 2)
    used = [first]
    while core.state.lanes["B01234", "si_add"].waiting:
        request_id = core.call()
        used.append(request_id)
        members = core.state.batches[request_id].members
        if f"X{bad}" in members:
            core.offer(e.CallRefused(request_id, (MALFORMED,)))
        else:
            entries = [core.accepted(f"R{member[1:]}", f"I0000000{member[1:]}") for member in members]
            core.offer(e.CallAnswered(request_id, entries))

    assert [] == early
    assert len(used) == len(set(used))
    assert {f"X{n}": "refused" if n == bad else "accepted" for n in range(1, 5)} == {
        exchange.id: exchange.outcome for exchange in core.state.exchanges.values()
    }


def test_call_sent_again_and_denied_is_looked_for_and_never_split() -> None:
    core = several(2)
    request_id = sent_again(core)
    denied = Fault("", "ocp_denied", "the token is not taken", "NARR")
    first = core.offer(e.CallDenied(request_id, denied))
    last = looked(core, request_id, 3)[-1]

    assert ["outcome_unknown"] == kinds(first)
    assert ["exchange_answered"] * 2 == kinds(last)


def test_refusal_of_a_call_sent_again_is_remembered_over_a_restart() -> None:
    core = several(2)
    request_id = sent_again(core)
    core.offer(e.CallRefused(request_id, (MALFORMED,)))
    core.state = core.replayed()
    last = looked(core, request_id, 3)[-1]

    assert ["batch_refused"] == kinds(last)
    assert ["X1", "X2"] == list(core.state.lanes["B01234", "si_add"].waiting)


@pytest.mark.parametrize("number", ["", "I00000001"], ids=["no SI", "the SI of another"])
def test_acceptance_that_names_a_wrong_si_is_no_acceptance(number: str) -> None:
    core = Core()
    core.request("R0")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R0", "I00000001")]))
    core.request("R1", sequence=3)
    request_id = core.call()
    decision = core.offer(e.CallAnswered(request_id, [core.accepted("R1", number)]))

    assert ["outcome_unknown"] == kinds(decision)
    assert "PGB-XCH-039: the answer names no SI, or another's: R1" == decision.entries[0].body()["text"]
    assert [a.Look(request_id)] == decision.actions


def test_bulk_refused_whole_is_refused_to_all_where_the_profile_knows_no_such_split() -> None:
    core = several(3)
    core.terms = replace(core.terms, book=without_split())
    decision = core.offer(e.CallRefused(core.call(), (Fault("400101", "unknown_stock", "no such stock", "DSEC"),)))

    assert ["exchange_answered"] * 3 == kinds(decision)


def without_split() -> MappingBook:
    files = {path: text for path, text in set_files("shipped").items() if path != "messages.toml"}
    said = "refuses_whole_bulk = true"
    files["ocp/profile.toml"] = files["ocp/profile.toml"].replace(said, "refuses_whole_bulk = false")
    return load(files)
