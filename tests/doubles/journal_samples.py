"""Entries and journals that the journal's tests share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.journal.writer import JournalOptions

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000


class StillClock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def sample_entry(number: int, **changes: object) -> Entry:
    """The entry `number`: an instruction of its own exchange, a second after the one before."""
    members: dict[str, object] = {
        "kind": Kind.INSTRUCTION_RECEIVED,
        "at_us": START_US + number * 1_000_000,
        "exchange": f"x{number:06d}",
        "participant": "C00019" if number % 2 else "B00021",
        "references": {"reference": f"SEME{number:06d}", "si_number": f"SI{number:08d}"},
        "mapping": "si-input@0123456789ab",
        "findings": (),
        "payload": b'{"legacy":":20C::SEME//%06d"}' % number,
    }
    return Entry(**(members | changes))  # type: ignore[arg-type]


def sample_entries(count: int, first: int = 1) -> list[Entry]:
    """`count` of them."""
    return [sample_entry(number) for number in range(first, first + count)]


async def make_journal(
    path: Path, entries: Sequence[Entry], *, batch: int = 50, options: JournalOptions | None = None
) -> str:
    """A closed journal at `path` with `entries`; gives its public key."""
    async with await SqliteJournal.open(
        path, node="n1", clock=StillClock(), options=options or JournalOptions(checkpoint_entries=100)
    ) as journal:
        for start in range(0, len(entries), batch):
            await journal.append(entries[start : start + batch])
        return str(journal.public_key)
