"""What each kind of entry says: one typed record a kind, journaled as JSON and folded into the state.

A record holds results (translations, answers, messages to the PSS), never the way to them, so that a later
edit of a mapping cannot rewrite history.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange import drop_records as drop
from pg_bridge.exchange import edge_records as edge
from pg_bridge.exchange import report_records as report
from pg_bridge.exchange.edge_records import (
    FrameRefused as FrameRefused,
)
from pg_bridge.exchange.edge_records import (
    MappingSet as MappingSet,
)
from pg_bridge.exchange.edge_records import (
    MappingsLoaded as MappingsLoaded,
)
from pg_bridge.exchange.edge_records import (
    MappingsRefused as MappingsRefused,
)
from pg_bridge.exchange.edge_records import (
    NodeStarted as NodeStarted,
)
from pg_bridge.exchange.edge_records import (
    NodeStopped as NodeStopped,
)
from pg_bridge.exchange.edge_records import (
    PushRefused as PushRefused,
)
from pg_bridge.exchange.edge_records import (
    SessionClosed as SessionClosed,
)
from pg_bridge.exchange.edge_records import (
    SessionOpened as SessionOpened,
)
from pg_bridge.exchange.edge_records import (
    SessionRefused as SessionRefused,
)
from pg_bridge.exchange.edge_records import (
    Who as Who,
)
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.file_records import (
    FileReceived as FileReceived,
)
from pg_bridge.exchange.file_records import (
    FileRefused as FileRefused,
)
from pg_bridge.exchange.file_records import (
    FileRepeated as FileRepeated,
)
from pg_bridge.exchange.file_records import (
    Item as Item,
)
from pg_bridge.exchange.file_records import (
    PartReceived as PartReceived,
)
from pg_bridge.exchange.file_records import (
    PartsDropped as PartsDropped,
)
from pg_bridge.exchange.record import NO_DOCUMENT as NO_DOCUMENT
from pg_bridge.exchange.record import Fault as Fault
from pg_bridge.exchange.record import Record as Record
from pg_bridge.exchange.record import Reply as Reply
from pg_bridge.mapping.lineage import Lineage


class RequestReceived(Record, frozen=True, kw_only=True):
    """A request read, checked and translated: from here on it will be done, once."""

    kind = Kind.INSTRUCTION_RECEIVED
    effect: str
    function: str
    operation: str
    template: str
    message_type: str
    reference: str
    business_date: str
    fingerprint: str
    terminal: str
    session: str
    sequence: int
    legacy: str
    document: msgspec.Raw
    carried: dict[str, str] = msgspec.field(default_factory=dict)
    lineage: tuple[Lineage, ...] = ()
    findings: tuple[Finding, ...] = ()
    mapping: str = ""
    #: the concepts of its document that are filled in when the SI that it names is found
    sought: tuple[str, ...] = ()
    #: of a message with several instructions, which one this is, from 1; the first one has the frame in `legacy`
    part: int = 1
    parts: int = 1
    #: of the SI that it is about, where the message says it
    si_number: str = ""
    #: of a record of a batch file: the exchange of the file, and which record it is, from 1; `legacy` is its text block
    file: str = ""
    number: int = 0
    #: the participant reference of the SI that it is about or enters, where the message says it
    si_reference: str = ""

    def entry_kind(self) -> Kind:
        """An instruct and an enquire are told apart in lists."""
        return Kind.INSTRUCTION_RECEIVED if self.effect == "instruct" else Kind.ENQUIRY_RECEIVED

    def references(self) -> dict[str, str]:
        """The participant's own reference, and the SI input number where the message says it."""
        found = {"reference": self.reference, "si_number": self.si_number, "file": self.file}
        return {name: value for name, value in found.items() if value or name == "reference"}


class MessageRefused(Record, frozen=True, kw_only=True):
    """A message with faults: all of them, and the refusal that answers it."""

    kind = Kind.MESSAGE_REFUSED
    function: str
    template: str
    message_type: str
    reference: str
    terminal: str
    session: str
    sequence: int
    legacy: str
    findings: tuple[Finding, ...]
    reply: Reply
    mapping: str = ""

    def references(self) -> dict[str, str]:
        """The participant's own reference, where it could be read."""
        return {"reference": self.reference} if self.reference else {}


