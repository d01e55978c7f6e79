"""Samples of the enquiries about the market: reference data and trades, where the profile has them."""

from __future__ import annotations

from typing import Any

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.simulator import samples as s

_GROUPS: dict[Operation, str] = {
    Operation.PARTICIPANTS: "list_query",
    Operation.STOCKS: "stocks_query",
    Operation.CALENDAR: "calendar_query",
    Operation.NCP_GCP_MAPPING: "list_query",
    Operation.TRADES: "trades_query",
    Operation.TRADE_RANGE: "trade_range_query",
}


def market_query(bench: s.Bench, operation: Operation) -> Any:
    """The parameters of an enquiry about the market; None for any other operation."""
    group = _GROUPS.get(operation)
    if group is None:
        return None
    market = bench.first_code("market")
    few = {"size": 2}
    values: dict[Operation, dict[str, Any]] = {
        Operation.PARTICIPANTS: {"business_date": s.TRADE_DAY, **few},
        Operation.STOCKS: {"business_date": s.TRADE_DAY, "market": market, **few},
        Operation.CALENDAR: {"from_date": s.TRADE_DAY, "to_date": s.SETTLEMENT_DAY, "market": market},
        Operation.NCP_GCP_MAPPING: {"business_date": s.TRADE_DAY, **few},
        Operation.TRADES: {"trade_date": s.TRADE_DAY, "market": market, "after_sequence": 0, **few},
        Operation.TRADE_RANGE: {"trade_date": s.TRADE_DAY, "market": market, "from_sequence": 1, "to_sequence": 3},
    }
    return bench.query(group, values[operation])


async def market_samples(bench: s.Bench) -> None:
    """What is there, and what is asked without its mandatory parameters."""
    for operation in _GROUPS:
        if operation in bench.profile.operations:
            await bench.call(operation, market_query(bench, operation), "found", "the first ones")
            faults = bench.profile.schema_faults(bench.profile.operations[operation].entry, {})
            if any(fault.keyword == "required" for fault in faults):
                await bench.call(operation, {}, Refusal.FIELD_MISSING.value, "a mandatory parameter is missing")
