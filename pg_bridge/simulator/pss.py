"""A scripted PSS: a real socket around the PSS's end of a session. It keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.link.pss_session import PssSession

Predicate = Callable[[link.Event], bool]


@dataclass(frozen=True, slots=True)
class Received:
    """A business message that came, when, and whether it was an answer (or unasked, or a copy)."""

    frame: Frame
    at: datetime
    is_answer: bool

    @property
    def text(self) -> str:
        """The lines of its text block."""
        return self.frame.body.decode("ascii")


class ScriptedPss(asyncio.Protocol):
    """One PSS. `clock` gives aware UTC; time-outs are in real seconds."""

    def __init__(
        self,
        profile: LinkProfile,
        *,
        participant: str,
        terminal: str = "PSS1",
        acknowledges: bool = True,
        clock: Callable[[], datetime],
    ) -> None:
        self.session = PssSession(profile, participant=participant, terminal=terminal, acknowledges=acknowledges)
        self.participant = participant
        self.events: list[link.Event] = []
        self.received: list[Received] = []
        self._clock = clock
        self._transport: Any = None
        self._changed: asyncio.Event = asyncio.Event()
        self.is_connected = False

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The bridge took the call."""
        self._transport = transport
        self.is_connected = True
        self.session.connected(self._clock())

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.received_bytes(data)
        self._take(self.session.receive_data(data, self._clock()))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.is_connected = False
        self._take(self.session.end_of_stream(self._clock()))

    def _take(self, events: list[link.Event]) -> None:
        now = self._clock()
        for event in events:
            self.events.append(event)
            self.happened(event)
            if isinstance(event, link.AnswerReceived | link.UnsolicitedReceived):
                self.received.append(Received(event.frame, now, isinstance(event, link.AnswerReceived)))
        self.flush()
        self._changed.set()

    def happened(self, event: link.Event) -> None:
        """Called with each event; for those who do more with it than keep it."""

    def received_bytes(self, data: bytes) -> None:
        """Called with all bytes that come; for those who do more with them than read them."""

    def sent_bytes(self, data: bytes) -> bytes:
        """Called with all bytes of ours; gives those to send in their place."""
        return data

    def tick(self) -> None:
        """Do what time asks of our end: heartbeats, and ending a session whose other side is silent."""
        if self.is_connected:
            self._take(self.session.due(self._clock()))
            if self.session.is_closed:
                self.close()

    def flush(self) -> None:
        """Send what the session wants to send."""
        data = self.session.data_to_send()
        if data and self._transport is not None:
            self._transport.write(self.sent_bytes(data))

    # --- script --------------------------------------------------------------------------------------------

    async def connect(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Dial the bridge. Raises SessionError when nobody listens, or by TLS one does not trust the other."""
        try:
            await asyncio.get_running_loop().create_connection(lambda: self, host, port, ssl=tls)
        except OSError as error:
            raise SessionError(f"dialling {host}:{port}: {error}") from error

    async def log_on(self, user: str = "OPS1", *, credential: str = "", timeout_s: float = 10.0) -> None:
        """Log on and wait for the answer. Raises SessionError when it is refused or does not come."""
        self.session.log_on(user, credential, "LOGON", self._clock())
        self.flush()
        try:
            event = await self.wait_for(
                lambda event: isinstance(event, link.LoggedOn | link.LogOnRefused | link.Closed), timeout_s
            )
        except TimeoutError as error:
            raise SessionError(f"logging on: no answer in {timeout_s:g} s") from error
        if isinstance(event, link.LogOnRefused):
            raise SessionError(f"logging on: {event.text}")
        if not isinstance(event, link.LoggedOn):
            raise SessionError("logging on: the connection was closed")

    def send(self, message_type: str, template: str, body: bytes, *, possible_duplicate: bool = False) -> int:
        """Send a request; gives its sequence number."""
        sequence = self.session.send(message_type, template, body, self._clock(), possible_duplicate=possible_duplicate)
        self.flush()
        return sequence

    def send_bytes(self, data: bytes) -> None:
        """Send anything at all."""
        self._transport.write(data)

    async def wait_for(self, fits: Predicate, timeout_s: float = 10.0, *, after: int = 0) -> link.Event:
        """The first event from the `after`-th on that fits. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            at = after
            while True:
                while at < len(self.events):
                    if fits(self.events[at]):
                        return self.events[at]
                    at += 1
                self._changed.clear()
                await self._changed.wait()

    async def message(self, template: str, *texts: str, timeout_s: float = 10.0, after: int = 0) -> Received:
        """The first message of `template` from the `after`-th on that holds all `texts`. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            at = after
            while True:
                while at < len(self.received):
                    got = self.received[at]
                    if got.frame.template == template and all(text in got.text for text in texts):
                        return got
                    at += 1
                self._changed.clear()
                await self._changed.wait()

    async def log_off(self, timeout_s: float = 10.0) -> None:
        """Log off, wait for the answer, close."""
        self.session.log_off(self._clock())
        self.flush()
        await self.wait_for(lambda event: isinstance(event, link.LoggedOff | link.Closed), timeout_s)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()