class RequestParked(Record, frozen=True, kw_only=True):
    """A request that could be neither done nor answered: a mapping file needs correction. Nothing was done."""

    kind = Kind.REQUEST_PARKED
    session: str
    sequence: int
    template: str
    legacy: str
    findings: tuple[Finding, ...]


class RequestRepeated(Record, frozen=True, kw_only=True):
    """A request seen before: `exchange` is the first one's. It gets that one's answer."""

    kind = Kind.REQUEST_REPEATED
    reference: str
    terminal: str
    session: str
    sequence: int
    legacy: str

    def references(self) -> dict[str, str]:
        """The participant's own reference."""
        return {"reference": self.reference}


class SiFound(Record, frozen=True, kw_only=True):
    """The SI that a request names was found; `document` is the request's, filled in. From here on it may be called.

    by: the SI number or participant reference by which it was named. is_known: the bridge knew it; else OCP told it.
    """

    kind = Kind.SI_FOUND
    reference: str
    by: str
    si_number: str
    si_reference: str = ""
    is_known: bool
    document: msgspec.Raw

    def references(self) -> dict[str, str]:
        """The participant's own reference and the SI input number."""
        return {"reference": self.reference, "si_number": self.si_number}


class BatchCalled(Record, frozen=True, kw_only=True):
    """A call is about to be made; its members stay its members for ever."""

    kind = Kind.BATCH_CALLED
    request_id: str
    operation: str
    members: tuple[str, ...]
    body: msgspec.Raw
    payload_hash: str

    def references(self) -> dict[str, str]:
        """The request id."""
        return {"request_id": self.request_id}


class CallConcluded(Record, frozen=True, kw_only=True):
    """What a call's end records share."""

    request_id: str
    text: str = ""

    def references(self) -> dict[str, str]:
        """The request id."""
        return {"request_id": self.request_id}


class BatchRefused(CallConcluded, frozen=True, kw_only=True):
    """A bulk was refused whole, nothing was done: its members go again in smaller calls with new ids."""

    kind = Kind.BATCH_REFUSED
    faults: tuple[Fault, ...] = ()


class OutcomeUnknown(CallConcluded, frozen=True, kw_only=True):
    """OCP may or may not have done a call: it is asked, not called anew."""

    kind = Kind.OUTCOME_UNKNOWN
    looks: int = 0
    is_duplicate: bool = False
    is_resent: bool = False
    #: of the same call, sent again: the refusal that holds for what the looks to come do not find
    faults: tuple[Fault, ...] = ()


class OcpFailed(CallConcluded, frozen=True, kw_only=True):
    """OCP surely did nothing; the same call goes again later."""

    kind = Kind.OCP_FAILED
    error: str


class ExchangeAwaited(Record, frozen=True, kw_only=True):
    """The PSS was told that the outcome is not known yet; the outcome follows as a status change."""

    kind = Kind.EXCHANGE_AWAITED
    reference: str
    reply: Reply
    lineage: tuple[Lineage, ...] = ()
    mapping: str = ""

    def references(self) -> dict[str, str]:
        """The participant's own reference."""
        return {"reference": self.reference}


class ExchangeAnswered(Record, frozen=True, kw_only=True):
    """The outcome is known. `reply` answers the request; none where the outcome follows as a delivery.

    more: the further frames of an answer that one does not hold, in order.
    """

    kind = Kind.EXCHANGE_ANSWERED
    reference: str
    request_id: str = ""
    outcome: str
    si_number: str = ""
    faults: tuple[Fault, ...] = ()
    ocp: msgspec.Raw = NO_DOCUMENT
    reply: Reply | None = None
    more: tuple[Reply, ...] = ()
    lineage: tuple[Lineage, ...] = ()
    findings: tuple[Finding, ...] = ()
    mapping: str = ""

    def references(self) -> dict[str, str]:
        """The participant's own reference, the SI input number, the request id."""
        found = {"reference": self.reference}
        if self.si_number:
            found["si_number"] = self.si_number
        if self.request_id:
            found["request_id"] = self.request_id
        return found


class ExchangeInDoubt(Record, frozen=True, kw_only=True):
    """No enquiry settles what became of this instruction: a person must."""

    kind = Kind.EXCHANGE_IN_DOUBT
    reference: str
    request_id: str
    text: str

    def references(self) -> dict[str, str]:
        """The participant's own reference and the request id."""
        return {"reference": self.reference, "request_id": self.request_id}


