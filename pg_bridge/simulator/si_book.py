"""The life of SIs at the pretend OCP, over concepts: input, matching, holds, settlement, events. No HTTP, no names.

Rules: ocp-profile section 2 (transitions) and facts-ocp section 5; the matching keys are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pg_bridge.profiles.concepts import Direction, EventType, Payment, Reason, Refusal, Status
from pg_bridge.simulator.clock import SimulatedClock

Values = dict[str, Any]
#: a refusal of one entry: what it means, and words for a person
Refused = tuple[Refusal, str]

_CHANGEABLE = (Status.PENDING, Status.UNMATCHED)
_REVOCABLE = (Status.MATCHED, Status.MATCHED_ON_HOLD, Status.SHARES_ON_HOLD, Status.FAILING)


@dataclass(slots=True)
class Si:
    """One side's instruction. `stated`: what its participant said, by concept; codes as meanings."""

    number: str
    stated: Values
    status: Status
    created_at: str
    updated_at: str
    business_date: str
    hold: bool
    version: int = 1
    reason: Reason | None = None
    reason_text: str | None = None
    revoked: bool = False
    position_number: str | None = None
    last_request: str | None = None
    other: Si | None = None

    def values(self) -> Values:
        """Every concept of the SI as it stands."""
        other = self.other
        return {
            **self.stated,
            "hold": self.hold,
            "si_number": self.number,
            "status": self.status,
            "version": self.version,
            "settlement_position_number": self.position_number,
            "hold_own": self.hold,
            "hold_counterparty": other.hold if other is not None else False,
            "revoke_own": self.revoked,
            "revoke_counterparty": other.revoked if other is not None else False,
            "last_request_reference": self.last_request,
            "reason_code": self.reason,
            "reason_text": self.reason_text,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True)
class SiEvent:
    """One status event: `values` are the SI's at that moment."""

    event_id: str
    participant: str
    business_date: str
    sequence: int
    event_type: EventType
    occurred_at: str
    previous: Status | None
    new: Status
    reason: Reason | None
    reason_text: str | None
    values: Values


