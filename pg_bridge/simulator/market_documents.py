"""Reference data and trades as OCP's documents, and what calls about them ask for. Names come from the binding only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.profiles.market_concepts import DATES, OPTIONAL_OPERATIONS, Market
from pg_bridge.simulator.binding import Binding, Refused, write_time
from pg_bridge.simulator.calendar_days import CalendarDay
from pg_bridge.simulator.reference_data import ListedStock, NcpMapping, Participant
from pg_bridge.simulator.trades import Trade

#: that the calendar reaches
YEARS = range(1990, 2100)
_DATES = (*DATES, "business_date", "trade_date")


class MarketDocuments:
    """The binding of the market's operations. Only what the profile has is asked of it."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._profile = binding.profile
        self._code = binding.profile.code

    def read(self, operation: Operation, document: Any) -> tuple[dict[str, Any], list[Refused]]:
        """What a call asks, by concept, with dates and the market's meaning; and what is wrong with it."""
        refusals = self._binding.check(operation, document)
        asked = self._profile.read(OPTIONAL_OPERATIONS[operation.value][0], document)
        if refusals:
            return asked, refusals
        for concept in _DATES:
            if asked.get(concept) is not None:
                try:
                    asked[concept] = date.fromisoformat(asked[concept])
                except ValueError:
                    refusals.append((Refusal.FIELD_MALFORMED, f"{asked[concept]} is no date"))
                    continue
                if asked[concept].year not in YEARS:
                    refusals.append((Refusal.FIELD_OUT_OF_RANGE, f"{asked[concept]} is in none of the years known"))
        if asked.get("market") is not None:
            asked["market"] = self._profile.meaning("market", asked["market"])
        return asked, refusals

    def participant(self, one: Participant) -> msgspec.Raw:
        """An entry of the list of participants."""
        return self._entry(
            "participant",
            {
                "listed_participant_id": one.participant_id,
                "participant_name": one.name,
                "participant_type": self._code("participant_type", one.kind),
                "participant_active": one.is_active,
                "effective_from": one.effective_from.isoformat(),
                "effective_to": _iso(one.effective_to),
            },
        )

    def stock(self, one: ListedStock) -> msgspec.Raw:
        """An entry of the list of stocks."""
        return self._entry(
            "stock",
            {
                "listed_stock_code": one.code,
                "listed_isin": one.isin,
                "stock_name": one.name,
                "market": self._code("market", one.market),
                "board_lot": one.board_lot,
                "trading_currency": self._code("currency", one.trading_currency),
                "settlement_currency": self._code("currency", one.settlement_currency),
                "domain_stock_code": one.domain_code,
                "eligible": one.is_eligible,
            },
        )

    def calendar_day(self, one: CalendarDay) -> msgspec.Raw:
        """An entry of the calendar."""
        return self._entry(
            "calendar_day",
            {
                "market": self._code("market", one.market),
                "calendar_date": one.day.isoformat(),
                "trading_day": one.is_trading,
                "settlement_day": one.is_settlement,
                "half_day": one.is_half,
                "settlement_date_for_trade": _iso(one.settles_on),
                "day_kind": self._code("day_kind", one.kind),
            },
        )

    def ncp_mapping(self, one: NcpMapping) -> msgspec.Raw:
        """An entry of the mapping of NCPs to GCPs."""
        return self._entry(
            "ncp_mapping",
            {
                "market": self._code("market", one.market),
                "ncp_id": one.ncp,
                "broker_number": one.broker,
                "gcp_id": one.gcp,
                "effective_from": one.effective_from.isoformat(),
                "effective_to": _iso(one.effective_to),
            },
        )

    def trade(self, one: Trade) -> msgspec.Raw:
        """An entry about a trade."""
        code = self._code
        return self._entry(
            "trade",
            {
                "sequence": one.sequence,
                "trade_reference": one.reference,
                "market": code("market", one.ncp.market),
                "trade_date": one.at.date().isoformat(),
                "settlement_date": one.settles_on.isoformat(),
                "trade_time": write_time(one.at),
                "ncp_id": one.ncp.ncp,
                "broker_number": one.ncp.broker,
                "counterparty_broker_number": one.other_broker,
                "counterparty_clearing_id": one.other_clearing,
                "traded_stock_code": one.stock.code,
                "traded_isin": one.stock.isin,
                "side": code("side", one.side),
                "traded_quantity": one.quantity,
                "price": f"{one.price // 1000}.{one.price % 1000:03d}",
                "value": _hundredths(one.value),
                "trade_currency": code("currency", one.currency),
                "trading_method": code("trading_method", one.method),
                "direct": one.is_direct,
                "isolation": one.isolation_reason is not None,
                "isolation_reason": self._optional("isolation_reason", one.isolation_reason),
                "accrued_interest": None if one.accrued_interest is None else _hundredths(one.accrued_interest),
                "short_sell": self._optional("short_sell", one.short_sell),
                "origin": self._optional("origin", one.origin),
                "hedge": self._optional("hedge", one.hedge),
                "trade_status": code("trade_status", one.status),
            },
        )

    def _optional(self, table: str, meaning: Any) -> str | None:
        return None if meaning is None else self._code(table, meaning)

    def _entry(self, group: str, values: Mapping[str, Any]) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(self._profile.write(group, values)))


def markets(asked: Market | None) -> tuple[Market, ...]:
    """The market asked for, or all."""
    return tuple(Market) if asked is None else (asked,)


def page_of(entries: Iterable[Any], after: int, size: int) -> tuple[list[Any], int, int]:
    """The entries behind the first `after`, at most `size`; how many there are; where to go on (0: no more)."""
    every = list(entries)
    end = after + size
    return every[after:end], len(every), end if end < len(every) else 0


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _hundredths(value: int) -> str:
    return f"{value // 100}.{value % 100:02d}"
