"""Records of sessions and frames. They change no state."""

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
