"""The life of a settlement instruction (SI) at OCP: its states, what moves it, and the one table of transitions.

Source: the public CCASS rules (pending, unmatched, matched, on hold, shares on hold, settled, deleted, revoked);
purge, failing and the revoke by both are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from pg_bridge.profiles.concepts import EventType, Payment, Reason, Refusal, Status


class Act(StrEnum):
    """What moves an SI from one state to another."""

    ENTER = "enter"
    AUTHORISE = "authorise"
    CHANGE = "change"
    DELETE = "delete"
    PURGE = "purge"
    MATCH = "match"
    HOLD = "hold"
    RELEASE = "release"
    SETTLE = "settle"
    PAY = "pay"
    NOT_PAID = "not_paid"
    DAY_END = "day_end"
    REVOKE = "revoke"


#: (state, act) -> the states it may lead to; what is not here is refused. None: not entered yet.
TRANSITIONS: dict[tuple[Status | None, Act], tuple[Status, ...]] = {
    (None, Act.ENTER): (Status.PENDING, Status.UNMATCHED),
    (Status.PENDING, Act.AUTHORISE): (Status.UNMATCHED,),
    (Status.PENDING, Act.CHANGE): (Status.PENDING, Status.UNMATCHED),
    (Status.UNMATCHED, Act.CHANGE): (Status.PENDING, Status.UNMATCHED),
    (Status.PENDING, Act.DELETE): (Status.DELETED,),
    (Status.UNMATCHED, Act.DELETE): (Status.DELETED,),
    (Status.PENDING, Act.PURGE): (Status.PURGED,),
    (Status.UNMATCHED, Act.PURGE): (Status.PURGED,),
    (Status.UNMATCHED, Act.MATCH): (Status.MATCHED, Status.MATCHED_ON_HOLD),
    (Status.MATCHED, Act.HOLD): (Status.MATCHED_ON_HOLD,),
    (Status.MATCHED_ON_HOLD, Act.HOLD): (Status.MATCHED_ON_HOLD,),
    (Status.FAILING, Act.HOLD): (Status.MATCHED_ON_HOLD,),
    (Status.MATCHED_ON_HOLD, Act.RELEASE): (Status.MATCHED, Status.MATCHED_ON_HOLD),
    (Status.MATCHED, Act.SETTLE): (Status.SETTLED, Status.SHARES_ON_HOLD),
    (Status.FAILING, Act.SETTLE): (Status.SETTLED, Status.SHARES_ON_HOLD),
    (Status.SHARES_ON_HOLD, Act.PAY): (Status.SETTLED,),
    (Status.SHARES_ON_HOLD, Act.NOT_PAID): (Status.MATCHED,),
    (Status.MATCHED, Act.DAY_END): (Status.FAILING,),
    (Status.MATCHED, Act.REVOKE): (Status.REVOKED,),
    (Status.MATCHED_ON_HOLD, Act.REVOKE): (Status.REVOKED,),
    (Status.SHARES_ON_HOLD, Act.REVOKE): (Status.REVOKED,),
    (Status.FAILING, Act.REVOKE): (Status.REVOKED,),
}

FINAL = frozenset({Status.SETTLED, Status.DELETED, Status.REVOKED, Status.PURGED})

#: What a reason is told as.
REASON_TEXTS: dict[Reason, str] = {
    Reason.AWAIT_COUNTERPARTY: "no instruction of the counterparty agrees yet",
    Reason.DIFF_DATE: "the settlement date differs",
    Reason.DIFF_QUANTITY: "the quantity differs",
    Reason.DIFF_AMOUNT: "the amount differs",
    Reason.DIFF_SECURITY: "the security differs",
    Reason.DIFF_PAYMENT: "the payment instruction differs",
    Reason.DIFF_ACCOUNT: "the counterparty's account differs",
    Reason.HOLD_OWN: "on hold by the participant",
    Reason.HOLD_COUNTERPARTY: "on hold by the counterparty",
    Reason.HOLD_BOTH: "on hold by both sides",
    Reason.AWAIT_MONEY: "the payment is awaited",
    Reason.LACK_SECURITIES: "the deliverer lacks securities",
    Reason.LACK_SECURITIES_COUNTERPARTY: "the counterparty lacks securities",
    Reason.LACK_MONEY: "the receiver lacks money",
    Reason.BY_USER: "by the participant",
    Reason.BY_BOTH: "by both sides",
    Reason.BY_SYSTEM: "by the system, at the end of its retention",
}


@dataclass(frozen=True, slots=True)
class Stock:
    """One stock of the reference data. `domain`: it is the settlement counter of its security."""

    isin: str | None = None
    eligible: bool = True
    domain: bool = True


@dataclass(frozen=True, slots=True)
class BookRules:
    """How the book behaves where the platform's rules are settings.

    participants and stocks: those known (None: every one that is well formed). maker_checker: participants whose
    SIs wait for authorisation. retention_days: how long an SI may stay unmatched after its settlement date.
    si_number_form: how the SI numbers are written, counted from 1. money_tolerance: by how much the amounts of two
    that match may differ. accounts: of these participants only these stock accounts are known. prices: of a stock, in
    Hong Kong dollars; rates: what one of a currency is in them (1 where nothing is said).
    """

    match_at_once: bool = True
    match_accounts: bool = False
    revoke_by_both: bool = True
    dvp_shares_on_hold: bool = False
    maker_checker: frozenset[str] = frozenset()
    holidays: frozenset[date] = frozenset()
    participants: frozenset[str] | None = None
    stocks: dict[str, Stock] | None = None
    retention_days: int = 10
    si_number_form: str = "I{:08d}"
    money_tolerance: Decimal = Decimal(0)
    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    #: of each ISIN among `stocks` the settlement counter's code, None where there is none
    codes_by_isin: Mapping[str | None, str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes: dict[str | None, str | None] = {}
        for code, stock in (self.stocks or {}).items():
            if codes.get(stock.isin) is None:
                codes[stock.isin] = code if stock.domain else None
        object.__setattr__(self, "codes_by_isin", codes)


@dataclass(frozen=True, slots=True)
class Change:
    """One change that a participant made: what was stated before it and after it, by concept."""

    version: int
    at: datetime
    request_reference: str
    before: dict[str, Any]
    after: dict[str, Any]


class Si(msgspec.Struct, eq=False):
    """One SI as it now stands. `stated`: what its participant says of it, by concept, with the codes' meanings.

    partner: the other side's SI once they are matched. near: the number of the SI that all but agrees.
    lack: why a run cannot settle it. waits_since: its place among those that wait to be matched. answer_due: when
    a counterparty that answers by itself does; answers: the number of the SI that it was entered in answer to.
    """

    number: int
    si_number: str
    stated: dict[str, Any]
    status: Status
    created_at: datetime
    updated_at: datetime
    last_request_reference: str
    version: int = 1
    position_number: str | None = None
    partner: Si | None = None
    near: int | None = None
    revoke_asked: bool = False
    lack: Reason | None = None
    reason: Reason | None = None
    reason_text: str | None = None
    waits_since: int = 0
    answer_due: datetime | None = None
    answers: int | None = None
    changes: list[Change] = []

    @property
    def participant(self) -> str:
        """Whose SI it is."""
        participant: str = self.stated["participant_id"]
        return participant

    @property
    def payment(self) -> Payment:
        """How it is paid."""
        payment: Payment = self.stated["payment_instruction"]
        return payment

    def allows(self, act: Act) -> bool:
        """Whether the table lets `act` happen now."""
        return (self.status, act) in TRANSITIONS

    def values(self) -> dict[str, Any]:
        """The SI by concept: what was stated and what OCP adds."""
        partner = self.partner
        return self.stated | {
            "si_number": self.si_number,
            "status": self.status,
            "version": self.version,
            "settlement_position_number": self.position_number,
            "hold_own": self.stated["hold"],
            "hold_counterparty": partner.stated["hold"] if partner else False,
            "revoke_own": self.revoke_asked,
            "revoke_counterparty": partner.revoke_asked if partner else False,
            "last_request_reference": self.last_request_reference,
            "reason_code": self.reason,
            "reason_text": self.reason_text,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


class StatusEvent(msgspec.Struct, frozen=True, gc=False):
    """One status event, by concept; `si`: the SI as it stood right after it."""

    event_id: str
    participant: str
    sequence: int
    business_date: date
    event_type: EventType
    occurred_at: datetime
    previous_status: Status | None
    new_status: Status
    reason: Reason | None
    reason_text: str | None
    si: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True):
    """What one entry of a write came to: the SI, or why it was refused (meaning and text, all of them)."""

    si: Si | None
    refusals: tuple[tuple[Refusal, str], ...] = ()
