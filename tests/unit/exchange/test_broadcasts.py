"""Broadcasts: to everybody or to nobody, in one durable unit, and again after a restart."""

from __future__ import annotations

import pytest

from pg_bridge.errors import MappingFailed
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.broadcasts import broadcast_findings
from pg_bridge.exchange.outbound import Seat, choose
from pg_bridge.exchange.records import DeliveryAcknowledged, Who, read_entry
from pg_bridge.exchange.recovery import recover
from tests.doubles.core import Core, actions, kinds
from tests.doubles.core_day import note

WHO = Who(user="ops", uid=1000, pid=1)


def given(core: Core, text: str = "CLOSED", head: str = "TYPHOON") -> a.Decision:
    return core.offer(e.BroadcastGiven("X1", head, text, ("B01234", "C00019"), WHO))


def test_each_participant_gets_one_delivery_and_all_stand_in_one_unit() -> None:
    core = Core()
    decision = given(core, "THE SECOND SESSION IS CANCELLED.")
    queued = [read_entry(entry) for entry in decision.entries[1:]]

    assert ["broadcast_ordered", "delivery_queued", "delivery_queued"] == kinds(decision)
    assert ["Pump", "Pump"] == actions(decision)
    assert ["B01234", "C00019"] == [record.participant for record in queued]
    assert {"X1"} == {entry.exchange for entry in decision.entries}
    assert [
        f":20:PG{number}\r\n:12:120\r\n:77E:HEAD/TYPHOON\r\nTEXT/THE SECOND SESSION IS CANCELLED.\r\n"
        for number in (1, 2)
    ] == [record.reply.body for record in queued]


def test_what_cannot_be_written_for_one_goes_to_nobody() -> None:
    core = Core()
    with pytest.raises(MappingFailed):
        given(core, head="A HEAD OF MORE THAN THIRTY FIVE CHARACTERS")

    assert [] == core.entries
    assert {} == core.state.outboxes


def test_it_waits_over_a_restart_until_it_is_acknowledged() -> None:
    core = Core()
    given(core)
    state = core.replayed()
    recover(state)
    ((session, delivery),) = choose(state.outbox("C00019"), [Seat("S2", "PSS1", 16)], state.folded)
    note(core, DeliveryAcknowledged(exchange="X1", participant="C00019", delivery=delivery.id))

    assert ("S2", "C00019", True) == (session, delivery.participant, delivery.is_copy)
    assert {"B01234": 1, "C00019": 0} == {name: len(box.queue) for name, box in core.replayed().outboxes.items()}


def test_each_line_with_characters_that_no_pss_reads_is_told_by_their_names() -> None:
    findings = broadcast_findings("CAF\u00c9", "good\nbad; \u96e8\t;\ngood")

    assert [("head", 1), ("text", 2)] == [(finding.path, finding.line) for finding in findings]
    assert "latin capital letter e with acute" in findings[0].text
    assert "semicolon" in findings[1].text
    assert "cjk unified ideograph-96e8" in findings[1].text
    assert "U+0009" in findings[1].text.upper()


@pytest.mark.parametrize(
    ("head", "text", "told"), [("", "A", ["head"]), ("A", " \n", ["text"]), ("A\nB", "C", ["head"])]
)
def test_nothing_to_tell_is_refused(head: str, text: str, told: list[str]) -> None:
    assert told == [finding.path for finding in broadcast_findings(head, text)]


def test_good_text_has_no_findings() -> None:
    assert [] == broadcast_findings("TYPHOON SIGNAL NO. 8", "See the web site: (www.hkex.com.hk)\n\nIt's all + more?")
