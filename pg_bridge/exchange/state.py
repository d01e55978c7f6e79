"""What the bridge knows at one moment: open exchanges, calls, updates and deliveries.

Only `fold.apply` changes it, from records; so replaying the journal builds it again. The few members that are
not folded (what a socket did a moment ago) are marked: they are lost with the process, and recovery assumes the worse.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pg_bridge.exchange.records import Item, Reply
from pg_bridge.link.parts import Assembly

if TYPE_CHECKING:
    from pg_bridge.exchange.events import FileArrived, RequestArrived


class Stage(StrEnum):
    """How far an exchange is."""

    RECEIVED = "received"
    CALLED = "called"
    IN_DOUBT = "in_doubt"
    ANSWERED = "answered"


@dataclass(slots=True)
class Exchange:
    """The life of one request of a PSS, from receipt until its answer has left."""

    id: str
    participant: str
    terminal: str
    session: str
    sequence: int
    effect: str
    function: str
    operation: str
    template: str
    message_type: str
    reference: str
    business_date: str
    carried: dict[str, str]
    document: bytes
    received_us: int
    #: the mapping set that translated it, and the one by which it ends (another only after a restart): the first 12
    #: hexadecimal characters of its hash; empty where the journal does not say
    translated_by: str = ""
    ends_by: str = ""
    #: how many records were folded before it: its place in the order of receipt
    received: int = 0
    #: concepts of the document that wait for the SI that it names to be found
    sought: tuple[str, ...] = ()
    #: the exchange, about the same SI perhaps, that must be over before this one's SI is sought or it is called
    awaits: str = ""
    #: of a message with several instructions, which one this is, from 1
    part: int = 1
    parts: int = 1
    stage: Stage = Stage.RECEIVED
    request_id: str = ""
    si_number: str = ""
    #: the participant reference of the SI that it is about or enters, where known
    si_reference: str = ""
    outcome: str = ""
    reply: Reply | None = None
    #: the further frames of its answer, in order
    more: tuple[Reply, ...] = ()
    #: the deliveries that are acknowledged, of an answer sent again after a break
    taken: set[str] = field(default_factory=set)
    is_awaited: bool = False
    has_left: bool = False
    held: list[Delivery] = field(default_factory=list)
    #: of a record of a batch file: the exchange of the file, and which record it is; its outcome is told by the report
    file: str = ""
    number: int = 0
    #: of a batch file: its name, and the claims of a drop folder that wait for its report
    file_name: str = ""
    claims: list[str] = field(default_factory=list)
    #: not folded: the sessions that wait for this answer, as (session, request's sequence number, is a repeat)
    askers: list[tuple[str, int, bool]] = field(default_factory=list)
    #: not folded: a copy without the possible-duplicate mark is on its way to a session, or waits in the outbox
    is_told: bool = False
    #: not folded: a copy was written to a session, or waits in the outbox: what must not overtake it may follow
    is_sent: bool = False

    @property
    def message(self) -> str:
        """The id of the first exchange of its message: its own, where the message has one instruction."""
        return self.id if self.part == 1 else self.id.removesuffix(part_suffix(self.part))

    @property
    def frames(self) -> list[tuple[str, Reply]]:
        """The frames of its answer in order, each with the id that it has as a delivery."""
        if self.reply is None:
            return []
        return [(self.id, self.reply), *((f"{self.id}.{number}", reply) for number, reply in enumerate(self.more, 2))]

    @property
    def needs_its_set(self) -> bool:
        """Whether something is still to be made of it, by the mapping set under which it was received."""
        if self.stage is Stage.IN_DOUBT:  # the PSS may have to be told yet that the outcome is awaited
            return self.reply is None and self.effect == "instruct"
        return self.stage is not Stage.ANSWERED


@dataclass(slots=True)
class Use:
    """One use of a participant reference on a Hong Kong calendar day."""

    exchange: str
    fingerprint: str


@dataclass(slots=True)
class Batch:
    """One call to OCP: its request id, body and members, for ever."""

    request_id: str
    participant: str
    operation: str
    members: tuple[str, ...]
    body: bytes
    called_us: int
    #: members whose outcome is not known yet
    open: set[str]
    #: the mapping set of all its members, as `Exchange.ends_by`
    ends_by: str = ""
    looks: int = 0
    is_unknown: bool = False
    #: its outcome was unknown once and it went again: a used reference may be our own first try
    is_resent: bool = False
    #: OCP says that the request id was used
    is_duplicate: bool = False
    failures: int = 0


@dataclass(slots=True)
class Lane:
    """The calls of one participant and operation: one at a time, in order."""

    participant: str
    operation: str
    waiting: deque[str] = field(default_factory=deque)
    calling: str = ""
    #: after a bulk was refused whole: how many of the first waiting are suspect, and how many may go together
    suspect: int = 0
    most_suspect: int = 0


@dataclass(slots=True)
class Delivery:
    """One message to the PSS that must be acknowledged."""

    id: str
    participant: str
    terminal: str
    si_number: str
    reply: Reply
    exchange: str = ""
    #: of an answer, its exchange's message: the frames of one answer, and the answers of one message, keep their order
    message: str = ""
    #: a copy may have left before
    is_copy: bool = False
    #: not folded: it may leave when so many records are durable
    needs_durable: int = 0

    @property
    def keeps_order_of(self) -> tuple[str, ...]:
        """What it has in common with the deliveries that it must not overtake; its own id where there is nothing."""
        return tuple(each for each in (self.si_number, self.message) if each) or (self.id,)


@dataclass(slots=True)
class Outbox:
    """A participant's deliveries in order; `sent` maps those under way to their session (not folded)."""

    queue: OrderedDict[str, Delivery] = field(default_factory=OrderedDict)
    sent: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Feed:
    """Status events of one participant and business date: the next sequence number, and those that came too early."""

    participant: str
    business_date: str
    next_sequence: int = 1
    #: sequence -> the event's document as JSON
    early: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class SettlementInstruction:
    """An SI that was entered through us: who is told of its updates first."""

    number: str
    exchange: str
    terminal: str
    reference: str


