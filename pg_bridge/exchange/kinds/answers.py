"""Records of how an exchange ends: what its PSS was told, and when that left."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.calls import SeenSi
from pg_bridge.exchange.record import NO_DOCUMENT, Fault, Record, Reply
from pg_bridge.mapping.lineage import Lineage


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
    """No enquiry settles what became of this instruction: a person must.

    outcome, si_number: of one whose outcome is known but could not be told. seen: what OCP told last of its SI.
    """

    kind = Kind.EXCHANGE_IN_DOUBT
    reference: str
    request_id: str
    text: str
    outcome: str = ""
    si_number: str = ""
    seen: SeenSi | None = None

    def references(self) -> dict[str, str]:
        """The participant's own reference and the request id."""
        return {"reference": self.reference, "request_id": self.request_id}


class AnswersLeft(Record, frozen=True, kw_only=True):
    """The answers of these exchanges are known to have left for the PSS."""

    kind = Kind.ANSWERS_LEFT
    exchanges: tuple[str, ...]
