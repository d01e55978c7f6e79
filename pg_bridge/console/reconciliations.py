"""Behind the control door: the comparison of a participant's open SIs with OCP, on command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
from fastapi import FastAPI, Request, Response

from pg_bridge.console.answers import document, words
from pg_bridge.errors import Finding, JournalError, OcpError
from pg_bridge.exchange.kinds.commands import Who

RECONCILIATIONS_PATH = "/reconciliations"


class ReconcileAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compare this participant's open SIs. by, reason: as the person states."""

    participant: str
    by: str = ""
    reason: str = ""


class LastReconciled(msgspec.Struct, frozen=True, kw_only=True):
    """A participant, and the business date of its last reconciliation; empty: there was none."""

    participant: str
    business_date: str


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation found. open: by what the bridge knew; unknown: OCP's open SIs that no event ever told.

    position: of its last entry in the journal.
    """

    participant: str
    business_date: str
    open: int
    agreed: int
    disagreed: int
    unknown: int
    position: int
    findings: Sequence[Finding]


class ReconcilePort(Protocol):
    """Who compares. Raises JournalError when nothing can be made durable, OcpError when OCP cannot be asked."""

    def participants(self) -> Sequence[LastReconciled]:
        """All participants."""
        ...

    async def reconcile(self, participant: str, who: Who) -> Reconciliation | None:
        """Compare one participant's open SIs; None: there is no such participant."""
        ...


#: reads a command of a type, and who gives it; a response says what is wrong with it
Reading = Callable[[Request, type[ReconcileAsked], str], Awaitable[tuple[ReconcileAsked, Who] | Response]]


def add_reconciliations(app: FastAPI, port: ReconcilePort, read: Reading) -> None:
    """Add `GET /reconciliations`, and `POST /reconciliations` with a ReconcileAsked."""

    @app.get(RECONCILIATIONS_PATH)
    async def last() -> Response:
        return document(200, port.participants())

    @app.post(RECONCILIATIONS_PATH)
    async def reconcile(request: Request) -> Response:
        command = await read(request, ReconcileAsked, "the command is")
        if isinstance(command, Response):
            return command
        asked, who = command
        try:
            found = await port.reconcile(asked.participant, who)
        except (JournalError, OcpError) as error:
            return words(503, str(error))
        if found is None:
            return words(404, f"{asked.participant[:40]!r} is no configured participant")
        return document(200, found)