@dataclass(slots=True)
class Precedence:
    """The open instructions by the SIs that they may be about, and who waits for whom (precedence.py).

    Each inner dictionary is a set that keeps its order: ids of exchanges.
    """

    #: (participant, SI input number)
    by_number: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    #: (participant, participant reference), inputs among them
    by_reference: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    #: participant -> those about an SI whose number is not known yet
    nameless: dict[str, dict[str, None]] = field(default_factory=dict)
    #: exchange -> those that wait for its end, or for the number of its SI
    behind: dict[str, list[str]] = field(default_factory=dict)


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


def part_suffix(part: int) -> str:
    """What the id of a message's further exchanges has behind the first one's."""
    return f"-{part}" if part > 1 else ""


LaneKey = tuple[str, str]


@dataclass(slots=True)
class State:
    """Everything, by what it is looked up by."""

    exchanges: dict[str, Exchange] = field(default_factory=dict)
    #: (participant, Hong Kong date, reference) -> the request that used it first
    uses: dict[tuple[str, str, str], Use] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    lanes: dict[LaneKey, Lane] = field(default_factory=dict)
    outboxes: dict[str, Outbox] = field(default_factory=dict)
    feeds: dict[tuple[str, str], Feed] = field(default_factory=dict)
    #: (participant, SI input number)
    instructions: dict[tuple[str, str], SettlementInstruction] = field(default_factory=dict)
    precedence: Precedence = field(default_factory=Precedence)
    #: not folded: exchanges whose wait for others ended a moment ago
    freed: list[str] = field(default_factory=list)
    #: not folded: session -> exchanges that it asked for and whose answers are not known to have left
    asked: dict[str, dict[str, None]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    #: uploads all of whose records have ended: their reports are due
    reports_due: dict[str, None] = field(default_factory=dict)
    #: (participant, the file's own day, name) -> the file entered under it
    files: dict[tuple[str, str, str], KnownFile] = field(default_factory=dict)
    #: claim of a drop folder's file -> its exchange
    claims: dict[str, str] = field(default_factory=dict)
    #: not folded: participant -> what is coming of its files
    intakes: dict[str, Intake] = field(default_factory=dict)
    #: the hash of the OCP profile in force; empty where the journal does not say
    ocp_hash: str = ""
    #: how many records were folded
    folded: int = 0

    def parts_of(self, exchange: Exchange) -> list[Exchange]:
        """The exchanges of the same message, in the order of its blocks."""
        if exchange.parts == 1:
            return [exchange]
        ids = [f"{exchange.message}{part_suffix(part)}" for part in range(1, exchange.parts + 1)]
        return [self.exchanges[id_] for id_ in ids if id_ in self.exchanges]

    def answered_with(self, exchange: Exchange) -> Exchange:
        """The exchange whose answer tells the outcome of this one: its own, or its file's."""
        return self.exchanges.get(exchange.file, exchange) if exchange.file else exchange

    def outbox(self, participant: str) -> Outbox:
        """The participant's outbox, made when first needed."""
        return self.outboxes.setdefault(participant, Outbox())

    def lane(self, participant: str, operation: str) -> Lane:
        """The lane of an operation, made when first needed."""
        key = (participant, operation)
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(participant, operation)
        return lane

    def feed(self, participant: str, business_date: str) -> Feed:
        """The feed of a participant's day, made when first needed."""
        key = (participant, business_date)
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(participant, business_date)
        return feed

    def in_doubt(self) -> list[Exchange]:
        """The exchanges that wait for a person."""
        return [exchange for exchange in self.exchanges.values() if exchange.stage is Stage.IN_DOUBT]
