"""The trades of one market day of a company's NCPs, made from the seed as they are read.

The entry of a sequence is the same however and whenever it is asked for. Of a hundred entries a few correct or cancel
a trade told before and repeat its reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from pg_bridge.profiles.market_concepts import (
    Currency,
    Hedge,
    IsolationReason,
    Market,
    Origin,
    ShortSell,
    Side,
    TradeStatus,
    TradingMethod,
)
from pg_bridge.simulator.calendar_days import CalendarDay
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.reference_data import ListedStock, NcpMapping

#: of a thousand entries, so many correct a trade and so many cancel one
CORRECTIONS, CANCELLATIONS = 25, 10
#: among how many of the latest trades the corrected or cancelled one is
RECENT = 400
_SESSIONS = {
    Market.HONG_KONG: ((time(9, 30), time(12)), (time(13), time(16))),
    Market.SHANGHAI: ((time(9, 30), time(11, 30)), (time(13), time(15))),
    Market.SHENZHEN: ((time(9, 30), time(11, 30)), (time(13), time(15))),
}
_FIRST_DIGIT = {Market.HONG_KONG: 1, Market.SHANGHAI: 2, Market.SHENZHEN: 3}
#: what a value's hundred is drawn from: the common ones are there more often
_METHODS = (*((TradingMethod.AUTOMATCH,) * 88), *((TradingMethod.ODD_LOT,) * 3), *((TradingMethod.MANUAL,) * 3),
            *TradingMethod)  # fmt: skip
_ORIGINS = (*((Origin.AGENCY,) * 12), *((Origin.PRINCIPAL,) * 3), *Origin, None)
_HEDGES = (*((None,) * 20), *Hedge)
_SOLD = (*((ShortSell.NOT_SHORT,) * 40), *((ShortSell.SHORT,) * 5), ShortSell.MARKET_MAKER, ShortSell.INDEX_ARBITRAGE,
         ShortSell.FUTURES_HEDGE)  # fmt: skip
_BOUGHT = (*((ShortSell.NOT_SHORT,) * 30), ShortSell.COVER, None)
_ISOLATIONS = (*((None,) * 60), *IsolationReason)


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade as an entry tells it. price: in thousandths; value, accrued_interest: in hundredths."""

    sequence: int
    reference: str
    at: datetime
    settles_on: date
    ncp: NcpMapping
    other_broker: str
    other_clearing: str
    stock: ListedStock
    currency: Currency
    side: Side
    quantity: int
    price: int
    accrued_interest: int | None
    method: TradingMethod
    isolation_reason: IsolationReason | None
    short_sell: ShortSell | None
    origin: Origin | None
    hedge: Hedge | None
    status: TradeStatus

    @property
    def value(self) -> int:
        """Quantity times price, in hundredths."""
        return (self.quantity * self.price + 5) // 10

    @property
    def is_direct(self) -> bool:
        """Whether both sides were the broker's own clients'."""
        return self.method in (TradingMethod.MANUAL, TradingMethod.MANUAL_OFF_RANGE)


