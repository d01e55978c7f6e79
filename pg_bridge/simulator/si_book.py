"""The pretend OCP's book of settlement instructions, over concepts. Pure: `now` (Hong Kong time) is an argument.

Every write gives an Outcome for its one entry; what happened is told by events, per participant and business day
with sequences from 1 without gaps, which `take_events` hands out in the order they happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from pg_bridge.profiles.concepts import SI_INPUT, Direction, EventType, Operation, Payment, Reason, Refusal, Status
from pg_bridge.simulator.events import Teller
from pg_bridge.simulator.life_cycle import (
    FINAL,
    REASON_TEXTS,
    TRANSITIONS,
    Act,
    BookRules,
    Change,
    Outcome,
    Si,
    StatusEvent,
)
from pg_bridge.simulator.matching import Waiting
from pg_bridge.simulator.register import Register, Use
from pg_bridge.simulator.stated import check_limit, check_stated, complete_stock

Refused = tuple[Refusal, str]
_INPUT = itemgetter(*SI_INPUT)


class SiBook:
    """All SIs of all participants, and what the rules make of them."""

    def __init__(self, rules: BookRules) -> None:
        self.rules = rules
        self.register = Register()
        self._waiting = Waiting(rules.match_accounts, rules.money_tolerance)
        self._delivering: dict[int, Si] = {}
        self._positions = 0
        self._teller = Teller()
        self._tell = self._teller.tell
        #: the SIs that changed since they were last taken away, by number
        self.touched = self._teller.touched

    def restore(self, sis: Sequence[Si], uses: Iterable[Use], sequences: Mapping[tuple[str, date], int]) -> None:
        """Go on, in an empty book, where another one stopped. Raises KeyError for a use of no SI."""
        for si in sis:
            self.register.add(si)
        for use in uses:
            self.register.use(self.register.at(use.number), use.reference, use.day, use.operation)
        self.register.fresh_uses.clear()
        self._waiting.restore(sis)
        matched = [si for si in sis if si.partner is not None and si is _deliverer(si) and si.status not in FINAL]
        # the runs take the pairs in the order in which they matched
        self._delivering = {si.number: si for si in sorted(matched, key=lambda si: str(si.position_number))}
        self._positions = max((int(si.position_number or 0) for si in sis), default=0)
        self._teller.restore(sequences)

    def take_events(self) -> list[StatusEvent]:
        """The events since the last call, in the order they happened."""
        return self._teller.take()

    def set_rules(self, **changes: Any) -> None:
        """Replace settings of the rules; those of what must agree hold from the start on only."""
        self.rules = replace(self.rules, **changes)

    # ---- what participants ask for

    def write(
        self, operation: Operation, stated: Mapping[str, Any], now: datetime, limit: Decimal | None = None
    ) -> Outcome:
        """Do one entry of a write. `stated`: its concepts, absent ones None. limit: see check_limit (None: none)."""
        if operation is Operation.SI_ADD:
            return self._enter(stated, now)
        si = self.register.get(stated["si_number"])
        if si is None or si.participant != stated["participant_id"]:
            return _refused(Refusal.SI_UNKNOWN, "no such SI of this participant")
        named = stated.get("participant_reference")
        if operation is not Operation.SI_CHANGE and named not in (None, si.stated["participant_reference"]):
            return _refused(Refusal.SI_UNKNOWN, "the SI has another participant reference")
        if stated.get("version") not in (None, si.version):
            return _refused(Refusal.VERSION_DIFFERS, f"the SI's version is {si.version}")
        act = _ACTS[operation]
        if operation is Operation.SI_HOLD and not stated["hold"]:
            act = Act.RELEASE
        refusals = self._repeated(operation, stated, now, si)
        if not si.allows(act):
            refusals.append((Refusal.WRONG_STATE, f"the SI is {si.status.value}: no {act.value} now"))
        elif act is Act.CHANGE:
            refusals += check_stated(stated, self.rules, now.date())
        elif act is Act.REVOKE and si.revoke_asked:
            refusals.append((Refusal.WAITS_FOR_OTHER_USER, "the counterparty's revoke is awaited"))
        elif operation is Operation.SI_HOLD and si.stated["hold"] == stated["hold"]:
            is_so = "on hold already" if stated["hold"] else "not on hold by this side"
            refusals.append((Refusal.WRONG_STATE, f"the SI is {is_so}"))
        elif act is Act.RELEASE and limit is not None:
            refusals += check_limit(si.stated, limit, self.rules)
        if refusals:
            return Outcome(None, tuple(refusals))
        si.last_request_reference = stated["request_reference"]
        self.register.use(si, si.last_request_reference, now.date(), operation)
        self._act(si, act, stated, now)
        return Outcome(si)

    def _act(self, si: Si, act: Act, stated: Mapping[str, Any], now: datetime) -> None:
        if act is Act.AUTHORISE:
            self._move(si, act, Status.UNMATCHED, EventType.AUTHORISED, Reason.AWAIT_COUNTERPARTY, now)
            self._wait(si, now)
        elif act is Act.DELETE:
            self._leave(si)
            self._move(si, act, Status.DELETED, EventType.DELETED, Reason.BY_USER, now)
            self._reassess_near(si, now)
        elif act is Act.CHANGE:
            self._change(si, stated, now)
        elif act is Act.REVOKE:
            self._revoke(si, now)
        else:
            self._set_hold(si, act, now)

    def _repeated(
        self, operation: Operation, stated: Mapping[str, Any], now: datetime, si: Si | None = None
    ) -> list[Refused]:
        reference = stated["request_reference"]
        if self.register.is_used(stated["participant_id"], reference, now.date(), operation, si):
            return [(Refusal.REFERENCE_USED, "the request reference was used today")]
        return []

    def _enter(self, stated: Mapping[str, Any], now: datetime) -> Outcome:
        refusals = check_stated(stated, self.rules, now.date()) + self._repeated(Operation.SI_ADD, stated, now)
        if refusals:
            return Outcome(None, tuple(refusals))
        number = len(self.register) + 1
        values = dict(zip(SI_INPUT, _INPUT(stated), strict=True))
        values["hold"] = bool(values["hold"])
        complete_stock(values, self.rules)
        to, reason = self._first_status(values["participant_id"])
        si = Si(
            number=number,
            si_number=self.rules.si_number_form.format(number),
            stated=values,
            status=to,
            created_at=now,
            updated_at=now,
            last_request_reference=values["request_reference"],
            version=0,
        )
        self.register.add(si)
        self.register.use(si, values["request_reference"], now.date(), Operation.SI_ADD)
        self._tell(si, None, EventType.CREATED, reason, now)
        if to is Status.UNMATCHED:
            self._wait(si, now)
        return Outcome(si)

    def _change(self, si: Si, stated: Mapping[str, Any], now: datetime) -> None:
        self._leave(si)
        self._reassess_near(si, now)
        before = si.stated
        si.stated = dict(zip(SI_INPUT, _INPUT(stated), strict=True)) | {
            "request_reference": si.stated["request_reference"],
            "hold": bool(stated["hold"]),
        }
        complete_stock(si.stated, self.rules)
        self.register.name(si)
        si.changes.append(Change(si.version + 1, now, stated["request_reference"], before, si.stated))
        to, reason = self._first_status(si.participant)
        self._move(si, Act.CHANGE, to, EventType.CHANGED, reason, now)
        if to is Status.UNMATCHED:
            self._wait(si, now)

    def _revoke(self, si: Si, now: datetime) -> None:
        partner = _partner(si)
        si.revoke_asked = True
        if self.rules.revoke_by_both and not partner.revoke_asked:
            for side in (si, partner):
                self._tell(side, side.status, EventType.REVOKE_REQUESTED, side.reason, now)
            return
        reason = Reason.BY_BOTH if partner.revoke_asked else Reason.BY_USER
        self._move_both(si, Act.REVOKE, Status.REVOKED, EventType.REVOKED, (reason, reason), now)
        del self._delivering[_deliverer(si).number]

    def _set_hold(self, si: Si, act: Act, now: datetime) -> None:
        hold = act is Act.HOLD
        si.stated = si.stated | {"hold": hold}
        reasons = _hold_reasons(si)
        to = Status.MATCHED if reasons == (None, None) else Status.MATCHED_ON_HOLD
        self._move_both(si, act, to, EventType.HELD if hold else EventType.RELEASED, reasons, now)

    # ---- what the platform does by itself or by command

    def match_waiting(self, now: datetime) -> int:
        """Match all that wait; the number of pairs made."""
        before = self._positions
        for si in list(self._waiting):
            if si.status is Status.UNMATCHED:
                self._match(si, now)
        return self._positions - before

    def settle(self, now: datetime, si_number: str | None = None) -> int:
        """A settlement run: every due pair that is neither on hold nor lacking; the number of pairs moved.

        si_number: only this SI's pair, as a delivery instruction (DI) does.
        """
        moved = 0
        for si in list(self._delivering.values()):
            partner = _partner(si)
            if si.stated["settlement_date"] > now.date() or not si.allows(Act.SETTLE):
                continue
            if si_number not in (None, si.si_number, partner.si_number):
                continue
            lack = si.lack or partner.lack
            if lack is not None:
                si.reason, partner.reason = _lack_reasons(lack)
                for side in (si, partner):
                    side.reason_text = REASON_TEXTS[side.reason] if side.reason else None
                    self.touched[side.number] = side
                continue
            moved += 1
            first_shares = si.payment is Payment.RDP or (si.payment is Payment.DVP and self.rules.dvp_shares_on_hold)
            if first_shares:
                awaited = (Reason.AWAIT_MONEY, Reason.AWAIT_MONEY)
                self._move_both(si, Act.SETTLE, Status.SHARES_ON_HOLD, EventType.SHARES_HELD, awaited, now)
            else:
                self._settle_pair(si, Act.SETTLE, now)
        return moved

    def pay(self, now: datetime, si_number: str | None = None, paid: bool = True) -> int:
        """Say that the money of pairs with shares on hold came (or did not); the number of pairs moved."""
        chosen = [
            si
            for si in self._delivering.values()
            if si.status is Status.SHARES_ON_HOLD and si_number in (None, si.si_number, _partner(si).si_number)
        ]
        for si in chosen:
            if paid:
                self._settle_pair(si, Act.PAY, now)
            else:
                nothing = (None, None)
                self._move_both(si, Act.NOT_PAID, Status.MATCHED, EventType.SHARES_RELEASED, nothing, now)
        return len(chosen)

    def end_day(self, now: datetime) -> int:
        """Fail what was due and did not settle, purge what waited too long; the number of SIs moved.

        Shares on hold that nobody paid for are given back first, and fail for lack of money.
        """
        unpaid = {si.number for si in self._delivering.values() if si.status is Status.SHARES_ON_HOLD}
        self.pay(now, paid=False)
        moved = 0
        for si in list(self._delivering.values()):
            if si.stated["settlement_date"] <= now.date() and si.allows(Act.DAY_END):
                usual = Reason.LACK_MONEY if si.number in unpaid else Reason.LACK_SECURITIES
                reasons = _lack_reasons(si.lack or _partner(si).lack or usual)
                self._move_both(si, Act.DAY_END, Status.FAILING, EventType.FAILING, reasons, now)
                moved += 2
        for si in self.register:
            due: date = si.stated["settlement_date"]
            if si.allows(Act.PURGE) and (now.date() - due).days >= self.rules.retention_days:
                self._leave(si)
                self._move(si, Act.PURGE, Status.PURGED, EventType.PURGED, Reason.BY_SYSTEM, now)
                moved += 1
        return moved

    def set_lack(self, si_number: str, lack: Reason | None) -> None:
        """Have the runs leave this SI's pair unsettled for `lack`, or no longer. Raises KeyError."""
        si = self.register.get(si_number)
        if si is None:
            raise KeyError(si_number)
        si.lack = lack
        self.touched[si.number] = si

    # ---- matching

    def _first_status(self, participant: str) -> tuple[Status, Reason | None]:
        if participant in self.rules.maker_checker:
            return Status.PENDING, None
        return Status.UNMATCHED, Reason.AWAIT_COUNTERPARTY

    def _wait(self, si: Si, now: datetime) -> None:
        self._waiting.add(si)
        if self.rules.match_at_once:
            self._match(si, now)

    def _leave(self, si: Si) -> None:
        if si.status is Status.UNMATCHED:
            self._waiting.remove(si)

    def _match(self, si: Si, now: datetime) -> None:
        other = self._waiting.match(si)
        if other is None:
            self._assess(si, now)
            return
        for side in (si, other):
            self._leave(side)
        self._positions += 1
        si.partner, other.partner = other, si
        si.position_number = other.position_number = f"{self._positions:09d}"
        deliverer = _deliverer(si)
        self._delivering[deliverer.number] = deliverer
        reasons = _hold_reasons(si)
        to = Status.MATCHED if reasons == (None, None) else Status.MATCHED_ON_HOLD
        self._move_both(si, Act.MATCH, to, EventType.MATCHED, reasons, now)
        for side in (si, other):
            self._reassess_near(side, now)

    def _assess(self, si: Si, now: datetime) -> None:
        """Tell both sides of the nearest disagreement, when it is news."""
        found = self._waiting.nearest(si)
        if found is None:
            self._say_why_unmatched(si, None, [Reason.AWAIT_COUNTERPARTY], now)
            return
        other, items = found
        if not items:
            # the next run matches them: there is nothing to tell
            self._waiting.set_near(si, None)
            self.touched[si.number] = si
            return
        self._say_why_unmatched(si, other.number, items, now)
        if other.near is None:
            self._say_why_unmatched(other, si.number, items, now)

    def _say_why_unmatched(self, si: Si, near: int | None, items: list[Reason], now: datetime) -> None:
        self._waiting.set_near(si, near)
        self.touched[si.number] = si
        text = "; ".join(REASON_TEXTS[item] for item in items)
        if (items[0], text) != (si.reason, si.reason_text):
            self._tell(si, si.status, EventType.UNMATCHED, items[0], now, text)

    def _reassess_near(self, si: Si, now: datetime) -> None:
        """`si` no longer waits: those told to be near to it learn what is true now."""
        for other in self._waiting.near_to(si):
            self._assess(other, now)

    # ---- moving and telling

    def _settle_pair(self, si: Si, act: Act, now: datetime) -> None:
        self._move_both(si, act, Status.SETTLED, EventType.SETTLED, (None, None), now)
        del self._delivering[_deliverer(si).number]

    def _move_both(
        self,
        si: Si,
        act: Act,
        to: Status,
        event_type: EventType,
        reasons: tuple[Reason | None, Reason | None],
        now: datetime,
    ) -> None:
        """Move `si` and its partner together, so that each side's event shows both as they then stand."""
        partner = _partner(si)
        previous = (si.status, partner.status)
        for side in (si, partner):
            _check_move(side, act, to)
            side.status = to
        for side, was, reason in zip((si, partner), previous, reasons, strict=True):
            self._tell(side, was, event_type, reason, now)

    def _move(self, si: Si, act: Act, to: Status, event_type: EventType, reason: Reason | None, now: datetime) -> None:
        _check_move(si, act, to)
        previous, si.status = si.status, to
        self._tell(si, previous, event_type, reason, now)


