"""What a session tells its driver. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field

from pg_bridge.link.framing import Frame


@dataclass(frozen=True, slots=True)
class LogOnAsked:
    """A PSS asks to log on; the driver answers by accept_log_on or refuse_log_on."""

    participant: str
    terminal: str
    user: str
    credential: str = field(repr=False)
    reference: str


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A business request in a good frame; it takes an in-flight place until it is answered."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class AnswerWritten:
    """The answer given with `token` is in data_to_send."""

    token: str | None


@dataclass(frozen=True, slots=True)
class DeliveryWritten:
    """A copy of the delivery is in data_to_send; copies counts from 1."""

    token: str
    copies: int


@dataclass(frozen=True, slots=True)
class DeliveryAcknowledged:
    """The other side acknowledged a copy of the delivery."""

    token: str


@dataclass(frozen=True, slots=True)
class FrameRefused:
    """Bytes were no frame, or a frame was not legal. meaning: of the refusal table; code: as sent.

    sequence: 0 where the bytes name none; size: how many bytes were refused; raw: at most the first 64 KiB of them.
    """

    meaning: str
    code: str
    text: str
    raw: bytes
    sequence: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class LoggedOff:
    """The log-off is answered (PG end) or its answer has come (PSS end); the session closes."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; the driver closes the socket when data_to_send is out."""

    reason: str


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """PSS end: the PG took the log-on."""

    session_id: str


@dataclass(frozen=True, slots=True)
class LogOnRefused:
    """PSS end: the PG did not take the log-on."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """PSS end: a business answer."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class UnsolicitedReceived:
    """PSS end: a message that must be acknowledged: unasked, or marked as a possible duplicate."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """PSS end: the PG refused our frame of that sequence number."""

    sequence: int
    code: str
    text: str


Event = (
    LogOnAsked | RequestReceived | AnswerWritten | DeliveryWritten | DeliveryAcknowledged | FrameRefused | LoggedOff
    | Closed | LoggedOn | LogOnRefused | AnswerReceived | UnsolicitedReceived | RequestRefused
)  # fmt: skip
