"""A drop folder on a real disk, a desk that remembers, and time that passes when it is told to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

from pg_bridge.errors import BridgeError, Finding
from pg_bridge.exchange.actions import FileEnded
from pg_bridge.exchange.record import Reply
from pg_bridge.pss.drop import Drop
from pg_bridge.pss.drop_folder import FOLDERS, DropFolder, Taken
from pg_bridge.pss.file_desk import DropOptions

REPORT = "FILE/SI1\r\nSTAT/ACCP\r\n"


class KeptDesk:
    """Fulfils the file desk; what it is told is kept."""

    def __init__(self) -> None:
        self.is_full = False
        #: raised in place of taking a file
        self.fault: BridgeError | None = None
        self.longest_name = 15
        self.largest = 1_000
        self.today = "2026-11-23"
        self.came: list[tuple[str, str, bytes, bool]] = []
        self.put_away: list[tuple[FileEnded, Path, Path | None]] = []
        self.away: list[tuple[str, Path, list[Finding]]] = []
        self.found: list[Finding] = []
        self.well: list[Finding] = []

    def day(self) -> str:
        return self.today

    async def arrived(self, participant: str, file: Taken, content: bytes, sha256: str, *, is_again: bool) -> None:
        if self.fault is not None:
            raise self.fault
        self.came.append((file.claim, file.name, content, is_again))

    def ended(self, ended: FileEnded, report: Path, moved_to: Path | None) -> None:
        self.put_away.append((ended, report, moved_to))

    def turned_away(self, participant: str, name: str, moved_to: Path, findings: Iterable[Finding]) -> None:
        self.away.append((name, moved_to, list(findings)))

    def fault_found(self, participant: str, finding: Finding) -> None:
        self.found.append(finding)

    def fault_ended(self, participant: str, finding: Finding) -> None:
        self.well.append(finding)


class DropWorld:
    """One participant's folder and its edge, which looks when it is told to."""

    def __init__(self, root: Path, *, owner: str = "node1", letter: str = "F") -> None:
        self.root = root
        self.owner = owner
        self.desk = KeptDesk()
        self.now_s = 0.0
        self._claims = (f"{letter}{number}" for number in itertools.count(1))
        self.drop = self.started()

    def started(self) -> Drop:
        """The edge as a process that starts now has it."""
        return Drop(
            "B01234",
            DropFolder(self.root, self.owner),
            DropOptions(),
            self.desk,
            claim=self._claims.__next__,
            monotonic=lambda: self.now_s,
            in_thread=at_once,
        )

    def put(self, name: str, content: bytes = b"content", folder: str = "inbox") -> Path:
        path = self.root / folder / name
        path.write_bytes(content)
        return path

    async def look(self, *, after_s: float = 0.0) -> None:
        """Look until there is nothing more to do, after time has passed."""
        self.now_s += after_s
        while await self.drop.look():
            pass

    async def settle(self) -> None:
        """Look, and look again when what was seen has settled."""
        await self.look()
        await self.look(after_s=2.0)

    def end(self, claim: str, name: str, outcome: str = "accepted", body: str = REPORT, *more: str) -> None:
        first, *rest = [Reply("FL51", "598", text) for text in (body, *more)]
        self.drop.end(FileEnded(f"X-{claim}", "B01234", claim, name, outcome, first, tuple(rest)))

    def lies(self) -> dict[str, list[str]]:
        """What lies where, below each folder that is not empty."""
        found = {
            name: sorted(
                str(path.relative_to(self.root / name)) for path in (self.root / name).rglob("*") if path.is_file()
            )
            for name in FOLDERS
        }
        return {name: paths for name, paths in found.items() if paths}


async def at_once(step: Callable[[], object]) -> object:
    return step()
