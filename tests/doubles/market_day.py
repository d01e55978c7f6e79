"""What the pretend OCP tells of the market, made again from its seed: for tests to hold files against."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import Market
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.binding import Binding
from pg_bridge.simulator.calendar_days import is_business_day
from pg_bridge.simulator.clock import SimulatedClock
from pg_bridge.simulator.market_calls import MarketCalls
from pg_bridge.simulator.options import read_options

Json = dict[str, Any]


def trading_day(before: date, market: Market = Market.HONG_KONG) -> date:
    """The last trading day before a day."""
    day = before - timedelta(days=1)
    while not is_business_day(market, day):
        day -= timedelta(days=1)
    return day


class Told:
    """The entries of a company's market days, as a pretend OCP with these options tells them, by concept."""

    def __init__(self, profile: OcpProfile, company: str, participants: list[str], now: Any, **options: Any) -> None:
        self._profile = profile
        self._company = company
        registered = {"companies": {company: {"jwks": {"keys": []}, "participants": participants}}}
        read = read_options({"registrations": registered, **options})
        clock = SimulatedClock(lambda: now, now, rate=1.0)
        self._calls = MarketCalls(Binding(profile), read, clock, lambda _: participants)

    def trades(self, market: Market, day: str) -> list[Json]:
        """All entries of a day, in sequence."""
        found: list[Json] = []
        while True:
            asked = {
                "trade_date": day,
                "market": self._profile.code("market", market),
                "after_sequence": len(found),
                "size": 200,
            }
            page = self._calls.answer(Operation.TRADES, self._company, self._profile.write("trades_query", asked))
            if not page.entries:
                return found
            found += [self._profile.read("trade", json.loads(bytes(entry))) for entry in page.entries]

    def last_states(self, market: Market, day: str, cancelled: str) -> list[Json]:
        """The last entry about each trade that was not cancelled, in sequence."""
        last = {each["trade_reference"]: each for each in self.trades(market, day)}
        return sorted(
            (each for each in last.values() if each["trade_status"] != cancelled), key=lambda each: each["sequence"]
        )
