"""Journal entries as the core writes and reads them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

Position = int
"""The durable number of an entry: from 1 without gaps on a node."""


class Kind(StrEnum):
    """What an entry records; past-tense facts."""

    NODE_STARTED = "node_started"
    NODE_STOPPED = "node_stopped"
    SESSION_OPENED = "session_opened"
    SESSION_REFUSED = "session_refused"
    SESSION_CLOSED = "session_closed"
    FRAME_REFUSED = "frame_refused"
    INSTRUCTION_RECEIVED = "instruction_received"
    ENQUIRY_RECEIVED = "enquiry_received"
    MESSAGE_REFUSED = "message_refused"
    REQUEST_PARKED = "request_parked"
    REQUEST_REPEATED = "request_repeated"
    SI_FOUND = "si_found"
    BATCH_CALLED = "batch_called"
    BATCH_REFUSED = "batch_refused"
    OUTCOME_UNKNOWN = "outcome_unknown"
    OCP_FAILED = "ocp_failed"
    CALL_ENDED = "call_ended"
    CIRCUIT_OPENED = "circuit_opened"
    CIRCUIT_CLOSED = "circuit_closed"
    EXCHANGE_AWAITED = "exchange_awaited"
    EXCHANGE_ANSWERED = "exchange_answered"
    EXCHANGE_IN_DOUBT = "exchange_in_doubt"
    DOUBT_RESOLVED = "doubt_resolved"
    RESOLUTION_REFUSED = "resolution_refused"
    ANSWERS_LEFT = "answers_left"
    PUSH_REFUSED = "push_refused"
    UPDATE_RECEIVED = "update_received"
    UPDATE_RELEASED = "update_released"
    UPDATE_REPEATED = "update_repeated"
    UPDATE_PARKED = "update_parked"
    GAP_FOUND = "gap_found"
    UPDATE_PASSED_OVER = "update_passed_over"
    DAY_CLOSED = "day_closed"
    EVENTS_LOST = "events_lost"
    SNAPSHOT_TAKEN = "snapshot_taken"
    DISAGREEMENT_FOUND = "disagreement_found"
    RECONCILED = "reconciled"
    SUBSCRIBED = "subscribed"
    DELIVERY_QUEUED = "delivery_queued"
    DELIVERY_ACKNOWLEDGED = "delivery_acknowledged"
    MAPPINGS_LOADED = "mappings_loaded"
    MAPPINGS_REFUSED = "mappings_refused"
    KEY_USED = "key_used"
    KEYS_REFUSED = "keys_refused"
    REPORT_PIECE = "report_piece"
    REPORT_READ = "report_read"
    BROADCAST_ORDERED = "broadcast_ordered"
    BROADCAST_REFUSED = "broadcast_refused"
    PART_RECEIVED = "part_received"
    PARTS_DROPPED = "parts_dropped"
    FILE_RECEIVED = "file_received"
    FILE_REFUSED = "file_refused"
    FILE_REPEATED = "file_repeated"
    FILE_TAKEN = "file_taken"
    FILE_PUT_AWAY = "file_put_away"
    FILE_TURNED_AWAY = "file_turned_away"
    FOLDER_FAULT_FOUND = "folder_fault_found"
    FOLDER_FAULT_ENDED = "folder_fault_ended"
    TRADES_TAKEN = "trades_taken"
    TRADE_GAP_FOUND = "trade_gap_found"
    REFERENCE_DATA_TAKEN = "reference_data_taken"
    REPORT_WRITTEN = "report_written"


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record for the journal.

    at_us: UTC, microseconds since 1970. references: names and values to find it by (`seme`, `si_number`,
    `request_id`, `event_id` ...). mapping: `name@hash` of the mapping that made the result, or empty.
    findings: codes only; texts lie in the payload. payload: JSON, with both sides' bytes as text.
    """

    kind: Kind
    at_us: int
    exchange: str = ""
    participant: str = ""
    references: dict[str, str] = {}
    mapping: str = ""
    findings: tuple[str, ...] = ()
    payload: bytes = b"{}"

    def body(self) -> dict[str, Any]:
        """The payload, decoded."""
        decoded: dict[str, Any] = msgspec.json.decode(self.payload)
        return decoded


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An entry with the position that the journal gave it."""

    position: Position
    entry: Entry
