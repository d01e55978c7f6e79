"""When the outcome of an exchange is known: the entry, and how the PSS hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, request_of
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.translated import Written

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
    ocp: e.Json | Sequence[e.Json] | None = None,
    group: str = "answer",
    findings: Sequence[Finding] = (),
    write: Callable[[Mapping[str, Any]], Written] | None = None,
    data: Sequence[str] = (),
) -> None:
    """Record the outcome and answer the PSS: by the answer of the function, or by a delivery if it was told to wait.

    group: the binding group in whose shape `ocp` is: an entry of a write's answer, or of an enquiry. ocp: an array of
    entries where the function lists them. findings: why another answer could not be written. write: makes the answer of
    its sources otherwise than by its function alone. data: of each of its messages, the piece of a report that ends it.
    """
    is_late = exchange.is_awaited
    # Of a request about an SI the number is known, also where it is refused.
    si_number = si_number or exchange.si_number
    request_id = exchange.request_id
    seen = ocp
    if not isinstance(ocp, Mapping):
        pass  # nothing, or a list of entries, which only an enquiry brings
    elif is_late and outcome == "accepted":
        seen = ocp = _as_event(exchange, terms, ocp, group)
    elif exchange.effect == "instruct" and group == "si":
        seen = _as_answer(terms, ocp)
    sources = answer_sources(
        context=terms.context(exchange.participant, exchange.terminal, now),
        request=request_of(exchange),
        outcome=outcome,
        si_number=si_number,
        faults=faults,
        ocp=seen,
    )

    def answered(**told: Any) -> r.ExchangeAnswered:
        return r.ExchangeAnswered(
            exchange=exchange.id,
            participant=exchange.participant,
            reference=exchange.reference,
            request_id=request_id,
            outcome=outcome,
            si_number=si_number,
            faults=tuple(faults),
            ocp=msgspec.Raw(_encode(ocp)),
            **told,
        )

    try:
        if is_late:
            written = terms.book.write_unsolicited(LATE_FUNCTION, sources)
        elif write is not None:
            written = write(sources)
        else:
            written = terms.book.write_answer(exchange.function, sources)
    except MappingError as error:
        if exchange.effect == "enquire" and outcome != "refused":
            # Nothing was done: the PSS is told so, and the entry names the file that needs correction.
            told_why = error.told()
            fault = terms.fault(error.code, error.code, f"the answer cannot be written: {error}")
            conclude(state, exchange, terms, now, note, outcome="refused", faults=(fault,), findings=told_why)
            return
        if exchange.file and not is_late and not exchange.askers:
            # The report of its file tells it: an answer of its own is only for who sends its message again.
            note.record(answered(findings=error.told()))
            return
        # The outcome is known and stays in the journal; a mapping file needs correction before it can be told.
        note.record(
            r.ExchangeInDoubt(
                exchange=exchange.id,
                participant=exchange.participant,
                reference=exchange.reference,
                request_id=request_id,
                text=f"the outcome is {outcome} {si_number}".rstrip() + f"{NOT_WRITTEN}{error}",
                outcome=outcome,
                si_number=si_number,
            )
        )
        return
    reply, *more = [
        r.Reply(page.template, page.message_type, page.body.decode("ascii"), piece)
        for page, piece in zip(written.pages, data or [""] * len(written.pages), strict=True)
    ]
    note.record(
        answered(
            reply=None if is_late else reply,
            more=tuple(more),
            lineage=() if is_late else lineage_of(written),
            findings=(*findings, *findings_of(written)),
            mapping=written.mapping,
        )
    )
    if not is_late:
        if not exchange.file or exchange.askers:
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
    note.act(a.Pump(exchange.participant))


def told(state: State, exchange: Exchange, note: Note) -> None:
    """Hand the exchange's answer to every session that asks for it; with none left, it waits as a delivery.

    The answers of a message with several instructions go in the order of its blocks.
    """
    for part in state.parts_of(exchange):
        if part.reply is None:
            return
        if part is exchange or part.askers or not (part.is_told or part.has_left):
            _told(state, part, note)


def _told(state: State, exchange: Exchange, note: Note) -> None:
    if not exchange.askers:
        if not exchange.has_left:
            queue_answer(state, exchange)
            note.act(a.Pump(exchange.participant))
        return
    for session, sequence, is_repeat in exchange.askers:
        # Only one copy ever goes without the mark: the first, to the session that asked first.
        is_copy = is_repeat or exchange.is_told or exchange.has_left
        *further, (_, last) = exchange.frames
        for _, reply in further:
            note.act(a.Answer(session, sequence, None, reply, possible_duplicate=is_copy, is_last=False))
        is_last = exchange.part == exchange.parts
        note.act(a.Answer(session, sequence, exchange.id, last, possible_duplicate=is_copy, is_last=is_last))
        exchange.is_told = True
    exchange.askers.clear()


def lineage_of(written: Written) -> tuple[Lineage, ...]:
    """The lineage of all messages of an answer: a place of the second one is `page 2: place`."""
    further = [numbered_page(number, told) for number, page in enumerate(written.more, 2) for told in page.lineage]
    return (*written.lineage, *further) if further else written.lineage


def numbered_page(number: int, told: Lineage) -> Lineage:
    """The same, of the message of that number of an answer."""
    target = page_place(number, told.target)
    return Lineage(target, told.sources, told.before, told.after, told.rule, told.function, told.kind)


def findings_of(written: Written) -> tuple[Finding, ...]:
    """The findings of all messages of an answer, named as their lineage is."""
    further = [
        replace(finding, path=page_place(number, finding.path))
        for number, page in enumerate(written.more, 2)
        for finding in page.findings
    ]
    return (*written.findings, *further) if further else written.findings


def page_place(number: int, place: str) -> str:
    """A place of the message of that number of an answer, from 1."""
    return f"page {number}: {place}" if place and number > 1 else place


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
