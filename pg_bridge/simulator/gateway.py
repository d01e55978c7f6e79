"""The pretend Participant Gateway behind its socket: requests in, answers and what comes unasked out.

Synchronous, without a socket. Everything that a PSS reads or writes is told by data (gateway_words.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.simulator.clock import Run
from pg_bridge.simulator.gateway_words import GatewayWords
from pg_bridge.simulator.life_cycle import BookRules


class Answer(NamedTuple):
    """One message that answers a request; body: the lines of its text block, each ending in CRLF."""

    template: str
    message_type: str
    body: bytes


class Notice(NamedTuple):
    """One message that comes unasked. terminal: the one that entered the SI; None: any. due: when it is told."""

    participant: str
    terminal: str | None
    template: str
    message_type: str
    body: bytes
    due: datetime


class Gateway:
    """The book of a pretend PG and its messages. clock: the simulated time, aware."""

    def __init__(
        self, legacy: LegacyProfile, words: GatewayWords, clock: Callable[[], datetime], rules: BookRules, seed: int = 0
    ) -> None:
        self.legacy = legacy
        self.words = words
        self.rules = rules
        self._clock = clock
        self._seed = seed

    def take(self, participant: str, terminal: str, template: str, message_type: str, body: bytes) -> list[Answer]:
        """The answers to one request in their order; none to a part of a file that is not its last.

        Never raises for what a PSS sends: a message with faults is refused by an answer that names them all.
        """
        return []

    def unasked(self) -> list[Notice]:
        """What came due since it was last asked, in order."""
        return []

    def run(self, which: Run, si_number: str | None = None) -> int:
        """Do one run now; how many pairs or SIs it moved."""
        return 0

    def broadcast(self, head: str, text: str, to: tuple[str, ...]) -> None:
        """Tell participants something; it comes out of `unasked`."""
