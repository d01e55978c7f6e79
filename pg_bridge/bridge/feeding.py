"""Takes the market's feeds into the journal: trades of each market, day by day, and reference data once a day.

A page of trades is one entry, and the cursor is what the journal holds: the next page is asked for when the last one
is durable. Reference data that is the same as before is no entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.dispatcher.sets import SetAtWork
from pg_bridge.errors import JournalError, OcpError, OcpRefused
from pg_bridge.exchange import records as r
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.reference_feed import Listing, ReferenceFeed
from pg_bridge.ocp.trade_feed import TradeFeed, TradePage
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import Market

#: after a failure OCP is left alone for this long, in seconds; after each further one twice as long, up to the most
FIRST_PAUSE_S = 1.0
MOST_PAUSE_S = 60.0
#: how often it is looked whether another set knows trades, in seconds
PAUSE_S = 5.0
#: how often it is looked whether reference data is due, in seconds
LOOK_S = 1.0
#: a past day with a gap, or refused, is asked for again after this; one that is complete in this process no more
LATER = timedelta(minutes=10)
NEVER = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What is taken. wait_s: of a long poll; every_s: between two polls of a market, unless there is more at once.

    days_back: trades of so many days before today are completed, too. reference_at: Hong Kong time, `HH:MM`.
    """

    markets: Sequence[Market] = ()
    wait_s: int = 30
    every_s: float = 5.0
    days_back: int = 4
    is_reference_taken: bool = False
    reference_at: str = "06:00"


