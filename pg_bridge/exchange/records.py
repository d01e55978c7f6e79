"""Every kind of record, read from entries of the journal and written as such.

A record holds results (translations, answers, messages to the PSS), never the way to them, so that a later
edit of a mapping cannot rewrite history.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.kinds import (
    answers,
    broadcasts,
    calls,
    deliveries,
    doubts,
    drop_folders,
    files,
    keys,
    market,
    node,
    reconciliations,
    reports,
    requests,
    sessions,
    updates,
    wire,
)
from pg_bridge.exchange.kinds.answers import AnswersLeft, ExchangeAnswered, ExchangeAwaited, ExchangeInDoubt
from pg_bridge.exchange.kinds.broadcasts import BroadcastOrdered, BroadcastRefused
from pg_bridge.exchange.kinds.calls import BatchCalled, BatchRefused, OcpFailed, OutcomeUnknown
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.kinds.deliveries import DeliveryAcknowledged, DeliveryQueued
from pg_bridge.exchange.kinds.drop_folders import (
    FilePutAway,
    FileTaken,
    FileTurnedAway,
    FolderFaultEnded,
    FolderFaultFound,
)
from pg_bridge.exchange.kinds.files import FileReceived, FileRefused, FileRepeated, Item, PartReceived, PartsDropped
from pg_bridge.exchange.kinds.keys import KeysRefused, KeyUsed
from pg_bridge.exchange.kinds.market import ReferenceDataTaken, ReportWritten, TradeGapFound, TradesTaken
from pg_bridge.exchange.kinds.node import MappingSet, MappingsLoaded, MappingsRefused, NodeStarted, NodeStopped
from pg_bridge.exchange.kinds.reconciliations import DisagreementFound, Reconciled, SnapshotTaken, Subscribed
from pg_bridge.exchange.kinds.reports import ReportPiece, ReportRead
from pg_bridge.exchange.kinds.requests import MessageRefused, RequestParked, RequestReceived, RequestRepeated, SiFound
from pg_bridge.exchange.kinds.sessions import FrameRefused, SessionClosed, SessionOpened, SessionRefused
from pg_bridge.exchange.kinds.updates import (
    DayClosed,
    EventsLost,
    GapFound,
    PushRefused,
    UpdateParked,
    UpdatePassedOver,
    UpdateReceived,
    UpdateReleased,
    UpdateRepeated,
)
from pg_bridge.exchange.kinds.wire import Bytes, CallEnded, CircuitClosed, CircuitOpened
from pg_bridge.exchange.record import NO_DOCUMENT, Fault, Record, Reply

__all__ = [
    "NO_DOCUMENT", "AnswersLeft", "BatchCalled", "BatchRefused", "BroadcastOrdered", "BroadcastRefused", "Bytes",
    "CallEnded", "CircuitClosed", "CircuitOpened", "DayClosed", "DeliveryAcknowledged", "DeliveryQueued",
    "DisagreementFound", "EventsLost", "ExchangeAnswered", "ExchangeAwaited", "ExchangeInDoubt", "Fault",
    "FilePutAway", "FileReceived", "FileRefused", "FileRepeated", "FileTaken", "FileTurnedAway", "FolderFaultEnded",
    "FolderFaultFound", "FrameRefused", "GapFound", "Item", "KeyUsed", "KeysRefused", "MappingSet", "MappingsLoaded",
    "MappingsRefused", "MessageRefused", "NodeStarted", "NodeStopped", "OcpFailed", "OutcomeUnknown", "PartReceived",
    "PartsDropped", "PushRefused", "Reconciled", "Record", "ReferenceDataTaken", "Reply", "ReportPiece", "ReportRead",
    "ReportWritten", "RequestParked", "RequestReceived", "RequestRepeated", "SessionClosed", "SessionOpened",
    "SessionRefused", "SiFound", "SnapshotTaken", "Subscribed", "TradeGapFound", "TradesTaken", "UpdateParked",
    "UpdatePassedOver", "UpdateReceived", "UpdateReleased", "UpdateRepeated", "Who", "read_entry", "write_entry",
]  # fmt: skip

_ABOUT = (
    answers, broadcasts, calls, deliveries, doubts, drop_folders, files, keys, market, node, reconciliations, reports,
    requests, sessions, updates, wire,
)  # fmt: skip
_DECODERS: dict[Kind, msgspec.json.Decoder[Any]] = {
    record.kind: msgspec.json.Decoder(record)
    for about in _ABOUT
    for record in vars(about).values()
    if isinstance(record, type) and issubclass(record, Record) and "kind" in vars(record)
}
_DECODERS[Kind.ENQUIRY_RECEIVED] = _DECODERS[Kind.INSTRUCTION_RECEIVED]
_ENCODER = msgspec.json.Encoder()


def write_entry(record: Record, at_us: int) -> Entry:
    """The entry that journals `record`; `at_us` is UTC in microseconds since 1970."""
    findings: tuple[Finding, ...] = getattr(record, "findings", ())
    return Entry(
        kind=record.entry_kind(),
        at_us=at_us,
        exchange=record.exchange,
        participant=record.participant,
        references=record.references(),
        mapping=getattr(record, "mapping", ""),
        findings=tuple(finding.code for finding in findings) if findings else (),
        payload=_ENCODER.encode(record),
    )


def read_entry(entry: Entry) -> Record:
    """The record that `entry` journals."""
    record: Record = _DECODERS[entry.kind].decode(entry.payload)
    return record
