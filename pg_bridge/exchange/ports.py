"""What the core needs of the world, as small as it needs it. Signatures only; the edges fulfil them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from pg_bridge.exchange.actions import Answer, FileEnded, NoAnswer, Refuse
from pg_bridge.exchange.entries import Entry, Position, Stored
from pg_bridge.exchange.outbound import Seat
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.profiles.concepts import Operation


class Journal(Protocol):
    """Durable, append-only, tamper-evident."""

    async def append(self, entries: Sequence[Entry]) -> Sequence[Position]:
        """Return when all `entries` are durable, in order and together; raise JournalError otherwise.

        JournalFull: the queue is full, nothing was taken, come back.
        """
        ...

    def replay(self, after: Position) -> AsyncIterator[Stored]:
        """Every entry behind `after`, in order."""
        ...

    async def read(self, position: Position) -> Stored:
        """One entry. Raises JournalError when there is none."""
        ...


class Ocp(Protocol):
    """OCP's operations by concept. Documents are OCP's own, made and read through the profile's binding."""

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[dict[str, Any]]:
        """Call a write with this very body; the answer's entries, as many as were asked, in order.

        Raises OcpUnavailable (surely nothing done, the same id again), OcpOutcomeUnknown, OcpDenied,
        OcpRefused (refused whole, nothing done).
        """
        ...

    async def ask(self, operation: Operation, participant: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Ask a query with a document (POST) or parameters (GET), following its cursor to the end.

        Gives the entries. Raises as `write`; a query of unknown outcome may simply be asked again.
        """
        ...


class Slots(Protocol):
    """Permission to call OCP within its limits. priority: the call's turn (turns.Turn)."""

    @property
    def is_shut(self) -> bool:
        """No slot is given until OCP is seen to answer again."""
        ...

    def try_slot(self, priority: int = 1) -> bool:
        """Take a slot if one is free now."""
        ...

    async def slot(self, priority: int = 1) -> None:
        """Take a slot, waiting until one is free; a lower priority number goes first, but none waits for ever."""
        ...


class OpenReport(Protocol):
    """One report, the same bytes for as long as it is open. size: of the whole; hash: SHA-256 (hex) of it."""

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102

    async def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on. Raises ReportError when they cannot be read."""
        ...

    async def close(self) -> None:
        """Let it go."""
        ...


class Reports(Protocol):
    """The reports that participants may download."""

    async def open(self, participant: str, day: str, name: str, largest: int) -> OpenReport:
        """The participant's report of that name and day (YYYYMMDD), read once for its hash.

        Raises ReportMissing when there is none, ReportError when it is no report: larger than `largest` bytes, being
        written, or not readable.
        """
        ...


class Sessions(Protocol):
    """The sessions that are on, towards the PSSs. Nothing here waits."""

    def seats(self, participant: str) -> Sequence[Seat]:
        """The participant's sessions, oldest first."""
        ...

    def answer(self, answer: Answer) -> bool:
        """Answer a request; False when its session is gone."""
        ...

    def pass_over(self, passed: NoAnswer) -> None:
        """A request gets no answer of its own; nothing when its session is gone."""
        ...

    def refuse(self, refusal: Refuse) -> None:
        """Refuse the frame of a request; nothing when its session is gone."""
        ...

    def deliver(self, session: str, delivery: Delivery) -> bool:
        """Give a session one delivery; False when it is gone or its window is full."""
        ...

    def has_room(self, session: str, *, is_delivery: bool) -> bool:
        """Whether a large answer or delivery may be given now, or the session is gone and need not be waited for."""
        ...


class Files(Protocol):
    """Where the reports of files go that came from drop folders. Nothing here waits."""

    def ended(self, ended: FileEnded) -> bool:
        """A file has ended; `file_told` follows when its report is durable. False: its participant has no folder."""
        ...
