"""Messages to a participant's PSS that it must acknowledge, in order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from pg_bridge.exchange.record import Reply


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
