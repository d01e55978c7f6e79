"""The PG's end of a session: takes requests, answers them in order, delivers what comes unasked.

Business answers leave in the order of their requests unless the profile says `any`; control answers never wait.
Deliveries are acknowledged by the number of any copy; silence sends all of them again, marked, in order.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pg_bridge.errors import SessionError
from pg_bridge.link import events as e
from pg_bridge.link.control import ControlMessage
from pg_bridge.link.framing import BadFrame, Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.link.session import MOST_DIGITS, Session

_MOST_SETTLED = 1_024


@dataclass(slots=True)
class _Answer:
    """The answer of one request, perhaps held until earlier ones are answered."""

    message_type: str
    template: str
    body: bytes
    token: str | None
    possible_duplicate: bool


@dataclass(slots=True)
class _Asked:
    """A request in flight: its answers that are not written yet, and whether the last of them has come."""

    answers: deque[_Answer]
    is_complete: bool = False


@dataclass(slots=True)
class _Sent:
    """One delivery that is not acknowledged."""

    token: str
    message_type: str
    template: str
    body: bytes
    written: datetime
    copies: int = 0
    sequences: list[int] = field(default_factory=list)


class PgSession(Session):
    """Stands where the PG stood, towards one PSS. `session_id` is issued when the log-on is accepted."""

    sends = "to_pss"
    expects = "to_pg"

    def __init__(self, profile: LinkProfile, *, session_id: str, request_templates: frozenset[tuple[str, str]]) -> None:
        super().__init__(profile)
        self.session_id = session_id
        #: (template, message type) of the requests taken; may be replaced while the session is on
        self.request_templates = request_templates
        self._log_on_asked: e.LogOnAsked | None = None
        #: sequence number of a request -> its answer once given; in order of arrival
        self._in_flight: OrderedDict[int, _Asked] = OrderedDict()
        self._unacknowledged: OrderedDict[str, _Sent] = OrderedDict()
        self._by_sequence: dict[int, str] = {}
        #: the latest numbers that may be acknowledged in vain: of answers written as copies, or acknowledged before
        self._settled: deque[int] = deque(maxlen=_MOST_SETTLED)
        self._acknowledge_since: datetime | None = None
        self._rounds = 0
        self._log_off_reference: str | None = None
        self._is_draining = False

    @property
    def wants_data(self) -> bool:
        """False while a log-on or a request over the in-flight limit waits, and as at both ends."""
        return super().wants_data and not self._frames and (self._log_on_asked is None or self.is_logged_on)

    def _may_proceed(self, frame: Frame | BadFrame) -> bool:
        if not self.is_logged_on:
            return self._log_on_asked is None
        return (
            (len(self._in_flight) < self.limits.max_in_flight and not self._is_held)
            or not self._takes_requests
            or isinstance(frame, BadFrame)
            or bool(self._controls.name(frame.template))
        )

    @property
    def _takes_requests(self) -> bool:
        return not self._is_draining and self._log_off_reference is None

    # --- log-on --------------------------------------------------------------------------------------------

    def _before_log_on(self, frame: Frame, now: datetime) -> list[e.Event]:
        wrong = ""
        message: ControlMessage | str = ""
        if frame.template != self._controls.template("logon") or frame.message_type != self._controls.message_type:
            wrong = "the first frame is no log-on"
        elif frame.session_id or frame.sequence != 1 or frame.direction != self.expects:
            wrong = "the log-on's header is not that of a first frame"
        elif any(self._rejects(meaning) for meaning in frame.faults):
            wrong = f"the log-on's frame is wrong: {', '.join(frame.faults)}"
        else:
            message = self._controls.read(frame.template, frame.body)
            if isinstance(message, str) or message.is_answer:
                wrong = "the log-on's text cannot be read"
        if wrong or isinstance(message, str):
            return [self._refused("session", wrong, frame), *self.close(wrong, now)]
        self._next_received = 2
        self.participant, self.terminal = frame.participant, frame.terminal
        keys = message.keys
        self._log_on_asked = e.LogOnAsked(
            frame.participant,
            frame.terminal,
            keys.get("user", ""),
            keys.get("credential", ""),
            message.reference,
        )
        return [self._log_on_asked]

    def accept_log_on(self, now: datetime) -> list[e.Event]:
        """Take the log-on: issue the session id."""
        asked = self._asked()
        if self.is_closed:
            return []
        self.is_logged_on = True
        keys = {"status": self._controls.accepted}
        self._send_control("logon", is_answer=True, now=now, reference=asked.reference, keys=keys)
        return self._go_on(now)

    def refuse_log_on(self, text: str, now: datetime) -> list[e.Event]:
        """Do not take the log-on: say why, close."""
        asked = self._asked()
        if self.is_closed:
            return []
        self.session_id = ""
        keys = {"status": self._controls.refused, "text": self._controls.text(text)}
        self._send_control("logon", is_answer=True, now=now, reference=asked.reference, keys=keys)
        return self.close(f"log-on refused: {text}", now)

    def _asked(self) -> e.LogOnAsked:
        if self._log_on_asked is None or self.is_logged_on:
            raise SessionError("answering a log-on: none was asked")
        return self._log_on_asked

    def _due_before_log_on(self, now: datetime) -> list[e.Event]:
        started = self._connected
        if started is not None and (now - started).total_seconds() >= self.limits.log_on_silence_s:
            return self.close("no log-on came", now)
        return []

    # --- requests ------------------------------------------------------------------------------------------

    def _business(self, frame: Frame, now: datetime) -> list[e.Event]:
        if (frame.template, frame.message_type) not in self.request_templates:
            text = f"{frame.template} of {frame.message_type} is no request known here"
            return self._refuse("template", text, frame, now)
        if not self._takes_requests:
            return self._refuse("busy", "no more requests are taken", frame, now)
        self._in_flight[frame.sequence] = _Asked(deque())
        return [e.RequestReceived(frame)]

    def _control(self, frame: Frame, message: ControlMessage, now: datetime) -> list[e.Event]:
        match message.control:
            case "acknowledge":
                return self._acknowledged(frame, message, now)
            case "logoff" if not message.is_answer and self._log_off_reference is None:
                self._log_off_reference = message.reference
                return self._log_off(now)
            case _:
                text = f"{frame.template} is not due from this side now"
                return self._refuse("template", text, frame, now)

    def answer(
        self,
        sequence: int,
        message_type: str,
        template: str,
        body: bytes,
        now: datetime,
        *,
        token: str | None = None,
        possible_duplicate: bool = False,
        is_last: bool = True,
    ) -> list[e.Event]:
        """Answer the request of that sequence number. Raises SessionError when it is not in flight.

        A request with several answers gets them in the order given and is in flight until the last one (`is_last`).
        Raises FramingError when no frame can hold the body; the request is in flight still.
        """
        if self.is_closed:
            return []
        asked = self._in_flight.get(sequence)
        if asked is None or asked.is_complete:
            raise SessionError(f"answering request {sequence}: it is not in flight")
        self._framing.check_body(body)
        asked.answers.append(_Answer(message_type, template, body, token, possible_duplicate))
        asked.is_complete = is_last
        return self._write_answers(now)

    def pass_over(self, sequence: int, now: datetime) -> list[e.Event]:
        """A request gets no answer of its own, as a part of a file that is not its last; its place is free again."""
        asked = self._in_flight.get(sequence)
        if asked is None or asked.answers:
            return []
        del self._in_flight[sequence]
        return self._write_answers(now)

    def refuse_request(self, sequence: int, meaning: str, text: str, now: datetime) -> list[e.Event]:
        """Refuse a request's frame in place of an answer (busy); its place is free again."""
        self._in_flight.pop(sequence, None)
        code = self.profile.code(meaning)
        self._tell_refusal(code, text, sequence, now)
        return [e.FrameRefused(meaning, code, text, b"", sequence), *self._write_answers(now)]

    def write_on(self, now: datetime) -> list[e.Event]:
        """Write the next answer that was kept back while the other side did not read; nothing where there is none."""
        return self._write_answers(now, most=1)

    def _write_answers(self, now: datetime, most: int = 1_000_000) -> list[e.Event]:
        found: list[e.Event] = []
        in_order = self.limits.answer_order == "request"
        for sequence, asked in list(self._in_flight.items()):
            # What the other side does not read is not piled up before it: an answer may have many large messages.
            while asked.answers and len(found) < most and not self._is_held:
                answer = asked.answers.popleft()
                number = self._send(
                    answer.message_type,
                    answer.template,
                    answer.body,
                    now,
                    possible_duplicate=answer.possible_duplicate,
                )
                if answer.possible_duplicate:
                    self._settled.append(number)
                found.append(e.AnswerWritten(answer.token))
            if asked.answers:
                break
            if asked.is_complete:
                del self._in_flight[sequence]
            elif in_order:
                break
        found += self._log_off(now)
        if self._frames and not self.is_closed:
            found += self._go_on(now)
        return found

    @property
    def held_answers(self) -> int:
        """How many answers wait for that of an earlier request."""
        return sum(len(asked.answers) for asked in self._in_flight.values())

    # --- deliveries ----------------------------------------------------------------------------------------

    @property
    def window_free(self) -> int:
        """How many more deliveries may be given now."""
        if not self.is_logged_on or self.is_closing or self._is_held or not self._takes_requests:
            return 0
        return max(0, self.limits.window - len(self._unacknowledged))

    @property
    def unacknowledged(self) -> tuple[str, ...]:
        """The tokens of deliveries not acknowledged yet, in order."""
        return tuple(self._unacknowledged)

    def deliver(
        self,
        token: str,
        message_type: str,
        template: str,
        body: bytes,
        now: datetime,
        *,
        possible_duplicate: bool = False,
    ) -> list[e.Event]:
        """Send what must be acknowledged. Raises SessionError when the window is full.

        Raises FramingError when no frame can hold the body; nothing was sent then.
        """
        if self.window_free <= 0:
            raise SessionError(f"delivering {token}: the window is full")
        self._framing.check_body(body)
        sent = _Sent(token, message_type, template, body, now)
        self._unacknowledged[token] = sent
        if self._acknowledge_since is None:
            self._acknowledge_since = now
        return [self._write_delivery(sent, now, possible_duplicate=possible_duplicate)]

    def _write_delivery(self, sent: _Sent, now: datetime, *, possible_duplicate: bool) -> e.Event:
        sequence = self._send(sent.message_type, sent.template, sent.body, now, possible_duplicate=possible_duplicate)
        sent.written = now
        sent.copies += 1
        sent.sequences.append(sequence)
        self._by_sequence[sequence] = sent.token
        return e.DeliveryWritten(sent.token, sent.copies)

    def _acknowledged(self, frame: Frame, message: ControlMessage, now: datetime) -> list[e.Event]:
        number = message.keys.get("sequence", "")
        if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
            return self._refuse("template", "the acknowledged number is missing", frame, now)
        token = self._by_sequence.get(int(number))
        sent = self._unacknowledged.pop(token, None) if token is not None else None
        if sent is None:
            if int(number) in self._settled:
                return []
            # Nothing was lost by it: it is told here, and the session goes on.
            return [self._refused("sequence", f"{number} is acknowledged, which was never delivered", frame)]
        for sequence in sent.sequences:
            self._by_sequence.pop(sequence, None)
        self._settled += sent.sequences
        self._rounds = 0
        oldest = next(iter(self._unacknowledged.values()), None)
        self._acknowledge_since = None if oldest is None else oldest.written
        return [e.DeliveryAcknowledged(sent.token), *(self._log_off(now) if self._is_draining else ())]

    def due(self, now: datetime) -> list[e.Event]:
        """As Session.due; and deliveries not acknowledged in time go again."""
        found = super().due(now)
        since = self._acknowledge_since
        if since is None or not self.wants_data or now < self._late(since, self.limits.acknowledge_s):
            return found
        if self._rounds >= self.limits.resend_rounds:
            return found + self.close(f"nothing was acknowledged in {self._rounds} rounds", now)
        self._rounds += 1
        self._acknowledge_since = now
        for sent in self._unacknowledged.values():
            found.append(self._write_delivery(sent, now, possible_duplicate=True))
        return found

    def next_due(self) -> datetime | None:
        """As Session.next_due, with log-on and acknowledgements."""
        times = [super().next_due()]
        if not self.is_logged_on and self._connected is not None and not self.is_closed:
            times.append(self._connected + timedelta(seconds=self.limits.log_on_silence_s))
        if self._acknowledge_since is not None and self.wants_data:
            times.append(self._late(self._acknowledge_since, self.limits.acknowledge_s))
        return min((time for time in times if time is not None), default=None)

    # --- the end -------------------------------------------------------------------------------------------

    def drain(self, now: datetime) -> list[e.Event]:
        """Take no more requests; close when those in flight are answered and all deliveries acknowledged."""
        self._is_draining = True
        found = self._go_on(now) if self._frames and self.is_logged_on else []
        return found + self._log_off(now)

    def _log_off(self, now: datetime) -> list[e.Event]:
        if self._in_flight or self.is_closed:
            return []
        if self._log_off_reference is not None:
            self._send_control("logoff", is_answer=True, now=now, reference=self._log_off_reference)
            return [e.LoggedOff(), *self.close("the PSS logged off", now)]
        if self._is_draining and not self._unacknowledged:
            return self.close("the PG stops", now)
        return []

    def _tell_refusal(self, code: str, text: str, sequence: int | None, now: datetime) -> None:
        # A refusal names a session's frame; before the log-on there is no session to name.
        if self.is_logged_on:
            keys = {"code": code, "text": self._controls.text(text)}
            if sequence is not None:
                keys = {"sequence": f"{sequence:06d}"} | keys
            self._send_control("refusal", is_answer=True, now=now, keys=keys)
