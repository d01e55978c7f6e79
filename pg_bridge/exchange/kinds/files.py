"""Records of batch files: the parts in which they come, whole files taken or refused, and files that come again."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record, Reply


class Item(msgspec.Struct, frozen=True, gc=False):
    """One record of a file that is not accepted. number: from 1; 0: a fault of the file itself. code: OCP's or ours;
    reason: the legacy reason code. is_doubt: its outcome is not known: it counts neither as accepted nor as refused.
    """

    number: int
    reference: str
    code: str
    reason: str
    text: str
    is_doubt: bool = False


class PartReceived(Record, frozen=True, kw_only=True):
    """A part of a file came. step: `taken`, `again` (it was there already), `whole` (the last one), `waits` (another
    file is under way; it is taken up behind that one). legacy: its frame; empty where it came before and waited.
    """

    kind = Kind.PART_RECEIVED
    session: str
    terminal: str
    sequence: int
    template: str
    name: str
    day: str
    number: int
    of: int
    step: str
    legacy: str = ""

    def references(self) -> dict[str, str]:
        """The file's name."""
        return {"file": self.name}


class PartsDropped(Record, frozen=True, kw_only=True):
    """A file that was never whole is forgotten; nothing of it was entered."""

    kind = Kind.PARTS_DROPPED
    session: str
    name: str
    parts: int
    text: str

    def references(self) -> dict[str, str]:
        """The file's name."""
        return {"file": self.name}


class FileRecord(Record, frozen=True, kw_only=True):
    """What taken and refused files share. claim: of a drop folder's file. content: its bytes, where no frames held
    them. items: the records refused so far. business_date: on which it came, `YYYY-MM-DD`.
    """

    name: str
    day: str = ""
    size: int = 0
    sha256: str = ""
    claim: str = ""
    session: str = ""
    terminal: str = ""
    sequence: int = 0
    function: str = ""
    template: str = ""
    message_type: str = ""
    reference: str = ""
    business_date: str = ""
    read: int = 0
    items: tuple[Item, ...] = ()
    content: bytes = b""
    mapping: str = ""

    def references(self) -> dict[str, str]:
        """The file's name, its hash, and the claim."""
        found = {"file": self.name, "sha256": self.sha256, "claim": self.claim, "reference": self.reference}
        return {name: value for name, value in found.items() if value}


class FileReceived(FileRecord, frozen=True, kw_only=True):
    """A whole file without a fault: its records are instructions from here on. layout: the form that it has.

    records: the exchanges of its records, in order; those refused alone have none.
    """

    kind = Kind.FILE_RECEIVED
    layout: str
    records: tuple[str, ...]


class FileRefused(FileRecord, frozen=True, kw_only=True):
    """A file, or a part, with faults: all of them, and the report that answers it. Nothing was entered.

    legacy: the frame of a part.
    """

    kind = Kind.FILE_REFUSED
    reply: Reply
    more: tuple[Reply, ...] = ()
    legacy: str = ""


class FileRepeated(Record, frozen=True, kw_only=True):
    """A file that came before: `exchange` is the first one's. It gets that one's report."""

    kind = Kind.FILE_REPEATED
    name: str
    sha256: str
    claim: str = ""
    session: str = ""
    terminal: str = ""
    sequence: int = 0
    content: bytes = b""

    def references(self) -> dict[str, str]:
        """The file's name, and the claim."""
        return {"file": self.name} | ({"claim": self.claim} if self.claim else {})
