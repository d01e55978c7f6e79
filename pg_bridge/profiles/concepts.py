"""The concepts: what Python understands of either side. Names and codes of the sides are bound to them by data.

`Si*` fields name the parts of a settlement instruction; the enums name the meanings behind OCP's codes.
A concept not listed here cannot be bound; a listed one that the profile leaves out is a finding.
"""

from __future__ import annotations

from enum import StrEnum

from pg_bridge.profiles import market_concepts
from pg_bridge.profiles.market_concepts import MARKET_CODE_TABLES, MARKET_GROUPS

#: What a participant states of an SI (one entry of siAdd).
SI_INPUT = (
    "request_reference", "participant_reference", "participant_id", "counterparty_id", "market", "direction",
    "payment_instruction", "stock_code", "isin", "quantity", "currency", "amount", "trade_date",
    "settlement_date", "stock_account", "counterparty_account", "purpose", "hold", "linkage_reference", "remarks",
)  # fmt: skip
#: What OCP adds to it (one entry of siQuery has both).
SI_STATE = (
    "si_number", "status", "version", "settlement_position_number", "hold_own", "hold_counterparty", "revoke_own",
    "revoke_counterparty", "last_request_reference", "reason_code", "reason_text", "created_at", "updated_at",
)  # fmt: skip
SI_ENTRY = SI_INPUT + SI_STATE
#: What tells one SI from another of its participant.
NAMES_AN_SI = ("si_number", "participant_reference")
#: One entry of a write's answer.
ANSWER_ENTRY = (
    "request_reference",
    "participant_reference",
    "si_number",
    "status",
    "version",
    "record_errors",
)
ENVELOPE = ("code", "message", "entries", "total_size", "timestamp", "next_cursor", "errors")
RECORD_ERROR = ("record_error_code", "record_error_message")
#: One pushed event; its SI entry stands where `si` is bound (the empty path: beside the event's own members).
EVENT = (
    "event_id", "event_sequence", "event_business_date", "event_type", "occurred_at", "previous_status",
    "new_status", "event_reason_code", "event_reason_text", "si", "schema_version",
)  # fmt: skip
EVENT_DELIVERY = ("events",)
QUERY = (
    "participant_id", "si_number", "participant_reference", "request_reference", "business_date", "status",
    "settlement_from", "settlement_to", "stock_code", "isin", "deleted_today", "size", "cursor",
)  # fmt: skip
EVENTS_QUERY = ("participant_id", "business_date", "after_sequence", "size", "cursor")
#: The body of a write that takes many entries.
REQUEST = ("entries",)
SUBSCRIPTION = ("subscription_url", "subscription_events", "subscription_key_id")

#: what a field of a template may be bound to: the reference of a request, unique a day; the lines of a file's part
TEMPLATE_CONCEPTS = ("request_reference", "part_lines")

#: group name in profile.toml [binding.*] -> its concepts
GROUPS: dict[str, tuple[str, ...]] = {
    "si": SI_ENTRY,
    "answer": ANSWER_ENTRY,
    "request": REQUEST,
    "envelope": ENVELOPE,
    "record_error": RECORD_ERROR,
    "event": EVENT,
    "delivery": EVENT_DELIVERY,
    "query": QUERY,
    "events_query": EVENTS_QUERY,
    "subscription": SUBSCRIPTION,
    **MARKET_GROUPS,
}


class Kind(StrEnum):
    """What a concept's value is to Python; how OCP writes it is the binding's to say."""

    TEXT = "text"
    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    FLAG = "flag"
    CODE = "code"
    OBJECT = "object"


_NUMBERS = ("quantity", "version", "total_size", "event_sequence", "size", "after_sequence")
_DATES = (
    "trade_date", "settlement_date", "event_business_date", "business_date", "settlement_from", "settlement_to",
)  # fmt: skip
_TIMES = ("created_at", "updated_at", "timestamp", "occurred_at")
_FLAGS = ("hold", "hold_own", "hold_counterparty", "revoke_own", "revoke_counterparty", "deleted_today")
_OBJECTS = ("entries", "errors", "record_errors", "events", "si")
_CODES = (
    "code", "direction", "payment_instruction", "status", "reason_code", "record_error_code", "event_type",
    "previous_status", "new_status", "event_reason_code", "subscription_events",
)  # fmt: skip

#: concept -> what its value is; every other is a text
KINDS: dict[str, Kind] = {
    **dict.fromkeys((*_NUMBERS, *market_concepts.NUMBERS), Kind.NUMBER),
    **dict.fromkeys((*_DATES, *market_concepts.DATES), Kind.DATE),
    **dict.fromkeys((*_TIMES, *market_concepts.TIMES), Kind.TIME),
    **dict.fromkeys((*_FLAGS, *market_concepts.FLAGS), Kind.FLAG),
    **dict.fromkeys((*_CODES, *market_concepts.CODES), Kind.CODE),
    **dict.fromkeys(_OBJECTS, Kind.OBJECT),
    **dict.fromkeys(("amount", *market_concepts.AMOUNTS), Kind.AMOUNT),
}


