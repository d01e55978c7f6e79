"""What both ends of a session share: sequence numbers, frames in and out, heartbeats, half frames, closing.

A session is a plain object: bytes and `now` (aware) in, events and bytes out. `due(now)` looks after every time-out.
Follows legacy-dialect section 2 (assumed, but for the existence of a session id).
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

from pg_bridge.link import events as e
from pg_bridge.link.control import ControlMessage, Controls
from pg_bridge.link.framing import MOST_RAW, BadFrame, Frame, FrameReader, Framing, Header
from pg_bridge.link.profile import LinkProfile

LAST_SEQUENCE = 999_999
#: a longer sequence number in a control message is none
MOST_DIGITS = 10


def next_sequence(sequence: int) -> int:
    """The number behind `sequence`: after 999999 comes 1."""
    return 1 if sequence >= LAST_SEQUENCE else sequence + 1


class Session:
    """One end of a conversation. Subclasses say what a frame means at their end."""

    #: the direction written in our own frames, and the one expected in theirs
    sends: str
    expects: str

    def __init__(self, profile: LinkProfile) -> None:
        self.profile = profile
        self.limits = profile.limits
        self.participant = ""
        self.terminal = ""
        self.session_id = ""
        self.is_logged_on = False
        self.is_closing = False
        self.is_closed = False
        self._controls = Controls(profile)
        self._framing = Framing(profile)
        self._reader = FrameReader(self._framing)
        self._out: list[bytes] = []
        self._sent_sequence = 0
        self._next_received = 1
        self._frames: deque[Frame | BadFrame] = deque()
        self._connected: datetime | None = None
        #: since when we read without a break; what we do not read cannot be late
        self._reading_since: datetime | None = None
        self._is_held = False
        self._last_received: datetime | None = None
        self._last_sent: datetime | None = None
        self._half_since: datetime | None = None
        self._heartbeat_asked: datetime | None = None
        self._stamp_at = -1
        self._stamp = ""
        self._offset = timedelta(minutes=profile.timestamp.utc_offset_minutes)

    # --- bytes ---------------------------------------------------------------------------------------------

    def connected(self, now: datetime) -> None:
        """The socket is open: time-outs begin to count."""
        self._connected = self._reading_since = self._last_received = self._last_sent = now

    def receive_data(self, data: bytes, now: datetime) -> list[e.Event]:
        """Take bytes from the other side."""
        if self.is_closed:
            return []
        if self._last_received is None:
            self.connected(now)
        self._last_received = now
        self._frames += self._reader.feed(data)
        if self._reader.in_frame:
            self._half_since = now
        else:
            self._half_since = None
        return self._proceed(now)

    def end_of_stream(self, now: datetime) -> list[e.Event]:
        """The other side closed."""
        return self.close("the other side closed the connection", now)

    def data_to_send(self) -> bytes:
        """The bytes that wait to go out; they are gone from here."""
        if not self._out:
            return b""
        data = b"".join(self._out) if len(self._out) > 1 else self._out[0]
        self._out.clear()
        return data

    def hold(self) -> None:
        """The other side does not take what is sent to it: read nothing more from it, count no time-out."""
        self._is_held = True

    def let_go(self, now: datetime) -> list[e.Event]:
        """The other side takes what is sent to it again: look at what has waited."""
        if not self._is_held:
            return []
        self._is_held = False
        return self._go_on(now)

    def close(self, reason: str, now: datetime) -> list[e.Event]:
        """End the session."""
        if self.is_closed:
            return []
        self.is_closed = self.is_closing = True
        self._frames.clear()
        return [e.Closed(reason)]

    # --- time ----------------------------------------------------------------------------------------------

    def due(self, now: datetime) -> list[e.Event]:
        """Do what time asks for: heartbeats, and closing what is silent."""
        if self.is_closed or self._last_received is None or self._last_sent is None:
            return []
        limits = self.limits
        half = self._half_since
        if half is not None and self.wants_data and now >= self._late(half, limits.half_frame_s):
            return self.close("half a frame, then silence", now)
        if not self.is_logged_on:
            return self._due_before_log_on(now)
        if not self.wants_data:
            return []
        if self._heartbeat_asked is not None:
            if now >= self._late(self._heartbeat_asked, limits.heartbeat_answer_s):
                return self.close("a heartbeat was not answered", now)
        elif now >= self._late(max(self._last_received, self._last_sent), limits.heartbeat_s):
            self._heartbeat_asked = now
            self._send_control("heartbeat", is_answer=False, now=now)
        return []

    def _due_before_log_on(self, now: datetime) -> list[e.Event]:
        return []

    def next_due(self) -> datetime | None:
        """When `due` has something to do next, at the latest; None: nothing until bytes come."""
        if self.is_closed or self._last_received is None or self._last_sent is None:
            return None
        limits = self.limits
        if not self.wants_data:
            return None
        times = []
        if self._half_since is not None:
            times.append(self._late(self._half_since, limits.half_frame_s))
        if self._heartbeat_asked is not None:
            times.append(self._late(self._heartbeat_asked, limits.heartbeat_answer_s))
        elif self.is_logged_on:
            times.append(self._late(max(self._last_received, self._last_sent), limits.heartbeat_s))
        return min(times, default=None)

    def _late(self, since: datetime, seconds: float) -> datetime:
        """When what is due since then is late; while we did not read no time passed."""
        if self._reading_since is not None and self._reading_since > since:
            since = self._reading_since
        return since + timedelta(seconds=seconds)

    # --- frames in -----------------------------------------------------------------------------------------

    @property
    def wants_data(self) -> bool:
        """False: stop reading for now."""
        return not self.is_closing and not self._is_held

    def _may_proceed(self, frame: Frame | BadFrame) -> bool:
        """The frame, the next one, may be looked at now."""
        return True

    def _go_on(self, now: datetime) -> list[e.Event]:
        """Look at what has waited; what is behind it begins to be due only now."""
        found = self._proceed(now)
        if not self._frames:
            self._reading_since = now
        return found

    def _proceed(self, now: datetime) -> list[e.Event]:
        """Look at the frames that wait."""
        found: list[e.Event] = []
        while self._frames and not self.is_closed and self._may_proceed(self._frames[0]):
            found += self._frame(self._frames.popleft(), now)
        return found

    def _frame(self, frame: Frame | BadFrame, now: datetime) -> list[e.Event]:
        if isinstance(frame, BadFrame):
            return self._refuse(frame.meaning, frame.text, frame, now)
        self._heartbeat_asked = None
        if not self.is_logged_on:
            return self._before_log_on(frame, now)
        if frame.sequence != self._next_received:
            text = f"sequence number {self._next_received} is due, {frame.sequence} came"
            return self._refuse("sequence", text, frame, now)
        if (frame.session_id, frame.participant, frame.terminal) != (
            self.session_id,
            self.participant,
            self.terminal,
        ):
            return self._refuse("session", "the frame is of another session", frame, now)
        self._next_received = next_sequence(self._next_received)
        for meaning in frame.faults:
            if self._rejects(meaning):
                return self._refuse(meaning, f"the {meaning} is wrong", frame, now)
        control = self._controls.name(frame.template)
        if frame.direction != self.expects:
            return self._refuse("template", "the frame goes the other way", frame, now)
        if not control:
            return self._business(frame, now)
        if frame.message_type != self._controls.message_type:
            text = f"{frame.template} is no template of {frame.message_type}"
            return self._refuse("template", text, frame, now)
        message = self._controls.read(frame.template, frame.body)
        if isinstance(message, str):
            return self._refuse("template", message, frame, now)
        if message.control == "heartbeat":
            if not message.is_answer:
                self._send_control("heartbeat", is_answer=True, now=now, reference=message.reference)
            return []
        return self._control(frame, message, now)

    def _rejects(self, meaning: str) -> bool:
        if meaning == "length":
            return self.profile.length.mismatch == "reject"
        if meaning == "checksum":
            return self.profile.checksum.mismatch == "reject"
        return True

    def _before_log_on(self, frame: Frame, now: datetime) -> list[e.Event]:
        raise NotImplementedError

    def _business(self, frame: Frame, now: datetime) -> list[e.Event]:
        raise NotImplementedError

    def _control(self, frame: Frame, message: ControlMessage, now: datetime) -> list[e.Event]:
        raise NotImplementedError

    def _refuse(self, meaning: str, text: str, frame: Frame | BadFrame, now: datetime) -> list[e.Event]:
        """Name what is wrong with a frame; close where the table says so."""
        code = self.profile.code(meaning)
        found: list[e.Event] = [self._refused(meaning, text, frame)]
        self._tell_refusal(code, text, None if isinstance(frame, BadFrame) else frame.sequence, now)
        if self.profile.refusals[code].then == "close":
            found += self.close(f"{code}: {text}", now)
        return found

    def _refused(self, meaning: str, text: str, frame: Frame | BadFrame) -> e.FrameRefused:
        code = self.profile.code(meaning)
        if isinstance(frame, BadFrame):
            return e.FrameRefused(meaning, code, text, frame.raw, 0, frame.size)
        return e.FrameRefused(meaning, code, text, frame.raw[:MOST_RAW], frame.sequence, len(frame.raw))

    def _tell_refusal(self, code: str, text: str, sequence: int | None, now: datetime) -> None:
        """Only the PG's end answers a bad frame."""

    # --- frames out ----------------------------------------------------------------------------------------

    def _send(
        self,
        message_type: str,
        template: str,
        body: bytes,
        now: datetime,
        *,
        possible_duplicate: bool = False,
    ) -> int:
        sequence = next_sequence(self._sent_sequence)
        header = Header(
            self.participant,
            self.terminal,
            self.session_id,
            sequence,
            self.sends,
            message_type,
            template,
            self._timestamp(now),
            possible_duplicate,
        )
        self._out.append(self._framing.write(header, body))
        self._sent_sequence = sequence
        self._last_sent = now
        return sequence

    def _send_control(
        self,
        control: str,
        *,
        is_answer: bool,
        now: datetime,
        reference: str = "",
        keys: dict[str, str] | None = None,
    ) -> int:
        # A control message of our own is named by the number of its frame: unique in the session, and no chance in it.
        own = reference or f"{self._controls.template(control)}{next_sequence(self._sent_sequence):06d}"
        body = self._controls.write(control, is_answer=is_answer, reference=own, keys=keys)
        return self._send(self._controls.message_type, self._controls.template(control), body, now)

    def _timestamp(self, now: datetime) -> str:
        second = int(now.timestamp())
        if second != self._stamp_at:
            self._stamp_at = second
            self._stamp = (now.astimezone(UTC) + self._offset).strftime(self.profile.timestamp.format)
        return self._stamp
