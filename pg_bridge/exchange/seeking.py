"""Which SI a request is about: named by its number or by its participant reference, and found before it is called.

A number that the bridge knows is enough; for everything else OCP is asked. Of several open SIs under one reference
none is chosen: the request is refused and names them. A reference is sought when what came before under it, its input
among it, is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.profiles.concepts import Operation, Refusal, Status

#: the findings of a request whose SI is not found, of one that names several, and of one whose input is in doubt
NO_SUCH_SI = "PGB-XCH-002"
SEVERAL_SIS = "PGB-XCH-003"
INPUT_IN_DOUBT = "PGB-XCH-005"

#: what an SI never leaves again
_FINAL = frozenset({Status.SETTLED, Status.DELETED, Status.REVOKED, Status.PURGED})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def named_by(terms: Terms, exchange: Exchange) -> dict[str, Any]:
    """The question (concepts of a query) for the SI that the exchange's document names."""
    number, reference = _names(terms, exchange)
    named = {"si_number": number} if number else {"participant_reference": reference}
    return {"participant_id": exchange.participant, **named}


def lost_by(terms: Terms, exchange: Exchange) -> dict[str, Any]:
    """The question (concepts of a query) for what became of a lost call of this exchange."""
    if exchange.operation != Operation.SI_ADD:
        return named_by(terms, exchange)
    return {
        "participant_id": exchange.participant,
        "request_reference": exchange.reference,
        "business_date": exchange.business_date,
    }


def is_done(terms: Terms, exchange: Exchange, entry: e.Json, *, is_used: bool) -> bool:
    """Whether an SI that OCP told (an enquiry's entry) shows that the exchange's request was done.

    An input is done when the SI is found that it entered; one that another request touched under the same reference is
    not it. Any other is done when the SI stands as it asks for and was last touched by it.
    An SI that stands so by another's act shows nothing, until OCP says that the call's id or reference was used
    (is_used): then it was done, and the other came after. A change asks for no status of its own: that it was the last
    to touch the SI is all that can show it (ocp-profile section 3, assumed).
    """
    if exchange.operation == Operation.SI_ADD:
        return _entered(terms, exchange, entry)
    return (is_used or was_last(terms, exchange, entry)) and _stands_as_asked(terms, exchange, entry)


def _entered(terms: Terms, exchange: Exchange, entry: e.Json) -> bool:
    reference = str(terms.ocp.get("si", "request_reference", entry) or "")
    day = str(terms.ocp.get("si", "created_at", entry) or "")[:10]
    return reference == exchange.reference and day in ("", exchange.business_date)


def was_last(terms: Terms, exchange: Exchange, entry: e.Json) -> bool:
    """Whether the exchange's request was the last to touch an SI; an input that is found always counts as such.

    A reference of another day is another request's.
    """
    if exchange.operation == Operation.SI_ADD:
        return True
    day = str(terms.ocp.get("si", "updated_at", entry) or "")[:10]
    return terms.ocp.get("si", "last_request_reference", entry) == exchange.reference and day >= exchange.business_date


def _stands_as_asked(terms: Terms, exchange: Exchange, entry: e.Json) -> bool:
    status = terms.ocp.meaning("status", terms.ocp.get("si", "status", entry))
    match exchange.operation:
        case Operation.SI_DELETE:
            return status is Status.DELETED
        case Operation.SI_REVOKE:
            return status is Status.REVOKED or bool(terms.ocp.get("si", "revoke_own", entry))
        case Operation.SI_AUTHORISE:
            return status not in (Status.PENDING, Status.DELETED, Status.PURGED)
        case Operation.SI_HOLD:
            wanted = terms.ocp.get("si", "hold", _decode(exchange.document))
            return bool(terms.ocp.get("si", "hold_own", entry) == wanted)
        case Operation.SI_CHANGE:
            return was_last(terms, exchange, entry)
        case _:
            return True


def seek(state: State, exchange: Exchange, terms: Terms, note: Note) -> None:
    """Find the SI of an exchange, whose turn it is, by what the bridge knows, or have OCP asked."""
    number, _ = _names(terms, exchange)
    if number:
        own = state.instructions.get((exchange.participant, number))
        if own is not None:
            _found(exchange, terms, note, number, own.reference, is_known=True)
            return
    # OCP is asked for a reference always: another SI may have been entered under it elsewhere, or on another day.
    note.act(a.Seek(exchange.id))


