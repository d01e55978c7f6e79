"""The concepts of reference data, trades and streams of events: what the bridge itself does not need.

A profile may leave any of their operations out, and then the groups and code tables that only those need.
"""

from __future__ import annotations

from enum import StrEnum

PARTICIPANT = (
    "listed_participant_id", "participant_name", "participant_type", "participant_active", "effective_from",
    "effective_to",
)  # fmt: skip
STOCK = (
    "listed_stock_code", "listed_isin", "stock_name", "market", "board_lot", "trading_currency",
    "settlement_currency", "domain_stock_code", "eligible",
)  # fmt: skip
CALENDAR_DAY = (
    "market", "calendar_date", "trading_day", "settlement_day", "half_day", "settlement_date_for_trade", "day_kind",
)  # fmt: skip
NCP_MAPPING = ("market", "ncp_id", "broker_number", "gcp_id", "effective_from", "effective_to")
TRADE = (
    "sequence", "trade_reference", "market", "trade_date", "settlement_date", "trade_time", "ncp_id",
    "broker_number", "counterparty_broker_number", "counterparty_clearing_id", "traded_stock_code", "traded_isin",
    "side", "traded_quantity", "price", "value", "trade_currency", "trading_method", "direct", "isolation",
    "isolation_reason", "accrued_interest", "short_sell", "origin", "hedge", "trade_status",
)  # fmt: skip
LIST_QUERY = ("business_date", "size", "cursor")
STOCKS_QUERY = ("business_date", "market", "size", "cursor")
CALENDAR_QUERY = ("from_date", "to_date", "market", "size", "cursor")
TRADES_QUERY = ("trade_date", "market", "after_sequence", "size", "wait_seconds")
TRADE_RANGE_QUERY = ("trade_date", "market", "from_sequence", "to_sequence")
#: a stream of one participant's status events, and where it goes on: `<business date>:<sequence>`
STREAM_QUERY = ("participant_id", "after_event")
#: what the client of a socket answers
STREAM_ANSWER = ("acknowledged_event",)

#: group name in profile.toml [binding.*] -> its concepts
MARKET_GROUPS: dict[str, tuple[str, ...]] = {
    "participant": PARTICIPANT,
    "stock": STOCK,
    "calendar_day": CALENDAR_DAY,
    "ncp_mapping": NCP_MAPPING,
    "trade": TRADE,
    "list_query": LIST_QUERY,
    "stocks_query": STOCKS_QUERY,
    "calendar_query": CALENDAR_QUERY,
    "trades_query": TRADES_QUERY,
    "trade_range_query": TRADE_RANGE_QUERY,
    "stream_query": STREAM_QUERY,
    "stream_answer": STREAM_ANSWER,
}

NUMBERS = (
    "board_lot", "sequence", "traded_quantity", "from_sequence", "to_sequence", "wait_seconds",
)  # fmt: skip
DATES = (
    "effective_from", "effective_to", "calendar_date", "settlement_date_for_trade", "from_date", "to_date",
)  # fmt: skip
TIMES = ("trade_time",)
FLAGS = ("participant_active", "eligible", "trading_day", "settlement_day", "half_day", "direct", "isolation")
AMOUNTS = ("price", "value", "accrued_interest")
CODES = (
    "participant_type", "trading_currency", "settlement_currency", "day_kind", "side", "trade_currency",
    "trading_method", "isolation_reason", "short_sell", "origin", "hedge", "trade_status",
)  # fmt: skip

#: concept -> the table of its codes, where that has another name
_TABLES_BY_OTHER_NAMES = dict.fromkeys(("trading_currency", "settlement_currency", "trade_currency"), "currency")


def table_of(concept: str) -> str:
    """The table of [codes.*] that says what the codes of a concept mean, empty where it has none."""
    table = _TABLES_BY_OTHER_NAMES.get(concept, concept)
    return table if table in MARKET_CODE_TABLES else ""


