"""What the bridge knows at one moment: open exchanges, calls, updates and deliveries.

Only `fold.apply` changes it, from records; so replaying the journal builds it again. The few members that are
not folded (what a socket did a moment ago) are marked: they are lost with the process, and recovery assumes the worse.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pg_bridge.exchange.exchange import Exchange, Stage, part_suffix
from pg_bridge.exchange.market_fold import MarketState
from pg_bridge.exchange.outbox import Outbox
from pg_bridge.exchange.record import Fault
from pg_bridge.exchange.si_standing import SiStanding
from pg_bridge.exchange.upload import Intake, KnownFile, Upload


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
    #: it went again and was refused whole: what no look finds is refused so
    faults: tuple[Fault, ...] = ()
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
class Feed:
    """Status events of one participant and business date: the next sequence number, and those that came too early.

    is_closed: the day is over and OCP has no more of it. ids: the ids of all that came.
    """

    participant: str
    business_date: str
    next_sequence: int = 1
    #: sequence -> the event's document as JSON
    early: dict[int, bytes] = field(default_factory=dict)
    is_closed: bool = False
    ids: set[str] = field(default_factory=set)


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
    #: participant -> its earliest business date that is not closed: the events of later ones wait
    open_days: dict[str, str] = field(default_factory=dict)
    #: (participant, SI input number) -> how the SI stood when OCP last told of it
    standings: dict[tuple[str, str], SiStanding] = field(default_factory=dict)
    #: participant -> the business date of its last reconciliation
    reconciled: dict[str, str] = field(default_factory=dict)
    #: where OCP was last told to push; empty: nowhere
    subscribed_url: str = ""
    #: UTC microseconds since 1970 of the last record
    last_us: int = 0
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
    market: MarketState = field(default_factory=MarketState)
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
            self.open_days[participant] = min(business_date, self.open_days.get(participant, business_date))
        return feed

    def reopen_days(self, participant: str) -> None:
        """A day of the participant was closed, or forgotten: which one is the earliest that is not?"""
        days = [date for (whose, date), feed in self.feeds.items() if whose == participant and not feed.is_closed]
        if days:
            self.open_days[participant] = min(days)
        else:
            self.open_days.pop(participant, None)

    def later_days(self, participant: str, business_date: str) -> list[Feed]:
        """The feeds of the participant's days behind this one, in order."""
        return sorted(
            (feed for (whose, date), feed in self.feeds.items() if whose == participant and date > business_date),
            key=lambda feed: feed.business_date,
        )

    def in_doubt(self) -> list[Exchange]:
        """The exchanges that wait for a person."""
        return [exchange for exchange in self.exchanges.values() if exchange.stage is Stage.IN_DOUBT]
