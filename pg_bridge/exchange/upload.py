"""Batch files as the bridge knows them at one moment: coming, taken, and known to have been entered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pg_bridge.exchange.kinds.files import Item
from pg_bridge.link.parts import Assembly

if TYPE_CHECKING:
    from pg_bridge.exchange.events import FileArrived, RequestArrived


@dataclass(slots=True)
class Upload:
    """A batch file that was taken, until its report has left. open: its exchanges whose outcome is awaited."""

    id: str
    name: str
    read: int
    records: tuple[str, ...]
    items: list[Item]
    open: set[str]


@dataclass(slots=True)
class KnownFile:
    """A file that was entered: the SHA-256 of its content, its exchange, and the Hong Kong day on which it came."""

    sha256: str
    exchange: str
    taken_on: str


@dataclass(slots=True)
class Intake:
    """Not folded: the files of a participant that are coming, one at a time.

    session: on which the parts under way come; mark: of that file, for its time-out; judging: the file that is judged;
    waiting: what came meanwhile of other files.
    """

    assembly: Assembly
    session: str = ""
    mark: int = 0
    judging: FileArrived | None = None
    waiting: deque[RequestArrived | FileArrived] = field(default_factory=deque)
