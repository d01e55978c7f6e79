"""The pretend OCP's state as a document: what a snapshot holds whole, and the state file in pieces, one a change.

Values are as concepts have them (dates, decimals and meanings as text); events are OCP's documents as they were told.
Not held: tokens, tries of pushes that are over, and connections.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from pg_bridge.profiles.concepts import SI_INPUT, Direction, EventType, Operation, Payment, Reason, Status
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.day import Spell
from pg_bridge.simulator.faults import Fault
from pg_bridge.simulator.ledger import Done
from pg_bridge.simulator.life_cycle import Change, Si

Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

#: the states in which an SI has no other side
ALONE = frozenset({Status.PENDING, Status.UNMATCHED, Status.DELETED, Status.PURGED})

_READERS: dict[str, Any] = {
    "direction": Direction,
    "payment_instruction": Payment,
    "trade_date": date.fromisoformat,
    "settlement_date": date.fromisoformat,
    "amount": Decimal,
}


_MANDATORY = frozenset(
    {"participant_id", "counterparty_id", "direction", "payment_instruction", "quantity", "settlement_date", "hold",
     "request_reference", "participant_reference", "market"}
)  # fmt: skip


class ChangeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One change of an SI: both images, by concept."""

    version: Count
    at: Moment
    request_reference: str
    before: dict[str, Any]
    after: dict[str, Any]


class SiRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One SI; `partner`, `near` and `answers` are numbers of others. See life_cycle.Si."""

    number: int
    si_number: str
    stated: dict[str, Any]
    status: Status
    created_at: Moment
    updated_at: Moment
    last_request_reference: str
    version: Count
    position_number: Annotated[str, msgspec.Meta(pattern="^[0-9]{9}$")] | None = None
    partner: int | None = None
    near: int | None = None
    revoke_asked: bool = False
    lack: Reason | None = None
    reason: Reason | None = None
    reason_text: str | None = None
    waits_since: Count = 0
    answer_due: Moment | None = None
    answers: int | None = None
    changes: list[ChangeRecord] = []


class UseRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A request of `reference` touched the SI `number` on `day`."""

    reference: str
    day: date
    number: int
    operation: Operation


class EventRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One status event, as it was told. event_type: left out in a whole image, whose subscribers got it before."""

    participant: str
    business_date: date
    document: msgspec.Raw
    event_type: EventType | None = None


class UsedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One request id used, at a second of the clock's epoch; the answer where it is to be given again."""

    company: str
    request_id: str
    at: float
    answer: str = ""


class AcknowledgedRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Behind which place of a participant's events a company's sockets have everything still to acknowledge."""

    company: str
    participant: str
    day: date
    sequence: int


class ClockRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The clock showed `at` when the wall's was `wall`; rate 0: it stands."""

    at: Moment
    wall: Moment
    rate: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class DeliveryRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A delivery on its way to a subscriber: its events by number, since when (of the clock), how often tried."""

    number: Count
    events: list[Count]
    since: Moment
    tries: Count = 0


class SubscriptionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One subscription. Of a whole image only: how many events it was ever offered, those that it did not take by
    number, the delivery on its way, and, of the others by place, what holds them up (see feed.Held)."""

    company: str
    url: str
    event_types: list[EventType]
    key_id: str | None = None
    offered: Count = 0
    untaken: list[tuple[Count, msgspec.Raw]] = []
    delivery: DeliveryRecord | None = None
    silent_s: Seconds | None = None
    kept_back: Count | None = None
    late_s: dict[int, Seconds] = {}


class TakenRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A subscriber took these events, by number, or they were lost or given up; or, with a delivery: that began."""

    company: str
    url: str
    numbers: list[Count] = []
    delivery: DeliveryRecord | None = None


class SettingsRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was set by control; None: as the options say."""

    match_at_once: bool
    revoke_by_both: bool
    dvp_shares_on_hold: bool
    maker_checker: list[str]
    keeps_hours: bool
    weather: list[Spell]
    company_calls: Count
    machine_calls: Count
    functions: dict[str, list[Operation] | None] | None = None
    transaction_limits: dict[str, Decimal] | None = None


