"""Differences on demand: how the pretend gateway comes to answer otherwise than it should, to see who finds it.

What differs depends on the seed and on how often an order was looked at, on nothing else. Every difference that was
made is kept, so that who compares two sides can be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Annotated, Any

import msgspec

from pg_bridge.profiles.template import SequenceSpec, Template
from pg_bridge.simulator.gateway_file import DifferencesEntry
from pg_bridge.simulator.gateway_writing import SEQUENCE_END, SEQUENCE_START, Line, Written

_CENT = Decimal("0.01")
_DAY = timedelta(days=1)


class DifferenceKind(StrEnum):
    """In what the gateway can differ from itself."""

    OTHER_STATUS_CODE = "other_status_code"
    OTHER_REASON_CODE = "other_reason_code"
    OTHER_REASON_TEXT = "other_reason_text"
    OTHER_AMOUNT = "other_amount"
    OTHER_QUANTITY = "other_quantity"
    OTHER_DATE = "other_date"
    OTHER_PARTY = "other_party"
    OTHER_ACCOUNT = "other_account"
    OTHER_SI_NUMBER = "other_si_number"
    FIELD_MISSING = "field_missing"
    REFUSED_FOR_ACCEPTED = "refused_for_accepted"
    ACCEPTED_FOR_REFUSED = "accepted_for_refused"
    STATUS_MISSING = "status_missing"
    STATUS_EXTRA = "status_extra"
    STATUS_LATE = "status_late"
    STATUS_ORDER = "status_order"
    STATUS_FOR_CONFIRMATION = "status_for_confirmation"
    STATUS_WITH_CONFIRMATION = "status_with_confirmation"


#: what each kind does, in a sentence
MEANINGS: dict[DifferenceKind, str] = {
    DifferenceKind.OTHER_STATUS_CODE: "a status code of a message is another one",
    DifferenceKind.OTHER_REASON_CODE: "a reason code of a message is another one",
    DifferenceKind.OTHER_REASON_TEXT: "a reason is told in other words",
    DifferenceKind.OTHER_AMOUNT: "the amount is told a cent higher",
    DifferenceKind.OTHER_QUANTITY: "the quantity is told one share higher",
    DifferenceKind.OTHER_DATE: "the settlement date is told a day later",
    DifferenceKind.OTHER_PARTY: "another counterparty is told",
    DifferenceKind.OTHER_ACCOUNT: "another own stock account is told",
    DifferenceKind.OTHER_SI_NUMBER: "the SI number is told in another form, which the gateway then takes, too",
    DifferenceKind.FIELD_MISSING: "a field that may be left out is left out",
    DifferenceKind.REFUSED_FOR_ACCEPTED: "an instruction that would be accepted is refused and not done",
    DifferenceKind.ACCEPTED_FOR_REFUSED: "an instruction that is refused, and not done, is answered as accepted",
    DifferenceKind.STATUS_MISSING: "a message that should come unasked does not come",
    DifferenceKind.STATUS_EXTRA: "a message that comes unasked comes a second time, under another reference",
    DifferenceKind.STATUS_LATE: "a message that comes unasked comes late",
    DifferenceKind.STATUS_ORDER: "a message that comes unasked comes behind the participant's next one",
    DifferenceKind.STATUS_FOR_CONFIRMATION: "a settlement is told as a status, not confirmed",
    DifferenceKind.STATUS_WITH_CONFIRMATION: "a settlement is told as a status, and confirmed",
}


class DifferenceOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference that is to be made.

    templates: of the messages that differ (of an instruction refused or accepted: of the request); none: of all.
    every: of every so many that could, one does; 0: by share. most: so many at most; 0: no limit. late_s: seconds of
    the gateway's clock.
    """

    kind: DifferenceKind
    templates: list[str] = []
    every: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    most: Annotated[int, msgspec.Meta(ge=0)] = 0
    late_s: Annotated[float, msgspec.Meta(ge=0, le=31_622_400)] = 60.0


