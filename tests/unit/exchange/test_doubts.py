"""A person's word on an instruction in doubt: what stands against it, and what its PSS is told."""

from __future__ import annotations

from typing import Any

import pytest

from pg_bridge.errors import Finding
from pg_bridge.exchange import doubts
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.recovery import recover
from pg_bridge.exchange.standing import listing
from tests.doubles.core import Core, kinds
from tests.doubles.si_world import WAYS

NUMBER = "I00000001"
WHO = Who(user="ops", uid=1, pid=2, by="A. Chan", reason="the desk says so")


def in_doubt(core: Core, reference: str = "R1", *, is_told: bool = True) -> str:
    """An input in doubt; is_told: its PSS was told to wait. Gives the exchange id."""
    core.request(reference)
    request_id = core.call()
    (member,) = core.state.batches[request_id].members
    if is_told:
        core.offer(e.Overdue(member))
    core.offer(e.CallRefused(request_id, core.terms.faults_of_ocp([("411002", "used")])))
    for _ in range(3):
        core.wait(30)
        core.offer(e.Looked(request_id, {}))
    assert core.state.exchanges[member].stage is Stage.IN_DOUBT
    return member


def told(core: Core, reference: str = "R1", number: str = NUMBER, **more: Any) -> dict[str, Any]:
    """An SI as an enquiry tells it."""
    return {**core.event(number, 1, "CREATED", "UNMATCHED"), "requestReference": reference, **more}


def resolve(core: Core, exchange: str, entry: dict[str, Any] | None = None, number: str = "") -> Any:
    """A person's word: done where there is an entry or a number."""
    number = number or (str(entry["siNumber"]) if entry else "")
    return core.offer(e.DoubtResolved(exchange, bool(number), number, entry, WHO, is_checked=entry is not None))


def bodies(core: Core) -> list[str]:
    return [delivery.reply.body for delivery in core.state.outbox("B01234").queue.values()]


def test_nothing_more_is_told_when_an_awaited_instruction_falls_in_doubt() -> None:
    core = Core()
    member = in_doubt(core)

    assert [] == bodies(core)
    assert core.state.exchanges[member].is_awaited


def test_done_is_told_late_as_accepted() -> None:
    core = Core()
    member = in_doubt(core)
    decision = resolve(core, member, told(core))
    (body,) = bodies(core)

    assert ["doubt_resolved", "exchange_answered", "delivery_queued"] == kinds(decision)
    assert "IPRC//PACK" in body
    assert NUMBER in body
    assert "R1" == core.state.instructions["B01234", NUMBER].reference
    assert {"user": "ops", "uid": 1, "pid": 2, "by": "A. Chan", "reason": "the desk says so"} == decision.entries[
        0
    ].body()["who"]


def test_not_done_is_told_late_as_refused() -> None:
    core = Core()
    member = in_doubt(core)
    decision = resolve(core, member)
    (body,) = bodies(core)

    assert ["doubt_resolved", "exchange_answered", "delivery_queued"] == kinds(decision)
    assert "IPRC//REJT" in body
    assert "OPERATOR FOUND THAT NOTHING WAS\r\nDONE" in body


def test_done_without_ocp_is_told_with_its_number() -> None:
    core = Core()
    resolve(core, in_doubt(core), number=NUMBER)
    (body,) = bodies(core)

    assert "IPRC//PACK" in body
    assert NUMBER in body


@pytest.mark.parametrize("is_done", [True, False])
def test_who_was_not_told_to_wait_gets_the_answer_itself(is_done: bool) -> None:
    core = Core()
    member = in_doubt(core, is_told=False)
    decision = resolve(core, member, told(core) if is_done else None)

    assert ["doubt_resolved", "exchange_answered"] == kinds(decision)
    assert "accepted" if is_done else "refused" == core.state.exchanges[member].outcome
    assert core.state.exchanges[member].reply is not None


def test_second_word_changes_nothing_and_is_refused_by_name() -> None:
    core = Core()
    member = in_doubt(core)
    resolve(core, member)
    again = resolve(core, member, told(core))
    found = doubts.find(core.state, member)

    assert [] == again.entries
    assert [] == again.actions
    assert isinstance(found, Finding)
    assert (doubts.NOT_IN_DOUBT, f"{member} (R1) is not in doubt: it is answered refused; nothing changed") == (
        found.code,
        found.text,
    )


def test_replay_gives_the_same_state() -> None:
    core = Core()
    member = in_doubt(core)
    other = in_doubt(core, "R2")
    resolve(core, member, told(core))
    replayed = core.replayed()
    recover(replayed)

    assert core.state.exchanges[member].outcome == replayed.exchanges[member].outcome == "accepted"
    assert [other] == [exchange.id for exchange in replayed.in_doubt()]
    assert ["D1"] == list(core.state.outbox("B01234").queue)
    assert {"D1", member, other} == set(replayed.outbox("B01234").queue)


