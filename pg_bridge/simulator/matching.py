"""Which two SIs agree, and in what two that do not agree differ.

The stated keys (public as far as named, else assumed): market, stock, quantity, both participants, direction,
settlement date, payment instruction, and for paid ones currency and amount, the latter within a tolerance that is
nothing unless set. Client accounts by setting. A stock may be named by its code, its ISIN or both: two agree when one
that both name is equal and none that both name differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from operator import attrgetter

from pg_bridge.profiles.concepts import Direction, Payment, Reason, Status
from pg_bridge.simulator.life_cycle import Si

#: how many items may differ for two SIs still to be told as meant for each other, and how many are looked at
NEAR_ITEMS = 2
NEAR_LOOKS = 50

Key = tuple[object, ...]


class Waiting:
    """The SIs that wait for their other side, found by what they state."""

    def __init__(self, match_accounts: bool, money_tolerance: Decimal = Decimal(0)) -> None:
        self._match_accounts = match_accounts
        self._money_tolerance = money_tolerance
        self._by_key: defaultdict[Key, dict[int, Si]] = defaultdict(dict)
        self._by_pair: defaultdict[Key, dict[int, Si]] = defaultdict(dict)
        #: under which keys each SI is found
        self._keys: dict[int, tuple[Key, Key]] = {}
        #: those that were told to be near to an SI, by its number
        self._near: defaultdict[int, dict[int, Si]] = defaultdict(dict)
        self._count = 0

    def add(self, si: Si) -> None:
        """Let `si` wait, behind all others."""
        self._count += 1
        si.waits_since = self._count
        self._take(si)

    def restore(self, sis: Iterable[Si]) -> None:
        """Let those of these wait that are unmatched, as long as they did."""
        for si in sorted(sis, key=lambda si: si.waits_since):
            self._count = max(self._count, si.waits_since)
            if si.status is Status.UNMATCHED:
                self._take(si)

    def _take(self, si: Si) -> None:
        pair = _pair(si)
        key = self._key(si, pair)
        self._keys[si.number] = (key, pair)
        self._by_key[key][si.number] = si
        self._by_pair[pair][si.number] = si
        if si.near is not None:
            self._near[si.near][si.number] = si

    def remove(self, si: Si) -> None:
        """`si` waits no longer, and is near to none."""
        key, pair = self._keys.pop(si.number)
        for index, name in ((self._by_key, key), (self._by_pair, pair)):
            found = index[name]
            del found[si.number]
            if not found:
                del index[name]
        self.set_near(si, None)

    def set_near(self, si: Si, near: int | None) -> None:
        """`si`, which waits or no longer does, was told to be near to the SI of that number."""
        if si.near == near:
            return
        if si.near is not None:
            told = self._near[si.near]
            told.pop(si.number, None)
            if not told:
                del self._near[si.near]
        si.near = near
        if near is not None:
            self._near[near][si.number] = si

    def match(self, si: Si) -> Si | None:
        """The oldest waiting SI that agrees with `si` in everything."""
        for other in self._by_key.get(self._key(si, _pair(si, other_side=True)), {}).values():
            if not self.differences(si, other):
                return other
        return None

    def nearest(self, si: Si) -> tuple[Si, list[Reason]] | None:
        """The waiting SI that differs least from `si`, with the items; None when none is near."""
        best: tuple[Si, list[Reason]] | None = None
        for other in islice(reversed(self._opposite(si).values()), NEAR_LOOKS):
            items = self.differences(si, other)
            if len(items) <= NEAR_ITEMS and (best is None or len(items) <= len(best[1])):
                best = (other, items)
        return best

    def near_to(self, si: Si) -> list[Si]:
        """The waiting SIs that were told to be near to `si`."""
        found = self._near.get(si.number)
        return sorted(found.values(), key=attrgetter("waits_since")) if found else []

    def __iter__(self) -> Iterator[Si]:
        found = [si for pair in self._by_pair.values() for si in pair.values()]
        return iter(sorted(found, key=attrgetter("number")))

    def _opposite(self, si: Si) -> dict[int, Si]:
        return self._by_pair.get(_pair(si, other_side=True), {})

    def differences(self, one: Si, other: Si) -> list[Reason]:
        """The items in which two opposite SIs of one pair differ."""
        mine, theirs = one.stated, other.stated
        items = []
        if mine["market"] != theirs["market"] or not _same_stock(one, other):
            items.append(Reason.DIFF_SECURITY)
        if mine["quantity"] != theirs["quantity"]:
            items.append(Reason.DIFF_QUANTITY)
        if mine["settlement_date"] != theirs["settlement_date"]:
            items.append(Reason.DIFF_DATE)
        if one.payment is not other.payment:
            items.append(Reason.DIFF_PAYMENT)
        elif one.payment is not Payment.FOP and not self._is_same_money(one, other):
            items.append(Reason.DIFF_AMOUNT)
        if self._match_accounts and not (_names_account(one, other) and _names_account(other, one)):
            items.append(Reason.DIFF_ACCOUNT)
        return items

    def _is_same_money(self, one: Si, other: Si) -> bool:
        if not self._money_tolerance or _money(one) == _money(other):
            return _money(one) == _money(other)
        (currency, amount), (their_currency, their_amount) = _money(one), _money(other)
        if currency != their_currency or amount is None or their_amount is None:
            return False
        return abs(amount - their_amount) <= self._money_tolerance

    def _key(self, si: Si, pair: Key) -> Key:
        stated = si.stated
        return (
            *pair,
            stated["market"],
            stated["quantity"],
            stated["settlement_date"],
            stated["payment_instruction"],
            # amounts that need not be equal cannot be looked up
            *(() if si.payment is Payment.FOP or self._money_tolerance else _money(si)),
        )


def _pair(si: Si, other_side: bool = False) -> Key:
    """Deliverer, receiver, and whose SI is looked for."""
    stated = si.stated
    delivers = (stated["direction"] is Direction.DELIVER) != other_side
    sides = (stated["participant_id"], stated["counterparty_id"])
    mine, theirs = (sides[1], sides[0]) if other_side else sides
    return (mine, theirs, delivers) if delivers else (theirs, mine, delivers)


def _money(si: Si) -> tuple[str | None, Decimal | None]:
    return si.stated["currency"], si.stated["amount"]


def _same_stock(one: Si, other: Si) -> bool:
    pairs = [(one.stated[name], other.stated[name]) for name in ("stock_code", "isin")]
    named = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
    return bool(named) and all(named)


def _names_account(one: Si, other: Si) -> bool:
    named = one.stated["counterparty_account"]
    return named is None or named == other.stated["stock_account"]
