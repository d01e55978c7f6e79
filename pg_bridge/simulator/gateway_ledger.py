"""The pretend PG's own record of every request that it really took, for judging others: append-only until it is begun
anew by command."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import msgspec


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction or enquiry that was taken; a request with several blocks, or a file, has a line for each.

    position counts from 1; at: RFC 3339 on the simulated clock. effect: instruct or enquire. outcome: accepted,
    refused, found, nothing_found; faults: what it is refused for. status: of the SI, after it. A request that came
    again on its day is not here: it was answered as the first time.
    """

    position: int
    at: str
    participant: str
    terminal: str
    template: str
    function: str
    effect: str
    operation: str
    request_reference: str
    si_number: str
    outcome: str
    faults: tuple[str, ...]
    status: str


class GatewayLedger:
    """All that was taken, in order, in memory and, when a file is given, there too."""

    def __init__(self, file: Path | None) -> None:
        self._taken: list[Taken] = []
        self._file: IO[bytes] | None = file.open("ab") if file else None

    def __len__(self) -> int:
        return len(self._taken)

    def append(self, taken: Taken) -> None:
        """Record one more; `taken.position` must be the next."""
        self._taken.append(taken)
        if self._file is not None:
            self._file.write(msgspec.json.encode(taken) + b"\n")
            self._file.flush()

    def after(self, position: int) -> list[Taken]:
        """Everything behind `position`."""
        return self._taken[position:]

    def done(self, after: int) -> list[Taken]:
        """Of what is behind `after`: the instructions that were really done."""
        return [one for one in self._taken[after:] if one.effect == "instruct" and one.outcome == "accepted"]

    def clear(self) -> None:
        """Begin anew in memory; what the file holds stays."""
        self._taken.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
