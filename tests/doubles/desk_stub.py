"""A listener on a real socket with a desk that notes what it is told, and PSSs that need not read."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from itertools import count

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.actions import Answer
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.record import Reply
from pg_bridge.link import events as link
from pg_bridge.link.framing import Frame, FrameReader, Framing, Header
from pg_bridge.pss.desk import ListenerOptions
from pg_bridge.pss.listener import Listener
from tests.doubles.link_pair import REQUESTS, shipped_profile


class NotingDesk:
    """Notes what happens; with `reply` answers each request at once with that text block."""

    is_full = False

    def __init__(self, reply: str = "") -> None:
        self.reply = reply
        self.listener: Listener | None = None
        self.sessions: list[str] = []
        self.refusals: list[str] = []
        self.ends: list[str] = []
        self.requests: list[link.RequestReceived] = []
        #: goes out when a session may be given deliveries again
        self.waiting: list[Delivery] = []
        self.left: list[str] = []
        self.acknowledgements: list[str] = []
        self._changed = asyncio.Event()

    async def until(self, happened: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Return when `happened` holds, looked at whenever something was noted. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    def opened(self, session: str, participant: str, terminal: str, address: str) -> None:
        self.sessions.append(session)
        self._changed.set()

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        self.refusals.append(text)
        self._changed.set()

    def closed(self, session: str, participant: str, reason: str) -> None:
        self.ends.append(reason)
        self._changed.set()

    def request(self, session: str, participant: str, terminal: str, frame: link.RequestReceived) -> None:
        self.requests.append(frame)
        if self.reply and self.listener is not None:
            sequence = frame.frame.sequence
            self.listener.answer(Answer(session, sequence, f"X{sequence}", Reply("SI51", "548", self.reply)))
        self._changed.set()

    def frame_refused(
        self, session: str, participant: str, address: str, code: str, text: str, raw: bytes, size: int
    ) -> None:
        self.refusals.append(f"{code}: {text}")
        self._changed.set()

    def freed(self, participant: str) -> None:
        if self.listener is not None:
            seat = self.listener.seats(participant)[0]
            for waiting in self.waiting[: seat.window_free]:
                self.listener.deliver(seat.session, waiting)
            del self.waiting[: seat.window_free]
        self._changed.set()

    def answer_written(self, token: str) -> None:
        self._changed.set()

    def answers_left(self, session: str, tokens: Sequence[str]) -> None:
        self.left += tokens
        self._changed.set()

    def acknowledged(self, participant: str, token: str) -> None:
        self.acknowledgements.append(token)
        self._changed.set()


def delivery(name: str, text: str) -> Delivery:
    """A delivery of that text block."""
    return Delivery(name, "B01234", "PSS1", "", Reply("SI60", "548", text))


@contextlib.asynccontextmanager
async def listening(
    desk: NotingDesk,
    limits: Mapping[str, object] | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    **options: object,
) -> AsyncIterator[Listener]:
    """A listener for participant B01234 from any address unless `options` say otherwise; `limits` of the link profile.

    By another clock than the real one it looks after its sessions only when it is told to (`look_after`).
    """
    chosen = {"participants": {"B01234": frozenset()}} | options
    numbers = count(1)
    listener = Listener(
        shipped_profile(**(limits or {})),
        ListenerOptions(**chosen),  # type: ignore[arg-type]
        desk,
        request_templates=REQUESTS,
        session_id=lambda: f"S{next(numbers):09d}",
        clock=clock,
    )
    desk.listener = listener
    await listener.start()
    if clock is not utc_now and listener._sweep is not None:
        listener._sweep.cancel()
    try:
        yield listener
    finally:
        await listener.close()


async def until(holds: Callable[[], bool]) -> None:
    """Return when what nobody is told of holds: somebody dialled, half a frame was read. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - lets the sockets be read, waits for no time
            await asyncio.sleep(0)


class DeafPss:
    """A PSS on a plain socket with a small receive buffer: writes frames, reads only when told to."""

    def __init__(self, listener: Listener, terminal: str = "PSS1", *, node: int = 0) -> None:
        self._address = listener.addresses[node]
        self._terminal = terminal
        self._framing = Framing(listener.profile)
        self._sequence = 0
        self._session = ""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.setblocking(False)

    async def log_on(self) -> None:
        """Dial and log on."""
        await self.dial()
        await self.send("598", "LGON", b":20:L1\r\n:12:001\r\n:77E:USER/OPS1\r\n")
        answer = await self.read(4_096)
        (frame,) = FrameReader(self._framing).feed(answer)
        assert isinstance(frame, Frame)
        self._session = frame.session_id

    async def send(self, message_type: str, template: str, body: bytes) -> None:
        """Write one frame."""
        self._sequence += 1
        header = Header(
            "B01234",
            self._terminal,
            self._session,
            self._sequence,
            "to_pg",
            message_type,
            template,
            "20261123093000",
            False,
        )
        await self.send_bytes(self._framing.write(header, body))

    async def dial(self) -> None:
        """Dial, and say nothing."""
        await asyncio.get_running_loop().sock_connect(self._socket, self._address)

    async def send_bytes(self, data: bytes) -> None:
        """Write anything at all."""
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def read_until(self, mark: bytes) -> bytes:
        """Read until `mark` comes: what came last, with it."""
        got = b""
        while mark not in got:
            got = got[-len(mark) :] + await self.read()
        return got

    async def read(self, most: int = 1_048_576) -> bytes:
        """Read once."""
        return await asyncio.get_running_loop().sock_recv(self._socket, most)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
