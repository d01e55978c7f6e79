"""Records of the node itself and of the mapping set in force on it."""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.record import Record


class NodeStarted(Record, frozen=True, kw_only=True):
    """The bridge began on this node, after replaying `replayed` entries.

    mapping: the full hash of its mapping set. set_name, set_version, ocp_hash: empty in older journals.
    """

    kind = Kind.NODE_STARTED
    version: str
    mapping: str
    replayed: int
    reopened: int
    set_name: str = ""
    set_version: str = ""
    ocp_hash: str = ""

    def references(self) -> dict[str, str]:
        """The set's hash, as translations name it."""
        return {"set": self.mapping[:12]} if self.set_name else {}


class MappingSet(msgspec.Struct, frozen=True, gc=False):
    """What a mapping set calls itself, and the SHA-256 (hex) of its files; empty where they do not say."""

    name: str = ""
    version: str = ""
    hash: str = ""


class MappingsLoaded(Record, frozen=True, kw_only=True):
    """Another mapping set is in force from here on; what was in flight ends by the one before.

    mapping: the full hash of the new set. in_flight: the exchanges that end by the one before.
    """

    kind = Kind.MAPPINGS_LOADED
    mapping: str
    loaded: MappingSet
    before: MappingSet
    ocp_hash: str
    who: Who
    files: int
    in_flight: int
    findings: tuple[Finding, ...] = ()

    def references(self) -> dict[str, str]:
        """The set's hash, as translations name it, and who loaded it."""
        return {"set": self.mapping[:12], **self.who.references()}


class MappingsRefused(Record, frozen=True, kw_only=True):
    """A mapping set was to be loaded and was not: nothing changed. findings: the first 100 of `finding_count`."""

    kind = Kind.MAPPINGS_REFUSED
    refused: MappingSet
    in_force: MappingSet
    who: Who
    files: int
    finding_count: int
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """The set's hash, as translations name it, and who wanted it loaded."""
        return {"set": self.refused.hash[:12], **self.who.references()}


class NodeStopped(Record, frozen=True, kw_only=True):
    """The bridge ended in order."""

    kind = Kind.NODE_STOPPED
    reason: str
