"""The TCP listener: real sockets and a real clock around link sessions.

One `Connection` a socket, holding a `PgSession`; `Listener` knows which sessions are on and fulfils
`exchange.ports.Sessions`. Once a second it looks after time-outs, and asks the kernel which answers have left.
"""

from __future__ import annotations

import asyncio
import fcntl
import ssl
import struct
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pg_bridge.exchange.events import Answer
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.state import Delivery
from pg_bridge.link import events as link
from pg_bridge.link.pg_session import PgSession
from pg_bridge.link.profile import LinkProfile

#: how much of refused bytes an entry keeps
MOST_RAW = 65_536


class Desk(Protocol):
    """Who is told of what happens on the sessions."""

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        ...

    def opened(self, session: str, participant: str, terminal: str, address: str) -> None:
        """A PSS logged on."""
        ...

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        """A connection or log-on was not accepted."""
        ...

    def closed(self, session: str, participant: str, reason: str) -> None:
        """A session that was logged on ended."""
        ...

    def request(self, session: str, participant: str, terminal: str, frame: link.RequestReceived) -> None:
        """A business request came."""
        ...

    def frame_refused(
        self, session: str, participant: str, address: str, code: str, text: str, raw: bytes, size: int
    ) -> None:
        """Bytes were no frame, or a frame was not legal."""
        ...

    def answer_written(self, token: str) -> None:
        """A copy of an answer was given to the socket."""
        ...

    def answers_left(self, session: str, tokens: Sequence[str]) -> None:
        """These answers are known to have left."""
        ...

    def acknowledged(self, participant: str, token: str) -> None:
        """A delivery was acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Where we listen and whom we let in. Participants map to the source addresses allowed (empty: any)."""

    host: str = "127.0.0.1"
    port: int = 0
    participants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    most_sessions: int = 4
    most_connections: int = 2_000
    #: bytes that may wait for a slow reader before it is disconnected
    most_unsent: int = 8_388_608
    tls: ssl.SSLContext | None = None


class Listener:
    """Accepts connections; finds sessions."""

    def __init__(
        self,
        profile: LinkProfile,
        options: ListenerOptions,
        desk: Desk,
        *,
        request_templates: frozenset[tuple[str, str]],
        session_id: Callable[[], str],
        clock: Callable[[], datetime],
    ) -> None:
        self.profile = profile
        self.options = options
        self.desk = desk
        self.request_templates = request_templates
        self.session_id = session_id
        self.clock = clock
        self.by_session: dict[str, Connection] = {}
        #: participant -> its logged-on connections, oldest first
        self.by_participant: dict[str, list[Connection]] = {}
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.Task[None] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that we listen on."""
        if self._server is None:
            return self.options.host, self.options.port
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def start(self) -> None:
        """Begin to accept. Raises OSError when the address cannot be bound."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), self.options.host, self.options.port, ssl=self.options.tls, backlog=1024
        )
        self._sweep = loop.create_task(self._look_after())

    async def close(self, reason: str = "the bridge stops") -> None:
        """Accept no more, finish what is in flight for a moment, close every session."""
        if self._server is not None:
            self._server.close()
        now = self.clock()
        for connection in list(self.connections):
            connection.drain(now)
        deadline = asyncio.get_running_loop().time() + 5.0
        while self.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.end(reason)
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)
        await asyncio.sleep(0)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = self.clock()
            for connection in list(self.connections):
                connection.look_after(now)

    # --- exchange.ports.Sessions ---------------------------------------------------------------------------

    def seats(self, participant: str) -> Sequence[Seat]:
        """The participant's sessions, oldest first."""
        return [
            Seat(connection.session.session_id, connection.terminal, connection.session.window_free)
            for connection in self.by_participant.get(participant, ())
            if not connection.session.is_closing
        ]

    def answer(self, answer: Answer) -> bool:
        """Answer a request; False when its session is gone."""
        connection = self.by_session.get(answer.session)
        return connection is not None and connection.answer(answer)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        """Give a session one delivery; False when it is gone or full."""
        connection = self.by_session.get(session)
        return connection is not None and connection.deliver(delivery)


