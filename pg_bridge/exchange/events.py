"""What happens to the core. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pg_bridge.errors import Finding
from pg_bridge.exchange.records import Fault, Who

if TYPE_CHECKING:
    from pg_bridge.exchange.judging import Judgement

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A business request in a good frame. `legacy` is the whole frame as text, `body` its text block's lines."""

    session: str
    participant: str
    terminal: str
    sequence: int
    template: str
    message_type: str
    legacy: str
    body: bytes


@dataclass(frozen=True, slots=True)
class FileArrived:
    """A whole file. claim: of a drop folder's file, the unique id of its taking; else it came in parts on a session.

    day: the day that the participant gives it, `YYYY-MM-DD`. The same claim again is never entered again.
    """

    participant: str
    name: str
    day: str
    content: bytes
    claim: str = ""
    session: str = ""
    terminal: str = ""
    sequence: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True)
class FileJudged:
    """A whole file has been judged, by the set in force."""

    file: FileArrived
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class PartsOverdue:
    """The parts of a file that began under this mark have been coming for too long."""

    participant: str
    mark: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session is over: a file whose parts were coming on it is not going to be whole."""

    participant: str
    session: str


@dataclass(frozen=True, slots=True)
class LaneOpen:
    """A call of this lane may be made now: its batch closes."""

    participant: str
    operation: str


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """OCP answered a batch: one entry a member, in order."""

    request_id: str
    entries: Sequence[Json]


@dataclass(frozen=True, slots=True)
class CallRefused:
    """OCP refused a batch whole; nothing was done. `faults` have OCP's codes."""

    request_id: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class CallFailed:
    """OCP surely did nothing and may be asked again with the same id."""

    request_id: str
    error: str
    text: str
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class CallDenied:
    """OCP does not accept our token or does not grant the function; nothing was done."""

    request_id: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class CallLost:
    """Nobody knows whether OCP did the call."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found of a lost call: OCP's entry by member (exchange id); absent ones were not found.

    seen: OCP's entry of an SI that does not show that the member was done. asked: questions that the look took.
    """

    request_id: str
    found: Mapping[str, Json]
    seen: Mapping[str, Json] = field(default_factory=dict)
    asked: int = 0


@dataclass(frozen=True, slots=True)
class EnquiryAnswered:
    """OCP answered an enquiry."""

    exchange: str
    entries: Sequence[Json]


@dataclass(frozen=True, slots=True)
class EnquiryFailed:
    """OCP did not answer an enquiry. `fault` None: it may be asked again."""

    exchange: str
    text: str
    fault: Fault | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class SiSought:
    """OCP told which SIs fit the number or reference that a request names its SI by."""

    exchange: str
    entries: Sequence[Json]


@dataclass(frozen=True, slots=True)
class SeekFailed:
    """OCP did not tell which SI a request names. `fault` None: it may be asked again."""

    exchange: str
    fault: Fault | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class UpdatesArrived:
    """Status events, pushed (a webhook's with a delivery id); checked, in any order, perhaps seen before."""

    events: Sequence[Json]
    delivery_id: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class EventsFetched:
    """All that OCP has of a participant's status events of a day behind those that we had when we asked.

    is_over: the day was over at OCP when it was asked.
    """

    participant: str
    business_date: str
    events: Sequence[Json]
    is_over: bool


@dataclass(frozen=True, slots=True)
class EventsGone:
    """OCP does not have events that are missing in a participant's day; how its SIs stand now (entries of siQuery).

    is_whole: it has none of that day any more.
    """

    participant: str
    business_date: str
    entries: Sequence[Json]
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class SisListed:
    """How a participant's SIs stand at OCP (entries of siQuery): the open ones, and those that we held to be open.

    known: SI number -> the version that we knew when OCP was asked.
    """

    participant: str
    business_date: str
    entries: Sequence[Json]
    known: Mapping[str, int]
    who: Who | None = None


@dataclass(frozen=True, slots=True)
class ReportFound:
    """The report that an enquiry asks for was read whole, its pieces are durable. Fields as those of ReportRead."""

    exchange: str
    name: str
    day: str
    size: int
    hash: str
    copy: str
    form: str
    parts: int


@dataclass(frozen=True, slots=True)
class ReportRefused:
    """The report that an enquiry asks for is not to be had: the error's code, and words for the PSS."""

    exchange: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BroadcastGiven:
    """The operator has something told to these participants. Raises MappingError where it cannot be written."""

    broadcast: str
    head: str
    text: str
    participants: tuple[str, ...]
    who: Who


@dataclass(frozen=True, slots=True)
class DoubtResolved:
    """A person says whether an instruction in doubt was done.

    entry: the SI as OCP tells it (an enquiry's entry) of one that was done; None where it gave no answer.
    is_checked: OCP was asked, and does not contradict. findings: what the person was warned of.
    """

    exchange: str
    is_done: bool
    si_number: str
    entry: Json | None
    who: Who
    is_checked: bool = True
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Overdue:
    """An exchange was received `answer_within` ago."""

    exchange: str


Event = (
    RequestArrived | FileArrived | FileJudged | PartsOverdue | SessionEnded | LaneOpen | CallAnswered | CallRefused
    | CallFailed | CallDenied | CallLost | Looked | EnquiryAnswered | EnquiryFailed | SiSought | SeekFailed
    | UpdatesArrived | EventsFetched | EventsGone | SisListed | BroadcastGiven | DoubtResolved | ReportFound
    | ReportRefused | Overdue
)  # fmt: skip
