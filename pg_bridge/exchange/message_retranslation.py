"""Recorded messages to the PSS through another set: answers, outcomes told late, updates."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import MappingError
from pg_bridge.exchange import records as r
from pg_bridge.exchange.broadcasts import BROADCAST, broadcast_sources
from pg_bridge.exchange.decide import AWAITED_TEXT
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.given import faults_anew
from pg_bridge.exchange.kinds.broadcasts import BroadcastOrdered
from pg_bridge.exchange.kinds.reports import ReportRead
from pg_bridge.exchange.outcome import LATE_FUNCTION, NOT_WRITTEN
from pg_bridge.exchange.reports import write_report
from pg_bridge.exchange.rerun import (
    NO_REFERENCE,
    Event,
    Json,
    Rerun,
    about_of,
    failure_of,
    findings_of,
    of_exchange,
    outcome_of,
)
from pg_bridge.exchange.retranslated import WHOLE, Difference, Retranslated, Way, finding_differences
from pg_bridge.exchange.telling import function_of, owner_of, snapshot_document
from pg_bridge.exchange.terms import answer_sources
from pg_bridge.mapping.translated import Written

_decode = msgspec.json.Decoder().decode


def awaited(run: Rerun, record: r.ExchangeAwaited, stored: Stored) -> list[Retranslated]:
    """The answer that the outcome is awaited."""
    about = about_of(stored, Way.AWAITED, "", record.reference)
    exchange = run.state.exchanges.get(record.exchange)
    if exchange is None:
        return [outcome_of(about, not_run="the request that it answers is not in the journal")]

    def write() -> Written:
        sources = answer_sources(
            context=run.context(exchange.participant, exchange.terminal, stored.entry.at_us),
            request=run.request_of(exchange),
            outcome="waits",
            si_number=exchange.si_number,
            text=AWAITED_TEXT,
        )
        return run.book.write_answer(exchange.function, sources)

    return [run.reply(of_exchange(about, exchange), record.reply, record.lineage, (), write)]


def answered(run: Rerun, record: r.ExchangeAnswered, stored: Stored) -> list[Retranslated]:
    """The answer to a request; of one told late, the delivery behind it is the answer."""
    if record.reply is None:
        run.late[record.exchange] = record  # the delivery behind it tells it
        return []
    about = about_of(stored, Way.ANSWER, "", record.reference)
    exchange = run.state.exchanges.get(record.exchange)
    if exchange is None:
        return [outcome_of(about, not_run="the request that it answers is not in the journal")]

    def write() -> Written:
        sources = _outcome(run, exchange, record, stored.entry.at_us)
        read = run.reports.get(exchange.id) if record.outcome == "found" else None
        if read is not None:
            return write_report(run.book, exchange.function, sources, read)
        return run.book.write_answer(exchange.function, sources)

    was = (record.reply, *record.more)
    return [run.replies(of_exchange(about, exchange), was, record.lineage, record.findings, write)]


def _outcome(run: Rerun, exchange: Exchange, record: r.ExchangeAnswered, at_us: int) -> Json:
    """What an answer is written from. The outcome is taken as recorded: it is OCP's, not a mapping's."""
    return answer_sources(
        context=run.context(exchange.participant, exchange.terminal, at_us),
        request=run.request_of(exchange),
        outcome=record.outcome,
        si_number=record.si_number,
        faults=faults_anew(run.terms, record.faults),
        ocp=_decode(record.ocp),
    )


def report_read(run: Rerun, record: ReportRead, stored: Stored) -> list[Retranslated]:
    """A report that was read; the answer stands in the entry behind it."""
    run.reports[record.exchange] = record
    return []


def in_doubt(run: Rerun, record: r.ExchangeInDoubt, stored: Stored) -> list[Retranslated]:
    """An outcome that could not be told."""
    if NOT_WRITTEN not in record.text:
        return []  # nothing was translated
    about = about_of(stored, Way.ANSWER, "", record.reference)
    why = "its answer could not be written, and what OCP answered stands in no entry"
    return [outcome_of(about, not_run=why)]


def queued(run: Rerun, record: r.DeliveryQueued, stored: Stored) -> list[Retranslated]:
    """A delivery: an update, an outcome told late, or a broadcast."""
    event, run.event = run.event, None
    if record.event_id or (event is not None and event.is_snapshot):
        if event is None:
            about = about_of(stored, Way.UPDATE, "", record.reference)
            return [outcome_of(about, not_run="the event that it tells is not in the journal")]
        return [update(run, event, Way.UPDATE, record, at_us=stored.entry.at_us)]
    ordered = run.broadcasts.get(record.exchange)
    if ordered is not None:
        return [_broadcast(run, ordered, record, stored)]
    about = about_of(stored, Way.LATE, LATE_FUNCTION, record.reference)
    outcome = run.late.pop(record.exchange, None)
    exchange = run.state.exchanges.get(record.exchange)
    if outcome is None or exchange is None:
        return [outcome_of(about, not_run="the outcome that it tells is not in the journal")]

    def write() -> Written:
        return run.book.write_unsolicited(LATE_FUNCTION, _outcome(run, exchange, outcome, stored.entry.at_us))

    return [run.reply(about, record.reply, record.lineage, record.findings, write)]


def broadcast(run: Rerun, record: BroadcastOrdered, stored: Stored) -> list[Retranslated]:
    """What the operator told; the deliveries stand in the entries behind it."""
    run.broadcasts[record.exchange] = record
    return []


def _broadcast(run: Rerun, ordered: BroadcastOrdered, record: r.DeliveryQueued, stored: Stored) -> Retranslated:
    about = about_of(stored, Way.BROADCAST, BROADCAST, record.reference)

    def write() -> Written:
        context = run.context(record.participant, "", stored.entry.at_us)
        return run.book.write_unsolicited(BROADCAST, broadcast_sources(context, ordered.head, ordered.text))

    return run.reply(about, record.reply, record.lineage, record.findings, write)


def came(run: Rerun, record: r.UpdateReceived, stored: Stored) -> list[Retranslated]:
    """An event; what it became stands in the entry behind it."""
    if not record.is_held:
        document = _decode(record.event)
        run.event = Event(stored.position, stored.entry.at_us, record.participant, record.event_id, document)
    return []


def passed_over(run: Rerun, record: r.UpdatePassedOver, stored: Stored) -> list[Retranslated]:
    """An event that is not told, because something later was told before it."""
    run.event = None
    return []


def snapshot_taken(run: Rerun, record: r.SnapshotTaken, stored: Stored) -> list[Retranslated]:
    """How an SI stood; what that became stands in the entry behind it."""
    document = snapshot_document(run.terms, _decode(record.entry))
    run.event = Event(stored.position, stored.entry.at_us, record.participant, "", document, is_snapshot=True)
    return []


def released(run: Rerun, record: r.UpdateReleased, stored: Stored) -> list[Retranslated]:
    """An event that had come too early."""
    raw = run.state.feed(record.participant, record.business_date).early.get(record.sequence)
    if raw is None:
        about = about_of(stored, Way.UPDATE, "", "")
        return [outcome_of(about, not_run="the event that it releases is not in the journal")]
    document = _decode(raw)
    event_id = str(run.terms.ocp.get("event", "event_id", document))
    run.event = Event(stored.position, stored.entry.at_us, record.participant, event_id, document)
    return []


def update_parked(run: Rerun, record: r.UpdateParked, stored: Stored) -> list[Retranslated]:
    """An event that could not be told."""
    event, run.event = run.event, None
    if event is None:
        about = about_of(stored, Way.PARKED_UPDATE, "", record.si_number)
        return [outcome_of(about, not_run="the event that was parked is not in the journal")]
    return [update(run, event, Way.PARKED_UPDATE, record, at_us=stored.entry.at_us)]


def update(
    run: Rerun, event: Event, way: Way, told: r.DeliveryQueued | r.UpdateParked | None, *, at_us: int = 0
) -> Retranslated:
    """An event run again. told: the message that it became, or that it was parked; None: it was not told."""
    terms, state = run.terms, run.state
    values = terms.ocp.read("event", event.document)
    si = values["si"]
    number = str(terms.ocp.get("si", "si_number", si) or "")
    if isinstance(told, r.DeliveryQueued):
        owner, terminal = state.exchanges.get(told.exchange), told.terminal
    else:
        owner = owner_of(state, terms, event.participant, si)
        own = state.instructions.get((event.participant, number))
        terminal = own.terminal if own is not None else owner.terminal if owner is not None else ""
    function = function_of(terms, values)
    about = Retranslated(
        position=event.position,
        way=way,
        function=function,
        participant=event.participant,
        reference=number,
        exchange=owner.id if owner is not None else "",
    )
    was = "told" if isinstance(told, r.DeliveryQueued) else "parked" if told is not None else "not told"
    if not function:
        return outcome_of(about, [Difference(what=WHOLE, was=was, is_="not told")] if told is not None else [])

    def write() -> Written:
        sources = answer_sources(
            context=run.context(event.participant, terminal, at_us or event.at_us) | {"snapshot": event.is_snapshot},
            request=run.request_of(owner) if owner is not None else None,
            ocp=event.document,
        )
        return run.book.write_unsolicited(function, sources)

    if isinstance(told, r.DeliveryQueued):
        return run.reply(about, told.reply, told.lineage, told.findings, write)
    run.reference.value = NO_REFERENCE
    try:
        write()
    except MappingError as error:
        if told is None:
            return outcome_of(about, [Difference(what=WHOLE, was=was, is_=failure_of(error))])
        return outcome_of(about, finding_differences(told.findings, findings_of(error, "")))
    return outcome_of(about, [Difference(what=WHOLE, was=was, is_="told")])
