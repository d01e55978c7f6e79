"""Records of what happens in drop folders. They tell where a file came from and where it went, and change no state."""

from __future__ import annotations

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.record import Record


class FileTaken(Record, frozen=True, kw_only=True):
    """A file of an inbox is ours. path: where it lies now. sha256: hexadecimal, of its `size` bytes.

    is_again: an earlier process took it, and it had not ended: it is offered once more under its claim.
    """

    kind = Kind.FILE_TAKEN
    claim: str
    name: str
    path: str
    size: int
    sha256: str
    is_again: bool = False

    def references(self) -> dict[str, str]:
        """The claim, the file's name and its hash."""
        return {"claim": self.claim, "file": self.name, "sha256": self.sha256}


class FilePutAway(Record, frozen=True, kw_only=True):
    """The report of a file lies in the outbox, and the file where it stays; `moved_to` empty: it was not found."""

    kind = Kind.FILE_PUT_AWAY
    claim: str
    name: str
    outcome: str
    report: str
    moved_to: str

    def references(self) -> dict[str, str]:
        """The claim and the file's name."""
        return {"claim": self.claim, "file": self.name}


class FileTurnedAway(Record, frozen=True, kw_only=True):
    """A file was moved to the rejected ones unread; nothing of it was entered."""

    kind = Kind.FILE_TURNED_AWAY
    name: str
    moved_to: str
    findings: tuple[Finding, ...]

    def references(self) -> dict[str, str]:
        """The file's name."""
        return {"file": self.name}


class FolderFaultFound(Record, frozen=True, kw_only=True):
    """Something is wrong in a drop folder; the step is tried again until it is done."""

    kind = Kind.FOLDER_FAULT_FOUND
    findings: tuple[Finding, ...]


class FolderFaultEnded(Record, frozen=True, kw_only=True):
    """What was found wrong in a drop folder is well again."""

    kind = Kind.FOLDER_FAULT_ENDED
    path: str
    text: str
