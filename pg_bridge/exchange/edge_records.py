"""Records of what happens at the edges: sessions, refused frames and pushes, the node itself, what was commanded.

They change no state but for the set in force.
"""

from __future__ import annotations

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


class SessionOpened(Record, frozen=True, kw_only=True):
    """A PSS logged on."""

    kind = Kind.SESSION_OPENED
    session: str
    terminal: str
    address: str

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class SessionRefused(Record, frozen=True, kw_only=True):
    """A connection or log-on was not accepted."""

    kind = Kind.SESSION_REFUSED
    address: str
    terminal: str = ""
    text: str


class SessionClosed(Record, frozen=True, kw_only=True):
    """A session or connection ended."""

    kind = Kind.SESSION_CLOSED
    session: str
    reason: str

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class FrameRefused(Record, frozen=True, kw_only=True):
    """Bytes that were no frame, or a frame that was not legal; as received, at most 64 KiB."""

    kind = Kind.FRAME_REFUSED
    session: str
    address: str
    code: str
    text: str
    raw: bytes
    size: int

    def references(self) -> dict[str, str]:
        """The session id."""
        return {"session": self.session}


class PushRefused(Record, frozen=True, kw_only=True):
    """A pushed delivery that was not accepted, and the HTTP status that answered it."""

    kind = Kind.PUSH_REFUSED
    status: int
    text: str
    delivery_id: str = ""
    body: bytes = b""
    size: int = 0


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


class Who(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who gave a command. user, uid, pid: by the word of the kernel; -1 and empty where it gives none.

    by, reason: as the person states.
    """

    user: str = ""
    uid: int = -1
    pid: int = -1
    by: str = ""
    reason: str = ""

    def references(self) -> dict[str, str]:
        """The names to find a command by."""
        return {name: value for name, value in (("user", self.user), ("by", self.by)) if value}


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


class BroadcastOrdered(Record, frozen=True, kw_only=True):
    """The operator tells participants something: one delivery to each is queued behind this entry.

    exchange: the broadcast's own id, by which its deliveries are found.
    """

    kind = Kind.BROADCAST_ORDERED
    who: Who
    head: str
    text: str
    participants: tuple[str, ...]

    def references(self) -> dict[str, str]:
        """Who ordered it."""
        return self.who.references()


class BroadcastRefused(Record, frozen=True, kw_only=True):
    """A broadcast that cannot be sent as it is: nobody was told anything. findings: the first 100."""

    kind = Kind.BROADCAST_REFUSED
    who: Who
    head: str
    text: str
    participants: tuple[str, ...]
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """Who ordered it."""
        return self.who.references()


class NodeStopped(Record, frozen=True, kw_only=True):
    """The bridge ended in order."""

    kind = Kind.NODE_STOPPED
    reason: str
