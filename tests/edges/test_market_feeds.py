"""Trades and reference data by the client from the pretend OCP, over real HTTP, by both profiles; gaps among them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest

from pg_bridge.errors import OcpOutcomeUnknown
from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.keys import KeyPair, new_key_pem
from pg_bridge.ocp.limits import CallLimits, Limit
from pg_bridge.ocp.outcome import Page
from pg_bridge.ocp.reference_feed import TOPICS, ReferenceFeed
from pg_bridge.ocp.tokens import Identity
from pg_bridge.ocp.trade_feed import FEED_PRIORITY, TradeFeed
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import Market
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from tests.doubles.mapping_sets import set_files
from tests.doubles.pretend_ocp import client_and_pretend

DAY = "2026-11-20"
TRADES = 2300


@cache
def profile(set_name: str) -> OcpProfile:
    return read_ocp_profile(set_files(set_name))


@cache
def identity(algorithm: str) -> Identity:
    company, machine = (KeyPair(new_key_pem(algorithm), algorithm=algorithm) for _ in range(2))
    return Identity("HKB01234", company, "HKB01234-M1", machine)


@asynccontextmanager
async def client(set_name: str, **options: Any) -> AsyncIterator[OcpClient]:
    found = profile(set_name)
    async with client_and_pretend(found, identity(found.token.algorithm)) as (made, pretend):
        pretend.market._options = msgspec.structs.replace(pretend.market._options, trades_at_once=TRADES, **options)
        yield made


class Losing:
    """A client whose listing of trades leaves some out, mixes the rest, and whose range may know them or not."""

    def __init__(self, real: OcpClient, found: OcpProfile, lost: set[int], *, for_good: bool = False) -> None:
        self._real = real
        self._sequence = found.place("trade", "sequence").read
        self.lost = lost
        self.for_good = for_good
        self.asked: list[Operation] = []

    async def page(self, operation: Operation, document: Mapping[str, Any], *, patience_s: float = 0.0) -> Page:
        self.asked.append(operation)
        page = await self._real.page(operation, document, patience_s=patience_s)
        if operation is Operation.TRADE_RANGE and not self.for_good:
            return page
        left = [entry for entry in page.entries if self._sequence(entry) not in self.lost]
        return Page(left[::-1], page.next_cursor)


def limits() -> CallLimits:
    return CallLimits([], time.monotonic)


async def every(feed: TradeFeed, found: OcpProfile, after: int = 0) -> list[int]:
    sequences: list[int] = []
    while (page := await feed.next_page(Market.HONG_KONG, DAY, after)).trades:
        told = [found.get("trade", "sequence", entry) for entry in page.trades]
        assert list(range(page.first, page.last + 1)) == told
        sequences += told
        after = page.last
    assert page.gap is None
    assert not page.is_full
    return sequences


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
async def test_a_day_comes_page_by_page_in_sequence_and_goes_on_behind_any_entry(set_name: str) -> None:
    async with client(set_name) as real:
        feed = TradeFeed(profile(set_name), real, limits())

        assert list(range(1, TRADES + 1)) == await every(feed, profile(set_name))
        assert list(range(1235, TRADES + 1)) == await every(feed, profile(set_name), 1234)


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
async def test_what_is_missing_is_asked_for_by_range(set_name: str) -> None:
    async with client(set_name) as real:
        losing = Losing(real, profile(set_name), {1, 2, 77, 180, 181})
        page = await TradeFeed(profile(set_name), losing, limits()).next_page(Market.HONG_KONG, DAY, 0)

    assert (1, None) == (page.first, page.gap)
    assert list(range(1, page.last + 1)) == [profile(set_name).get("trade", "sequence", one) for one in page.trades]
    assert [Operation.TRADES, *[Operation.TRADE_RANGE] * 3] == losing.asked


async def test_what_nobody_knows_holds_up_all_behind_it_and_is_told() -> None:
    async with client("shipped") as real:
        losing = Losing(real, profile("shipped"), {500, 501, 502}, for_good=True)
        feed = TradeFeed(profile("shipped"), losing, limits())
        page = await feed.next_page(Market.HONG_KONG, DAY, 0)
        behind = await feed.next_page(Market.HONG_KONG, DAY, 499)
        losing.for_good = False
        found = await feed.next_page(Market.HONG_KONG, DAY, 499)

    assert (499, 499, (500, 502), False) == (len(page.trades), page.last, page.gap, page.is_full)
    assert (0, 499, (500, 502)) == (len(behind.trades), behind.last, behind.gap)
    assert (500, 1499, None, True) == (found.first, found.last, found.gap, found.is_full)


async def test_entries_of_another_day_are_no_answer() -> None:
    async with client("shipped") as real:

        class Wrong:
            async def page(self, operation: Operation, document: Any, *, patience_s: float = 0.0) -> Page:
                return await real.page(operation, {**document, "tradeDate": "2026-11-19"})

        with pytest.raises(OcpOutcomeUnknown, match="none of 2026-11-20"):
            await TradeFeed(profile("shipped"), Wrong(), limits()).next_page(Market.HONG_KONG, DAY, 0)


async def test_a_long_poll_waits_at_ocp_longer_than_other_calls_may() -> None:
    async with client("shipped") as real:
        real._wire._options = replace(real._wire._options, read_s=0.2, write_s=0.1, pool_s=0.1)
        begun = time.monotonic()
        page = await TradeFeed(profile("shipped"), real, limits()).next_page(Market.HONG_KONG, DAY, TRADES, wait_s=1)

    assert () == page.trades
    assert 0.9 <= time.monotonic() - begun


async def test_feeds_take_the_last_slot() -> None:
    taken: list[int] = []

    class Slots(CallLimits):
        async def slot(self, priority: int = 1) -> None:
            taken.append(priority)
            await super().slot(priority)

    async with client("shipped") as real:
        slots = Slots([Limit(480, 60)], time.monotonic)
        await TradeFeed(profile("shipped"), real, slots).next_page(Market.HONG_KONG, DAY, 0)
        await ReferenceFeed(profile("shipped"), real, slots).take(Operation.STOCKS, DAY)
        slots.close()

    assert {FEED_PRIORITY} == set(taken)


@pytest.mark.parametrize("set_name", ["shipped", "ocp_b"])
async def test_reference_data_comes_whole_and_the_same_again(set_name: str) -> None:
    async with client(set_name) as real:
        feed = ReferenceFeed(profile(set_name), real, limits())
        first = [await feed.take(topic, "2026-11-23") for topic in feed.topics]
        again = [await feed.take(topic, "2026-11-23") for topic in feed.topics]
        days = [await feed.take(Operation.CALENDAR, day) for day in ("2026-01-02", "2026-11-20", "2027-01-04")]

    assert list(TOPICS) == feed.topics
    assert [each.hash for each in first] == [each.hash for each in again]
    assert [600, 3000] == [each.count for each in first[:2]]
    assert 3 * 730 == first[2].count
    assert (True, False) == (days[0].hash == days[1].hash, days[1].hash == days[2].hash)