class AnswersLeft(Record, frozen=True, kw_only=True):
    """The answers of these exchanges are known to have left for the PSS."""

    kind = Kind.ANSWERS_LEFT
    exchanges: tuple[str, ...]


class UpdateReceived(Record, frozen=True, kw_only=True):
    """A status event of OCP, whole. `is_held`: an earlier one of its sequence is still missing."""

    kind = Kind.UPDATE_RECEIVED
    business_date: str
    sequence: int
    event_id: str
    si_number: str
    event: msgspec.Raw
    delivery_id: str = ""
    is_held: bool = False
    is_late: bool = False

    def references(self) -> dict[str, str]:
        """The event id and the SI input number."""
        return {"event_id": self.event_id, "si_number": self.si_number}


class UpdateReleased(Record, frozen=True, kw_only=True):
    """An event that had come too early is next in its sequence now."""

    kind = Kind.UPDATE_RELEASED
    business_date: str
    sequence: int


class UpdateRepeated(Record, frozen=True, kw_only=True):
    """Events that had come before; dropped."""

    kind = Kind.UPDATE_REPEATED
    business_date: str
    sequences: tuple[int, ...]
    delivery_id: str = ""


class UpdateParked(Record, frozen=True, kw_only=True):
    """An update that could not be translated: a mapping file needs correction."""

    kind = Kind.UPDATE_PARKED
    event_id: str
    si_number: str
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """The event id and the SI input number."""
        return {"event_id": self.event_id, "si_number": self.si_number}


class GapFound(Record, frozen=True, kw_only=True):
    """Events are missing before `found`; they are asked for."""

    kind = Kind.GAP_FOUND
    business_date: str
    expected: int
    found: int


class DeliveryQueued(Record, frozen=True, kw_only=True):
    """A message to the PSS that must be acknowledged: a status change, a confirmation, a late outcome, a broadcast."""

    kind = Kind.DELIVERY_QUEUED
    delivery: str
    terminal: str
    si_number: str
    reference: str
    reply: Reply
    event_id: str = ""
    sequence: int = 0
    business_date: str = ""
    #: the exchange whose answer must leave first; empty: that of `exchange`
    after: str = ""
    lineage: tuple[Lineage, ...] = ()
    findings: tuple[Finding, ...] = ()
    mapping: str = ""

    def references(self) -> dict[str, str]:
        """Delivery, event, SI input number and the participant's own reference."""
        found = {"delivery": self.delivery, "reference": self.reference}
        if self.si_number:
            found["si_number"] = self.si_number
        if self.event_id:
            found["event_id"] = self.event_id
        return found


class DeliveryAcknowledged(Record, frozen=True, kw_only=True):
    """The PSS acknowledged a delivery."""

    kind = Kind.DELIVERY_ACKNOWLEDGED
    delivery: str

    def references(self) -> dict[str, str]:
        """The delivery."""
        return {"delivery": self.delivery}


_RECORDS: tuple[type[Record], ...] = (
    MessageRefused, RequestParked, RequestRepeated, SiFound, BatchCalled, BatchRefused, OutcomeUnknown, OcpFailed,
    ExchangeAwaited, ExchangeAnswered, ExchangeInDoubt, AnswersLeft, UpdateReceived, UpdateReleased, UpdateRepeated,
    UpdateParked, GapFound, DeliveryQueued, DeliveryAcknowledged, SessionOpened, SessionRefused, SessionClosed,
    FrameRefused, PushRefused, NodeStarted, NodeStopped, MappingsLoaded,
    MappingsRefused, PartReceived, PartsDropped, FileReceived, FileRefused, FileRepeated,
    drop.FileTaken, drop.FilePutAway, drop.FileTurnedAway, drop.FolderFaultFound, drop.FolderFaultEnded,
    edge.BroadcastOrdered, edge.BroadcastRefused, report.ReportPiece, report.ReportRead,
)  # fmt: skip
_DECODERS: dict[Kind, msgspec.json.Decoder[Any]] = {
    record.kind: msgspec.json.Decoder(record) for record in _RECORDS
} | {kind: msgspec.json.Decoder(RequestReceived) for kind in (Kind.INSTRUCTION_RECEIVED, Kind.ENQUIRY_RECEIVED)}
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
