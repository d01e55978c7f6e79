"""What the core wants done, and what it decided. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from pg_bridge.exchange.entries import Entry
from pg_bridge.exchange.events import FileArrived
from pg_bridge.exchange.records import Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the request that came with `sequence` on `session`; `token` comes back when it was written.

    token: the exchange; None of a frame that is not the last one of its answer. is_last: no further answer of
    this request comes.
    """

    session: str
    sequence: int
    token: str | None
    reply: Reply
    possible_duplicate: bool = False
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A drop folder's file has ended: `reply` is its report, `more` what of a long one does not fit in it.

    outcome: `refused` when nothing of it was entered.
    """

    exchange: str
    participant: str
    claim: str
    name: str
    outcome: str
    reply: Reply
    more: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request that came with `sequence` on `session` gets no answer of its own: its place is free."""

    session: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge a whole file."""

    file: FileArrived


@dataclass(frozen=True, slots=True)
class WatchParts:
    """Say PartsOverdue with this mark after `after_s` seconds."""

    participant: str
    mark: int
    after_s: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse the frame of a request in place of an answer; nothing was done."""

    session: str
    sequence: int
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Make (or make again, with the same id and body) this call, after `after_s` seconds."""

    request_id: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """Ask OCP what became of the open members of this call, after `after_s` seconds."""

    request_id: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask OCP this enquiry, after `after_s` seconds."""

    exchange: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ReadReport:
    """Read the report that this enquiry asks for."""

    exchange: str


@dataclass(frozen=True, slots=True)
class Seek:
    """Ask OCP for the SI that this request names, after `after_s` seconds."""

    exchange: str
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OpenLane:
    """Something waits in this lane that did not a moment ago."""

    participant: str
    operation: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask OCP for the status events of a participant's day behind those that came (`after`, when it was decided)."""

    participant: str
    business_date: str
    after: int


@dataclass(frozen=True, slots=True)
class Pump:
    """Deliveries of this participant may be sent."""

    participant: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Say Overdue for this exchange when `answer_within` has passed."""

    exchange: str


Action = (
    Answer | NoAnswer | FileEnded | Judge | WatchParts | Refuse | Call | Look | Ask | ReadReport | Seek | OpenLane
    | Fetch | Pump | Watch
)  # fmt: skip


@dataclass(slots=True)
class Decision:
    """What was decided: the entries to make durable, then the actions, which leave only after that."""

    entries: list[Entry] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
