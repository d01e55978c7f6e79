"""The PSS's end of a session: what a back-office system does, for `send`, simulators and tests."""

from __future__ import annotations

from datetime import datetime

from pg_bridge.errors import SessionError
from pg_bridge.link import events as e
from pg_bridge.link.control import ControlMessage
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.link.session import MOST_DIGITS, Session


class PssSession(Session):
    """One PSS. With `acknowledges` False the driver calls `acknowledge` itself."""

    sends = "to_pg"
    expects = "to_pss"

    def __init__(self, profile: LinkProfile, *, participant: str, terminal: str, acknowledges: bool = True) -> None:
        super().__init__(profile)
        self.participant = participant
        self.terminal = terminal
        self._acknowledges = acknowledges
        self._unsolicited = frozenset(profile.unsolicited.templates)

    def log_on(self, user: str, credential: str, reference: str, now: datetime) -> None:
        """Ask to log on."""
        keys = {"user": user} | ({"credential": credential} if credential else {})
        self._send_control("logon", is_answer=False, now=now, reference=reference, keys=keys)

    def log_off(self, now: datetime, reference: str = "") -> None:
        """Ask to log off."""
        self._send_control("logoff", is_answer=False, now=now, reference=reference)

    def send(
        self,
        message_type: str,
        template: str,
        body: bytes,
        now: datetime,
        *,
        possible_duplicate: bool = False,
    ) -> int:
        """Send a business request; gives its sequence number. Raises SessionError before the log-on is accepted."""
        if not self.is_logged_on:
            raise SessionError("sending a request: not logged on")
        return self._send(message_type, template, body, now, possible_duplicate=possible_duplicate)

    def acknowledge(self, sequence: int, now: datetime) -> None:
        """Acknowledge the PG's frame of that number."""
        self._send_control("acknowledge", is_answer=False, now=now, keys={"sequence": f"{sequence:06d}"})

    def _before_log_on(self, frame: Frame, now: datetime) -> list[e.Event]:
        message = (
            self._controls.read(frame.template, frame.body)
            if frame.template == self._controls.template("logon")
            else "no answer to the log-on"
        )
        if isinstance(message, str) or frame.sequence != 1 or not message.is_answer:
            return self.close("the answer to the log-on cannot be read", now)
        self._next_received = 2
        if message.keys.get("status") != self._controls.accepted:
            text = message.keys.get("text", "")
            return [e.LogOnRefused(text), *self.close(f"log-on refused: {text}", now)]
        self.session_id = frame.session_id
        self.is_logged_on = True
        return [e.LoggedOn(frame.session_id)]

    def _business(self, frame: Frame, now: datetime) -> list[e.Event]:
        if frame.template not in self._unsolicited and not frame.possible_duplicate:
            return [e.AnswerReceived(frame)]
        if self._acknowledges:
            self.acknowledge(frame.sequence, now)
        return [e.UnsolicitedReceived(frame)]

    def _control(self, frame: Frame, message: ControlMessage, now: datetime) -> list[e.Event]:
        if message.control == "refusal":
            number = message.keys.get("sequence", "0")
            is_number = number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS
            sequence = int(number) if is_number else 0
            return [e.RequestRefused(sequence, message.keys.get("code", ""), message.keys.get("text", ""))]
        if message.control == "logoff" and message.is_answer:
            return [e.LoggedOff(), *self.close("logged off", now)]
        return []
