"""The names of log events, and the one place where logging is set up.

Events are past-tense facts; context travels as keys, never inside the event text. No secret, token or whole
message is ever logged: the journal position is enough to find it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
import structlog.tracebacks

BRIDGE_STARTED = "bridge_started"
BRIDGE_STOPPED = "bridge_stopped"
JOURNAL_REPLAYED = "journal_replayed"
JOURNAL_FAILED = "journal_failed"
LISTENING = "listening"
SESSION_OPENED = "session_opened"
SESSION_CLOSED = "session_closed"
FRAME_REFUSED = "frame_refused"
MESSAGE_REFUSED = "message_refused"
OCP_FAILED = "ocp_failed"
CIRCUIT_OPENED = "circuit_opened"
CIRCUIT_CLOSED = "circuit_closed"
OUTCOME_UNKNOWN = "outcome_unknown"
EXCHANGE_IN_DOUBT = "exchange_in_doubt"
DOUBT_RESOLVED = "doubt_resolved"
GAP_FOUND = "gap_found"
EVENTS_LOST = "events_lost"
DISAGREEMENT_FOUND = "disagreement_found"
RECONCILED = "reconciled"
PUSH_DRIVER_STARTED = "push_driver_started"
PUSH_REFUSED = "push_refused"
UPDATE_PARKED = "update_parked"
EVENT_FAILED = "event_failed"
FOLDER_FAULT_FOUND = "folder_fault_found"
FOLDER_FAULT_ENDED = "folder_fault_ended"
MAPPINGS_LOADED = "mappings_loaded"
MAPPINGS_REFUSED = "mappings_refused"
KEY_USED = "key_used"
KEYS_REFUSED = "keys_refused"
KEY_END_NEAR = "key_end_near"
KEY_ENDED = "key_ended"
BROADCAST_ORDERED = "broadcast_ordered"
BROADCAST_REFUSED = "broadcast_refused"
TRADE_GAP_FOUND = "trade_gap_found"
REPORT_WRITTEN = "report_written"
REPORT_FAILED = "report_failed"

#: every event name that may be logged; a test holds the code to it
EVENTS = frozenset(value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str))


#: never the local variables of a traceback: they hold keys and tokens
TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def set_up(*, level: str = "info", as_json: bool = True) -> None:
    """Log to standard error, one event a line. Called once, by cli."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            TRACEBACKS,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> Any:
    """The logger; bound context is added per call."""
    return structlog.get_logger()
