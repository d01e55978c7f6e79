"""One socket and its session: bytes in and out, back-pressure, and which answers have left."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import sys
import termios
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pg_bridge.exchange.actions import Answer
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.link import events as link
from pg_bridge.link.pg_session import PgSession
from pg_bridge.pss.handshake import TOO_MANY

if TYPE_CHECKING:
    from pg_bridge.pss.listener import Listener


#: large frames of one session that may be held: not acknowledged, or behind an earlier answer
_MOST_LARGE = 3


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
        #: that it logged on with, to know it again
        self._credential = ""
        self._reason = ""
        self._unleft: list[str] = []
        #: since when more waits for the PSS than it takes
        self._slow_since: datetime | None = None
        self._logged_off = False
        #: its log-on was not accepted, and that is told
        self._is_refused = False
        self._is_finishing = False
        #: done when the socket is gone
        self.is_lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PSS dialled."""
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self._address = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"
        if len(self._listener.connections) >= self._listener.options.most_connections:
            self._turned_away("", "", TOO_MANY)
            transport.abort()  # type: ignore[attr-defined]
            return
        options = self._listener.options
        transport.set_write_buffer_limits(high=options.pause_unsent, low=options.resume_unsent)  # type: ignore[attr-defined]
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
        is_known = self in listener.connections
        listener.connections.discard(self)
        if not self.is_lost.done():
            self.is_lost.set_result(None)
        reason = self._reason or (f"the connection broke: {error}" if error else "the PSS closed the connection")
        if self._is_on:
            self._is_on = False
            listener.by_session.pop(self.session.session_id, None)
            on = listener.by_participant.get(self.participant, [])
            if self in on:
                on.remove(self)
            self._desk.closed(self.session.session_id, self.participant, reason)
        elif is_known:
            self._take(self.session.close(reason, listener.clock()))
        self._transport = None

    def pause_writing(self) -> None:
        """The PSS reads slowly: take nothing more from it, and deliver nothing to it, until it does."""
        self._slow_since = self._listener.clock()
        self.session.hold()
        self._keep_reading()

    def resume_writing(self) -> None:
        """The PSS reads again."""
        self._slow_since = None
        now = self._listener.clock()
        self._take(self.session.let_go(now))
        self._flush()
        while self._slow_since is None and (written := self.session.write_on(now)):
            self._take(written)
            self._flush()
        if self._is_on:
            self._desk.freed(self.participant)

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
                is_last=answer.is_last,
            )
        )
        self._flush()
        return True

    def pass_over(self, sequence: int) -> None:
        """Give a request no answer."""
        self._take(self.session.pass_over(sequence, self._listener.clock()))
        self._flush()

    def refuse(self, sequence: int, text: str) -> None:
        """Refuse a request's frame in place of an answer."""
        self._take(self.session.refuse_request(sequence, "busy", text, self._listener.clock()))
        self._flush()

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

    def has_room(self, *, is_delivery: bool) -> bool:
        """Whether a large frame may be given now: little waits in the socket, and few frames for something else."""
        if not self._is_on:
            return True  # it need not be waited for
        if self._slow_since is not None:
            return False
        if is_delivery:
            return self.session.window_free > 0 and len(self.session.unacknowledged) < _MOST_LARGE
        return self.session.held_answers < _MOST_LARGE

    def drain(self, now: datetime) -> None:
        """Take no more requests, finish what is in flight, close."""
        self._reason = self._reason or "the bridge stops"
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

    def cut(self, reason: str) -> None:
        """End the session without another byte; what was not acknowledged or has not left goes again."""
        if self._transport is not None:
            self._reason = self._reason or reason
            self._take(self.session.close(reason, self._listener.clock()))
            self._transport.abort()

    def look_after(self, now: datetime) -> None:
        """Heartbeats, time-outs, and which answers have left."""
        self._take(self.session.due(now))
        self._flush()
        slow, options = self._slow_since, self._listener.options
        if slow is not None and (now - slow).total_seconds() >= options.slow_reader_s:
            self.cut(f"the PSS does not read: {self._unsent} bytes wait for it after {options.slow_reader_s:g} s")
        if self._unleft and self._has_drained():
            self._all_left()

    # --- inner ---------------------------------------------------------------------------------------------

    def _take(self, events: Sequence[link.Event]) -> None:
        for event in events:
            match event:
                case link.RequestReceived():
                    if self._desk.is_full:
                        self.refuse(event.frame.sequence, "THE JOURNAL IS BUSY, NOTHING WAS DONE")
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
                    if not self._is_on and not self._is_told(event.text):
                        continue
                    self._desk.frame_refused(
                        self.session.session_id,
                        self.participant,
                        self._address,
                        event.code,
                        event.text,
                        b"" if self._may_hold_credential(event.raw) else event.raw,
                        event.size or len(event.raw),
                    )
                case link.LoggedOff():
                    self._logged_off = True
                    self._reason = "the PSS logged off"
                case link.Closed():
                    if not self._is_on and not self._is_refused:
                        self._turned_away(self.participant, self.terminal, event.reason)
                    self._reason = self._reason or event.reason

    def _may_hold_credential(self, raw: bytes) -> bool:
        """Whether these bytes may hold one, so that none of them is journaled."""
        if not self._is_on:
            return True
        control = self.session.profile.control
        names = control.templates["logon"].template, control.keys["credential"]
        credential = self._credential.encode("utf-8")
        return all(name.encode("utf-8") in raw for name in names) or (bool(credential) and credential in raw)

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
            self._is_refused = True
            self._turned_away(asked.participant, asked.terminal, text)
            self._take(self.session.refuse_log_on(text, now))
            return
        if older is not None:
            older.replaced()
        self.participant, self.terminal = asked.participant, asked.terminal
        self._credential = asked.credential
        self._is_on = True
        self._listener.by_session[self.session.session_id] = self
        on.append(self)
        self._take(self.session.accept_log_on(now))
        self._flush_bytes()
        self._desk.opened(self.session.session_id, self.participant, self.terminal, self._address)

    def _turned_away(self, participant: str, terminal: str, text: str) -> None:
        listener = self._listener
        listener.turned_away.tell(participant, terminal, self._address, text, listener.clock())

    def _is_told(self, text: str) -> bool:
        """Of what comes before a log-on only so much is told one by one."""
        return self._listener.turned_away.is_told(self._address, text, self._listener.clock())

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
        """Close a session that ended in order once its last bytes have arrived, or after a second."""
        transport = self._transport
        if transport is None or self._is_finishing:
            return
        if self._has_drained():
            self._all_left()
            transport.close()
        elif tries <= 0:
            transport.close()
            # It waits for what we hold ourselves to be taken, which a PSS that does not read never does.
            self._slow_since = self._slow_since or self._listener.clock()
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
        if self._unsent > self._listener.options.most_unsent:
            self.cut(f"the PSS does not read: {self._unsent} bytes wait for it")

    @property
    def _unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def _keep_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self.session.wants_data:
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