class TradeDay:
    """A company's trades of one market and day.

    a_second: how many entries in a second of the market's sessions; at_once: how many there are from the day's first
    moment on, instead (0: by rate). brokers: those on the other side, with who clears for them. write: one entry.
    """

    def __init__(
        self,
        seed: str,
        day: CalendarDay,
        ncps: Sequence[NcpMapping],
        stocks: Sequence[ListedStock],
        brokers: Sequence[tuple[str, str]],
        a_second: float,
        at_once: int,
        write: Callable[[Trade], msgspec.Raw],
    ) -> None:
        self._day = day
        self._ncps, self._stocks, self._brokers = ncps, stocks, brokers
        self._at_once = at_once
        self._write = write
        sessions = _SESSIONS[day.market][: 1 if day.is_half else 2]
        self._sessions = [
            (datetime.combine(day.day, first, HONG_KONG), datetime.combine(day.day, last, HONG_KONG))
            for first, last in sessions
        ]
        self._seconds = sum((last - first).total_seconds() for first, last in self._sessions)
        is_open = day.is_trading and bool(ncps) and bool(stocks)
        self._a_second = (at_once / self._seconds if at_once else a_second) if is_open else 0.0
        self.whole = (at_once or int(self._a_second * self._seconds)) if is_open else 0
        self._random = Random(f"{seed} {day.market.value} {day.day}")  # noqa: S311 - it must repeat
        self._made: list[msgspec.Raw] = []
        self._recent: list[Trade] = []
        self._told = 0
        self._prefix = f"{_FIRST_DIGIT[day.market]}{self._random.randrange(10_000):04d}"

    def count_at(self, now: datetime) -> int:
        """How many entries there are at a moment."""
        if now.date() != self._day.day:
            return self.whole if now.date() > self._day.day else 0
        if self._at_once:
            return self.whole
        passed = sum(max(0.0, (min(now, last) - first).total_seconds()) for first, last in self._sessions)
        return min(self.whole, int(passed * self._a_second))

    def moment_of(self, sequence: int) -> datetime | None:
        """When the entry of a sequence is there; None: never."""
        if not 1 <= sequence <= self.whole:
            return None
        if self._at_once:
            return datetime.combine(self._day.day, time(), HONG_KONG)
        return self._moment(sequence) + timedelta(milliseconds=1)

    def entries(self, first: int, last: int) -> list[msgspec.Raw]:
        """The entries of these sequences, both included; `last` must be there."""
        while len(self._made) < last:
            self._made.append(self._write(self._next(len(self._made) + 1)))
        return self._made[first - 1 : last]

    def _moment(self, sequence: int) -> datetime:
        left = sequence / self._a_second
        for first, last in self._sessions:
            lasts = (last - first).total_seconds()
            if left <= lasts:
                return first + timedelta(seconds=left)
            left -= lasts
        return self._sessions[-1][1]

    def _next(self, sequence: int) -> Trade:
        draw = self._random.randrange(1000)
        if draw < CORRECTIONS + CANCELLATIONS and self._recent:
            place = self._random.randrange(len(self._recent))
            if draw < CORRECTIONS:
                trade = self._corrected(self._recent[place], sequence)
                self._recent[place] = trade
            else:
                trade = replace(self._recent.pop(place), sequence=sequence, status=TradeStatus.CANCELLED)
            return trade
        trade = self._new(sequence)
        self._recent.append(trade)
        if len(self._recent) > RECENT:
            del self._recent[0]
        return trade

    def _corrected(self, trade: Trade, sequence: int) -> Trade:
        changed = replace(trade, sequence=sequence, status=TradeStatus.CORRECTED)
        if self._random.randrange(2):
            return replace(changed, quantity=trade.quantity + trade.stock.board_lot)
        return replace(changed, price=trade.price + 10)

    def _new(self, sequence: int) -> Trade:
        number = self._random.random
        self._told += 1
        stock = self._stocks[int(number() * len(self._stocks))]
        side = Side.BUY if number() < 0.5 else Side.SELL
        broker, clearing = self._brokers[int(number() * len(self._brokers))]
        price = max(10, int(stock.price * (0.97 + 0.06 * number())) // 10 * 10)
        is_home = self._day.market is Market.HONG_KONG
        shorts = _BOUGHT if side is Side.BUY else _SOLD
        method = _METHODS[int(number() * len(_METHODS))] if is_home else TradingMethod.AUTOMATCH
        settles_on = self._day.settles_on
        return Trade(
            sequence=sequence,
            reference=f"{self._prefix}{self._told:011d}",
            at=self._moment(sequence),
            settles_on=self._day.day if settles_on is None else settles_on,
            ncp=self._ncps[int(number() * len(self._ncps))],
            other_broker=broker,
            other_clearing=clearing,
            stock=stock,
            currency=stock.trading_currency,
            side=side,
            # many small ones, few large
            quantity=stock.board_lot * (1 + int(40 * number() ** 6)),
            price=price,
            accrued_interest=int(number() * 500_000) if stock.is_debt else None,
            method=method,
            isolation_reason=_ISOLATIONS[int(number() * len(_ISOLATIONS))] if is_home else None,
            short_sell=shorts[int(number() * len(shorts))] if is_home else None,
            origin=_ORIGINS[int(number() * len(_ORIGINS))],
            hedge=_HEDGES[int(number() * len(_HEDGES))] if is_home else None,
            status=TradeStatus.NEW,
        )
