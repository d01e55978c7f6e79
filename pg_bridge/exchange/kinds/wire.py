"""Records of the way to OCP itself: each HTTP request as it went over, and the circuit."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


class Bytes(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A body that went over: its size, its SHA-256 (hex), and its first bytes, as text or, if they are none, as base64.

    With neither the bytes stand elsewhere: those of a write's question in its `batch_called`.
    """

    size: int
    hash: str
    text: str = ""
    base64: bytes = b""


class CallEnded(Record, frozen=True, kw_only=True):
    """One HTTP request to OCP ended: what really went over, both ways. No secret is in it.

    entries: of a write those asked, of a question those answered. sent, received: the headers, a line each, secrets
    hidden. status 0: no answer came. error: the code of the error that it became, empty when none.
    """

    kind = Kind.CALL_ENDED
    operation: str
    company: str
    machine: str
    entries: int
    request_id: str = ""
    method: str
    url: str
    sent: str
    asked: Bytes
    status: int
    received: str
    answered: Bytes
    duration_us: int
    error: str = ""

    def references(self) -> dict[str, str]:
        """The request id, of a write."""
        return {"request_id": self.request_id} if self.request_id else {}


class CircuitOpened(Record, frozen=True, kw_only=True):
    """OCP failed too often in a row: no call goes until it answers again. text: of the last failure."""

    kind = Kind.CIRCUIT_OPENED
    failures: int
    text: str


class CircuitClosed(Record, frozen=True, kw_only=True):
    """OCP answered again: calls go on. open_s: how long they did not."""

    kind = Kind.CIRCUIT_CLOSED
    open_s: float