def _sought(state: State, event: e.SiSought, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or not exchange.sought or exchange.stage is not Stage.RECEIVED:
        return
    number, reference = _names(terms, exchange)
    alive = [entry for entry in event.entries if not _is_final(terms, entry)]
    if len(alive) > 1:
        numbers = " ".join(str(terms.ocp.get("si", "si_number", entry)) for entry in alive)
        text = f"several SIs are open under {reference}, name one by its number: {numbers}"
        _refuse(state, exchange, terms, now, note, SEVERAL_SIS, text)
        return
    if not number and _is_in_doubt(state, terms, exchange, reference, event):
        text = f"the input of {reference} is in doubt, name the SI by its number"
        _refuse(state, exchange, terms, now, note, INPUT_IN_DOUBT, text)
        return
    if event.entries:
        # Of SIs that are all over the last is meant; OCP tells that its state allows nothing any more.
        (entry,) = alive or [max(event.entries, key=lambda one: str(terms.ocp.get("si", "created_at", one) or ""))]
        found = terms.ocp.read("si", entry)
        _found(exchange, terms, note, str(found["si_number"]), str(found["participant_reference"] or ""))
        return
    _refuse(state, exchange, terms, now, note, NO_SUCH_SI, f"SI unknown: {number or reference}")


def _seek_failed(state: State, event: e.SeekFailed, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or not exchange.sought or exchange.stage is not Stage.RECEIVED:
        return
    if event.fault is not None:
        conclude(state, exchange, terms, now, note, outcome="refused", faults=(event.fault,))
        return
    # Nothing was done yet, and the PSS is told in time that the outcome is awaited.
    note.act(a.Seek(exchange.id, event.retry_after_s or terms.options.retry_first_s))


def _refuse(state: State, exchange: Exchange, terms: Terms, now: datetime, note: Note, code: str, text: str) -> None:
    fault = terms.fault(code, Refusal.SI_UNKNOWN.value, text)
    conclude(state, exchange, terms, now, note, outcome="refused", faults=(fault,))


def _found(
    exchange: Exchange, terms: Terms, note: Note, number: str, reference: str, *, is_known: bool = False
) -> None:
    names_number, names_reference = _names(terms, exchange)
    document = _decode(exchange.document)
    values: Mapping[str, str] = {"si_number": number, "participant_reference": reference}
    for concept in exchange.sought:
        terms.ocp.place("si", concept).write(document, values[concept])
    note.record(
        r.SiFound(
            exchange=exchange.id,
            participant=exchange.participant,
            reference=exchange.reference,
            by=names_number or names_reference,
            si_number=number,
            si_reference=reference,
            is_known=is_known,
            document=msgspec.Raw(_encode(document)),
        )
    )
    if not exchange.awaits:
        note.act(a.OpenLane(exchange.participant, exchange.operation))


def _names(terms: Terms, exchange: Exchange) -> tuple[str, str]:
    """The SI number and the participant reference in the exchange's document, empty where there is none."""
    document = _decode(exchange.document)
    number = terms.ocp.get("si", "si_number", document)
    reference = terms.ocp.get("si", "participant_reference", document)
    return str(number or ""), str(reference or "")


def _is_in_doubt(state: State, terms: Terms, exchange: Exchange, reference: str, event: e.SiSought) -> bool:
    """Whether the SI that is meant may be one whose input is in doubt, and that OCP does not show."""
    use = state.uses.get((exchange.participant, exchange.business_date, reference))
    entering = state.exchanges.get(use.exchange) if use is not None else None
    if entering is None or entering.operation != Operation.SI_ADD or entering.stage is not Stage.IN_DOUBT:
        return False
    return not any(
        str(terms.ocp.get("si", "request_reference", entry) or "") == reference
        and str(terms.ocp.get("si", "created_at", entry) or "")[:10] == entering.business_date
        for entry in event.entries
    )


def _is_final(terms: Terms, entry: e.Json) -> bool:
    return terms.ocp.meaning("status", terms.ocp.get("si", "status", entry)) in _FINAL


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.SiSought: _sought,
    e.SeekFailed: _seek_failed,
}
