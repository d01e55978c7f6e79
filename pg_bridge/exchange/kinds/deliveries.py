"""Records of deliveries: queued, and acknowledged."""

from __future__ import annotations

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record, Reply
from pg_bridge.mapping.lineage import Lineage


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