@dataclass(slots=True)
class SiBook:
    """All SIs. matches_at_once: the second side matches when it comes; otherwise when told."""

    clock: SimulatedClock
    matches_at_once: bool = True
    unknown_stocks: frozenset[str] = frozenset({"00000"})
    instructions: dict[str, Si] = field(default_factory=dict)
    events: dict[tuple[str, str], list[SiEvent]] = field(default_factory=dict)
    #: events nobody has collected yet, in order
    fresh: list[SiEvent] = field(default_factory=list)
    #: (participant, business date, request reference) in use
    used: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _count: int = 0
    _events_count: int = 0

    def enter(self, stated: Values) -> Si | Refused:
        """Enter one SI."""
        today = self.clock.today()
        key = (stated["participant_id"], today, stated["request_reference"])
        if key in self.used:
            return Refusal.REFERENCE_USED, f"reference {key[2]} is used today by {self.used[key]}"
        if stated["stock_code"] is None and stated["isin"] is None:
            return Refusal.FIELD_MISSING, "stock code or ISIN is needed"
        if stated["stock_code"] in self.unknown_stocks:
            return Refusal.UNKNOWN_STOCK, f"stock {stated['stock_code']} is unknown"
        if stated["settlement_date"] < today:
            return Refusal.NO_SETTLEMENT_DAY, f"settlement date {stated['settlement_date']} is past"
        if stated["payment_instruction"] is not Payment.FOP and (
            stated["amount"] is None or stated["currency"] is None
        ):
            return Refusal.FIELD_MISSING, "amount and currency are needed against payment"
        self._count += 1
        number = f"I{self._count:08d}"
        self.used[key] = number
        stamp = self.clock.stamp()
        si = Si(
            number,
            dict(stated),
            Status.UNMATCHED,
            stamp,
            stamp,
            today,
            bool(stated["hold"]),
            reason=Reason.AWAIT_COUNTERPARTY,
            last_request=stated["request_reference"],
        )
        self.instructions[number] = si
        self._tell(si, EventType.CREATED, None)
        if self.matches_at_once:
            self.match(si)
        return si

    def match(self, si: Si) -> bool:
        """Match one unmatched SI with its other side, or say what differs."""
        near: tuple[Si, Reason] | None = None
        for other in self.instructions.values():
            if other.status is not Status.UNMATCHED or not _are_sides(si, other):
                continue
            differing = _differing(si, other)
            if not differing:
                self._join(si, other)
                return True
            if len(differing) == 1:
                near = (other, differing[0])
        if near is not None:
            for side in (si, near[0]):
                if side.reason is not near[1]:
                    side.reason = near[1]
                    self._touch(side)
                    self._tell(side, EventType.UNMATCHED, Status.UNMATCHED)
        return False

    def match_all(self) -> int:
        """A matching run; gives the number of pairs."""
        return sum(self.match(si) for si in list(self.instructions.values()) if si.status is Status.UNMATCHED)

    def _join(self, one: Si, two: Si) -> None:
        one.other, two.other = two, one
        for side in (one, two):
            side.position_number = f"P{int(side.number[1:]):08d}"
        self._hold_status(one, EventType.MATCHED)

    def _hold_status(self, si: Si, event_type: EventType) -> None:
        """Give both sides of a matched SI the status that their hold flags ask for."""
        for side, other in _sides(si):
            is_held = side.hold or other.hold
            before = side.status
            side.status = Status.MATCHED_ON_HOLD if is_held else Status.MATCHED
            side.reason = None
            if side.hold and other.hold:
                side.reason = Reason.HOLD_BOTH
            elif is_held:
                side.reason = Reason.HOLD_OWN if side.hold else Reason.HOLD_COUNTERPARTY
            self._touch(side)
            self._tell(side, event_type, before)

    def find(self, participant: str, number: str) -> Si | Refused:
        """An SI of this participant."""
        si = self.instructions.get(number)
        if si is None or si.stated["participant_id"] != participant:
            return Refusal.SI_UNKNOWN, f"SI {number} is unknown"
        return si

    def set_hold(self, si: Si, request: str, *, hold: bool) -> Refused | None:
        """Hold or release one side of a matched SI."""
        if si.status not in (Status.MATCHED, Status.MATCHED_ON_HOLD):
            return Refusal.WRONG_STATE, f"SI {si.number} is {si.status}"
        si.hold = hold
        si.last_request = request
        self._hold_status(si, EventType.HELD if hold else EventType.RELEASED)
        return None

    def delete(self, si: Si, request: str) -> Refused | None:
        """Delete an SI that is not matched."""
        if si.status not in _CHANGEABLE:
            return Refusal.WRONG_STATE, f"SI {si.number} is {si.status}"
        self._move(si, Status.DELETED, EventType.DELETED, Reason.BY_USER, request)
        return None

    def authorise(self, si: Si, request: str) -> Refused | None:
        """Authorise a pending SI."""
        if si.status is not Status.PENDING:
            return Refusal.WRONG_STATE, f"SI {si.number} is {si.status}"
        self._move(si, Status.UNMATCHED, EventType.AUTHORISED, Reason.AWAIT_COUNTERPARTY, request)
        self.match(si)
        return None

    def revoke(self, si: Si, request: str) -> Refused | None:
        """Ask to revoke a matched SI; when both sides have asked, it is revoked."""
        if si.status not in _REVOCABLE:
            return Refusal.WRONG_STATE, f"SI {si.number} is {si.status}"
        si.revoked = True
        si.last_request = request
        is_both = si.other is not None and si.other.revoked
        for side, _ in _sides(si):
            if is_both:
                self._move(side, Status.REVOKED, EventType.REVOKED, Reason.BY_BOTH, side.last_request)
            else:
                self._touch(side)
                self._tell(side, EventType.REVOKE_REQUESTED, side.status)
        return None

    def change(self, si: Si, stated: Values) -> Refused | None:
        """Replace what an SI that is not matched states."""
        if si.status not in _CHANGEABLE:
            return Refusal.WRONG_STATE, f"SI {si.number} is {si.status}"
        kept = {"participant_reference": si.stated["participant_reference"]}
        si.stated = {**stated, **kept}
        si.hold = bool(stated["hold"])
        si.version += 1
        self._move(si, Status.UNMATCHED, EventType.CHANGED, Reason.AWAIT_COUNTERPARTY, stated["request_reference"])
        self.match(si)
        return None

    def settle(self) -> int:
        """A settlement run of today; gives the number of SIs moved."""
        today = self.clock.today()
        moved = 0
        for si in self.instructions.values():
            if si.status is not Status.MATCHED or si.stated["settlement_date"] > today:
                continue
            moved += 1
            if si.stated["payment_instruction"] is Payment.RDP:
                self._move(si, Status.SHARES_ON_HOLD, EventType.SHARES_HELD, Reason.AWAIT_MONEY, si.last_request)
            else:
                self._move(si, Status.SETTLED, EventType.SETTLED, None, si.last_request)
        return moved

    def pay(self) -> int:
        """Money for RDP has come: what is on hold for it settles."""
        waiting = [si for si in self.instructions.values() if si.status is Status.SHARES_ON_HOLD]
        for si in waiting:
            self._move(si, Status.SETTLED, EventType.SETTLED, None, si.last_request)
        return len(waiting)

    # --- events --------------------------------------------------------------------------------------------

    def _move(self, si: Si, status: Status, event_type: EventType, reason: Reason | None, request: str | None) -> None:
        before, si.status, si.reason, si.last_request = si.status, status, reason, request
        self._touch(si)
        self._tell(si, event_type, before)

    def _touch(self, si: Si) -> None:
        si.updated_at = self.clock.stamp()

    def _tell(self, si: Si, event_type: EventType, before: Status | None) -> None:
        self._events_count += 1
        key = (si.stated["participant_id"], self.clock.today())
        day = self.events.setdefault(key, [])
        event = SiEvent(
            f"E{self._events_count:010d}",
            key[0],
            key[1],
            len(day) + 1,
            event_type,
            self.clock.stamp(),
            before,
            si.status,
            si.reason,
            si.reason_text,
            si.values(),
        )
        day.append(event)
        self.fresh.append(event)


