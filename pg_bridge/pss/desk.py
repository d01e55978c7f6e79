"""What the TCP side needs: whom it tells what happens, and how it is set up."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pg_bridge.link import events as link


class Desk(Protocol):
    """Who is told of what happens on the sessions."""

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        ...

    def opened(self, session: str, participant: str, terminal: str, address: str) -> None:
        """A PSS logged on."""
        ...

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        """A connection or log-on was not accepted."""
        ...

    def closed(self, session: str, participant: str, reason: str) -> None:
        """A session that was logged on ended."""
        ...

    def request(self, session: str, participant: str, terminal: str, frame: link.RequestReceived) -> None:
        """A business request came."""
        ...

    def frame_refused(
        self, session: str, participant: str, address: str, code: str, text: str, raw: bytes, size: int
    ) -> None:
        """Bytes were no frame, or a frame was not legal."""
        ...

    def freed(self, participant: str) -> None:
        """A session of the participant may be given deliveries again."""
        ...

    def answer_written(self, token: str) -> None:
        """A copy of an answer was given to the socket."""
        ...

    def answers_left(self, session: str, tokens: Sequence[str]) -> None:
        """These answers are known to have left."""
        ...

    def acknowledged(self, participant: str, token: str) -> None:
        """A delivery was acknowledged."""
        ...


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Where we listen and whom we let in. Participants map to the source addresses allowed (empty: any)."""

    host: str = "127.0.0.1"
    port: int = 0
    participants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    most_sessions: int = 4
    most_connections: int = 2_000
    #: when more bytes than this wait for a slow reader, nothing more is read from it or delivered to it ...
    pause_unsent: int = 262_144
    #: ... until no more than this wait ...
    resume_unsent: int = 65_536
    #: ... and after this many seconds of it, or with more bytes than this, it is disconnected
    slow_reader_s: float = 30.0
    most_unsent: int = 8_388_608
    #: how long the end waits for answers to what is in flight, and for acknowledgements
    drain_s: float = 5.0
    tls: ssl.SSLContext | None = None
    #: host and port of a second node that PSSs may dial, with sessions of the same participants
    secondary: tuple[str, int] | None = None
    #: empty: as the link profile says
    answer_order: Literal["", "request", "any"] = ""