_ACTS = {
    Operation.SI_AUTHORISE: Act.AUTHORISE,
    Operation.SI_CHANGE: Act.CHANGE,
    Operation.SI_DELETE: Act.DELETE,
    Operation.SI_REVOKE: Act.REVOKE,
    Operation.SI_HOLD: Act.HOLD,
}


def _refused(refusal: Refusal, text: str) -> Outcome:
    return Outcome(None, ((refusal, text),))


def _check_move(si: Si, act: Act, to: Status) -> None:
    if to not in TRANSITIONS[(si.status, act)]:
        raise ValueError(f"{act.value} does not lead from {si.status.value} to {to.value}")


def _partner(si: Si) -> Si:
    if si.partner is None:
        raise ValueError(f"{si.si_number} has no other side")
    return si.partner


def _deliverer(si: Si) -> Si:
    return si if si.stated["direction"] is Direction.DELIVER else _partner(si)


def _hold_reasons(si: Si) -> tuple[Reason | None, Reason | None]:
    """Why `si` and its partner are on hold, each seen from its own side."""
    own, other = si.stated["hold"], _partner(si).stated["hold"]
    if own and other:
        return Reason.HOLD_BOTH, Reason.HOLD_BOTH
    if own:
        return Reason.HOLD_OWN, Reason.HOLD_COUNTERPARTY
    return (Reason.HOLD_COUNTERPARTY, Reason.HOLD_OWN) if other else (None, None)


def _lack_reasons(lack: Reason) -> tuple[Reason, Reason]:
    """The deliverer's and the receiver's reason."""
    if lack is Reason.LACK_MONEY:
        return lack, lack
    return Reason.LACK_SECURITIES, Reason.LACK_SECURITIES_COUNTERPARTY
