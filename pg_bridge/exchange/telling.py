"""What the PSS is told of an SI: whose it is, which message, and what must go before it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pg_bridge.errors import MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.si_standing import SiStanding
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, request_of
from pg_bridge.profiles.concepts import EventType, Status

STATUS_CHANGE = "status_change"
SETTLEMENT_CONFIRMATION = "settlement_confirmation"
#: what an SI never leaves again
FINAL = frozenset({Status.SETTLED, Status.DELETED, Status.REVOKED, Status.PURGED})

_encode = msgspec.json.Encoder().encode


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


def standing_of(terms: Terms, si: e.Json, heard: str) -> SiStanding:
    """How an SI stands by OCP's entry of it. heard: the business date of what told it."""
    status = terms.ocp.get("si", "status", si)
    version = terms.ocp.get("si", "version", si)
    return SiStanding(
        version=version if isinstance(version, int) else 0,
        status=str(status or ""),
        day=str(terms.ocp.get("si", "created_at", si) or "")[:10],
        heard=heard,
        is_final=terms.ocp.meaning("status", status) in FINAL,
    )


def _is_open(exchange: Exchange) -> bool:
    """Whether its answer may not have left yet."""
    return not (exchange.has_left or exchange.is_sent)


def tell_event(state: State, document: e.Json, terms: Terms, now: datetime, note: Note) -> None:
    """Queue the message for one event, if it is to be told."""
    values = terms.ocp.read("event", document)
    function = function_of(terms, values)
    if function:
        _queue(
            state,
            document,
            values["si"],
            function,
            terms,
            now,
            note,
            event_id=str(values["event_id"] or ""),
            sequence=int(values["event_sequence"]),
            business_date=str(values["event_business_date"]),
        )


def tell_snapshot(
    state: State, participant: str, entry: e.Json, terms: Terms, now: datetime, note: Note, *, cause: str
) -> None:
    """Note how an SI stands (OCP's entry of it), and queue the message that tells it, marked as a snapshot.

    cause: `events_lost` or `disagreement`. A settlement is told by a confirmation, which has no room for the mark.
    """
    note.record(
        r.SnapshotTaken(
            participant=participant,
            si_number=str(terms.ocp.get("si", "si_number", entry) or ""),
            cause=cause,
            entry=msgspec.Raw(_encode(entry)),
            standing=standing_of(terms, entry, terms.business_date(now)),
        )
    )
    document = snapshot_document(terms, entry)
    function = function_of(terms, terms.ocp.read("event", document))
    _queue(state, document, entry, function, terms, now, note, is_snapshot=True)


def snapshot_document(terms: Terms, entry: e.Json) -> e.Json:
    """How an SI stands (OCP's entry of it) in the shape of an event."""
    return terms.ocp.write("event", {"si": entry, "new_status": terms.ocp.get("si", "status", entry)})


def _queue(
    state: State,
    document: e.Json,
    si: e.Json,
    function: str,
    terms: Terms,
    now: datetime,
    note: Note,
    *,
    event_id: str = "",
    sequence: int = 0,
    business_date: str = "",
    is_snapshot: bool = False,
) -> None:
    """Queue the message that a document in the shape of an event becomes; park what no rule can write."""
    participant = str(terms.ocp.get("si", "participant_id", si))
    number = str(terms.ocp.get("si", "si_number", si) or "")
    owner = owner_of(state, terms, participant, si)
    cause = cause_of(state, terms, participant, si)
    own = state.instructions.get((participant, number))
    terminal = own.terminal if own is not None else owner.terminal if owner is not None else ""
    context = terms.context(participant, terminal, now)
    context["snapshot"] = is_snapshot
    request = request_of(owner) if owner is not None else None
    try:
        written = terms.book.write_unsolicited(function, answer_sources(context=context, request=request, ocp=document))
    except MappingError as error:
        note.record(r.UpdateParked(participant=participant, event_id=event_id, si_number=number, findings=error.told()))
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
            event_id=event_id,
            sequence=sequence,
            business_date=business_date,
            after=cause.id if cause is not None and not (owner is not None and _is_open(owner)) else "",
            lineage=written.lineage,
            findings=written.findings,
            mapping=written.mapping,
        )
    )
    note.act(a.Pump(participant))
