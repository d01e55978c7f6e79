"""The TCP listener: accepts connections, knows which sessions are on, fulfils `exchange.ports.Sessions`.

Four times a second it looks after time-outs, and asks the kernel which answers have left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from pg_bridge.exchange.actions import Answer, NoAnswer, Refuse
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.link.profile import LinkProfile
from pg_bridge.pss.connection import Connection
from pg_bridge.pss.desk import Desk, ListenerOptions
from pg_bridge.pss.handshake import BACKLOG, TlsServer
from pg_bridge.pss.turned_away import TurnedAway

_LOOK_EVERY_S = 0.25
#: how long the last bytes of a session may take to leave
_LEAVE_S = 0.5


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
        self.options = options
        self.profile = self._as_set(profile)
        self.desk = desk
        self.turned_away = TurnedAway(desk)
        self.request_templates = request_templates
        self.session_id = session_id
        self.clock = clock
        self.by_session: dict[str, Connection] = {}
        #: participant -> its logged-on connections, oldest first
        self.by_participant: dict[str, list[Connection]] = {}
        self.connections: set[Connection] = set()
        self._servers: list[asyncio.Server | TlsServer] = []
        self._sweep: asyncio.Task[None] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that we listen on: the primary node's."""
        return self.addresses[0]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each node that PSSs may dial, the primary first."""
        if not self._servers:
            return self._nodes()
        names = [server.sockets[0].getsockname() for server in self._servers]
        return [(str(name[0]), int(name[1])) for name in names]

    def _nodes(self) -> list[tuple[str, int]]:
        options = self.options
        return [(options.host, options.port), *((options.secondary,) if options.secondary is not None else ())]

    async def start(self) -> None:
        """Begin to accept. Raises OSError when an address cannot be bound; then none is."""
        loop = asyncio.get_running_loop()
        try:
            for host, port in self._nodes():
                tls = self.options.tls
                if tls is None:
                    self._servers.append(await loop.create_server(self.agreed, host, port, backlog=BACKLOG))
                else:
                    server = TlsServer(self, tls)
                    await server.start(host, port)
                    self._servers.append(server)
        except OSError:
            for bound in self._servers:
                bound.close()
            self._servers.clear()
            raise
        self._sweep = loop.create_task(self._sweeping())

    def _as_set(self, profile: LinkProfile) -> LinkProfile:
        """The profile, with what this installation sets otherwise."""
        if not self.options.answer_order:
            return profile
        limits = msgspec.structs.replace(profile.limits, answer_order=self.options.answer_order)
        return msgspec.structs.replace(profile, limits=limits)

    # --- pss.handshake.Taker -------------------------------------------------------------------------------

    @property
    def handshake_s(self) -> float:
        """Who does not shake hands is as silent as who does not log on."""
        return self.profile.limits.log_on_silence_s

    @property
    def handshakes(self) -> int:
        """How many connections have dialled and not agreed on TLS yet."""
        return sum(server.handshakes for server in self._servers if isinstance(server, TlsServer))

    @property
    def room(self) -> int:
        """How many more connections are taken."""
        return self.options.most_connections - len(self.connections) - self.handshakes

    def agreed(self) -> Connection:
        """A connection that is in order so far."""
        return Connection(self)

    def refused(self, address: str, text: str) -> None:
        """A connection on which it is not."""
        self.turned_away.tell("", "", address, text, self.clock())

    def take(self, profile: LinkProfile, request_templates: frozenset[tuple[str, str]]) -> None:
        """New connections follow `profile`; those that are there keep their framing, and take these requests."""
        self.profile = self._as_set(profile)
        self.request_templates = request_templates
        for connection in self.connections:
            connection.session.request_templates = request_templates

    async def close(self, reason: str = "the bridge stops") -> None:
        """Accept no more; wait up to `drain_s` for answers and acknowledgements; close every session.

        What is not answered or acknowledged by then is for the next start.
        """
        for server in self._servers:
            server.close()
        now = self.clock()
        for connection in list(self.connections):
            connection.drain(now)
        if self.connections:
            await asyncio.wait([connection.is_lost for connection in self.connections], timeout=self.options.drain_s)
        for connection in list(self.connections):
            connection.end(reason)
        if self.connections:
            await asyncio.wait([connection.is_lost for connection in self.connections], timeout=_LEAVE_S)
        for connection in list(self.connections):
            connection.cut(reason)
        if self._sweep is not None:
            self._sweep.cancel()
            await asyncio.gather(self._sweep, return_exceptions=True)
        for server in self._servers:
            if isinstance(server, TlsServer):
                await server.wait_closed()
        await asyncio.sleep(0)
        self.turned_away.end()

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self.look_after()

    def look_after(self) -> None:
        """Do what is due by now on every session."""
        now = self.clock()
        for connection in list(self.connections):
            connection.look_after(now)
        self.turned_away.look_after(now)

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

    def pass_over(self, passed: NoAnswer) -> None:
        """Give a request no answer; nothing when its session is gone."""
        connection = self.by_session.get(passed.session)
        if connection is not None:
            connection.pass_over(passed.sequence)

    def refuse(self, refusal: Refuse) -> None:
        """Refuse the frame of a request; nothing when its session is gone."""
        connection = self.by_session.get(refusal.session)
        if connection is not None:
            connection.refuse(refusal.sequence, refusal.text)

    def deliver(self, session: str, delivery: Delivery) -> bool:
        """Give a session one delivery; False when it is gone or full."""
        connection = self.by_session.get(session)
        return connection is not None and connection.deliver(delivery)

    def has_room(self, session: str, *, is_delivery: bool) -> bool:
        """Whether a large answer or delivery may be given now; a session that is gone need not be waited for."""
        connection = self.by_session.get(session)
        return connection is None or connection.has_room(is_delivery=is_delivery)
