"""Records of what a person says of an instruction in doubt: taken, and refused."""

from __future__ import annotations

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.record import Record


class DoubtResolved(Record, frozen=True, kw_only=True):
    """A person said whether an instruction in doubt was done; what its PSS is told stands in the entries behind it.

    is_checked: OCP was asked, and does not contradict. findings: what the person was warned of.
    """

    kind = Kind.DOUBT_RESOLVED
    reference: str
    request_id: str
    is_done: bool
    si_number: str = ""
    is_checked: bool = False
    who: Who
    findings: tuple[Finding, ...] = ()

    def references(self) -> dict[str, str]:
        """The participant's own reference, the request id, the SI, and who said it."""
        found = {"reference": self.reference, "request_id": self.request_id, "si_number": self.si_number}
        return {name: value for name, value in found.items() if value} | self.who.references()


class ResolutionRefused(Record, frozen=True, kw_only=True):
    """A person would have resolved a doubt that cannot be resolved so: nothing changed. key: as it was named."""

    kind = Kind.RESOLUTION_REFUSED
    key: str
    is_done: bool
    si_number: str = ""
    who: Who
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """How the exchange was named, and who tried."""
        return {"key": self.key} | self.who.references()
