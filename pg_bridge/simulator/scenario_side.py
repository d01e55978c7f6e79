"""One PSS of a scenario: its connections one after another, what came over them, and what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pg_bridge.errors import SessionError
from pg_bridge.link import events as link
from pg_bridge.link.parts import PartsForm, split, write_part
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.pss import Received, ScriptedPss
from pg_bridge.simulator.scenario import Alteration, Message, Upload
from pg_bridge.simulator.scenario_fields import filled
from pg_bridge.simulator.scenario_record import WireRecord

_LATIN = "latin-1"


class _Listening(ScriptedPss):
    """A PSS that keeps what comes in the list of its side, and rings."""

    side: Side
    came: asyncio.Event
    number = 0
    alteration: Alteration | None = None
    #: keeps what it sends until the last of several
    gathers = False

    def flush(self) -> None:
        """Send what the session wants to send, unless more comes with it."""
        if not self.gathers:
            super().flush()

    def happened(self, event: link.Event) -> None:
        """Keep a business message, or what is told of a frame that was refused."""
        if isinstance(event, link.AnswerReceived | link.UnsolicitedReceived):
            got = Received(event.frame, self._clock(), isinstance(event, link.AnswerReceived))
            self.side.waiting.append(got)
        elif isinstance(event, link.RequestRefused):
            self.side.refused.append(event)
        self.came.set()

    def received_bytes(self, data: bytes) -> None:
        """Keep them for who asks what was heard, and for the record."""
        self.side.heard.extend(data)
        self._record("came", data)

    def sent_bytes(self, data: bytes) -> bytes:
        """Change what is to be changed of them."""
        if self.alteration is not None:
            find, put = (text.encode(_LATIN) for text in (self.alteration.find, self.alteration.put))
            data, self.alteration = data.replace(find, put, 1), None
        self._record("sent", data)
        return data

    def _record(self, way: str, data: bytes) -> None:
        if self.side.record is not None:
            self.side.record.add(f"PSS {self.participant} {self.side.terminal} {self.number} {way}", data)


@dataclass(slots=True)
class Side:
    """One PSS: its connection now, and what came and was not expected yet, over all its connections.

    heard: the bytes that came since the step began.
    """

    participant: str
    terminal: str
    profile: LinkProfile
    clock: Callable[[], datetime]
    came: asyncio.Event
    record: WireRecord | None = None
    waiting: list[Received] = field(default_factory=list)
    refused: list[link.RequestRefused] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    _pss: _Listening | None = None
    _connections: int = 0

    @property
    def is_on(self) -> bool:
        """Whether its connection stands."""
        return self._pss is not None and self._pss.is_connected

    async def log_on(self, host: str, port: int, *, acknowledges: bool = True) -> None:
        """Dial, in place of the connection that there was, and log on. Raises SessionError."""
        if self._pss is not None:
            self._pss.close()
        self._connections += 1
        pss = _Listening(
            self.profile,
            participant=self.participant,
            terminal=self.terminal,
            clock=self.clock,
            acknowledges=acknowledges,
        )
        pss.side, pss.came, pss.number = self, self.came, self._connections
        self._pss = pss
        await pss.connect(host, port)
        await pss.log_on()

    def _connected(self, doing: str) -> _Listening:
        if self._pss is None or not self._pss.is_connected:
            raise SessionError(f"{doing}: {self.participant} is not on")
        return self._pss

    async def log_off(self) -> None:
        """Log off; nothing where it is not on."""
        if self._pss is not None and self._pss.is_connected:
            await self._pss.log_off()

    def cut(self) -> None:
        """Cut the connection."""
        self._connected("cutting").abort()

    def close(self) -> None:
        """Close the connection without a word."""
        if self._pss is not None:
            self._pss.close()

    def tick(self) -> None:
        """Do what time asks of the PSS's end."""
        if self._pss is not None:
            self._pss.tick()

    # --- sending

    def gather(self, *, is_last: bool) -> None:
        """What is sent from now on goes in one piece with what follows, until the last."""
        if self._pss is not None:
            self._pss.gathers = not is_last

    def send(
        self, message: Message, fill: dict[str, str], *, copy: bool = False, alter: Alteration | None = None
    ) -> None:
        """Send a message with its holes filled. Raises SessionError."""
        pss = self._connected("sending a message")
        pss.alteration = alter
        pss.send(message.message_type, message.template, wire(message.body, fill), possible_duplicate=copy)

    def upload(self, form: PartsForm, upload: Upload, fill: dict[str, str]) -> tuple[int, int]:
        """Send a whole file; gives its size in bytes and the number of its parts. Raises SessionError."""
        pss = self._connected("sending a file")
        if upload.part:
            form = PartsForm(form.keys, form.line, upload.part, form.largest, form.name_width)
        content = wire(upload.content, fill)
        day = self.clock().astimezone(HONG_KONG).date()
        sent = split(form, filled(upload.name, fill), day, content)
        for part in sent:
            head = filled(upload.head, fill | {"part": f"{part.number:06d}"}).strip("\n")
            body = head + "\n".join(write_part(form, part)) + "\n"
            pss.send(upload.message_type, upload.template, wire(body, {}))
        return len(content), len(sent)


def wire(text: str, fill: dict[str, str]) -> bytes:
    """The text with holes filled and lines ended as on the wire. Raises SessionError for what is not ASCII."""
    try:
        return filled(text.lstrip("\n"), fill).replace("\n", "\r\n").encode("ascii")
    except UnicodeEncodeError as error:
        raise SessionError(f"sending a message: {error.reason}") from error
