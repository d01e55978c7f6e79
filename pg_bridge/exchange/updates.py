"""Status updates: duplicates and gaps, whose SI it is, and the message that tells the PSS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from pg_bridge.errors import MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.state import Feed, State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, request_of
from pg_bridge.profiles.concepts import EventType, Status

STATUS_CHANGE = "status_change"
SETTLEMENT_CONFIRMATION = "settlement_confirmation"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def _arrived(state: State, event: e.UpdatesArrived, terms: Terms, now: datetime, note: Note) -> None:
    repeated: dict[tuple[str, str], list[int]] = {}
    gaps: dict[tuple[str, str], int] = {}
    for document in event.events:
        values = terms.ocp.read("event", document)
        si = values["si"]
        participant = str(terms.ocp.get("si", "participant_id", si))
        business_date = str(values["event_business_date"])
        sequence = int(values["event_sequence"])
        feed = state.feed(participant, business_date)
        if sequence < feed.next_sequence or sequence in feed.early:
            repeated.setdefault((participant, business_date), []).append(sequence)
            continue
        is_held = sequence != feed.next_sequence
        note.record(
            r.UpdateReceived(
                exchange=getattr(owner_of(state, terms, participant, si), "id", ""),
                participant=participant,
                business_date=business_date,
                sequence=sequence,
                event_id=str(values["event_id"]),
                si_number=str(terms.ocp.get("si", "si_number", si) or ""),
                event=msgspec.Raw(_encode(document)),
                delivery_id=event.delivery_id,
                is_held=is_held,
                is_late=event.is_late,
            )
        )
        if is_held:
            gaps[participant, business_date] = sequence
            continue
        _tell(state, document, terms, now, note)
        _release_early(state, feed, terms, now, note)
    for (participant, business_date), sequences in repeated.items():
        note.record(
            r.UpdateRepeated(
                participant=participant,
                business_date=business_date,
                sequences=tuple(sequences),
                delivery_id=event.delivery_id,
            )
        )
    for (participant, business_date), found in gaps.items():
        feed = state.feed(participant, business_date)
        if feed.early:
            note.record(
                r.GapFound(
                    participant=participant,
                    business_date=business_date,
                    expected=feed.next_sequence,
                    found=found,
                )
            )
            note.act(a.Fetch(participant, business_date, feed.next_sequence - 1))


def _release_early(state: State, feed: Feed, terms: Terms, now: datetime, note: Note) -> None:
    while (document := feed.early.get(feed.next_sequence)) is not None:
        note.record(
            r.UpdateReleased(
                participant=feed.participant, business_date=feed.business_date, sequence=feed.next_sequence
            )
        )
        _tell(state, _decode(document), terms, now, note)


def owner_of(state: State, terms: Terms, participant: str, si: e.Json) -> Exchange | None:
    """The exchange that entered this SI; None for an SI that was entered elsewhere."""
    number = str(terms.ocp.get("si", "si_number", si) or "")
    own = state.instructions.get((participant, number))
    if own is not None:
        return state.exchanges.get(own.exchange)
    # An update may come before the answer to its own input: then the reference tells whose it is.
    reference = str(terms.ocp.get("si", "request_reference", si) or "")
    day = str(terms.ocp.get("si", "created_at", si) or "")[:10]
    use = state.uses.get((participant, day, reference))
    return state.exchanges.get(use.exchange) if use is not None else None


def cause_of(state: State, terms: Terms, participant: str, si: e.Json) -> Exchange | None:
    """The exchange whose request brought about what the SI is now; None where it was nobody's or is long over.

    The PSS is told of it after the answer to that request.
    """
    reference = str(terms.ocp.get("si", "last_request_reference", si) or "")
    day = str(terms.ocp.get("si", "updated_at", si) or "")[:10]
    use = state.uses.get((participant, day, reference))
    first = state.exchanges.get(use.exchange) if use is not None else None
    if first is None:
        return None
    number = str(terms.ocp.get("si", "si_number", si) or "")
    return next((part for part in state.parts_of(first) if part.si_number == number), first)


def function_of(terms: Terms, values: e.Json) -> str:
    """The function of the message that tells an event (its values by concept).

    Empty for an SI's first event: the answer to its input told that one.
    """
    if terms.ocp.meaning("event_type", values["event_type"]) is EventType.CREATED:
        return ""
    is_settled = terms.ocp.meaning("status", values["new_status"]) is Status.SETTLED
    return SETTLEMENT_CONFIRMATION if is_settled else STATUS_CHANGE


def _is_open(exchange: Exchange) -> bool:
    """Whether its answer may not have left yet."""
    return not (exchange.has_left or exchange.is_sent)


def _tell(state: State, document: e.Json, terms: Terms, now: datetime, note: Note) -> None:
    """Queue the message for one event, if it is to be told."""
    values = terms.ocp.read("event", document)
    function = function_of(terms, values)
    if not function:
        return
    si = values["si"]
    participant = str(terms.ocp.get("si", "participant_id", si))
    number = str(terms.ocp.get("si", "si_number", si) or "")
    owner = owner_of(state, terms, participant, si)
    cause = cause_of(state, terms, participant, si)
    own = state.instructions.get((participant, number))
    terminal = own.terminal if own is not None else owner.terminal if owner is not None else ""
    try:
        written = terms.book.write_unsolicited(
            function,
            answer_sources(
                context=terms.context(participant, terminal, now),
                request=request_of(owner) if owner is not None else None,
                ocp=document,
            ),
        )
    except MappingError as error:
        note.record(
            r.UpdateParked(
                participant=participant,
                event_id=str(values["event_id"]),
                si_number=number,
                findings=error.told(),
            )
        )
        return
    note.record(
        r.DeliveryQueued(
            exchange=owner.id if owner is not None else "",
            participant=participant,
            delivery=terms.fresh.delivery_id(),
            terminal=terminal,
            si_number=number,
            reference=str(terms.ocp.get("si", "participant_reference", si) or ""),
            reply=r.Reply(written.template, written.message_type, written.body.decode("ascii")),
            event_id=str(values["event_id"]),
            sequence=int(values["event_sequence"]),
            business_date=str(values["event_business_date"]),
            after=cause.id if cause is not None and not (owner is not None and _is_open(owner)) else "",
            lineage=written.lineage,
            findings=written.findings,
            mapping=written.mapping,
        )
    )
    note.act(a.Pump(participant))


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {e.UpdatesArrived: _arrived}
