"""What goes through the pretend gateway's hands with one request: who sent it, what came of it, what answers it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pg_bridge.simulator.gateway_reading import Fault, RequestReading
from pg_bridge.simulator.life_cycle import Si

ACCEPTED, REFUSED, FOUND, NOTHING_FOUND = "accepted", "refused", "found", "nothing_found"


class Answer(NamedTuple):
    """One message that answers a request; body: the lines of its text block, each ending in CRLF."""

    template: str
    message_type: str
    body: bytes


class Taken(NamedTuple):
    """What became of one instruction, enquiry or file, for who keeps a ledger. faults: meanings, of one refused."""

    at: datetime
    participant: str
    terminal: str
    template: str
    does: str
    reference: str
    si_number: str
    outcome: str
    faults: tuple[str, ...]


class Done(NamedTuple):
    """The outcome of one instruction. si: the SI that it is about, where there is one."""

    outcome: str
    si: Si | None
    faults: tuple[Fault, ...]


class Sent(NamedTuple):
    """Whose request it is, and how it is read."""

    participant: str
    terminal: str
    template: str
    message_type: str
    reading: RequestReading
