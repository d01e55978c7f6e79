"""The pretend OCP's reference data and trades: what their operations answer, and the waiting of a long poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.profiles.market_concepts import OPTIONAL_OPERATIONS, Market
from pg_bridge.simulator.binding import Binding, Refused
from pg_bridge.simulator.calendar_days import calendar_day, days_between, hong_kong_half_days, hong_kong_holidays
from pg_bridge.simulator.clock import SimulatedClock
from pg_bridge.simulator.life_cycle import Stock
from pg_bridge.simulator.market_documents import MarketDocuments, markets, page_of
from pg_bridge.simulator.options import SimulatorOptions
from pg_bridge.simulator.reference_data import GivenStock, ReferenceData
from pg_bridge.simulator.trades import TradeDay

#: entries of a page when the call does not say
PAGE = 100
#: of one call to the calendar, days; and of a range of trades, entries
MOST_DAYS, MOST_RANGE = 366, 1000
#: the years whose holidays the book knows
_YEARS = range(2020, 2041)
#: the operations answered here
MARKET_READS = frozenset(Operation(name) for name in OPTIONAL_OPERATIONS if not name.startswith("status_"))


class Found(NamedTuple):
    """What a call is answered: entries, how many there are in all, where to go on (0: no more), or refusals."""

    entries: Sequence[Any] = ()
    total: int = 0
    cursor: int = 0
    refusals: Sequence[Refused] = ()


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a long poll waits for: the first entry behind `after`, for `wait_s` seconds of the wall at most."""

    day: TradeDay
    after: int
    wait_s: float


