"""All SIs ever entered, found by number, participant or reference. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

from pg_bridge.profiles.concepts import Operation, Status
from pg_bridge.simulator.life_cycle import Si

#: what one message may ask for several SIs
_OF_MANY = frozenset({Operation.SI_AUTHORISE, Operation.SI_HOLD})


class Use(NamedTuple):
    """A request of `reference` touched, on `day`, the SI that was entered as `number`."""

    reference: str
    day: date
    number: int
    operation: Operation


class Register:
    """The SIs in the order they were entered."""

    def __init__(self) -> None:
        self._sis: list[Si] = []
        self._by_si_number: dict[str, Si] = {}
        self._of_participant: defaultdict[str, list[Si]] = defaultdict(list)
        self._references: defaultdict[tuple[str, str], list[tuple[date, Si, Operation]]] = defaultdict(list)
        #: those that are or once were known by a participant's own reference, in the order they were entered
        self._named: defaultdict[tuple[str, str], list[Si]] = defaultdict(list)
        #: the uses of references since they were last taken away, for who keeps the state
        self.fresh_uses: list[Use] = []

    def __len__(self) -> int:
        return len(self._sis)

    def __iter__(self) -> Iterator[Si]:
        return iter(self._sis)

    def add(self, si: Si) -> None:
        """Take a new SI, whose number is one above the last one's."""
        self._sis.append(si)
        self._by_si_number[si.si_number] = si
        self._of_participant[si.participant].append(si)
        self.name(si)

    def name(self, si: Si) -> None:
        """The SI goes by its participant reference, which is new."""
        named = self._named[(si.participant, si.stated["participant_reference"])]
        at = bisect_left(named, si.number, key=attrgetter("number"))
        if at == len(named) or named[at] is not si:
            named.insert(at, si)

    def get(self, si_number: str) -> Si | None:
        """The SI of that number."""
        return self._by_si_number.get(si_number)

    def use(self, si: Si, reference: str, day: date, operation: Operation) -> None:
        """Remember that a request of `reference` touched `si` on `day`."""
        self._references[(si.participant, reference)].append((day, si, operation))
        self.fresh_uses.append(Use(reference, day, si.number, operation))

    def uses(self) -> Iterator[Use]:
        """Every use of a reference."""
        for (_, reference), uses in self._references.items():
            for day, si, operation in uses:
                yield Use(reference, day, si.number, operation)

    def at(self, number: int) -> Si:
        """The SI entered as that one, counted from 1. Raises KeyError."""
        if not 0 < number <= len(self._sis):
            raise KeyError(number)
        return self._sis[number - 1]

    def is_used(self, participant: str, reference: str, day: date, operation: Operation, si: Si | None) -> bool:
        """Whether a request of the participant used `reference` on `day`, so that `operation` on `si` may not.

        One message of a participant may authorise, hold or release many SIs: these may share its reference.
        """
        return any(
            on == day and (operation not in _OF_MANY or operation is not by or si is touched)
            for on, touched, by in self._references.get((participant, reference), ())
        )

    def find(self, filters: Mapping[str, Any], after: int, size: int, today: date) -> tuple[list[Si], int, int]:
        """A participant's SIs that fit `filters` (concepts of a query), by number, behind number `after`.

        Gives at most `size` of them, how many there are in all, and the number to go on behind (0: no more).
        A request reference finds what it entered and what it changed; the business date is then the request's.
        """
        fitting = [si for si in self._candidates(filters) if _fits(si, filters, today)]
        start = bisect_right(fitting, after, key=lambda si: si.number)
        page = fitting[start : start + size]
        return page, len(fitting), page[-1].number if start + size < len(fitting) else 0

    def _candidates(self, filters: Mapping[str, Any]) -> list[Si]:
        participant, reference = filters["participant_id"], filters.get("request_reference")
        if filters.get("si_number") is not None:
            si = self._by_si_number.get(filters["si_number"])
            if si is None or si.participant != participant:
                return []
            touched = {id(other) for other in self._touched(participant, reference, filters)}
            return [si] if reference is None or id(si) in touched else []
        own = filters.get("participant_reference")
        if reference is None and own is not None:
            return self._named.get((participant, own), [])
        if reference is None:
            return self._of_participant.get(participant, [])
        return self._touched(participant, reference, filters)

    def _touched(self, participant: str, reference: str | None, filters: Mapping[str, Any]) -> list[Si]:
        if reference is None:
            return []
        day = filters.get("business_date")
        found = {si.number: si for on, si, _ in self._references.get((participant, reference), ()) if day in (None, on)}
        return [found[number] for number in sorted(found)]


def _fits(si: Si, filters: Mapping[str, Any], today: date) -> bool:
    status, reference, day = (filters.get(name) for name in ("status", "participant_reference", "business_date"))
    return (
        status in (None, si.status)
        and reference in (None, si.stated["participant_reference"])
        and (day in (None, si.created_at.date()) or filters.get("request_reference") is not None)
        and all(filters.get(name) in (None, si.stated[name]) for name in ("stock_code", "isin"))
        and _settles_within(si, filters.get("settlement_from"), filters.get("settlement_to"))
        and (not filters.get("deleted_today") or (si.status is Status.DELETED and si.updated_at.date() == today))
    )


def _settles_within(si: Si, first: date | None, last: date | None) -> bool:
    due: date = si.stated["settlement_date"]
    return (first is None or first <= due) and (last is None or due <= last)
