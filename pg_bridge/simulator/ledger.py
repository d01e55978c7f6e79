"""The pretend OCP's own record of every instruction it really did, for judging others. Append-only
until it is begun anew by command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec


class Done(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a write that was done. `position` counts from 1; `at`: RFC 3339 on the simulated clock."""

    position: int
    at: str
    operation: str
    request_id: str
    company: str
    machine: str
    participant: str
    request_reference: str
    participant_reference: str
    si_number: str
    status: str


class Ledger:
    """All that was done, in order, in memory and, when a file is given, there too."""

    def __init__(self, file: Path | None) -> None:
        self._done: list[Done] = []
        self._lines: list[bytes] = []
        self._file: IO[bytes] | None = file.open("ab") if file else None

    def __len__(self) -> int:
        return len(self._done)

    def append(self, done: Done) -> None:
        """Record one more; `done.position` must be the next. In the file it is after `flush` at the latest."""
        self._done.append(done)
        if self._file is not None:
            self._lines.append(msgspec.json.encode(done))

    def flush(self) -> None:
        """Have all in the file that was recorded. Raises OSError: what is not there must not be answered."""
        if self._file is not None and self._lines:
            # in one piece: whoever is killed has written all of a call, or nothing
            self._file.write(b"\n".join((*self._lines, b"")))
            self._file.flush()
            self._lines.clear()

    def restore(self, done: Iterable[Done]) -> None:
        """Go on behind these in memory; what the file holds stays."""
        self._done = list(done)

    def after(self, position: int) -> list[Done]:
        """Everything behind `position`."""
        return self._done[position:]

    def clear(self) -> None:
        """Begin anew in memory; what the file holds stays."""
        self._done.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self.flush()
            self._file.close()
            self._file = None