def test_what_comes_later_about_the_same_si_is_called_and_what_is_resolved_frees_nothing_twice() -> None:
    core = Core()
    member = in_doubt(core)
    template, message_type, how = WAYS["si_delete"]
    body = core.words.about(core.words.deliver("D1", function=how), NUMBER)
    core.offer(e.RequestArrived("S1", "B01234", "PSS1", 9, template, message_type, body.decode("ascii"), body))
    decision = resolve(core, member, told(core))

    assert ["D1"] == [
        core.state.exchanges[waiting].reference for waiting in core.state.lane("B01234", "si_delete").waiting
    ]
    assert ["doubt_resolved", "exchange_answered", "delivery_queued"] == kinds(decision)


def test_exchange_is_found_by_what_names_it_alone() -> None:
    core = Core()
    first, second = in_doubt(core, "R1"), in_doubt(core, "R2")
    request_id = core.state.exchanges[second].request_id

    assert [first, first, second] == [doubts.find(core.state, key).id for key in (first, "R1", request_id)]  # type: ignore[union-attr]
    nobody = doubts.find(core.state, "R3")
    assert isinstance(nobody, Finding)
    assert doubts.NO_SUCH_EXCHANGE == nobody.code


def test_number_that_another_instruction_entered_is_refused() -> None:
    core = Core()
    core.request("R0")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R0", NUMBER)]))
    exchange = core.state.exchanges[in_doubt(core, "R1")]
    (finding,) = doubts.against(core.state, exchange, is_done=True, si_number=NUMBER)

    assert (doubts.OF_ANOTHER, f"{NUMBER} was entered by R0 (X1)") == (finding.code, finding.text)


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], f"OCP knows no {NUMBER} of B01234"),
        ([{"requestReference": "OTHER"}], f"{NUMBER} was entered by OTHER on 2026-11-24, not by R1"),
        (
            [{"createdAt": "2026-11-20T10:00:00.000+08:00"}],
            f"{NUMBER} was entered by R1 on 2026-11-20, not by R1",
        ),
    ],
)
def test_si_that_ocp_shows_as_anothers_is_refused(entries: list[dict[str, str]], text: str) -> None:
    core = Core()
    exchange = core.state.exchanges[in_doubt(core)]
    shown = [{**told(core), **changes} for changes in entries]
    entry, (finding,) = doubts.told_by_ocp(core.terms, exchange, said_done=True, si_number=NUMBER, entries=shown)

    assert (doubts.OF_ANOTHER, "error", text) == (finding.code, finding.severity, finding.text)
    assert entry is None


def test_not_done_is_refused_where_ocp_shows_that_it_was() -> None:
    core = Core()
    exchange = core.state.exchanges[in_doubt(core)]
    asked = doubts.question(core.terms, exchange, is_done=False, si_number="")
    _, (finding,) = doubts.told_by_ocp(core.terms, exchange, said_done=False, si_number="", entries=[told(core)])

    assert {"participant_id": "B01234", "request_reference": "R1", "business_date": "2026-11-24"} == asked
    assert (doubts.CONTRADICTED, f"OCP shows that R1 was done: {NUMBER}") == (finding.code, finding.text)


def test_request_whose_si_changed_since_is_warned_of_only() -> None:
    core = Core()
    core.request("R1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", NUMBER)]))
    template, message_type, how = WAYS["si_change"]
    body = core.words.about(core.words.deliver("C1", function=how), NUMBER)
    core.offer(e.RequestArrived("S1", "B01234", "PSS1", 9, template, message_type, body.decode("ascii"), body))
    core.offer(e.LaneOpen("B01234", "si_change"))
    (exchange,) = [one for one in core.state.exchanges.values() if one.reference == "C1"]
    shown = told(core, "R1", lastRequestReference="WEB1", status="MATCHED")
    entry, (finding,) = doubts.told_by_ocp(core.terms, exchange, said_done=True, si_number=NUMBER, entries=[shown])
    (other,) = doubts.against(core.state, exchange, is_done=True, si_number="I00000002")

    assert shown == entry
    assert (doubts.SHOWS_OTHERWISE, "warning") == (finding.code, finding.severity)
    assert f"C1 is about {NUMBER}, not I00000002" == other.text


def test_list_has_why_and_what_was_told() -> None:
    core = Core()
    member = in_doubt(core)
    core.request("R2")
    core.call()
    found = listing(core.state, frozenset({"in_doubt", "open", "undelivered"}))
    doubt, still_open = found.exchanges

    assert (1, 1, 0) == (found.in_doubt, found.open, found.undelivered)
    assert (member, "in_doubt", True) == (doubt.exchange, doubt.stage, doubt.is_told)
    assert "3 looks did not find it" in doubt.why
    assert ("R2", "called") == (still_open.reference, still_open.stage)
    resolve(core, member)
    assert [member] == [one.exchange for one in listing(core.state, frozenset({"undelivered"})).deliveries]
    assert 0 == listing(core.state, frozenset({"open"}), participant="C00019").open