class Image(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole state, or what one change made different: of lists what is new, of the rest what holds now.

    caught_up: until when the runs of the schedule have been brought about. profile: whose documents the events are.
    assertions: ids of assertions that were used, with whose and until when they are known; company_counts,
    machine_counts: calls that the limits count; all in seconds of the wall's epoch. seed, signing_key (PEM): of a whole
    image only.
    """

    profile: str = ""
    seed: int | None = None
    signing_key: str = ""
    caught_up: Moment | None = None
    clock: ClockRecord | None = None
    settings: SettingsRecord | None = None
    counterparties: list[CounterpartyOrder] | None = None
    faults: list[tuple[Fault, int]] | None = None
    sis: list[SiRecord] = []
    uses: list[UseRecord] = []
    events: list[EventRecord] = []
    done: list[Done] = []
    used: list[UsedRecord] = []
    assertions: list[tuple[str, str, float]] = []
    company_counts: list[tuple[str, float]] = []
    machine_counts: list[tuple[str, float]] = []
    acknowledged: list[AcknowledgedRecord] = []
    subscriptions: list[SubscriptionRecord] | None = None
    taken: list[TakenRecord] = []
    deliveries: Count = 0


def si_record(si: Si) -> SiRecord:
    """An SI as a record."""
    values: dict[str, Any] = {name: getattr(si, name) for name in SiRecord.__struct_fields__}
    values["partner"] = si.partner.number if si.partner is not None else None
    values["changes"] = changes_of(si)
    return SiRecord(**values)


def changes_of(si: Si) -> list[ChangeRecord]:
    """The changes of an SI, oldest first."""
    return [
        ChangeRecord(
            version=one.version,
            at=one.at,
            request_reference=one.request_reference,
            before=one.before,
            after=one.after,
        )
        for one in si.changes
    ]


def build_sis(records: Iterable[SiRecord]) -> list[Si]:
    """The SIs by number, partners joined. Raises ValueError for records that do not fit together."""
    found: list[Si] = []
    partners: list[tuple[Si, int]] = []
    for record in sorted(records, key=lambda one: one.number):
        if record.number != len(found) + 1:
            raise ValueError(f"there is no SI {len(found) + 1}, or it is there twice")
        values = {name: getattr(record, name) for name in SiRecord.__struct_fields__}
        values |= {"partner": None, "stated": _read(record.stated)}
        values["changes"] = [
            Change(one.version, one.at, one.request_reference, _read(one.before), _read(one.after))
            for one in record.changes
        ]
        si = Si(**values)
        found.append(si)
        if record.partner is not None:
            partners.append((si, record.partner))
    for si, number in partners:
        if not 0 < number <= len(found):
            raise ValueError(f"SI {si.number} has SI {number} as its other side, which is not there")
        si.partner = found[number - 1]
    if len({si.si_number for si in found}) < len(found):
        raise ValueError("two SIs have one number")
    for si in found:
        _check_sides(si)
    return found


def _check_sides(si: Si) -> None:
    """Raises ValueError where the two sides of a pair do not fit together, or one is missing."""
    if (si.partner is None) != (si.status in ALONE):
        is_there = "no" if si.partner is None else "an"
        raise ValueError(f"SI {si.number} is {si.status.value} and has {is_there} other side")
    if si.partner is None:
        return
    sides = {si.stated["direction"], si.partner.stated["direction"]}
    if si.partner.partner is not si or sides != set(Direction) or si.position_number is None:
        raise ValueError(f"SI {si.number} and SI {si.partner.number} are not the two sides of a pair")


def _read(stated: dict[str, Any]) -> dict[str, Any]:
    """What an SI states, with dates, decimals and meanings. Raises ValueError."""
    missing = [concept for concept in SI_INPUT if concept not in stated]
    if missing:
        raise ValueError(f"an SI does not state {', '.join(missing)}")
    try:
        found = {
            concept: _READERS[concept](value) if concept in _READERS and value is not None else value
            for concept, value in stated.items()
        }
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"what an SI states is of another type: {error}") from error
    wrong = [name for name, value in found.items() if not _is_of_its_type(name, value)]
    if wrong:
        raise ValueError(f"what an SI states is of another type: {', '.join(wrong)}")
    return found


def _is_of_its_type(concept: str, value: Any) -> bool:
    if value is None:
        return concept not in _MANDATORY
    if concept == "quantity":
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if concept == "hold":
        return isinstance(value, bool)
    if concept == "amount":
        return isinstance(value, Decimal) and value.is_finite()
    return concept in _READERS or isinstance(value, str)
