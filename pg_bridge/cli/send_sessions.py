"""The sessions of `pg-bridge send`: requests spread over them at a rate, answers awaited, what comes unasked taken."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.cli.send_outcome import Asked
from pg_bridge.cli.send_reports import without_data
from pg_bridge.cli.send_requests import Outgoing
from pg_bridge.cli.world import utc_now
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link import events as link
from pg_bridge.link.framing import Frame
from pg_bridge.link.parts import PartsForm
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.pss import ScriptedPss

Fact = dict[str, Any]
#: told of each thing that comes, with the frame if it came in one
Say = Callable[[Fact, Frame | None], None]
_TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Conversation:
    """How to talk: where, as whom, on how many sessions, how fast (requests a second, 0: at once), and how long
    to wait in silence, for answers and then for what comes unasked.
    """

    host: str
    port: int
    participant: str
    terminal: str
    user: str
    sessions: int = 1
    rate: float = 0.0
    wait_s: float = 3.0
    listen_s: float = 3.0
    tls: ssl.SSLContext | None = None

    def terminals(self) -> list[str]:
        """The terminal of each session: as named, or for several, its first character and a number."""
        if self.sessions == 1:
            return [self.terminal]
        return [f"{self.terminal[:1]}{number:03d}" for number in range(1, self.sessions + 1)]


class _Seat(ScriptedPss):
    """One session, with what it asked; tells `say` of each thing that comes, and wakes who waits."""

    def __init__(self, asked: Asked, say: Say, came: asyncio.Event, **named: Any) -> None:
        super().__init__(**named)
        self.asked = asked
        self.is_ending = False
        self._say = say
        self._came = came

    def happened(self, event: link.Event) -> None:
        """Note what it means, and say it."""
        self._came.set()
        terminal = self.session.terminal
        match event:
            case link.AnswerReceived(frame) | link.UnsolicitedReceived(frame):
                sequence = self.asked.answered(frame)
                outcome = self.asked.outcomes.get(sequence, "")
                self._say(_message_fact(frame, terminal, sequence, outcome, self.asked.parts), frame)
            case link.RequestRefused(sequence, code, text):
                self.asked.refused(sequence)
                told = f"frame {sequence}: {code} {text}"
                self._say({"what": "refused", "terminal": terminal, "request": sequence, "text": told}, None)
            case link.Closed(reason) if not self.is_ending:
                self._say({"what": "closed", "terminal": terminal, "text": reason}, None)


def _message_fact(frame: Frame, terminal: str, request: int, outcome: str, form: PartsForm | None) -> Fact:
    def shown(text: str) -> str:
        return without_data(form, text) if form is not None else text

    return {
        "what": "answer" if request else "unasked",
        "terminal": terminal,
        "request": request or None,
        "outcome": outcome or None,
        "template": frame.template,
        "message_type": frame.message_type,
        "sequence": frame.sequence,
        "possible_duplicate": frame.possible_duplicate,
        "text": shown(frame.body.decode("latin-1")),
        "bytes": shown(frame.raw.decode("latin-1")),
        "fields": [
            {"path": field.path, "tag": field.tag, "qualifier": field.qualifier, "value": shown(field.value)}
            for field in read(frame.body).fields
        ],
    }


async def converse(
    how: Conversation,
    requests: Sequence[Outgoing],
    files: Mapping[str, str],
    profile: LinkProfile,
    say: Say,
) -> dict[str, int]:
    """Log on, send, wait, log off; gives how many were sent, accepted, refused and unanswered.

    Raises SessionError when a session cannot be had.
    """
    came = asyncio.Event()
    seats = [
        _Seat(
            Asked(files, profile),
            say,
            came,
            profile=profile,
            participant=how.participant,
            terminal=terminal,
            clock=utc_now,
        )
        for terminal in how.terminals()
    ]
    ticking = asyncio.create_task(_tick(seats))
    try:
        for seat in seats:
            await seat.connect(how.host, how.port, tls=how.tls)
            await seat.log_on(how.user)
        unsent = await _send_all(seats, requests, how, came, profile.limits.max_in_flight)
        await _until(came, lambda: not any(seat.asked.open and seat.is_connected for seat in seats), how.wait_s)
        await _until(came, lambda: not _is_any_on(seats), how.listen_s)
        for seat in seats:
            seat.is_ending = True
            # A log-off is answered behind the last answer; what is late is had at the next log-on.
            if seat.is_connected and not seat.asked.open:
                with contextlib.suppress(TimeoutError):
                    await seat.log_off()
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        for seat in seats:
            seat.is_ending = True
            seat.close()
    outcomes = [outcome for seat in seats for outcome in seat.asked.outcomes.values()]
    return {
        "sent": len(outcomes),
        "accepted": outcomes.count("accepted"),
        "refused": outcomes.count("refused"),
        "unanswered": outcomes.count("unanswered") + unsent,
    }


async def _send_all(
    seats: list[_Seat], requests: Sequence[Outgoing], how: Conversation, came: asyncio.Event, most: int
) -> int:
    """Send in turn on each session that is up; gives how many could not be sent."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, request in enumerate(requests):
        if how.rate:
            await asyncio.sleep(max(0.0, began + number / how.rate - loop.time()))
        first = (number if request.turn is None else request.turn) % len(seats)
        turn = seats[first:] + seats[:first]
        # Beyond `most` in flight the other side reads no more; what is behind would only wait in the socket.
        await _until(came, lambda: _free(turn, most) is not None or not _is_any_on(turn), how.wait_s)  # noqa: B023 - used at once
        seat = _free(turn, most)
        if seat is None:
            return len(requests) - number
        seat.asked.sent(seat.send(request.message_type, request.template, request.body), request)
    return 0


def _free(seats: Sequence[_Seat], most: int) -> _Seat | None:
    return next((seat for seat in seats if seat.is_connected and seat.asked.open < most), None)


def _is_any_on(seats: Sequence[_Seat]) -> bool:
    return any(seat.is_connected for seat in seats)


async def _until(came: asyncio.Event, is_done: Callable[[], bool], wait_s: float) -> None:
    """Return when `is_done` holds, or when nothing has come on any session for `wait_s`."""
    while not is_done():
        came.clear()
        try:
            await asyncio.wait_for(came.wait(), wait_s)
        except TimeoutError:
            return


async def _tick(seats: list[_Seat]) -> None:
    """Heartbeats and time-outs of our own end."""
    while True:
        await asyncio.sleep(_TICK_S)
        for seat in seats:
            seat.tick()
