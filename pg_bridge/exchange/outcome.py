"""When the outcome of an exchange is known: the entry, and how the PSS hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pg_bridge.errors import MappingError
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.fold import queue_answer
from pg_bridge.exchange.state import Exchange, State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, request_of

#: the function of a message that tells an outcome after the request was answered "not known yet"
LATE_FUNCTION = "status_change"
#: in the text of an exchange in doubt: its outcome is known, but no message can tell it
NOT_WRITTEN = ", and cannot be written: "

_encode = msgspec.json.Encoder().encode


def conclude(
    state: State,
    exchange: Exchange,
    terms: Terms,
    now: datetime,
    note: Note,
    *,
    outcome: str,
    si_number: str = "",
    faults: Sequence[r.Fault] = (),
    ocp: e.Json | None = None,
    group: str = "answer",
) -> None:
    """Record the outcome and answer the PSS: by the answer of the function, or by a delivery if it was told to wait.

    group: the binding group in whose shape `ocp` is: an entry of a write's answer, or of an enquiry.
    """
    is_late = exchange.is_awaited
    # Of a request about an SI the number is known, also where it is refused.
    si_number = si_number or exchange.si_number
    request_id = exchange.request_id
    seen = ocp
    if is_late and ocp is not None and outcome == "accepted":
        seen = ocp = _as_event(exchange, terms, ocp, group)
    elif exchange.effect == "instruct" and ocp is not None and group == "si":
        seen = _as_answer(terms, ocp)
    sources = answer_sources(
        context=terms.context(exchange.participant, exchange.terminal, now),
        request=request_of(exchange),
        outcome=outcome,
        si_number=si_number,
        faults=faults,
        ocp=seen,
    )
    try:
        if is_late:
            written = terms.book.write_unsolicited(LATE_FUNCTION, sources)
        else:
            written = terms.book.write_answer(exchange.function, sources)
    except MappingError as error:
        # The outcome is known and stays in the journal; a mapping file needs correction before it can be told.
        note.record(
            r.ExchangeInDoubt(
                exchange=exchange.id,
                participant=exchange.participant,
                reference=exchange.reference,
                request_id=request_id,
                text=f"the outcome is {outcome} {si_number}".rstrip() + f"{NOT_WRITTEN}{error}",
            )
        )
        return
    reply = r.Reply(written.template, written.message_type, written.body.decode("ascii"))
    note.record(
        r.ExchangeAnswered(
            exchange=exchange.id,
            participant=exchange.participant,
            reference=exchange.reference,
            request_id=request_id,
            outcome=outcome,
            si_number=si_number,
            faults=tuple(faults),
            ocp=msgspec.Raw(_encode(ocp)),
            reply=None if is_late else reply,
            lineage=() if is_late else written.lineage,
            findings=written.findings,
            mapping=written.mapping,
        )
    )
    if not is_late:
        told(state, exchange, note)
        return
    note.record(
        r.DeliveryQueued(
            exchange=exchange.id,
            participant=exchange.participant,
            delivery=terms.fresh.delivery_id(),
            terminal=exchange.terminal,
            si_number=si_number,
            reference=exchange.reference,
            reply=reply,
            lineage=written.lineage,
            findings=written.findings,
            mapping=written.mapping,
        )
    )
    note.act(e.Pump(exchange.participant))


def told(state: State, exchange: Exchange, note: Note) -> None:
    """Hand the exchange's answer to every session that asks for it; with none left, it waits as a delivery.

    The answers of a message with several instructions go in the order of its blocks.
    """
    for part in state.parts_of(exchange):
        if part.reply is None:
            return
        if part is exchange or part.askers or not (part.is_sent or part.has_left):
            _told(state, part, note)


def _told(state: State, exchange: Exchange, note: Note) -> None:
    if not exchange.askers:
        if not exchange.has_left:
            queue_answer(state, exchange)
            note.act(e.Pump(exchange.participant))
        return
    for session, sequence, is_repeat in exchange.askers:
        # Only one copy ever goes without the mark: the first, to the session that asked first.
        is_copy = is_repeat or exchange.is_sent or exchange.has_left
        *further, (_, last) = exchange.frames
        for _, reply in further:
            note.act(e.Answer(session, sequence, None, reply, possible_duplicate=is_copy, is_last=False))
        is_last = exchange.part == exchange.parts
        note.act(e.Answer(session, sequence, exchange.id, last, possible_duplicate=is_copy, is_last=is_last))
        exchange.is_sent = True
    exchange.askers.clear()


#: what an answer says of an SI, in the words of both groups
_TOLD = ("si_number", "status", "version", "participant_reference", "request_reference")


def _as_event(exchange: Exchange, terms: Terms, entry: e.Json, group: str) -> e.Json:
    """What was asked and what was answered in the shape of an event: enough for a status change."""
    if group == "answer":
        values = {
            concept: value
            for concept, value in terms.ocp.read("si", msgspec.json.decode(exchange.document)).items()
            if value is not None
        }
        values |= {concept: terms.ocp.get("answer", concept, entry) for concept in _TOLD}
        entry = terms.ocp.write("si", values)
    return terms.ocp.write("event", {"si": entry})


def _as_answer(terms: Terms, entry: e.Json) -> e.Json:
    """An SI that an enquiry found, in the shape of the answer to its input."""
    values = {concept: terms.ocp.get("si", concept, entry) for concept in _TOLD}
    return terms.ocp.write("answer", {**values, "record_errors": []})