class MarketCalls:
    """Answers from generated data. participants_of: a company's participants."""

    def __init__(
        self,
        binding: Binding,
        options: SimulatorOptions,
        clock: SimulatedClock,
        participants_of: Callable[[str], Collection[str]],
    ) -> None:
        self._documents = MarketDocuments(binding)
        self._options = options
        self._clock = clock
        self._participants_of = participants_of
        self._days: dict[tuple[str, Market, date], TradeDay] = {}
        self._moved = asyncio.Event()
        self._waiting = 0
        self._is_ending = False

    @cached_property
    def reference(self) -> ReferenceData:
        """The data, made when it is first needed."""
        options = self._options
        registered = {name for company in options.registrations.companies.values() for name in company.participants}
        given = [
            GivenStock(code, stock.isin, stock.eligible, stock.domain) for code, stock in (options.stocks or {}).items()
        ]
        return ReferenceData(options.seed, registered | set(options.participants or ()), given)

    def book_rules(self) -> dict[str, Any]:
        """The rules of the book that follow from the data."""
        holidays = {day for year in _YEARS for day in hong_kong_holidays(year)}
        return {
            "participants": frozenset(one.participant_id for one in self.reference.participants if one.is_active),
            "stocks": {
                one.code: Stock(isin=one.isin, eligible=one.is_eligible, domain=one.domain_code == one.code)
                for one in self.reference.stocks
            },
            "prices": {
                one.code: Decimal(one.price) / 1000 * self._options.exchange_rates.get(one.trading_currency, Decimal(1))
                for one in self.reference.stocks
            }
            | self._options.prices,
            "holidays": frozenset(holidays | set(self._options.holidays)),
        }

    def half_days(self) -> list[date]:
        """Hong Kong's half days."""
        return [day for year in _YEARS for day in sorted(hong_kong_half_days(year))]

    def answer(self, operation: Operation, company: str, document: Any) -> Found:
        """Answer one call of MARKET_READS."""
        asked, refusals = self._documents.read(operation, document)
        if refusals:
            return Found(refusals=refusals)
        if operation is Operation.TRADES:
            return self._trades(company, asked)
        if operation is Operation.TRADE_RANGE:
            return self._trade_range(company, asked)
        if operation is Operation.CALENDAR:
            return self._calendar(asked)
        return self._listed(operation, asked)

    # ---- reference data

    def _listed(self, operation: Operation, asked: dict[str, Any]) -> Found:
        today = self._clock.now().date()
        day: date = asked["business_date"] or today
        if day > today:
            entries: list[msgspec.Raw] = []
        elif operation is Operation.PARTICIPANTS:
            entries = [entry for since, entry in self._participants if since <= day]
        elif operation is Operation.STOCKS:
            wanted = markets(asked["market"])
            entries = [entry for market, entry in self._stocks if market in wanted]
        else:
            entries = [self._documents.ncp_mapping(one) for one in self.reference.ncp_mappings if one.holds_on(day)]
        return Found(*page_of(entries, *_page(asked)))

    @cached_property
    def _participants(self) -> list[tuple[date, msgspec.Raw]]:
        return [(one.effective_from, self._documents.participant(one)) for one in self.reference.participants]

    @cached_property
    def _stocks(self) -> list[tuple[Market, msgspec.Raw]]:
        return [(one.market, self._documents.stock(one)) for one in self.reference.stocks]

    def _calendar(self, asked: dict[str, Any]) -> Found:
        first, last = asked["from_date"], asked["to_date"]
        if not 0 <= (last - first).days < MOST_DAYS:
            text = f"{first} to {last} is not 1 to {MOST_DAYS} days"
            return Found(refusals=[(Refusal.FIELD_OUT_OF_RANGE, text)])
        days, total, cursor = page_of(days_between(first, last, markets(asked["market"])), *_page(asked))
        return Found([self._documents.calendar_day(day) for day in days], total, cursor)

    # ---- trades

    def _trade_day(self, company: str, market: Market, day: date) -> TradeDay:
        found = self._days.get((company, market, day))
        if found is None:
            reference, options = self.reference, self._options
            found = self._days[(company, market, day)] = TradeDay(
                f"{options.seed} {company}",
                calendar_day(market, day),
                reference.ncps_of(self._participants_of(company), market, day),
                reference.eligible[market],
                reference.brokers,
                options.trades_a_second,
                options.trades_at_once,
                self._documents.trade,
            )
        return found

    def _trades(self, company: str, asked: dict[str, Any]) -> Found:
        day = self._trade_day(company, asked["market"], asked["trade_date"])
        after, size = int(asked["after_sequence"] or 0), int(asked["size"] or PAGE)
        there = day.count_at(self._clock.now())
        last = min(there, after + size)
        return Found(day.entries(after + 1, last), there, last if after < last < there else 0)

    def _trade_range(self, company: str, asked: dict[str, Any]) -> Found:
        first, last = int(asked["from_sequence"]), int(asked["to_sequence"])
        if not 0 <= last - first < MOST_RANGE:
            text = f"{first} to {last} is not 1 to {MOST_RANGE} trades"
            return Found(refusals=[(Refusal.FIELD_OUT_OF_RANGE, text)])
        day = self._trade_day(company, asked["market"], asked["trade_date"])
        there = day.count_at(self._clock.now())
        return Found(day.entries(first, min(last, there)), there)

    # ---- waiting for a trade

    def awaited(self, company: str, document: Any) -> Awaited | None:
        """What a call of trades that has found none wants to wait for; None: nothing."""
        asked, refusals = self._documents.read(Operation.TRADES, document)
        if refusals or not asked["wait_seconds"]:
            return None
        day = self._trade_day(company, asked["market"], asked["trade_date"])
        return Awaited(day, int(asked["after_sequence"] or 0), float(asked["wait_seconds"]))

    async def wait(self, awaited: Awaited) -> None:
        """Return when the awaited entry is there, the time is over, or the pretend OCP ends."""
        loop = asyncio.get_running_loop()
        until = loop.time() + awaited.wait_s
        self._waiting += 1
        try:
            while not self._is_ending and awaited.day.count_at(self._clock.now()) <= awaited.after:
                left = until - loop.time()
                if left <= 0:
                    return
                self._moved.clear()
                try:
                    await asyncio.wait_for(self._moved.wait(), min(left, self._wall_s(awaited)))
                except TimeoutError:
                    continue
        finally:
            self._waiting -= 1

    def _wall_s(self, awaited: Awaited) -> float:
        """In how many seconds of the wall the awaited entry is there, if the clock goes on as it does."""
        moment = awaited.day.moment_of(awaited.after + 1)
        if moment is None or not self._clock.rate:
            return awaited.wait_s
        return max(0.001, (moment - self._clock.now()).total_seconds() / self._clock.rate)

    def look_again(self) -> None:
        """Have those that wait look at the clock again."""
        if self._waiting:
            self._moved.set()

    def end(self) -> None:
        """Let nobody wait any longer."""
        self._is_ending = True
        self._moved.set()

    def forget(self) -> None:
        """Make the trades anew when they are asked for again: they are the same."""
        self._days.clear()


def _page(asked: dict[str, Any]) -> tuple[int, int]:
    return int(asked["cursor"] or 0), int(asked["size"] or PAGE)
