"""What the drop folders need: whom they tell what happens, and how often they are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pg_bridge.errors import Finding
from pg_bridge.exchange.actions import FileEnded
from pg_bridge.pss.drop_folder import Taken


class FileDesk(Protocol):
    """Who is told what happens in the drop folders."""

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        ...

    @property
    def longest_name(self) -> int:
        """Characters of a file's name."""
        ...

    @property
    def largest(self) -> int:
        """Bytes of a file."""
        ...

    def day(self) -> str:
        """Today in Hong Kong, `YYYY-MM-DD`."""
        ...

    async def arrived(self, participant: str, file: Taken, content: bytes, sha256: str, *, is_again: bool) -> None:
        """A whole file is ours; return when that is durable. is_again: it was taken before the last start.

        Raises JournalError, and MappingError when it could not be taken in: then nothing was done.
        """
        ...

    def ended(self, ended: FileEnded, report: Path, moved_to: Path | None) -> None:
        """The report lies in the outbox, and the file where it stays (None: it was not to be found)."""
        ...

    def turned_away(self, participant: str, name: str, moved_to: Path, findings: Iterable[Finding]) -> None:
        """A file went to the rejected ones unread."""
        ...

    def fault_found(self, participant: str, finding: Finding) -> None:
        """Something is wrong on the disk; it is told once."""
        ...

    def fault_ended(self, participant: str, finding: Finding) -> None:
        """What was found wrong is well."""
        ...


@dataclass(frozen=True, slots=True)
class DropOptions:
    """Times, in seconds. settle_s: for so long a file must not have changed before it is taken."""

    scan_s: float = 1.0
    settle_s: float = 2.0
