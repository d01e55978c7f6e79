"""Counterparties of the pretend OCP that answer by themselves: they enter the other side of what names them, at once
or late by the pretend OCP's clock, right or, one in n, with one item that differs; they take their answer back when
the other side deletes, and revoke when it asks.

What they choose depends on the seed and on how many they answered, on nothing else. They keep no session hours.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Annotated, Any

import msgspec

from pg_bridge.profiles.concepts import SI_INPUT, Direction, EventType, Operation, Payment, Status
from pg_bridge.simulator.day import BusinessDay
from pg_bridge.simulator.life_cycle import Act, Si, StatusEvent
from pg_bridge.simulator.si_book import SiBook

_ASKS_FOR_AN_ANSWER = frozenset({EventType.CREATED, EventType.AUTHORISED, EventType.CHANGED})
_ENDS = frozenset({EventType.DELETED, EventType.PURGED})
#: by how much a differing amount differs
_CENT = Decimal("0.01")


class CounterpartyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a participant answers by itself.

    participant: empty for every one that is no registered company's. mismatch_one_in: of every so many answers one
    differs (0: none). late_s: seconds of the pretend OCP's clock until the answer. answered: how many it answered.
    """

    participant: str = ""
    mismatch_one_in: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    late_s: Annotated[float, msgspec.Meta(ge=0, le=31_622_400)] = 0.0
    answered: Annotated[int, msgspec.Meta(ge=0)] = 0


