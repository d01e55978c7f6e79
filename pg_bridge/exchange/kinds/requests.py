"""Records of what a PSS asked for: read, refused, repeated, parked, and the SI that it names found."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record, Reply
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