class Operation(StrEnum):
    """The OCP operations that Python calls or plays by name."""

    SI_ADD = "si_add"
    SI_CHANGE = "si_change"
    SI_DELETE = "si_delete"
    SI_AUTHORISE = "si_authorise"
    SI_REVOKE = "si_revoke"
    SI_HOLD = "si_hold"
    SI_QUERY = "si_query"
    STATUS_EVENTS = "status_events"
    SUBSCRIPTION_ADD = "subscription_add"
    SUBSCRIPTION_CHANGE = "subscription_change"
    SUBSCRIPTION_INVALIDATE = "subscription_invalidate"
    SUBSCRIPTION_QUERY = "subscription_query"
    CRYPTO_META = "crypto_meta"
    HEALTH = "health"
    ECHO = "echo"
    PARTICIPANTS = "participants"
    STOCKS = "stocks"
    CALENDAR = "calendar"
    NCP_GCP_MAPPING = "ncp_gcp_mapping"
    TRADES = "trades"
    TRADE_RANGE = "trade_range"
    STATUS_STREAM = "status_stream"
    STATUS_SOCKET = "status_socket"


#: The operations whose entries are instructions.
SI_WRITES = frozenset(
    {
        Operation.SI_ADD,
        Operation.SI_CHANGE,
        Operation.SI_DELETE,
        Operation.SI_AUTHORISE,
        Operation.SI_REVOKE,
        Operation.SI_HOLD,
    }
)

#: The operations that are answered by events as they happen.
STREAMS = frozenset({Operation.STATUS_STREAM, Operation.STATUS_SOCKET})


class Status(StrEnum):
    """The states of an SI at OCP."""

    PENDING = "pending"
    UNMATCHED = "unmatched"
    MATCHED = "matched"
    MATCHED_ON_HOLD = "matched_on_hold"
    SHARES_ON_HOLD = "shares_on_hold"
    SETTLED = "settled"
    FAILING = "failing"
    DELETED = "deleted"
    REVOKED = "revoked"
    PURGED = "purged"


class EventType(StrEnum):
    """What a status event reports."""

    CREATED = "created"
    AUTHORISED = "authorised"
    CHANGED = "changed"
    UNMATCHED = "unmatched"
    MATCHED = "matched"
    HELD = "held"
    RELEASED = "released"
    SHARES_HELD = "shares_held"
    SHARES_RELEASED = "shares_released"
    SETTLED = "settled"
    FAILING = "failing"
    DELETED = "deleted"
    REVOKE_REQUESTED = "revoke_requested"
    REVOKED = "revoked"
    PURGED = "purged"


class Direction(StrEnum):
    """Which way the shares go, seen from the SI's own participant."""

    DELIVER = "deliver"
    RECEIVE = "receive"


class Payment(StrEnum):
    """How an SI is paid."""

    FOP = "fop"
    DVP = "dvp"
    RDP = "rdp"


class Reason(StrEnum):
    """Why an SI stands as it stands."""

    AWAIT_COUNTERPARTY = "await_counterparty"
    DIFF_DATE = "diff_date"
    DIFF_QUANTITY = "diff_quantity"
    DIFF_AMOUNT = "diff_amount"
    DIFF_SECURITY = "diff_security"
    DIFF_PAYMENT = "diff_payment"
    DIFF_ACCOUNT = "diff_account"
    HOLD_OWN = "hold_own"
    HOLD_COUNTERPARTY = "hold_counterparty"
    HOLD_BOTH = "hold_both"
    AWAIT_MONEY = "await_money"
    LACK_SECURITIES = "lack_securities"
    LACK_SECURITIES_COUNTERPARTY = "lack_securities_counterparty"
    LACK_MONEY = "lack_money"
    BY_USER = "by_user"
    BY_BOTH = "by_both"
    BY_SYSTEM = "by_system"


class Refusal(StrEnum):
    """The meanings of OCP's error codes that Python acts on or, in the simulator, gives."""

    TOO_MANY_ENTRIES = "too_many_entries"
    FIELD_MISSING = "field_missing"
    FIELD_MALFORMED = "field_malformed"
    FIELD_OUT_OF_RANGE = "field_out_of_range"
    FIELD_UNKNOWN = "field_unknown"
    UNKNOWN_STOCK = "unknown_stock"
    STOCK_NOT_ELIGIBLE = "stock_not_eligible"
    UNKNOWN_PARTICIPANT = "unknown_participant"
    UNKNOWN_ACCOUNT = "unknown_account"
    NOT_DOMAIN_COUNTER = "not_domain_counter"
    NO_SETTLEMENT_DAY = "no_settlement_day"
    NOT_GRANTED = "not_granted"
    NOT_OUR_PARTICIPANT = "not_our_participant"
    OVER_LIMIT = "over_limit"
    OUTSIDE_HOURS = "outside_hours"
    MARKET_CLOSED = "market_closed"
    SI_UNKNOWN = "si_unknown"
    WRONG_STATE = "wrong_state"
    WAITS_FOR_OTHER_USER = "waits_for_other_user"
    VERSION_DIFFERS = "version_differs"
    REFERENCE_USED = "reference_used"
    REQUEST_ID_MISSING = "request_id_missing"
    REQUEST_ID_REPEATED = "request_id_repeated"
    TIMESTAMP_MISSING = "timestamp_missing"
    TIMESTAMP_STALE = "timestamp_stale"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"


#: table name in profile.toml [codes.*] -> the enum whose every member must be bound in it, where it is needed
CODE_TABLES: dict[str, type[StrEnum]] = {
    "status": Status,
    "event_type": EventType,
    "direction": Direction,
    "payment_instruction": Payment,
    "reason": Reason,
    "refusal": Refusal,
    **MARKET_CODE_TABLES,
}