class DifferenceMade(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. was, now: the fields that differ as `place value` lines, or empty; number: counted from 1."""

    number: int
    kind: DifferenceKind
    template: str
    participant: str
    si_number: str
    reference: str
    at: datetime
    was: tuple[str, ...] = ()
    now: tuple[str, ...] = ()


class Moment(msgspec.Struct, frozen=True):
    """About what a message is: whose SI, and when."""

    participant: str
    si_number: str
    reference: str
    at: datetime


class _Standing:
    """An order, how often it was looked at, and how often it was followed."""

    def __init__(self, order: DifferenceOrder, number: int) -> None:
        self.order = order
        self.number = number
        self.looked = 0
        self.followed = 0


class GatewayDifferences:
    """The orders that stand, and what was made of them."""

    def __init__(self, words: DifferencesEntry, templates: Mapping[str, Template], seed: int) -> None:
        self._words = words
        self._templates = templates
        self._seed = seed
        self._standing: list[_Standing] = []
        self._count = 0
        self.made: list[DifferenceMade] = []

    @property
    def orders(self) -> list[DifferenceOrder]:
        """Those that stand, in the order in which they were given."""
        return [standing.order for standing in self._standing]

    def order(self, order: DifferenceOrder) -> None:
        """Make such differences from now on."""
        self._count += 1
        self._standing.append(_Standing(order, self._count))

    def clear(self) -> None:
        """Make no more differences; those that were made stay told."""
        self._standing.clear()

    def standing(self) -> list[tuple[DifferenceOrder, int, int, int]]:
        """Each order that stands, its number, how often it was looked at and how often it was followed."""
        return [(one.order, one.number, one.looked, one.followed) for one in self._standing]

    def restore(
        self, standing: Iterable[tuple[DifferenceOrder, int, int, int]], made: Iterable[DifferenceMade]
    ) -> None:
        """Go on from these orders, and with what was made."""
        self._standing = []
        for order, number, looked, followed in standing:
            one = _Standing(order, number)
            one.looked, one.followed = looked, followed
            self._standing.append(one)
        self._count = max([self._count, *(one.number for one in self._standing)])
        self.made = list(made)

    def is_due(self, kind: DifferenceKind, template: str) -> DifferenceOrder | None:
        """The order to make one of this kind now, of a message or request of this template."""
        return next((standing.order for standing in self._due(kind, template)), None)

    def note(
        self, kind: DifferenceKind, template: str, moment: Moment, was: Written | None, now: Written | None
    ) -> None:
        """Keep that one was made."""
        gone, new = _differing(was, now)
        self.made.append(
            DifferenceMade(
                number=len(self.made) + 1,
                kind=kind,
                template=template,
                participant=moment.participant,
                si_number=moment.si_number,
                reference=moment.reference,
                at=moment.at,
                was=gone,
                now=new,
            )
        )

    def write(self, make: Callable[[dict[str, Any]], Written], values: dict[str, Any], moment: Moment) -> Written:
        """A message, with the differences that are due in what it says. make: writes it of its values."""
        written = make(values)
        for standing in self._standing:
            kind = standing.order.kind
            altered: Written | None = None
            if kind in _OF_VALUES:
                name, alter = _OF_VALUES[kind]
                value = values.get(name)
                if value is not None:
                    other = {**values, name: alter(value)}
                    if make(other).body != make(values).body and self._follows(standing, written.template):
                        values = other
                        altered = make(values)
            elif kind in _OF_LINES:
                candidates = list(_OF_LINES[kind](self, written))
                if candidates and self._follows(standing, written.template):
                    altered = written._replace(lines=self._chance(standing).choice(candidates))
            if altered is not None:
                self.note(kind, written.template, moment, written, altered)
                written = altered
        return written

    # --- what could differ in the lines of a message

    def _other_codes(self, written: Written, codes: Mapping[str, list[str]]) -> Iterator[list[Line]]:
        for at, line in enumerate(written.lines):
            field = line.field
            for code in codes.get(f"{field.tag}:{field.qualifier}", ()):
                spec = line.spec
                if code != field.value and spec is not None and code in (spec.values or {code}):
                    yield _with_value(written.lines, at, code)

    def other_status(self, written: Written) -> Iterator[list[Line]]:
        """The message with one status code another."""
        return self._other_codes(written, self._words.status)

    def other_reason(self, written: Written) -> Iterator[list[Line]]:
        """The message with one reason code another."""
        return self._other_codes(written, self._words.reason)

    def other_text(self, written: Written) -> Iterator[list[Line]]:
        """The message with a reason in other words."""
        reasons = {place.partition(":")[0] for place in self._words.reason}
        for at, line in enumerate(written.lines):
            before = written.lines[at - 1].field.tag if at else ""
            if before in reasons and line.spec is not None and line.field.tag not in reasons:
                yield _with_value(written.lines, at, self._words.text)

    def missing(self, written: Written) -> Iterator[list[Line]]:
        """The message without a field that it may lack, or without a sequence that holds but one."""
        lines = written.lines
        kept = {*self._words.status, *self._words.reason}
        optional = set(_optional(self._templates[written.template].root))
        for at, line in enumerate(lines):
            spec, field = line.spec, line.field
            if spec is None or f"{field.tag}:{field.qualifier}" in kept:
                continue
            if not spec.mandatory:
                yield [*lines[:at], *lines[at + 1 :]]
            elif spec.place.rpartition("/")[0] in optional and _is_alone(lines, at):
                yield [*lines[: at - 1], *lines[at + 2 :]]

    # --- which is due

    def _due(self, kind: DifferenceKind, template: str) -> Iterator[_Standing]:
        for standing in self._standing:
            if standing.order.kind is kind and self._follows(standing, template):
                yield standing

    def _follows(self, standing: _Standing, template: str) -> bool:
        order = standing.order
        if order.templates and template not in order.templates:
            return False
        if order.most and standing.followed >= order.most:
            return False
        standing.looked += 1
        by_chance = not order.every and self._chance(standing).random() < order.share
        follows = by_chance or (order.every > 0 and standing.looked % order.every == 0)
        standing.followed += follows
        return follows

    def _chance(self, standing: _Standing) -> Random:
        # what differs must repeat from the seed
        return Random(f"{self._seed} {standing.number} {standing.order.kind} {standing.looked}")  # noqa: S311


def _turned(value: str) -> str:
    """The same text but for its last digit or letter."""
    last = value[-1:]
    return value[:-1] + ("1" if last == "0" else "0")


_OF_VALUES: dict[DifferenceKind, tuple[str, Callable[[Any], Any]]] = {
    DifferenceKind.OTHER_AMOUNT: ("si.amount", lambda amount: amount + _CENT),
    DifferenceKind.OTHER_QUANTITY: ("si.quantity", lambda quantity: quantity + 1),
    DifferenceKind.OTHER_DATE: ("si.settlement_date", lambda day: day + _DAY),
    DifferenceKind.OTHER_PARTY: ("si.counterparty_id", _turned),
    DifferenceKind.OTHER_ACCOUNT: ("si.stock_account", _turned),
}
_OF_LINES: dict[DifferenceKind, Callable[[GatewayDifferences, Written], Iterator[list[Line]]]] = {
    DifferenceKind.OTHER_STATUS_CODE: GatewayDifferences.other_status,
    DifferenceKind.OTHER_REASON_CODE: GatewayDifferences.other_reason,
    DifferenceKind.OTHER_REASON_TEXT: GatewayDifferences.other_text,
    DifferenceKind.FIELD_MISSING: GatewayDifferences.missing,
}


def _with_value(lines: list[Line], at: int, value: str) -> list[Line]:
    field = lines[at].field
    raw = field.raw[: len(field.raw) - len(field.value)] + value
    return [*lines[:at], lines[at]._replace(field=field._replace(value=value, raw=raw)), *lines[at + 1 :]]


def _is_alone(lines: list[Line], at: int) -> bool:
    return lines[at - 1].field.tag == SEQUENCE_START and lines[at + 1].field.tag == SEQUENCE_END


def _optional(sequence: SequenceSpec) -> Iterator[str]:
    for item in sequence.items:
        if isinstance(item, SequenceSpec):
            if not item.mandatory:
                yield item.path
            yield from _optional(item)


def _differing(was: Written | None, now: Written | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of either that are not the same in the other, by place."""
    old, new = ([] if each is None else _told(each) for each in (was, now))
    return tuple(line for line in old if line not in new), tuple(line for line in new if line not in old)


def _told(written: Written) -> list[str]:
    return [f"{line.spec.place} {line.field.value}" for line in written.lines if line.spec is not None]
