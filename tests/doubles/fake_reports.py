"""Reports without a disk: fulfils exchange.ports.Reports, held to the same contract as the folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from pg_bridge.errors import ReportError, ReportMissing


@dataclass
class FakeReport:
    """One report that is open."""

    content: bytes
    hash: str
    closed: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.content)

    async def read(self, offset: int, size: int) -> bytes:
        return self.content[offset : offset + size]

    async def close(self) -> None:
        self.closed.append(self.hash)


class FakeReports:
    """(participant, day, name) -> content. `is_written`: what is read differs from what the hash was taken of."""

    def __init__(self) -> None:
        self.contents: dict[tuple[str, str, str], bytes] = {}
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.is_written = False

    def put(self, participant: str, day: str, name: str, content: bytes) -> None:
        self.contents[participant, day, name] = content

    async def open(self, participant: str, day: str, name: str, largest: int) -> FakeReport:
        content = self.contents.get((participant, day, name))
        if content is None:
            raise ReportMissing(f"there is no report {name} of {day}")
        if len(content) > largest:
            raise ReportError(f"report {name} of {day} has {len(content)} bytes, {largest} are the most")
        self.opened.append(name)
        told = hashlib.sha256(content).hexdigest()
        return FakeReport(content[:-1] + b"?" if self.is_written else content, told, self.closed)