class Connection(asyncio.Protocol):
    """One socket and its session."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._desk = listener.desk
        self._transport: asyncio.Transport | None = None
        self.session = PgSession(
            listener.profile,
            session_id=listener.session_id(),
            request_templates=listener.request_templates,
        )
        self.participant = ""
        self.terminal = ""
        self._address = ""
        self._is_on = False
        self._reason = ""
        self._unleft: list[str] = []
        self._is_paused = False
        self._logged_off = False
        self._is_finishing = False

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PSS dialled."""
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self._address = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"
        if len(self._listener.connections) >= self._listener.options.most_connections:
            self._desk.turned_away("", "", self._address, "too many connections")
            transport.abort()  # type: ignore[attr-defined]
            return
        self._listener.connections.add(self)
        self.session.connected(self._listener.clock())

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._take(self.session.receive_data(data, self._listener.clock()))
        self._flush()

    def eof_received(self) -> bool:
        """The PSS closed its side; what was logged off in order has all its answers."""
        if self._logged_off:
            self._all_left()
        self._take(self.session.end_of_stream(self._listener.clock()))
        self._flush()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        listener = self._listener
        listener.connections.discard(self)
        if self._is_on:
            self._is_on = False
            listener.by_session.pop(self.session.session_id, None)
            on = listener.by_participant.get(self.participant, [])
            if self in on:
                on.remove(self)
            reason = self._reason or (f"the connection broke: {error}" if error else "the PSS closed the connection")
            self._desk.closed(self.session.session_id, self.participant, reason)
        self._transport = None

    def pause_writing(self) -> None:
        """The PSS reads slowly: take nothing more from it until it does."""
        self._is_paused = True
        self._keep_reading()

    def resume_writing(self) -> None:
        """The PSS reads again."""
        self._is_paused = False
        self._keep_reading()

    # --- what the bridge wants -----------------------------------------------------------------------------

    def answer(self, answer: Answer) -> bool:
        """Answer a request of this session."""
        if not self._is_on:
            return False
        self._take(
            self.session.answer(
                answer.sequence,
                answer.reply.message_type,
                answer.reply.template,
                answer.reply.body.encode("ascii"),
                self._listener.clock(),
                token=answer.token,
                possible_duplicate=answer.possible_duplicate,
            )
        )
        self._flush()
        return True

    def deliver(self, delivery: Delivery) -> bool:
        """Send an unsolicited message, or an answer again."""
        if not self._is_on or self.session.window_free <= 0:
            return False
        self._take(
            self.session.deliver(
                delivery.id,
                delivery.reply.message_type,
                delivery.reply.template,
                delivery.reply.body.encode("ascii"),
                self._listener.clock(),
                possible_duplicate=delivery.is_copy,
            )
        )
        self._flush()
        return True

    def drain(self, now: datetime) -> None:
        """Take no more requests, finish what is in flight, close."""
        self._reason = "the bridge stops"
        self._take(self.session.drain(now))
        self._flush()

    def end(self, reason: str) -> None:
        """Close now."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._flush_bytes()
            if self._has_drained():
                self._all_left()
            self._transport.close()

    def look_after(self, now: datetime) -> None:
        """Heartbeats, time-outs, and which answers have left."""
        self._take(self.session.due(now))
        self._flush()
        if self._unleft and self._has_drained():
            self._all_left()

    # --- inner ---------------------------------------------------------------------------------------------

    def _take(self, events: Sequence[link.Event]) -> None:
        for event in events:
            match event:
                case link.RequestReceived():
                    if self._desk.is_full:
                        self._take(
                            self.session.refuse_request(
                                event.frame.sequence,
                                "busy",
                                "THE JOURNAL IS BUSY, NOTHING WAS DONE",
                                self._listener.clock(),
                            )
                        )
                    else:
                        self._desk.request(self.session.session_id, self.participant, self.terminal, event)
                case link.AnswerWritten():
                    if event.token is not None:
                        self._unleft.append(event.token)
                        self._desk.answer_written(event.token)
                case link.DeliveryAcknowledged():
                    self._desk.acknowledged(self.participant, event.token)
                case link.LogOnAsked():
                    self._log_on(event)
                case link.FrameRefused():
                    self._desk.frame_refused(
                        self.session.session_id,
                        self.participant,
                        self._address,
                        event.code,
                        event.text,
                        event.raw[:MOST_RAW],
                        len(event.raw),
                    )
                case link.LoggedOff():
                    self._logged_off = True
                    self._reason = "the PSS logged off"
                case link.Closed():
                    if not self._is_on:
                        self._desk.turned_away(self.participant, self.terminal, self._address, event.reason)
                    self._reason = self._reason or event.reason

    def _log_on(self, asked: link.LogOnAsked) -> None:
        options = self._listener.options
        now = self._listener.clock()
        allowed = options.participants.get(asked.participant)
        on = self._listener.by_participant.setdefault(asked.participant, [])
        older = next((other for other in on if other.terminal == asked.terminal), None)
        text = ""
        if allowed is None:
            text = "PARTICIPANT UNKNOWN HERE"
        elif allowed and self._address.rpartition(":")[0] not in allowed:
            text = "ADDRESS NOT ALLOWED FOR THIS PARTICIPANT"
        elif older is None and len(on) >= options.most_sessions:
            text = "TOO MANY SESSIONS OF THIS PARTICIPANT"
        if text:
            self._desk.turned_away(asked.participant, asked.terminal, self._address, text)
            self._take(self.session.refuse_log_on(text, now))
            return
        if older is not None:
            older.replaced()
        self.participant, self.terminal = asked.participant, asked.terminal
        self._is_on = True
        self._listener.by_session[self.session.session_id] = self
        on.append(self)
        self._take(self.session.accept_log_on(now))
        self._flush_bytes()
        self._desk.opened(self.session.session_id, self.participant, self.terminal, self._address)

    def replaced(self) -> None:
        """A second log-on of the same terminal ends this session, at once for the bridge."""
        transport = self._transport
        # A terminal that logged off and is back has read our answer to that, and so all before it.
        if self._logged_off or self._has_drained():
            self._all_left()
        self._reason = self._reason or "a second log-on of this terminal"
        self.connection_lost(None)
        if transport is not None:
            transport.abort()

    def _flush(self) -> None:
        self._flush_bytes()
        self._keep_reading()
        if self.session.is_closed:
            self._finish(tries=50)

    def _finish(self, tries: int) -> None:
        """Close a session that ended in order, once its last bytes have arrived; a peer that takes none is not waited for."""
        transport = self._transport
        if transport is None or self._is_finishing:
            return
        if self._has_drained():
            self._all_left()
            transport.close()
        elif tries <= 0:
            transport.close()
        else:
            self._is_finishing = True
            asyncio.get_running_loop().call_later(0.02, self._finish_again, tries - 1)

    def _finish_again(self, tries: int) -> None:
        self._is_finishing = False
        self._finish(tries)

    def _flush_bytes(self) -> None:
        out = self.session.data_to_send()
        transport = self._transport
        if not out or transport is None:
            return
        transport.write(out)
        if transport.get_write_buffer_size() > self._listener.options.most_unsent:
            self._reason = "the PSS does not read: too much waits for it"
            transport.abort()

    def _keep_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self.session.wants_data and not self._is_paused:
            if not transport.is_reading():
                transport.resume_reading()
        elif transport.is_reading():
            transport.pause_reading()

    def _all_left(self) -> None:
        if self._unleft:
            tokens, self._unleft = self._unleft, []
            self._desk.answers_left(self.session.session_id, tokens)

    def _has_drained(self) -> bool:
        """All that was written has reached the other side's kernel."""
        transport = self._transport
        if transport is None or transport.get_write_buffer_size():
            return False
        sock = transport.get_extra_info("socket")
        if sock is None or not sys.platform.startswith("linux"):
            return True
        try:
            queued = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError:
            return False
        return bool(struct.unpack("i", queued)[0] == 0)
