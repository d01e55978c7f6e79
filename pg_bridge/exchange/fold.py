"""`apply`: the one way in which the state changes, live and in replay alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pg_bridge.exchange import precedence
from pg_bridge.exchange import records as r
from pg_bridge.exchange.call_fold import batch_called, batch_refused, call_concluded, outcome_unknown
from pg_bridge.exchange.delivery_fold import answers_left, delivery_acknowledged, delivery_queued
from pg_bridge.exchange.exchange import Exchange, Stage, set_of
from pg_bridge.exchange.feed_fold import (
    day_closed,
    events_lost,
    reconciled,
    set_in_force,
    snapshot_taken,
    subscribed,
    update_received,
    update_released,
)
from pg_bridge.exchange.state import SettlementInstruction, State, Use
from pg_bridge.exchange.upload_fold import (
    UPLOAD,
    file_received,
    file_refused,
    file_repeated,
    record_ended,
    record_in_doubt,
    report_made,
)
from pg_bridge.profiles.concepts import Operation


def apply(state: State, record: r.Record, at_us: int) -> None:
    """Fold one record into `state`. Records that only tell a story (sessions, refusals) change nothing."""
    state.folded += 1
    state.last_us = at_us
    fold = _FOLDS.get(type(record))
    if fold is not None:
        fold(state, record, at_us)


def _received(state: State, record: r.RequestReceived, at_us: int) -> None:
    exchange = Exchange(
        id=record.exchange,
        participant=record.participant,
        terminal=record.terminal,
        session=record.session,
        sequence=record.sequence,
        effect=record.effect,
        function=record.function,
        operation=record.operation,
        template=record.template,
        message_type=record.message_type,
        reference=record.reference,
        business_date=record.business_date,
        carried=record.carried,
        document=bytes(record.document),
        received_us=at_us,
        translated_by=set_of(record.mapping),
        ends_by=set_of(record.mapping),
        sought=record.sought,
        part=record.part,
        parts=record.parts,
        received=state.folded,
        si_number=record.si_number,
        file=record.file,
        number=record.number,
        si_reference=record.si_reference,
    )
    state.exchanges[exchange.id] = exchange
    if record.file:
        state.uploads[record.file].open.add(exchange.id)
    if record.effect == "instruct":
        key = (record.participant, record.business_date, record.reference)
        if record.part == 1:
            state.uses[key] = Use(exchange.id, record.fingerprint)
        precedence.enter(state, exchange)


def _si_found(state: State, record: r.SiFound, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    exchange.document = bytes(record.document)
    exchange.sought = ()
    precedence.name(state, exchange, record.si_number, record.si_reference)


def _message_refused(state: State, record: r.MessageRefused, at_us: int) -> None:
    # A refusal is an answer like any other: it must reach the PSS, if need be after a break.
    state.exchanges[record.exchange] = Exchange(
        id=record.exchange,
        participant=record.participant,
        terminal=record.terminal,
        session=record.session,
        sequence=record.sequence,
        effect="refuse",
        function=record.function,
        operation="",
        template=record.template,
        message_type=record.message_type,
        reference=record.reference,
        business_date="",
        carried={},
        document=b"",
        received_us=at_us,
        stage=Stage.ANSWERED,
        outcome="refused",
        reply=record.reply,
    )


def _awaited(state: State, record: r.ExchangeAwaited, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    exchange.is_awaited = True
    exchange.reply = record.reply


def _answered(state: State, record: r.ExchangeAnswered, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    precedence.end(state, exchange)
    exchange.stage = Stage.ANSWERED
    exchange.doubt = ""
    exchange.outcome = record.outcome
    exchange.si_number = record.si_number
    exchange.document = b""
    if record.reply is not None:
        exchange.reply = record.reply
        exchange.more = record.more
    if record.si_number and exchange.operation == Operation.SI_ADD:
        state.instructions[exchange.participant, record.si_number] = SettlementInstruction(
            record.si_number, exchange.id, exchange.terminal, exchange.reference
        )
    if exchange.file:
        record_ended(state, exchange, record.faults if record.outcome == "refused" else ())
    elif exchange.effect == UPLOAD:
        report_made(state, exchange)
    call_concluded(state, exchange)


def _in_doubt(state: State, record: r.ExchangeInDoubt, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    precedence.end(state, exchange)
    exchange.stage = Stage.IN_DOUBT
    exchange.doubt = record.text
    exchange.outcome = record.outcome
    exchange.si_number = exchange.si_number or record.si_number
    if exchange.file:
        record_in_doubt(state, exchange, record.text)
    state.reports_due.pop(exchange.id, None)
    call_concluded(state, exchange)


_FOLDS: dict[type[r.Record], Callable[[State, Any, int], None]] = {
    r.RequestReceived: _received,
    r.MessageRefused: _message_refused,
    r.SiFound: _si_found,
    r.BatchCalled: batch_called,
    r.BatchRefused: batch_refused,
    r.OutcomeUnknown: outcome_unknown,
    r.ExchangeAwaited: _awaited,
    r.ExchangeAnswered: _answered,
    r.ExchangeInDoubt: _in_doubt,
    r.AnswersLeft: answers_left,
    r.UpdateReceived: update_received,
    r.UpdateReleased: update_released,
    r.DayClosed: day_closed,
    r.EventsLost: events_lost,
    r.SnapshotTaken: snapshot_taken,
    r.Reconciled: reconciled,
    r.Subscribed: subscribed,
    r.DeliveryQueued: delivery_queued,
    r.DeliveryAcknowledged: delivery_acknowledged,
    r.NodeStarted: set_in_force,
    r.FileReceived: file_received,
    r.FileRefused: file_refused,
    r.FileRepeated: file_repeated,
    r.MappingsLoaded: set_in_force,
    r.TradesTaken: lambda state, record, _: state.market.take_trades(record),
    r.ReferenceDataTaken: lambda state, record, _: state.market.take_reference(record),
    r.ReportWritten: lambda state, record, _: state.market.take_report(record),
}
