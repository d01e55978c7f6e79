"""Records of what OCP was asked because updates may be missing: snapshots, reconciliations, our subscription."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.record import Record
from pg_bridge.exchange.si_standing import SiStanding


class SnapshotTaken(Record, frozen=True, kw_only=True):
    """How an SI stands at OCP (`entry`, of siQuery), where the events that brought it there are not to be had.

    The PSS is told of it by the delivery that follows. cause: `events_lost` or `disagreement`.
    """

    kind = Kind.SNAPSHOT_TAKEN
    si_number: str
    cause: str
    entry: msgspec.Raw
    standing: SiStanding

    def references(self) -> dict[str, str]:
        """The SI input number."""
        return {"si_number": self.si_number}


class DisagreementFound(Record, frozen=True, kw_only=True):
    """OCP says otherwise of an SI than its events said. found: None where OCP does not know it."""

    kind = Kind.DISAGREEMENT_FOUND
    si_number: str
    reference: str
    known: SiStanding
    found: SiStanding | None
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """The SI input number, and the participant's reference."""
        return {"si_number": self.si_number, "reference": self.reference}


class Reconciled(Record, frozen=True, kw_only=True):
    """Every open SI of a participant was compared with siQuery.

    business_date: of the reconciliation. open: how many were open by what we knew; unknown: OCP's open SIs of which
    no event ever came. who: the person who commanded it; None: it was due.
    """

    kind = Kind.RECONCILED
    business_date: str
    open: int
    agreed: int
    disagreed: int
    unknown: int
    who: Who | None = None


class Subscribed(Record, frozen=True, kw_only=True):
    """OCP was told where to push (`url`, empty: nowhere any more). ended: the URL of ours that it pushes to no more."""

    kind = Kind.SUBSCRIBED
    url: str
    operation: str
    ended: str = ""
