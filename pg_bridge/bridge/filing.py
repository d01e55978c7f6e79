"""What happens in the drop folders, as events of the dispatcher and entries: fulfils the file desk of pss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.kinds import drop_folders as drop
from pg_bridge.pss.disk_faults import as_text
from pg_bridge.pss.drop_folder import Taken

#: where the mapping set has no form of files in parts, which says it otherwise
LONGEST_NAME = 15
LARGEST = 50_000_000


class Filing:
    """The file desk."""

    def __init__(self, dispatcher: Dispatcher, clock: Callable[[], datetime]) -> None:
        self._dispatcher = dispatcher
        self._clock = clock

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        return self._dispatcher.is_full

    @property
    def longest_name(self) -> int:
        """Characters of a file's name, by the mapping set in force."""
        parts = self._dispatcher.terms.book.legacy.parts
        return parts.name_width if parts is not None else LONGEST_NAME

    @property
    def largest(self) -> int:
        """Bytes of a file, by the mapping set in force."""
        parts = self._dispatcher.terms.book.legacy.parts
        return parts.largest if parts is not None else LARGEST

    def day(self) -> str:
        """Today in Hong Kong, `YYYY-MM-DD`."""
        return self._dispatcher.terms.business_date(self._clock())

    async def arrived(self, participant: str, file: Taken, content: bytes, sha256: str, *, is_again: bool) -> None:
        """A whole file is ours; return when that is durable. Raises JournalError, MappingError."""
        self._dispatcher.offer(e.FileArrived(participant, file.name, self.day(), content, claim=file.claim))
        self._dispatcher.note(
            drop.FileTaken(
                participant=participant,
                claim=file.claim,
                name=file.name,
                path=as_text(file.path),
                size=len(content),
                sha256=sha256,
                is_again=is_again,
            )
        )
        await self._dispatcher.durable()

    def ended(self, ended: a.FileEnded, report: Path, moved_to: Path | None) -> None:
        """The report lies in the outbox, and the file where it stays."""
        self._dispatcher.note(
            drop.FilePutAway(
                exchange=ended.exchange,
                participant=ended.participant,
                claim=ended.claim,
                name=ended.name,
                outcome=ended.outcome,
                report=as_text(report),
                moved_to=as_text(moved_to) if moved_to is not None else "",
            )
        )
        self._dispatcher.file_told(ended.exchange)

    def turned_away(self, participant: str, name: str, moved_to: Path, findings: Iterable[Finding]) -> None:
        """A file went to the rejected ones unread."""
        self._dispatcher.note(
            drop.FileTurnedAway(
                participant=participant, name=as_text(name), moved_to=as_text(moved_to), findings=tuple(findings)
            )
        )

    def fault_found(self, participant: str, finding: Finding) -> None:
        """Something is wrong on the disk."""
        self._dispatcher.note(drop.FolderFaultFound(participant=participant, findings=(finding,)))

    def fault_ended(self, participant: str, finding: Finding) -> None:
        """What was found wrong is well."""
        self._dispatcher.note(drop.FolderFaultEnded(participant=participant, path=finding.path, text=finding.text))