class Feeding:
    """The feeds of a running bridge."""

    def __init__(
        self, options: FeedOptions, dispatcher: Dispatcher, slots: CallLimits, clock: Callable[[], datetime]
    ) -> None:
        self._options = options
        self._dispatcher = dispatcher
        self._slots = slots
        self._clock = clock
        self._log = telemetry.logger()
        #: market, past day and OCP profile -> when it is asked for again: never where all is there
        self._left_until: dict[tuple[Market, str, str], datetime] = {}
        #: a gap is told once
        self._gaps: dict[Market, tuple[str, int]] = {}
        #: kind of reference data -> the day, and the profile, for which this process took it
        self._taken: dict[Operation, tuple[str, str]] = {}

    async def run(self) -> None:
        """Take what is wanted until cancelled, or until the journal fails."""
        work = [self._again(self._trader(market), f"taking trades of {market}") for market in self._options.markets]
        if self._options.is_reference_taken:
            work.append(self._again(self._reference, "taking reference data"))
        await asyncio.gather(*work)

    async def _again(self, step: Callable[[], Awaitable[float]], doing: str) -> None:
        """Do a step for ever; it gives the seconds until the next."""
        failures = 0
        while True:
            try:
                pause_s = await step()
                failures = 0
            except JournalError:
                return  # the bridge stops
            except OcpError as error:
                self._log.warning(telemetry.OCP_FAILED, doing=doing, error=str(error))
                pause_s = getattr(error, "retry_after_s", None) or _pause_s(failures)
                failures += 1
            except Exception as error:  # noqa: BLE001 - the top of a task: a feed must not end because of one answer
                self._log.error(telemetry.EVENT_FAILED, doing=doing, error=repr(error))
                pause_s = _pause_s(failures)
                failures += 1
            await asyncio.sleep(pause_s)

    # --- trades --------------------------------------------------------------------------------------------

    def _trader(self, market: Market) -> Callable[[], Awaitable[float]]:
        async def step() -> float:
            return await self._trades(market)

        return step

    async def _trades(self, market: Market) -> float:
        """Take one page; gives the seconds until the next. Raises OcpError, JournalError."""
        if self._dispatcher.is_full:
            return LOOK_S
        with self._dispatcher.sets.using() as at_work:
            profile = at_work.terms.ocp
            if Operation.TRADES not in profile.operations or not isinstance(at_work.ocp, OcpClient):
                return PAUSE_S  # another set may know them
            today = at_work.terms.business_date(self._clock())
            day = self._day_due(market, today, at_work.ocp_hash)
            after = self._dispatcher.state.market.cursor(market, day, at_work.ocp_hash)
            feed = TradeFeed(profile, at_work.ocp, self._slots)
            wait_s = self._options.wait_s if day == today else 0
            try:
                page = await feed.next_page(market, day, after, wait_s)
            except OcpRefused:
                self._leave(market, day, at_work.ocp_hash, LATER)
                raise
            is_taken = await self._take(at_work, market, day, page)
        if not is_taken or page.is_full:
            return 0.0
        if day == today:
            return self._options.every_s
        if page.gap is not None or not page.trades:
            self._leave(market, day, at_work.ocp_hash, NEVER if page.gap is None else LATER)
        return 0.0

    def _leave(self, market: Market, day: str, ocp_hash: str, how_long: timedelta) -> None:
        """Ask for a past day no more, or later: it must not hold up today."""
        self._left_until[market, day, ocp_hash] = self._clock() + how_long

    def _day_due(self, market: Market, today: str, ocp_hash: str) -> str:
        """The oldest day that is not left alone; each is asked for until no more comes when it has ended."""
        first = date.fromisoformat(today) - timedelta(days=self._options.days_back)
        days = [(first + timedelta(days=number)).isoformat() for number in range(self._options.days_back)]
        for key in [key for key in self._left_until if key[1] < first.isoformat()]:
            del self._left_until[key]
        now = self._clock()
        left = self._left_until
        return next((day for day in days if now >= left.get((market, day, ocp_hash), now)), today)

    async def _take(self, at_work: SetAtWork, market: Market, day: str, page: TradePage) -> bool:
        """Make a page durable; False when another OCP profile came into force meanwhile, which takes it anew."""
        if at_work.ocp_hash != self._dispatcher.sets.in_force.ocp_hash:
            return False
        if page.gap is not None and self._gaps.get(market) != (day, page.gap[0]):
            self._gaps[market] = (day, page.gap[0])
            first, last = page.gap
            self._log.warning(telemetry.TRADE_GAP_FOUND, market=market.value, day=day, first=first, last=last)
            self._dispatcher.note(r.TradeGapFound(market=market.value, trade_date=day, first=first, last=last))
        if page.trades:
            self._dispatcher.note(
                r.TradesTaken(
                    market=market.value,
                    trade_date=day,
                    first=page.first,
                    last=page.last,
                    ocp_hash=at_work.ocp_hash,
                    trades=msgspec.Raw(msgspec.json.encode(page.trades)),
                )
            )
        await self._dispatcher.durable()
        return True

    # --- reference data ------------------------------------------------------------------------------------

    async def _reference(self) -> float:
        """Take one kind that is due; gives the seconds until the next look. Raises OcpError, JournalError."""
        with self._dispatcher.sets.using() as at_work:
            if self._dispatcher.is_full or not isinstance(at_work.ocp, OcpClient):
                return LOOK_S
            feed = ReferenceFeed(at_work.terms.ocp, at_work.ocp, self._slots)
            now = self._clock()
            day = at_work.terms.business_date(now)
            is_time = f"{now.astimezone(HONG_KONG):%H:%M}" >= self._options.reference_at
            for topic in feed.topics:
                taken = self._taken.get(topic)
                # At start, for another profile, and once more each day when it is time.
                if taken is None or taken[1] != at_work.ocp_hash or (taken[0] < day and is_time):
                    listing = await feed.take(topic, day)
                    await self._keep(at_work, listing, day)
                    self._taken[topic] = (day, at_work.ocp_hash)
                    return 0.0
        return LOOK_S

    async def _keep(self, at_work: SetAtWork, listing: Listing, day: str) -> None:
        """Make reference data durable where it differs from what is held."""
        if at_work.ocp_hash != self._dispatcher.sets.in_force.ocp_hash:
            return
        held = self._dispatcher.state.market.reference.get(listing.topic.value)
        if held is not None and (held.hash, held.ocp_hash) == (listing.hash, at_work.ocp_hash):
            return
        self._dispatcher.note(
            r.ReferenceDataTaken(
                topic=listing.topic.value,
                business_date=day,
                hash=listing.hash,
                count=listing.count,
                ocp_hash=at_work.ocp_hash,
                entries=listing.entries,
            )
        )
        await self._dispatcher.durable()


def _pause_s(failures: int) -> float:
    return min(MOST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 10))