#: name of an operation that a profile may leave out -> the groups that it needs
OPTIONAL_OPERATIONS: dict[str, tuple[str, ...]] = {
    "participants": ("list_query", "participant"),
    "stocks": ("stocks_query", "stock"),
    "calendar": ("calendar_query", "calendar_day"),
    "ncp_gcp_mapping": ("list_query", "ncp_mapping"),
    "trades": ("trades_query", "trade"),
    "trade_range": ("trade_range_query", "trade"),
    "status_stream": ("stream_query",),
    "status_socket": ("stream_query", "stream_answer"),
}


class Market(StrEnum):
    """Where a stock is traded."""

    HONG_KONG = "hong_kong"
    SHANGHAI = "shanghai"
    SHENZHEN = "shenzhen"


class Currency(StrEnum):
    """What is paid in."""

    HONG_KONG_DOLLAR = "hong_kong_dollar"
    RENMINBI = "renminbi"
    US_DOLLAR = "us_dollar"


class ParticipantType(StrEnum):
    """The kinds of participants."""

    DIRECT_CLEARING = "direct_clearing"
    GENERAL_CLEARING = "general_clearing"
    CLEARING_AGENCY = "clearing_agency"
    CUSTODIAN = "custodian"
    STOCK_LENDER = "stock_lender"
    STOCK_PLEDGEE = "stock_pledgee"
    INVESTOR = "investor"


class DayKind(StrEnum):
    """What a day of the calendar is."""

    WORKING = "working"
    HALF = "half"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    OTHER_MARKET_CLOSED = "other_market_closed"


class Side(StrEnum):
    """Which side of a trade the NCP is on."""

    BUY = "buy"
    SELL = "sell"


class TradeStatus(StrEnum):
    """What an entry about a trade is."""

    NEW = "new"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


class TradingMethod(StrEnum):
    """How a trade was made."""

    AUTOMATCH = "automatch"
    SPECIAL_LOT_SEMI = "special_lot_semi"
    MANUAL = "manual"
    ODD_LOT_SEMI = "odd_lot_semi"
    SPECIAL_LOT = "special_lot"
    ODD_LOT = "odd_lot"
    PREVIOUS_DAY = "previous_day"
    MANUAL_OFF_RANGE = "manual_off_range"
    OPTION_EXERCISE = "option_exercise"
    OVERSEAS = "overseas"
    AUCTION = "auction"


class IsolationReason(StrEnum):
    """Why a trade is not netted."""

    BY_CLEARING_HOUSE = "by_clearing_house"
    BUY_IN = "buy_in"
    BY_EXCHANGE_PARTICIPANT = "by_exchange_participant"


class ShortSell(StrEnum):
    """Whether, and why, a seller sells short, or a buyer covers."""

    NOT_SHORT = "not_short"
    SHORT = "short"
    MARKET_MAKER = "market_maker"
    INDEX_ARBITRAGE = "index_arbitrage"
    FUTURES_HEDGE = "futures_hedge"
    COVER = "cover"


class Origin(StrEnum):
    """For whom a trade was made."""

    AGENCY = "agency"
    INSTITUTION = "institution"
    PRINCIPAL = "principal"
    REGISTERED_TRADER = "registered_trader"


class Hedge(StrEnum):
    """Whether a trade hedges."""

    HEDGE = "hedge"
    NO_HEDGE = "no_hedge"
    LIQUIDATION = "liquidation"


#: table name in profile.toml [codes.*] -> its enum
MARKET_CODE_TABLES: dict[str, type[StrEnum]] = {
    "market": Market,
    "currency": Currency,
    "participant_type": ParticipantType,
    "day_kind": DayKind,
    "side": Side,
    "trade_status": TradeStatus,
    "trading_method": TradingMethod,
    "isolation_reason": IsolationReason,
    "short_sell": ShortSell,
    "origin": Origin,
    "hedge": Hedge,
}
_EVERY_TRADE = (
    "market", "currency", "side", "trade_status", "trading_method", "isolation_reason", "short_sell", "origin",
    "hedge",
)  # fmt: skip
#: name of an operation that a profile may leave out -> the code tables that it needs
OPTIONAL_TABLES: dict[str, tuple[str, ...]] = {
    "participants": ("participant_type",),
    "stocks": ("market", "currency"),
    "calendar": ("market", "day_kind"),
    "ncp_gcp_mapping": ("market",),
    "trades": _EVERY_TRADE,
    "trade_range": _EVERY_TRADE,
}
