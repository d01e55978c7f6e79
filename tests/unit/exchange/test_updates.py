"""Updates: order, repeats, gaps, whose they are, and what the PSS is told."""

from __future__ import annotations

import pytest

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import updates
from pg_bridge.exchange.outbound import Seat, choose
from pg_bridge.exchange.outbox import Delivery, Outbox
from pg_bridge.exchange.records import Reply
from tests.doubles.core import Core, kinds


def accepted() -> Core:
    core = Core()
    core.request("R1")
    core.offer(e.CallAnswered(core.call(), [core.accepted("R1", "I00000001")]))
    return core


def queue(core: Core) -> list[Delivery]:
    return list(core.state.outbox("B01234").queue.values())


def test_events_in_order_are_told_but_the_first() -> None:
    core = accepted()
    created = core.offer(e.UpdatesArrived([core.event("I00000001", 1, "CREATED", "UNMATCHED")]))
    matched = core.offer(e.UpdatesArrived([core.event("I00000001", 2, "MATCHED", "MATCHED")]))
    settled = core.offer(e.UpdatesArrived([core.event("I00000001", 3, "SETTLED", "SETTLED")]))

    assert ["update_received"] == kinds(created)
    assert ["update_received", "delivery_queued"] == kinds(matched)
    assert ["update_received", "delivery_queued"] == kinds(settled)
    assert [("SI60", "548"), ("SI61", "547")] == [
        (delivery.reply.template, delivery.reply.message_type) for delivery in queue(core)
    ]


def test_repeat_is_dropped_and_noted() -> None:
    core = accepted()
    event = core.event("I00000001", 1, "MATCHED", "MATCHED")
    core.offer(e.UpdatesArrived([event]))

    assert ["update_repeated"] == kinds(core.offer(e.UpdatesArrived([event])))
    assert 1 == len(queue(core))


def test_gap_is_asked_for_and_told_in_order_when_filled() -> None:
    core = accepted()
    late = core.event("I00000001", 3, "SETTLED", "SETTLED")
    found = core.offer(e.UpdatesArrived([late]))
    filled = core.offer(
        e.UpdatesArrived(
            [core.event("I00000001", 1, "CREATED", "UNMATCHED"), core.event("I00000001", 2, "MATCHED", "MATCHED"), late]
        )
    )

    assert ["update_received", "gap_found"] == kinds(found)
    assert [a.Fetch("B01234", "2026-11-24", 0)] == found.actions
    assert "update_repeated" in kinds(filled)
    assert ["SI60", "SI61"] == [delivery.reply.template for delivery in queue(core)]
    assert 4 == core.state.feed("B01234", "2026-11-24").next_sequence


def test_events_of_one_delivery_in_any_order_are_told_in_theirs() -> None:
    core = accepted()
    events = [
        core.event("I00000001", 2, "SETTLED", "SETTLED"),
        core.event("I00000001", 1, "MATCHED", "MATCHED"),
    ]
    decision = core.offer(e.UpdatesArrived(events))

    assert ["SI60", "SI61"] == [delivery.reply.template for delivery in queue(core)]
    assert "gap_found" not in kinds(decision)


def test_update_before_the_answer_to_its_own_input_waits_for_it() -> None:
    core = Core()
    core.request("R1")
    request_id = core.call()
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "MATCHED", "MATCHED")]))

    assert [] == queue(core)
    assert 1 == len(core.state.exchanges["X1"].held)
    core.offer(e.CallAnswered(request_id, [core.accepted("R1", "I00000001")]))
    assert [] == queue(core) or core.state.exchanges["X1"].is_sent


def test_si_entered_elsewhere_is_told_to_its_participant() -> None:
    core = Core()
    event = core.event("I00000077", 1, "MATCHED", "MATCHED", participantReference=None)
    core.offer(e.UpdatesArrived([event]))
    (delivery,) = queue(core)

    assert ":20C::RELA//NONREF" in delivery.reply.body
    assert "" == delivery.terminal


def test_event_that_no_rule_can_write_is_parked() -> None:
    core = Core()
    event = core.event("I00000077", 1, "MATCHED", "MATCHED", stockAccount="TOO LONG FOR 8X")

    assert ["update_received", "update_parked"] == kinds(core.offer(e.UpdatesArrived([event])))
    assert [] == queue(core)


def test_status_that_no_row_knows_is_parked() -> None:
    core = Core()
    event = core.event("I00000077", 1, "MATCHED", "A_NEW_STATUS")

    assert ["update_received", "update_parked"] == kinds(core.offer(e.UpdatesArrived([event])))


def test_event_id_that_came_before_is_not_told_again_under_another_number() -> None:
    core = accepted()
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "MATCHED", "MATCHED")]))
    again = core.offer(e.UpdatesArrived([core.event("I00000001", 2, "MATCHED", "MATCHED", eventId="E1")]))

    assert ["update_received"] == kinds(again)
    assert 1 == len(queue(core))
    assert 3 == core.state.feed("B01234", "2026-11-24").next_sequence


def test_events_without_ids_are_told_by_their_numbers() -> None:
    core = accepted()
    events = [core.event("I00000001", number, "MATCHED", "MATCHED", eventId=None) for number in (1, 2, 2)]
    core.offer(e.UpdatesArrived(events))

    assert 2 == len(queue(core))


