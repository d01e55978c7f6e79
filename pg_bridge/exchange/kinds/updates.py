"""Records of status events of OCP: taken, out of turn, not accepted."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record
from pg_bridge.exchange.si_standing import SiStanding


class UpdateReceived(Record, frozen=True, kw_only=True):
    """A status event of OCP, whole. `is_held`: an earlier one, of its sequence or of the day before, is still missing.

    standing: how its SI then stood; None in older journals. is_repeat: its event id came under another number before.
    """

    kind = Kind.UPDATE_RECEIVED
    business_date: str
    sequence: int
    event_id: str
    si_number: str
    event: msgspec.Raw
    delivery_id: str = ""
    is_held: bool = False
    is_late: bool = False
    is_repeat: bool = False
    standing: SiStanding | None = None

    def references(self) -> dict[str, str]:
        """The event id and the SI input number."""
        return {"event_id": self.event_id, "si_number": self.si_number}


class UpdateReleased(Record, frozen=True, kw_only=True):
    """An event that had come too early is next in its sequence now."""

    kind = Kind.UPDATE_RELEASED
    business_date: str
    sequence: int
    si_number: str = ""
    standing: SiStanding | None = None


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


class UpdatePassedOver(Record, frozen=True, kw_only=True):
    """An event that is not told: the PSS was told already how its SI stood then or later (`told`, OCP's version)."""

    kind = Kind.UPDATE_PASSED_OVER
    event_id: str
    si_number: str
    version: int
    told: int

    def references(self) -> dict[str, str]:
        """The event id and the SI input number."""
        return {"event_id": self.event_id, "si_number": self.si_number}


class DayClosed(Record, frozen=True, kw_only=True):
    """A business date is over and OCP has no event of it behind `sequence`: those of the next one may be told."""

    kind = Kind.DAY_CLOSED
    business_date: str
    sequence: int


class EventsLost(Record, frozen=True, kw_only=True):
    """OCP does not have the events from `first` to `last` any more (0: to the day's end); siQuery tells what is now."""

    kind = Kind.EVENTS_LOST
    business_date: str
    first: int
    last: int


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
