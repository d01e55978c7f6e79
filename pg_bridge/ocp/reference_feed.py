"""Reference data, whole, by pages: participants, stocks, calendar, and who clears for whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from pg_bridge.errors import OcpOutcomeUnknown
from pg_bridge.exchange.ports import Slots
from pg_bridge.ocp.trade_feed import FEED_PRIORITY, Pages
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.market_concepts import OPTIONAL_OPERATIONS
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.page_limit import page_limit

#: the kinds of reference data
TOPICS = (Operation.PARTICIPANTS, Operation.STOCKS, Operation.CALENDAR, Operation.NCP_GCP_MAPPING)


@dataclass(frozen=True, slots=True)
class Listing:
    """All entries of one kind of reference data, in OCP's order. entries: a JSON array; hash: SHA-256 (hex) of it."""

    topic: Operation
    count: int
    hash: str
    entries: msgspec.Raw


class ReferenceFeed:
    """Asks for reference data. Every call takes a slot, behind all that participants wait for."""

    def __init__(self, profile: OcpProfile, ocp: Pages, slots: Slots) -> None:
        self._profile = profile
        self._ocp = ocp
        self._slots = slots

    @property
    def topics(self) -> list[Operation]:
        """The kinds that the profile has."""
        return [topic for topic in TOPICS if topic in self._profile.operations]

    async def take(self, topic: Operation, business_date: str) -> Listing:
        """One kind as of a business day (YYYY-MM-DD); of the calendar, that year and the next. Raises OcpError."""
        entries: list[dict[str, Any]] = []
        if topic is Operation.CALENDAR:
            # Whole years: so what is taken stays the same from day to day.
            for year in (int(business_date[:4]), int(business_date[:4]) + 1):
                entries += await self._pages(topic, {"from_date": f"{year}-01-01", "to_date": f"{year}-12-31"})
        else:
            entries += await self._pages(topic, {"business_date": business_date})
        raw = msgspec.json.encode(entries)
        return Listing(topic, len(entries), hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))

    async def _pages(self, topic: Operation, asked: dict[str, Any]) -> list[dict[str, Any]]:
        group = OPTIONAL_OPERATIONS[topic.value][0]
        document = self._profile.write(group, asked)
        size, cursor = (self._profile.place(group, concept) for concept in ("size", "cursor"))
        most = page_limit(self._profile, topic, size.members)
        if most is not None:
            size.write(document, most)
        entries: list[dict[str, Any]] = []
        seen = set()
        while True:
            await self._slots.slot(FEED_PRIORITY)
            page = await self._ocp.page(topic, document)
            entries += page.entries
            if page.next_cursor is None:
                return entries
            if page.next_cursor in seen or not page.entries:
                raise OcpOutcomeUnknown(f"calling {topic}: the listing does not go on")
            seen.add(page.next_cursor)
            cursor.write(document, page.next_cursor)