def _sides(si: Si) -> list[tuple[Si, Si]]:
    other = si.other
    return [(si, other), (other, si)] if other is not None else []


def _are_sides(one: Si, two: Si) -> bool:
    a, b = one.stated, two.stated
    return (
        a["participant_id"] == b["counterparty_id"]
        and a["counterparty_id"] == b["participant_id"]
        and {a["direction"], b["direction"]} == {Direction.DELIVER, Direction.RECEIVE}
    )


def _differing(one: Si, two: Si) -> list[Reason]:
    """What keeps two sides from matching."""
    a, b = one.stated, two.stated
    is_same_security = (a["stock_code"] is not None and a["stock_code"] == b["stock_code"]) or (
        a["isin"] is not None and a["isin"] == b["isin"]
    )
    checks = [
        (Reason.DIFF_SECURITY, is_same_security),
        (Reason.DIFF_QUANTITY, a["quantity"] == b["quantity"]),
        (Reason.DIFF_DATE, a["settlement_date"] == b["settlement_date"]),
        (Reason.DIFF_PAYMENT, a["payment_instruction"] == b["payment_instruction"]),
        (Reason.DIFF_AMOUNT, (a["currency"], a["amount"]) == (b["currency"], b["amount"])),
    ]
    return [reason for reason, same in checks if not same]
