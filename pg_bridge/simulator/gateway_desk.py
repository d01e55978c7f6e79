"""What the pretend PG's door needs of what stands behind it, and what it is given to send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pg_bridge.link.framing import Frame


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to send. body: lines, each ending in CRLF."""

    message_type: str
    template: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Unasked:
    """A message that comes unasked. terminal: which entered what it is about, empty when that is not known.

    subject: what it is about (an SI number); those about one subject are never overtaken by each other.
    """

    participant: str
    terminal: str
    subject: str
    reply: Reply


class Desk(Protocol):
    """Who does the work behind the door."""

    def take(self, participant: str, terminal: str, frame: Frame) -> Sequence[Reply]:
        """Do a request; its answers in order; none: as to a part of a file that is not its last."""
        ...

    def unasked(self) -> Sequence[Unasked]:
        """What is to be sent unasked since the last call, in order."""
        ...

    def ended(self, participant: str, terminal: str) -> None:
        """A session has ended."""
        ...

    def stamp(self) -> str:
        """The moment that headers tell, as they write it."""
        ...
