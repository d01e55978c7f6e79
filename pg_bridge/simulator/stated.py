"""Checks of what one SI states, beyond its schema: stocks, participants and settlement days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pg_bridge.profiles.concepts import Refusal
from pg_bridge.simulator.life_cycle import BookRules

SATURDAY = 5


def check_stated(stated: Mapping[str, Any], rules: BookRules, today: date) -> list[tuple[Refusal, str]]:
    """Everything that is wrong with an SI entered or changed on `today` (Hong Kong)."""
    refusals = _stock_faults(stated, rules)
    if rules.participants is not None:
        refusals += [
            (Refusal.UNKNOWN_PARTICIPANT, f"no participant {stated[name]}")
            for name in ("participant_id", "counterparty_id")
            if stated[name] not in rules.participants
        ]
    known = rules.accounts.get(stated["participant_id"])
    if known is not None and stated["stock_account"] not in known:
        text = f"{stated['participant_id']} has no stock account {stated['stock_account']}"
        refusals.append((Refusal.UNKNOWN_ACCOUNT, text))
    settlement_date: date = stated["settlement_date"]
    if settlement_date < today:
        refusals.append((Refusal.NO_SETTLEMENT_DAY, f"{settlement_date} is past"))
    elif settlement_date.weekday() >= SATURDAY or settlement_date in rules.holidays:
        refusals.append((Refusal.NO_SETTLEMENT_DAY, f"{settlement_date} is no settlement day"))
    return refusals


def _stock_faults(stated: Mapping[str, Any], rules: BookRules) -> list[tuple[Refusal, str]]:
    if rules.stocks is None:
        return []
    code, isin = stated["stock_code"], stated["isin"]
    if code is None:
        if isin in rules.codes_by_isin:
            return []
        return [(Refusal.UNKNOWN_STOCK, f"no stock {isin}")]
    stock = rules.stocks.get(code)
    if stock is None:
        return [(Refusal.UNKNOWN_STOCK, f"no stock {code}")]
    if isin is not None and stock.isin not in (None, isin):
        return [(Refusal.UNKNOWN_STOCK, f"stock {code} is not {isin}")]
    if not stock.eligible:
        return [(Refusal.STOCK_NOT_ELIGIBLE, f"stock {code} is not eligible")]
    if not stock.domain:
        return [(Refusal.NOT_DOMAIN_COUNTER, f"stock {code} is not the settlement counter")]
    return []


def check_limit(stated: Mapping[str, Any], limit: Decimal, rules: BookRules) -> list[tuple[Refusal, str]]:
    """What is wrong with releasing this SI for a user that may let so many Hong Kong dollars go at once.

    The larger of what was input and what the market says counts; a stock without a price has no market value.
    """
    of_input = (stated["amount"] or 0) * rules.rates.get(stated["currency"], Decimal(1))
    of_market = stated["quantity"] * rules.prices.get(stated["stock_code"], Decimal(0))
    value = max(of_input, of_market)
    if value <= limit:
        return []
    return [(Refusal.OVER_LIMIT, f"{value:.2f} is over the user's transaction limit of {limit:.2f}")]


def complete_stock(stated: dict[str, Any], rules: BookRules) -> None:
    """Add the name of the stock that the participant left out, where the reference data tells it."""
    if rules.stocks is None:
        return
    if stated["isin"] is None:
        stated["isin"] = rules.stocks[stated["stock_code"]].isin
    elif stated["stock_code"] is None:
        stated["stock_code"] = rules.codes_by_isin.get(stated["isin"])
