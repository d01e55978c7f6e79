"""Records of what happens at the edges: sessions, refused frames and pushes, the node itself. They change no state."""

from __future__ import annotations

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


class SessionOpened(Record, frozen=True, kw_only=True):
    """A PSS logged on."""

    kind = Kind.SESSION_OPENED
    session: str
    terminal: str
    address: str

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class SessionRefused(Record, frozen=True, kw_only=True):
    """A connection or log-on was not accepted."""

    kind = Kind.SESSION_REFUSED
    address: str
    terminal: str = ""
    text: str


class SessionClosed(Record, frozen=True, kw_only=True):
    """A session or connection ended."""

    kind = Kind.SESSION_CLOSED
    session: str
    reason: str

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class FrameRefused(Record, frozen=True, kw_only=True):
    """Bytes that were no frame, or a frame that was not legal; as received, at most 64 KiB."""

    kind = Kind.FRAME_REFUSED
    session: str
    address: str
    code: str
    text: str
    raw: bytes
    size: int

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class PushRefused(Record, frozen=True, kw_only=True):
    """A pushed delivery that was not accepted, and the HTTP status that answered it."""

    kind = Kind.PUSH_REFUSED
    status: int
    text: str
    delivery_id: str = ""
    body: bytes = b""
    size: int = 0


class NodeStarted(Record, frozen=True, kw_only=True):
    """The bridge began on this node, after replaying `replayed` entries."""

    kind = Kind.NODE_STARTED
    version: str
    mapping: str
    replayed: int
    reopened: int


class NodeStopped(Record, frozen=True, kw_only=True):
    """The bridge ended in order."""

    kind = Kind.NODE_STOPPED
    reason: str
