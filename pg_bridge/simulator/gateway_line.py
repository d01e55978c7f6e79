"""One connection of the pretend PG: its socket, its session, and what goes wrong on it by order."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import sys
import termios
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pg_bridge.link import events as link
from pg_bridge.link.framing import Frame
from pg_bridge.simulator.gateway_post import Letter
from pg_bridge.simulator.gateway_session import WireSession
from pg_bridge.simulator.wire_faults import (
    OF_A_CONNECTION,
    OF_A_FRAME,
    OF_A_LOG_ON,
    OF_A_REQUEST,
    WireFault,
    WireFaultKind,
)

if TYPE_CHECKING:
    from pg_bridge.simulator.gateway_door import Door

#: pieces in which the bytes of a slow frame leave, at most
_SLOW_PIECES = 100
#: what was written has usually reached the other side by then
_LEAVES_WITHIN_S = 0.01


class Line(asyncio.Protocol):
    """One connection. Also a post.Seat once it is logged on."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._transport: asyncio.Transport | None = None
        self.session = WireSession(
            door.profile,
            session_id=door.session_id(),
            request_templates=door.request_templates,
            wrong_framings=door.wrong_framings,
            stamp=door.desk.stamp,
            goes_wrong=self._frame_goes_wrong,
        )
        self.participant = ""
        self.terminal = ""
        self.address = ""
        self.is_on = False
        self._events: deque[link.Event] = deque()
        self._is_working = False
        #: what goes out behind a frame that holds it up
        self._queue: deque[tuple[bytes, WireFault | None]] = deque()
        self._is_held_up = False
        self._reads_nothing = False
        #: letters not acknowledged, and answers not known to have left, by token
        self._given: dict[str, Letter] = {}
        self._written: dict[str, Letter] = {}
        #: of those, where each ends among all bytes sent; and those whose bytes are not sent yet
        self._ends: deque[tuple[int, str]] = deque()
        self._unsent: list[str] = []
        self._sent_bytes = 0
        self._is_watched = False
        self._logged_off = False
        #: answers that are given late: they belong to the participant when the session ends first
        self._late: dict[str, Letter] = {}

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PSS dialled."""
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.address = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"
        faults = self._door.faults
        if not self._door.has_room() or faults.next_of(OF_A_CONNECTION) is not None:
            transport.abort()  # type: ignore[attr-defined]
            return
        self._door.lines.add(self)
        self.session.connected(self._door.wall())

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._work(self.session.receive_data(data, self._door.wall()))

    def eof_received(self) -> bool:
        """The PSS closed its side; what its system took before that has left."""
        self._look_whether_left()
        self._work(self.session.end_of_stream(self._door.wall()))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        if self._logged_off and error is None:
            self._written.clear()
        self._look_whether_left()
        self._transport = None
        if self._end():
            self._door.spread()

    def _end(self) -> bool:
        """The session is over: what the PSS may not have seen is to go again. False when it was over before."""
        self.session.close("the connection is gone", self._door.wall())
        self._queue.clear()
        self._door.lines.discard(self)
        if not self.is_on:
            return False
        self.is_on = False
        self._door.leave(self)
        letters = [*self._given.values(), *self._written.values(), *self._late.values()]
        for letter in self._given.values():
            self._door.post.acknowledged(letter, self)
        self._given.clear()
        self._written.clear()
        self._late.clear()
        self._door.post.put_back(letters)
        return True

    def pause_writing(self) -> None:
        """The PSS reads slowly: take nothing more from it, and give nothing to it, until it does."""
        self.session.hold()
        self._keep_reading()

    def resume_writing(self) -> None:
        """The PSS reads again."""
        now = self._door.wall()
        self._work(self.session.let_go(now))
        while self._transport is not None and (written := self.session.write_on(now)):
            self._work(written)
        if self.is_on:
            self._door.freed(self.participant)

    # --- post.Seat

    @property
    def room(self) -> int:
        """How many more letters it may be given now."""
        return 0 if self._late else self.session.window_free

    def give(self, letter: Letter) -> None:
        """Send a letter."""
        token = str(letter.number)
        self._given[token] = letter
        reply = letter.reply
        self._work(
            self.session.deliver(
                token,
                reply.message_type,
                reply.template,
                reply.body,
                self._door.wall(),
                possible_duplicate=letter.is_copy,
            )
        )

    @property
    def unacknowledged(self) -> int:
        """How many letters are not acknowledged."""
        return len(self._given)

    # --- time and the end

    def look_after(self, now: datetime) -> None:
        """Heartbeats, time-outs, and which answers have left."""
        self._work(self.session.due(now))
        self._look_whether_left()

    def cut(self) -> None:
        """End it without another byte."""
        if self._transport is not None:
            self._transport.abort()

    def replaced(self) -> None:
        """A second log-on of this terminal ends this session at once."""
        transport = self._transport
        self._look_whether_left()
        self._end()
        if transport is not None:
            transport.abort()

    # --- what happens

    def _work(self, events: Sequence[link.Event]) -> None:
        """Look at events in their order; answering one may bring about more."""
        self._events += events
        if self._is_working:
            return
        self._is_working = True
        try:
            while self._events:
                self._happened(self._events.popleft())
        finally:
            self._is_working = False
        self._flush()
        if self.is_on:
            self._door.spread()

    def _happened(self, event: link.Event) -> None:
        match event:
            case link.RequestReceived():
                self._request(event.frame)
            case link.DeliveryAcknowledged():
                letter = self._given.pop(event.token, None)
                if letter is not None:
                    self._door.post.acknowledged(letter, self)
                    self._door.freed(self.participant)
            case link.LogOnAsked():
                self._log_on(event)
            case link.FrameRefused():
                self._door.refused_frames += 1
            case link.LoggedOff():
                self._logged_off = True
            case _:
                pass

    def _log_on(self, asked: link.LogOnAsked) -> None:
        door, now = self._door, self._door.wall()
        fault = door.faults.next_of(OF_A_LOG_ON, asked.participant, asked.terminal)
        if fault is not None and fault.kind is WireFaultKind.LOG_ON_UNANSWERED:
            return
        why = "REFUSED BY ORDER" if fault is not None else door.why_not(asked)
        if why:
            self._work(self.session.refuse_log_on(why, now))
            return
        self.participant, self.terminal = asked.participant, asked.terminal
        door.enter(self)
        self.is_on = True
        self._work(self.session.accept_log_on(now))
        door.freed(self.participant)

    def _request(self, frame: Frame) -> None:
        door = self._door
        fault = door.faults.next_of(OF_A_REQUEST, self.participant, self.terminal, frame.template)
        kind = fault.kind if fault is not None else None
        if kind is WireFaultKind.CUT_BEFORE:
            self.cut()
            self._events.clear()
            return
        if kind is WireFaultKind.BUSY:
            self._work(self.session.refuse_request(frame.sequence, "busy", "BUSY, NOTHING WAS DONE", door.wall()))
            return
        replies = door.desk.take(self.participant, self.terminal, frame)
        letters = [Letter(door.post.number(), self.participant, self.terminal, "", reply) for reply in replies]
        if kind is WireFaultKind.CUT_AFTER:
            self._late |= {str(letter.number): letter for letter in letters}
            self.cut()
            self._events.clear()
        elif kind is WireFaultKind.LATE and fault is not None:
            self._late |= {str(letter.number): letter for letter in letters}
            self._later(fault.delay_s, lambda: self._answer(frame.sequence, letters))
        else:
            self._answer(frame.sequence, letters)
        if kind is WireFaultKind.STOP_READING and fault is not None:
            self._reads_nothing = True
            self._later(fault.delay_s, self._read_on)

    def _answer(self, sequence: int, letters: list[Letter]) -> None:
        session, now = self.session, self._door.wall()
        if session.is_closed or self._transport is None:
            return
        if not letters:
            self._work(session.pass_over(sequence, now))
        for letter in letters:
            token = str(letter.number)
            self._late.pop(token, None)
            self._written[token] = letter
            self._unsent.append(token)
            reply = letter.reply
            self._work(
                session.answer(
                    sequence,
                    reply.message_type,
                    reply.template,
                    reply.body,
                    now,
                    token=token,
                    is_last=letter is letters[-1],
                )
            )
        if not self._is_watched:
            self._is_watched = True
            asyncio.get_running_loop().call_later(_LEAVES_WITHIN_S, self._watch)
        if not self._late:
            self._door.freed(self.participant)

    def _watch(self) -> None:
        """Soon after an answer: see whether it has left, so that it need not go again when the PSS is cut."""
        self._is_watched = False
        self._look_whether_left()

    def _look_whether_left(self) -> None:
        """Forget the answers whose bytes have reached the other side's kernel."""
        if not self._ends:
            return
        arrived = self._sent_bytes - self._outstanding()
        while self._ends and self._ends[0][0] <= arrived:
            self._written.pop(self._ends.popleft()[1], None)

    def _read_on(self) -> None:
        self._reads_nothing = False
        self._keep_reading()

    def _later(self, delay_s: float, go_on: Callable[[], None]) -> None:
        """Go on so many seconds of the wall later, or when the faults are cleared."""
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, go_on)
        else:
            self._door.faults.when_cleared(go_on)

    # --- bytes out

    def _frame_goes_wrong(self, template: str, is_control: bool) -> WireFault | None:
        return self._door.faults.next_of(OF_A_FRAME, self.participant, self.terminal, template, is_control=is_control)

    def _flush(self) -> None:
        self._queue += self.session.pieces()
        self._send_on()
        self._keep_reading()

    def _send_on(self) -> None:
        """Send what waits, up to a frame that holds it up."""
        while self._queue and not self._is_held_up and self._transport is not None:
            data, fault = self._queue.popleft()
            if fault is None:
                self._write(data)
            elif fault.kind is WireFaultKind.CUT_WITHIN:
                self._write(data[: len(data) // 2])
                self._transport.close()
                self._queue.clear()
                self._unsent.clear()
            elif fault.kind is WireFaultKind.SLOW:
                self._is_held_up = True
                size = max(1, -(-len(data) // _SLOW_PIECES))
                self._send_slowly(data, size, fault.delay_s * size / len(data))
            else:
                self._is_held_up = True
                self._queue.appendleft((data, None))
                self._later(fault.delay_s, self._release)
        if self._unsent and not self._queue and not self._is_held_up:
            self._ends.extend((self._sent_bytes, token) for token in self._unsent)
            self._unsent.clear()
        if self.session.is_closed and self._transport is not None and not (self._queue and self._is_held_up):
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._sent_bytes += len(data)
            self._transport.write(data)

    def _send_slowly(self, data: bytes, size: int, pause_s: float) -> None:
        if self._transport is None:
            return
        self._write(data[:size])
        rest = data[size:]
        if not rest:
            self._release()
            return
        asyncio.get_running_loop().call_later(pause_s, self._send_slowly, rest, size, pause_s)

    def _release(self) -> None:
        self._is_held_up = False
        self._send_on()

    def _keep_reading(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        wants = self.session.wants_data and not self._reads_nothing
        if wants and not transport.is_reading():
            transport.resume_reading()
        elif not wants and transport.is_reading():
            transport.pause_reading()

    def _outstanding(self) -> int:
        """How many bytes of those sent have not reached the other side's kernel."""
        transport = self._transport
        if transport is None:
            return self._sent_bytes
        waiting = transport.get_write_buffer_size()
        sock = transport.get_extra_info("socket")
        if sock is None or not sys.platform.startswith("linux"):
            return waiting
        try:
            queued = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except (OSError, ValueError):
            return self._sent_bytes
        return waiting + int(struct.unpack("i", queued)[0])
