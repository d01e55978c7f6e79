"""The pretend PG's door: its nodes, who may log on, and which session gets what comes unasked.

The session itself is link/pg_session.py; time-outs are of the wall, headers tell the simulated time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from pg_bridge.errors import ConfigError
from pg_bridge.link import events as link
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.gateway_desk import Desk
from pg_bridge.simulator.gateway_line import Line
from pg_bridge.simulator.gateway_post import Post
from pg_bridge.simulator.gateway_session import WrongFramings
from pg_bridge.simulator.wire_faults import AT_ONCE, WireFault, WireFaultKind, WireFaults

_LOOK_EVERY_S = 0.25
_BACKLOG = 1024
_SESSION_ID = 10
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class DoorOptions:
    """Who may come in. participants: those known (None: all). credentials: participant -> what it must show (absent:
    nothing). ports: of each node, 0 for a free one."""

    host: str = "127.0.0.1"
    ports: tuple[int, ...] = (0,)
    participants: frozenset[str] | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    most_sessions: int = 4
    most_connections: int = 2_000
    tls: ssl.SSLContext | None = None


class Door:
    """Listens on every node, knows the sessions. wall: aware UTC, for time-outs; seed: of session ids and faults."""

    def __init__(
        self,
        profile: LinkProfile,
        options: DoorOptions,
        desk: Desk,
        *,
        request_templates: frozenset[tuple[str, str]],
        wall: Callable[[], datetime],
        seed: int = 0,
    ) -> None:
        self.profile = profile
        self.options = options
        self.desk = desk
        self.request_templates = request_templates
        self.wall = wall
        self.wrong_framings = WrongFramings(profile)
        self.faults = WireFaults(seed)
        self.post = Post()
        self.lines: set[Line] = set()
        #: participant -> its sessions, oldest first
        self.sessions: dict[str, list[Line]] = {}
        #: frames that were no good, since the start
        self.refused_frames = 0
        self._seed = seed
        self._opened = 0
        self._servers: list[asyncio.Server] = []
        self._addresses: list[tuple[str, int]] = []
        self._looking: asyncio.Task[None] | None = None
        self._is_away = False
        self._is_spreading = False
        self._coming_back: set[asyncio.Task[None]] = set()

    # --- listening

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each node, the primary first."""
        return list(self._addresses)

    @property
    def is_away(self) -> bool:
        """Whether it went away by order."""
        return self._is_away

    async def start(self) -> None:
        """Begin to accept. Raises ConfigError when an address cannot be bound; then none is."""
        await self._listen([(self.options.host, port) for port in self.options.ports])
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _listen(self, addresses: list[tuple[str, int]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            for host, port in addresses:
                server = await loop.create_server(
                    lambda: Line(self), host, port, backlog=_BACKLOG, ssl=self.options.tls
                )
                self._servers.append(server)
        except OSError as error:
            self._unlisten()
            raise ConfigError(f"binding {host}:{port}: {error.strerror}") from error
        names = [server.sockets[0].getsockname() for server in self._servers]
        self._addresses = [(str(name[0]), int(name[1])) for name in names]

    def _unlisten(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def close(self) -> None:
        """Accept no more, end every session."""
        self._unlisten()
        tasks = [*self._coming_back, *((self._looking,) if self._looking is not None else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.cut_all()
        # the connections' ends are told in the loop's next turns
        await asyncio.sleep(0)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.look_after()

    def look_after(self) -> None:
        """Do what is due by now on every session, and hand out what came unasked."""
        now = self.wall()
        for line in list(self.lines):
            line.look_after(now)
        self.spread()

    # --- going wrong

    def order(self, fault: WireFault) -> int:
        """Have this go wrong; at once where its kind says so. Gives how many sessions it met at once."""
        if fault.kind not in AT_ONCE:
            self.faults.order(fault)
            return 0
        met = [line for line in self.lines if fault.concerns(line.participant, line.terminal)]
        if fault.kind is WireFaultKind.AWAY:
            self._go_away(fault.delay_s)
            return len(met)
        for line in met:
            line.cut()
        return len(met)

    def cut_all(self) -> None:
        """End every connection without another byte."""
        for line in list(self.lines):
            line.cut()

    def _go_away(self, for_s: float) -> None:
        if self._is_away:
            return
        self._is_away = True
        self._unlisten()
        self.cut_all()
        if for_s:
            asyncio.get_running_loop().call_later(for_s, self._come_back)
        else:
            self.faults.when_cleared(self._come_back)

    def _come_back(self) -> None:
        if not self._is_away:
            return
        task = asyncio.get_running_loop().create_task(self._come_back_to(self._addresses))
        self._coming_back.add(task)
        task.add_done_callback(self._coming_back.discard)

    async def _come_back_to(self, addresses: list[tuple[str, int]]) -> None:
        await self._listen(addresses)
        self._is_away = False

    # --- sessions

    def session_id(self) -> str:
        """A new session id: from the seed and how many were issued."""
        self._opened += 1
        # ids must repeat from the seed
        chance = Random(f"{self._seed} session {self._opened}")  # noqa: S311
        return "".join(chance.choices(_LETTERS, k=_SESSION_ID))

    def has_room(self) -> bool:
        """Whether one more connection is taken."""
        return not self._is_away and len(self.lines) < self.options.most_connections

    def why_not(self, asked: link.LogOnAsked) -> str:
        """Why a log-on is refused; empty when it is not."""
        options = self.options
        if options.participants is not None and asked.participant not in options.participants:
            return "PARTICIPANT UNKNOWN HERE"
        if options.credentials.get(asked.participant, asked.credential) != asked.credential:
            return "CREDENTIAL WRONG"
        on = self.sessions.get(asked.participant, [])
        if len(on) >= options.most_sessions and all(line.terminal != asked.terminal for line in on):
            return "TOO MANY SESSIONS OF THIS PARTICIPANT"
        return ""

    def enter(self, line: Line) -> None:
        """A session is on; an older one of its terminal ends."""
        on = self.sessions.setdefault(line.participant, [])
        for older in [one for one in on if one.terminal == line.terminal]:
            older.replaced()
        self.sessions.setdefault(line.participant, []).append(line)

    def leave(self, line: Line) -> None:
        """A session is over."""
        on = self.sessions.get(line.participant, [])
        if line in on:
            on.remove(line)
        if not on:
            self.sessions.pop(line.participant, None)
        self.desk.ended(line.participant, line.terminal)

    # --- post

    def spread(self) -> None:
        """Hand out what came unasked since the last time, and what was put back."""
        if self._is_spreading:
            return
        self._is_spreading = True
        try:
            self.post.put(self.desk.unasked())
            for participant in sorted(self.post.fresh()):
                self._hand_out(participant)
        finally:
            self._is_spreading = False

    def freed(self, participant: str) -> None:
        """A session of the participant may be given something."""
        if not self._is_spreading and len(self.post):
            self._hand_out(participant)

    def _hand_out(self, participant: str) -> None:
        seats = [line for line in self.sessions.get(participant, ()) if not line.session.is_closing]
        self.post.hand_out(participant, seats)
