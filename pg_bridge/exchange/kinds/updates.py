"""Records of status events of OCP: taken, out of turn, not accepted."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


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


class PushRefused(Record, frozen=True, kw_only=True):
    """A pushed delivery that was not accepted, and the HTTP status that answered it."""

    kind = Kind.PUSH_REFUSED
    status: int
    text: str
    delivery_id: str = ""
    body: bytes = b""
    size: int = 0
