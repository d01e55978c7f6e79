"""The life of one request of a PSS, as the bridge knows it at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.record import Reply


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
    #: why it is in doubt, while it is
    doubt: str = ""
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


def part_suffix(part: int) -> str:
    """What the id of a message's further exchanges has behind the first one's."""
    return f"-{part}" if part > 1 else ""


def set_of(mapping: str) -> str:
    """The set in a record's `mapping`, `<rule file>@<set>/<version>/<12 hexadecimal characters>`: those characters."""
    return mapping.rpartition("/")[2]
