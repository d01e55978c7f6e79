"""`decide`: what follows from an event. Nothing waits here and nothing is touched but the state, through `apply`.

This file holds requests and their answers; which SI a request names stands in seeking.py, calls in
calls.py and lost_calls.py, updates in updates.py, broadcasts in broadcasts.py, reports in reports.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from pg_bridge.errors import MappingError
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import (
    broadcasts,
    calls,
    doubts,
    file_reports,
    lost_calls,
    reconciliation,
    reports,
    seeking,
    updates,
    uploading,
)
from pg_bridge.exchange import (
    events as e,
)
from pg_bridge.exchange import (
    records as r,
)
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.fold import apply
from pg_bridge.exchange.outcome import conclude, told
from pg_bridge.exchange.receipt import Receipt, received
from pg_bridge.exchange.reference_use import beside_reference
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms, answer_sources, epoch_us, request_of

#: what the PSS is told while the outcome is awaited
AWAITED_TEXT = "THE OUTCOME AT OCP IS NOT KNOWN YET, IT FOLLOWS"

_encode = msgspec.json.Encoder().encode


def decide(state: State, event: e.Event, terms: Terms, now: datetime) -> a.Decision:
    """Fold what follows from `event` into `state`; give the entries to make durable and the actions for after it."""
    decision = a.Decision()
    note = Note(decision, lambda record, at_us: apply(state, record, at_us), epoch_us(now))
    _DECISIONS[type(event)](state, event, terms, now, note)
    while state.freed:
        freed = state.exchanges[state.freed.pop(0)]
        if freed.sought:
            note.act(a.Seek(freed.id))  # named by a reference: of that OCP is asked always
        else:
            note.act(a.OpenLane(freed.participant, freed.operation))
    if state.reports_due:
        file_reports.report(state, terms, now, note)
    return decision


def _request(state: State, event: e.RequestArrived, terms: Terms, now: datetime, note: Note) -> None:
    if uploading.is_part(event, terms):
        uploading.part_arrived(state, event, terms, now, note)
        return
    context = terms.context(event.participant, event.terminal, now)
    request = terms.book.read_request(
        event.template,
        event.message_type,
        event.body,
        context,
        lenient=event.participant in terms.options.lenient_participants,
    )
    request = beside_reference(request, state, terms)
    use = None
    fingerprint = hashlib.sha256(event.body).hexdigest()
    if request.effect == "instruct":
        use = state.uses.get((event.participant, context["business_date"], request.reference))
        if use is not None and use.fingerprint == fingerprint:
            # Also where the set now in force would refuse what the one before took: it was entered, once.
            _repeat(state, event, state.exchanges[use.exchange], note)
            return
    wrong = request.findings if any(finding.severity == "error" for finding in request.findings) else ()
    if not wrong and use is not None:
        wrong = (terms.book.duplicate_reference(event.template, event.message_type, request.reference),)
    if wrong:
        _refuse(state, event, terms, context, note, request.function, request.reference, wrong, request.mapping)
        return
    first_id = terms.fresh.exchange_id()
    receipt = Receipt(event.participant, event.terminal, event.session, event.sequence, context["business_date"])
    for record in received(terms, receipt, request, first_id, legacy=event.legacy, fingerprint=fingerprint):
        note.record(record)
        exchange = state.exchanges[record.exchange]
        if record.sought and not exchange.awaits:
            seeking.seek(state, exchange, terms, note)
        _asks(state, exchange, event, is_repeat=False)
        note.act(a.Watch(exchange.id))
        if record.effect == "enquire":
            note.act(reports.asking(exchange))


def _asks(state: State, exchange: Exchange, event: e.RequestArrived, *, is_repeat: bool) -> None:
    exchange.askers.append((event.session, event.sequence, is_repeat))
    state.asked.setdefault(event.session, {})[exchange.id] = None


def _refuse(
    state: State,
    event: e.RequestArrived,
    terms: Terms,
    context: dict[str, Any],
    note: Note,
    function: str,
    reference: str,
    findings: Any,
    mapping: str,
) -> None:
    """Answer a message with all its faults; it is entered nowhere."""
    exchange_id = terms.fresh.exchange_id()
    written = terms.book.write_answer(
        function,
        answer_sources(
            context=context,
            request={
                "reference": reference or None,
                "message_type": event.message_type,
                "template": event.template,
                "carried": {},
            },
            outcome="refused",
            faults=terms.faults_of_findings(findings),
        ),
    )
    note.record(
        r.MessageRefused(
            exchange=exchange_id,
            participant=event.participant,
            function=function,
            template=event.template,
            message_type=event.message_type,
            reference=reference,
            terminal=event.terminal,
            session=event.session,
            sequence=event.sequence,
            legacy=event.legacy,
            findings=tuple(findings),
            reply=r.Reply(written.template, written.message_type, written.body.decode("ascii")),
            mapping=mapping,
        )
    )
    exchange = state.exchanges[exchange_id]
    _asks(state, exchange, event, is_repeat=False)
    told(state, exchange, note)


def _repeat(state: State, event: e.RequestArrived, exchange: Exchange, note: Note) -> None:
    note.record(
        r.RequestRepeated(
            exchange=exchange.id,
            participant=event.participant,
            reference=exchange.reference,
            terminal=event.terminal,
            session=event.session,
            sequence=event.sequence,
            legacy=event.legacy,
        )
    )
    for part in state.parts_of(exchange):
        _asks(state, part, event, is_repeat=True)
        if part.file and part.reply is None:
            note.act(a.Watch(part.id))  # no one waited for an answer of its own before
    told(state, exchange, note)


def _enquiry_answered(state: State, event: e.EnquiryAnswered, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.stage is Stage.ANSWERED:
        return
    entries = list(event.entries)
    if terms.book.lists(exchange.function):
        conclude(state, exchange, terms, now, note, outcome="found" if entries else "nothing_found", ocp=entries)
        return
    if not entries:
        conclude(state, exchange, terms, now, note, outcome="nothing_found")
        return
    # A reference is unique a day: of several days' SIs under one reference, the last entered is meant.
    latest = max(entries, key=lambda entry: str(terms.ocp.get("si", "created_at", entry) or ""))
    number = str(terms.ocp.get("si", "si_number", latest) or "")
    conclude(state, exchange, terms, now, note, outcome="found", si_number=number, ocp=latest)


def _enquiry_failed(state: State, event: e.EnquiryFailed, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.stage is Stage.ANSWERED:
        return
    waited_s = (note.at_us - exchange.received_us) / 1e6
    again_s = event.retry_after_s if event.retry_after_s is not None else terms.options.retry_first_s
    if event.fault is None and waited_s + again_s < terms.options.answer_within_s:
        note.act(a.Ask(exchange.id, again_s))
        return
    fault = event.fault or terms.fault("PGB-OCP-001", "ocp_unavailable", f"OCP gives no answer now: {event.text}")
    conclude(state, exchange, terms, now, note, outcome="refused", faults=(fault,))


def _overdue(state: State, event: e.Overdue, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.effect != "instruct" or exchange.reply is not None:
        return
    try:
        written = terms.book.write_answer(
            exchange.function,
            answer_sources(
                context=terms.context(exchange.participant, exchange.terminal, now),
                request=request_of(exchange),
                outcome="waits",
                si_number=exchange.si_number,
                text=AWAITED_TEXT,
            ),
        )
    except MappingError:
        return  # the check of the mapping set rules this out; the final outcome still follows
    note.record(
        r.ExchangeAwaited(
            exchange=exchange.id,
            participant=exchange.participant,
            reference=exchange.reference,
            reply=r.Reply(written.template, written.message_type, written.body.decode("ascii")),
            lineage=written.lineage,
            mapping=written.mapping,
        )
    )
    told(state, exchange, note)


_DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.RequestArrived: _request,
    e.EnquiryAnswered: _enquiry_answered,
    e.EnquiryFailed: _enquiry_failed,
    e.Overdue: _overdue,
    **calls.DECISIONS,
    **lost_calls.DECISIONS,
    **doubts.DECISIONS,
    **seeking.DECISIONS,
    **uploading.DECISIONS,
    **updates.DECISIONS,
    **reconciliation.DECISIONS,
    **broadcasts.DECISIONS,
    **reports.DECISIONS,
}
