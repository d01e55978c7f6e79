"""Two drop folder edges one after the other, the first killed with SIGKILL at a call to the disk: argument FOLDER.

For each call, before and after it, in a folder of its own; prints as JSON what lies where at the end, and what the
exchange, here a list of lines on disk, was told.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.pss.drop_folder import Taken
from tests.doubles.drop_desk import DropWorld, KeptDesk

CALLS = ("open", "fsync", "rename", "mkdir", "unlink", "scandir")


class Ledger(KeptDesk):
    """The exchange: enters a claim once, durably; ends what it entered; remembers what was told."""

    def __init__(self, path: Path, world: DropWorld) -> None:
        super().__init__()
        self._path = path
        self._world = world
        lines = path.read_text().split("\n") if path.exists() else []
        self.lines = [line for line in lines if line]

    def resume(self) -> None:
        """End again what is not known to have been told."""
        for claim in self._claims("entered") - self._claims("told"):
            self._world.end(claim, "SI1.txt", self._world.outcome)

    async def arrived(self, participant: str, file: Taken, content: bytes, sha256: str, *, is_again: bool) -> None:
        if file.claim not in self._claims("entered"):
            self._keep(f"entered {file.claim} {content.decode()}")
        self._world.end(file.claim, file.name, self._world.outcome)

    def ended(self, ended: Any, report: Path, moved_to: Path | None) -> None:
        if ended.claim not in self._claims("told"):
            self._keep(f"told {ended.claim}")

    def _claims(self, word: str) -> set[str]:
        return {line.split()[1] for line in self.lines if line.startswith(word)}

    def _keep(self, line: str) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, f"{line}\n".encode())
        os.fsync(handle)
        os.close(handle)
        self.lines.append(line)


class KillableWorld(DropWorld):
    """An edge whose desk is the ledger."""

    def __init__(self, root: Path, outcome: str, letter: str) -> None:
        self.outcome = outcome
        super().__init__(root, letter=letter)
        self.desk: Ledger = Ledger(root.parent / f"{root.name}.ledger", self)
        self.drop = self.started()
        self.desk.resume()


def arm(at: int) -> None:
    """Die at the call of this number, each counted before and after."""
    count = itertools.count()

    def die() -> None:
        if next(count) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            die()
            given = real(*arguments, **more)
            die()
            return given

        return call

    for name in CALLS:
        setattr(os, name, killing(getattr(os, name)))


def in_child(run: Callable[[], None]) -> int:
    """The signal that ended it; 0: none."""
    child = os.fork()
    if child == 0:
        run()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def one_run(root: Path, outcome: str, letter: str, kill_at: int | None) -> None:
    async def go() -> None:
        world = KillableWorld(root, outcome, letter)
        if kill_at is not None:
            arm(kill_at)
        await world.settle()
        await world.settle()

    asyncio.run(go())


def main(folder: Path) -> None:
    told = []
    for outcome in ("accepted", "refused"):
        for at in itertools.count():
            root = folder / f"{outcome}{at}"
            (root / "inbox").mkdir(parents=True)
            (root / "inbox/SI1.txt").write_text("content")
            killed = in_child(lambda root=root, outcome=outcome, at=at: one_run(root, outcome, "F", at))
            in_child(lambda root=root, outcome=outcome: one_run(root, outcome, "G", None))
            lies = {
                name: sorted(str(path.relative_to(root / name)) for path in (root / name).rglob("*") if path.is_file())
                for name in ("inbox", "taken", "outbox", "rejected", "archive")
            }
            lines = root.with_name(f"{root.name}.ledger").read_text().split("\n")
            told.append({"outcome": outcome, "at": at, "signal": killed, "lies": lies, "lines": lines[:-1]})
            if not killed:
                break
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