class Counterparties:
    """Those that answer by themselves, and the answers that are due."""

    def __init__(self, book: SiBook, day: BusinessDay, seed: int, registered: Iterable[str]) -> None:
        self._book = book
        self._day = day
        self._seed = seed
        self._registered = frozenset(registered)
        self._orders: dict[str, CounterpartyOrder] = {}
        self._due: list[tuple[datetime, int]] = []
        #: the number of an SI -> that of the last answer to it
        self._answer_to: dict[int, int] = {}

    def order(self, order: CounterpartyOrder) -> None:
        """Have a counterparty answer so from now on."""
        self._orders[order.participant] = order

    def clear(self) -> None:
        """Let none answer by itself any longer; what is due is dropped."""
        self._orders.clear()
        for _, number in self._due:
            self._forget(self._book.register.at(number))
        self._due.clear()

    def orders(self) -> list[CounterpartyOrder]:
        """Every order as it stands."""
        return list(self._orders.values())

    def restore(self, orders: Iterable[CounterpartyOrder]) -> None:
        """Go on with these orders, and with what the book says is due."""
        self._orders = {order.participant: order for order in orders}
        self._due = [(si.answer_due, si.number) for si in self._book.register if si.answer_due is not None]
        heapq.heapify(self._due)
        self._answer_to = {si.answers: si.number for si in self._book.register if si.answers is not None}

    @property
    def next_due(self) -> datetime | None:
        """When the next answer is due."""
        # an SI that was changed, deleted or answered meanwhile is not answered then
        while self._due and self._book.register.at(self._due[0][1]).answer_due != self._due[0][0]:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def see(self, events: Iterable[StatusEvent], now: datetime) -> None:
        """What happened, of which some may concern them."""
        if not self._orders:
            return
        for event in events:
            if event.event_type in _ASKS_FOR_AN_ANSWER:
                self._see_entered(event, now)
            elif event.event_type in _ENDS:
                self._take_back(event, now)
            elif event.event_type is EventType.REVOKE_REQUESTED:
                self._revoke(event, now)

    def answer_next(self) -> None:
        """Give the answer that is due first, as at the moment when it is."""
        due, number = heapq.heappop(self._due)
        si = self._book.register.at(number)
        if si.answer_due == due:
            self._forget(si)
            self._answer(si, due)

    def _see_entered(self, event: StatusEvent, now: datetime) -> None:
        si = self._si(event)
        order = self._order_of(si.stated["counterparty_id"])
        if si.answers is not None or order is None or si.status is not Status.UNMATCHED:
            return
        if not order.late_s:
            self._answer(si, now)
            return
        si.answer_due = now + timedelta(seconds=order.late_s)
        self._book.touched[si.number] = si
        heapq.heappush(self._due, (si.answer_due, si.number))

    def _answer(self, si: Si, now: datetime) -> None:
        order = self._order_of(si.stated["counterparty_id"])
        if order is None or si.status is not Status.UNMATCHED or self._open_answer(si) is not None:
            return
        self._orders[order.participant] = msgspec.structs.replace(order, answered=order.answered + 1)
        stated = _other_side(si)
        if self._differs(order):
            self._make_differ(order, stated)
        outcome = self._book.write(Operation.SI_ADD, stated, now)
        if outcome.si is None:
            return
        outcome.si.answers = si.number
        self._answer_to[si.number] = outcome.si.number
        if outcome.si.status is Status.PENDING:
            self._ask(Operation.SI_AUTHORISE, outcome.si, now)

    def _take_back(self, event: StatusEvent, now: datetime) -> None:
        si = self._si(event)
        self._forget(si)
        answer = self._open_answer(si)
        if answer is not None:
            self._ask(Operation.SI_DELETE, answer, now)

    def _revoke(self, event: StatusEvent, now: datetime) -> None:
        si = self._si(event)
        partner = si.partner
        if partner is None or not si.revoke_asked or partner.revoke_asked:
            return
        if self._order_of(partner.participant) is not None:
            self._ask(Operation.SI_REVOKE, partner, now)

    def _ask(self, operation: Operation, si: Si, now: datetime) -> None:
        asked = {
            "request_reference": f"{operation.value[3:6].upper()}{si.number:08d}V{si.version}",
            "participant_id": si.participant,
            "si_number": si.si_number,
        }
        self._book.write(operation, asked, now)

    def _order_of(self, participant: str) -> CounterpartyOrder | None:
        found = self._orders.get(participant)
        if found is None and participant not in self._registered:
            return self._orders.get("")
        return found

    def _open_answer(self, si: Si) -> Si | None:
        """The answer to `si` that waits to be matched or authorised."""
        number = self._answer_to.get(si.number)
        answer = self._book.register.at(number) if number is not None else None
        return answer if answer is not None and answer.allows(Act.DELETE) else None

    def _si(self, event: StatusEvent) -> Si:
        si = self._book.register.get(event.si["si_number"])
        if si is None:
            raise KeyError(event.si["si_number"])
        return si

    def _forget(self, si: Si) -> None:
        if si.answer_due is not None:
            si.answer_due = None
            self._book.touched[si.number] = si

    def _differs(self, order: CounterpartyOrder) -> bool:
        if not order.mismatch_one_in:
            return False
        group, place = divmod(order.answered, order.mismatch_one_in)
        return place == self._chance(order, "place", group).randrange(order.mismatch_one_in)

    def _make_differ(self, order: CounterpartyOrder, stated: dict[str, Any]) -> None:
        items = ["quantity", "settlement_date"]
        if stated["payment_instruction"] is not Payment.FOP and stated["amount"] is not None:
            items.append("amount")
        item = self._chance(order, "item", order.answered).choice(items)
        if item == "quantity":
            stated[item] += 1
        elif item == "amount":
            stated[item] += _CENT
        else:
            stated[item] = self._day.next_business_day(stated[item])

    def _chance(self, order: CounterpartyOrder, what: str, count: int) -> Random:
        # what differs must repeat from the seed
        return Random(f"{self._seed} {order.participant} {what} {count}")  # noqa: S311


def _other_side(si: Si) -> dict[str, Any]:
    """What the other side states to agree with `si`."""
    stated = si.stated
    reference = f"ANS{si.number:08d}V{si.version}"
    delivers = stated["direction"] is Direction.DELIVER
    return {concept: stated[concept] for concept in SI_INPUT} | {
        "request_reference": reference,
        "participant_reference": reference,
        "participant_id": stated["counterparty_id"],
        "counterparty_id": stated["participant_id"],
        "direction": Direction.RECEIVE if delivers else Direction.DELIVER,
        "stock_account": stated["counterparty_account"] or stated["stock_account"],
        "counterparty_account": stated["stock_account"],
        "hold": False,
        "linkage_reference": None,
        "remarks": None,
    }
