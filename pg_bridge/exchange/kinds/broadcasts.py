"""Records of broadcasts: ordered, and refused."""

from __future__ import annotations

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.record import Record


class BroadcastOrdered(Record, frozen=True, kw_only=True):
    """The operator tells participants something: one delivery to each is queued behind this entry.

    exchange: the broadcast's own id, by which its deliveries are found.
    """

    kind = Kind.BROADCAST_ORDERED
    who: Who
    head: str
    text: str
    participants: tuple[str, ...]

    def references(self) -> dict[str, str]:
        """Who ordered it."""
        return self.who.references()


class BroadcastRefused(Record, frozen=True, kw_only=True):
    """A broadcast that cannot be sent as it is: nobody was told anything. findings: the first 100."""

    kind = Kind.BROADCAST_REFUSED
    who: Who
    head: str
    text: str
    participants: tuple[str, ...]
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """Who ordered it."""
        return self.who.references()