def test_events_of_the_next_day_wait_until_the_day_is_closed() -> None:
    core = accepted()
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "CREATED", "UNMATCHED")]))
    core.wait(86_400)
    tomorrow = core.event("I00000001", 1, "SETTLED", "SETTLED", businessDate="2026-11-25", eventId="E11")
    early = core.offer(e.UpdatesArrived([tomorrow]))
    late = core.event("I00000001", 2, "MATCHED", "MATCHED")
    closed = core.offer(e.EventsFetched("B01234", "2026-11-24", [late], is_over=True))

    assert [a.Fetch("B01234", "2026-11-24", 1)] == early.actions
    assert [
        "update_received", "delivery_queued", "day_closed", "update_released", "delivery_queued"
    ] == kinds(closed)  # fmt: skip
    assert ["SI60", "SI61"] == [delivery.reply.template for delivery in queue(core)]


def test_what_a_snapshot_told_is_not_told_again_by_late_events() -> None:
    core = accepted()
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "CREATED", "UNMATCHED")]))
    core.offer(e.UpdatesArrived([core.event("I00000001", 4, "RELEASED", "MATCHED", version=4)]))
    entry = core.event("I00000001", 0, "", "MATCHED", version=4)
    gone = core.offer(e.EventsGone("B01234", "2026-11-24", [entry]))

    assert ["events_lost", "snapshot_taken", "delivery_queued", "update_released", "update_passed_over"] == kinds(gone)
    assert ["MATCHED SNAPSHOT" in delivery.reply.body for delivery in queue(core)] == [True]
    assert 5 == core.state.feed("B01234", "2026-11-24").next_sequence


def test_buffer_of_early_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "MOST_EARLY", 3)
    core = accepted()
    events = [core.event("I00000001", number, "MATCHED", "MATCHED") for number in range(2, 8)]
    found = core.offer(e.UpdatesArrived(events))

    assert 3 == len(core.state.feed("B01234", "2026-11-24").early)
    assert [a.Fetch("B01234", "2026-11-24", 0)] == found.actions
    assert not updates.has_room(core.state, core.terms, events)
    assert updates.has_room(core.state, core.terms, [core.event("I00000001", 1, "CREATED", "UNMATCHED")])


def test_journal_alone_gives_the_same_days_and_standings() -> None:
    core = accepted()
    core.offer(e.UpdatesArrived([core.event("I00000001", 1, "CREATED", "UNMATCHED")]))
    core.wait(86_400)
    tomorrow = core.event("I00000001", 1, "SETTLED", "SETTLED", businessDate="2026-11-25", eventId="E11", version=3)
    core.offer(e.UpdatesArrived([tomorrow]))
    core.offer(e.EventsFetched("B01234", "2026-11-24", [], is_over=True))
    replayed = core.replayed()

    assert core.state.standings == replayed.standings
    assert core.state.open_days == replayed.open_days == {"B01234": "2026-11-25"}
    assert core.state.feeds == replayed.feeds


# --- which delivery goes where -------------------------------------------------------------------------------


def outbox(*deliveries: tuple[str, str, str]) -> Outbox:
    made = Outbox()
    for id_, terminal, number in deliveries:
        made.queue[id_] = Delivery(id_, "B01234", terminal, number, Reply("SI60", "548", ""))
    return made


def chosen(box: Outbox, *seats: Seat) -> list[tuple[str, str]]:
    return [(session, delivery.id) for session, delivery in choose(box, seats, 10_000)]


def test_terminal_that_entered_the_si_is_told_else_the_oldest_session() -> None:
    box = outbox(("D1", "PSS2", "I1"), ("D2", "PSS9", "I2"), ("D3", "", "I3"))

    assert [("S2", "D1"), ("S1", "D2"), ("S1", "D3")] == chosen(box, Seat("S1", "PSS1", 16), Seat("S2", "PSS2", 16))


def test_window_is_kept() -> None:
    box = outbox(*((f"D{n}", "", f"I{n}") for n in range(5)))

    assert [("S1", "D0"), ("S1", "D1")] == chosen(box, Seat("S1", "PSS1", 2))
    assert [] == chosen(box)


def test_order_of_one_si_holds_across_sessions() -> None:
    box = outbox(("D1", "PSS1", "I1"), ("D2", "PSS2", "I1"), ("D3", "PSS2", "I2"))
    box.sent["D1"] = "S1"

    assert [("S2", "D3")] == chosen(box, Seat("S1", "PSS1", 16), Seat("S2", "PSS2", 16))


def test_what_cannot_go_holds_back_what_follows_of_the_same_si() -> None:
    box = outbox(("D1", "PSS1", "I1"), ("D2", "PSS2", "I1"))

    assert [] == chosen(box, Seat("S1", "PSS1", 0), Seat("S2", "PSS2", 16))


def test_reason_too_long_for_its_field_is_cut_told_and_journaled() -> None:
    core = Core()
    event = core.event("I00000077", 1, "FAILING", "FAILING", reasonCode="LACK_MONEY", reasonText="words " * 60)

    assert ["update_received", "delivery_queued"] == kinds(core.offer(e.UpdatesArrived([event])))
    assert ("PGB-MAP-005",) == core.entries[-1].findings
