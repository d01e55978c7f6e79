"""The trades of one market, page by page: asked for by long poll, what is missing by range.

It holds no cursor: who takes a page makes it durable, and asks behind it. So a restart goes on where the journal
ends, and nothing is lost or taken twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pg_bridge.errors import OcpOutcomeUnknown
from pg_bridge.exchange.ports import Slots
from pg_bridge.ocp.outcome import Page
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import Market
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.page_limit import page_limit

Json = dict[str, Any]

#: of the calls of feeds: whatever a participant waits for goes before
FEED_PRIORITY = 9
#: entries of a page, and of a range, where the schema does not say how many there may be
MOST_OF_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class TradePage:
    """Entries in sequence, the first right behind what was asked for; none where there are none yet.

    gap: first and last sequence of entries behind them that are missing and did not come by range either.
    is_full: there may be more at once.
    """

    trades: tuple[Json, ...]
    first: int
    last: int
    gap: tuple[int, int] | None
    is_full: bool


class Pages(Protocol):
    """What a feed needs of the client."""

    async def page(self, operation: Operation, document: Mapping[str, Any], *, patience_s: float = 0.0) -> Page:
        """One page of a listing, for which OCP may take so much longer than for others. Raises OcpError."""
        ...


class TradeFeed:
    """Asks for the trades of a company. Every call takes a slot, behind all that participants wait for."""

    def __init__(self, profile: OcpProfile, ocp: Pages, slots: Slots) -> None:
        self._profile = profile
        self._ocp = ocp
        self._slots = slots
        self._sequence = profile.place("trade", "sequence").read
        self._day = profile.place("trade", "trade_date").read
        self._market = profile.place("trade", "market").read
        self._most = self._limit("size") or MOST_OF_A_PAGE
        self._longest_wait_s = self._limit("wait_seconds")

    def _limit(self, concept: str) -> int | None:
        place = self._profile.place("trades_query", concept)
        return page_limit(self._profile, Operation.TRADES, place.members)

    async def next_page(self, market: Market, trade_date: str, after: int, wait_s: int = 0) -> TradePage:
        """The entries behind the sequence `after`; where there are none, OCP waits `wait_s` seconds for one.

        Raises OcpError; asked again it gives the same.
        """
        wait_s = min(wait_s, self._longest_wait_s or wait_s)
        asked = {
            "trade_date": trade_date,
            "market": self._profile.code("market", market),
            "after_sequence": after,
            "size": self._most,
            "wait_seconds": wait_s,
        }
        await self._slots.slot(FEED_PRIORITY)
        document = self._profile.write("trades_query", asked)
        page = await self._ocp.page(Operation.TRADES, document, patience_s=wait_s)
        found = self._by_sequence(page.entries, market, trade_date, after)
        is_full = page.next_cursor is not None or len(page.entries) >= self._most
        gap = None
        if found:
            gap = await self._filled(found, market, trade_date, after)
        last = gap[0] - 1 if gap is not None else max(found, default=after)
        trades = tuple(found[sequence] for sequence in range(after + 1, last + 1))
        return TradePage(trades, after + 1, last, gap, is_full and gap is None)

    async def _filled(
        self, found: dict[int, Json], market: Market, trade_date: str, after: int
    ) -> tuple[int, int] | None:
        """Ask by range for what is missing up to the last of `found`; gives the first part that stays missing."""
        last = max(found)
        while (missing := _missing(found, after, last)) is not None:
            first, end = missing[0], min(missing[1], missing[0] + self._most - 1)
            asked = {
                "trade_date": trade_date,
                "market": self._profile.code("market", market),
                "from_sequence": first,
                "to_sequence": end,
            }
            more: dict[int, Json] = {}
            if Operation.TRADE_RANGE in self._profile.operations:
                await self._slots.slot(FEED_PRIORITY)
                document = self._profile.write("trade_range_query", asked)
                page = await self._ocp.page(Operation.TRADE_RANGE, document)
                more = self._by_sequence(page.entries, market, trade_date, after)
            found.update(more)
            if first not in more:
                return _missing(found, after, last)
        return None

    def _by_sequence(self, entries: list[Json], market: Market, trade_date: str, after: int) -> dict[int, Json]:
        """The entries behind `after` by their sequence. Raises OcpOutcomeUnknown for entries that were not asked."""
        found: dict[int, Json] = {}
        code = self._profile.code("market", market)
        for entry in entries:
            sequence = self._sequence(entry)
            if self._day(entry) != trade_date or self._market(entry) != code or not isinstance(sequence, int):
                text = f"the answer holds an entry that is none of {trade_date} and the market asked for"
                raise OcpOutcomeUnknown(f"calling {Operation.TRADES}: {text}")
            if sequence > after:
                found[sequence] = entry
        return found


def _missing(found: dict[int, Json], after: int, last: int) -> tuple[int, int] | None:
    """The first and last of the first sequences that are not there."""
    first = next((sequence for sequence in range(after + 1, last + 1) if sequence not in found), None)
    if first is None:
        return None
    end = next(sequence for sequence in range(first, last + 1) if sequence in found)
    return first, end - 1
