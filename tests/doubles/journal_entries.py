"""Entries for tests of a journal."""

from __future__ import annotations

from typing import Any

from pg_bridge.exchange.entries import Entry, Kind

AT_US = 1_795_397_400_000_000


def entry(number: int, **changes: Any) -> Entry:
    """A plain entry, told from others by its number."""
    values: dict[str, Any] = {
        "kind": Kind.INSTRUCTION_RECEIVED,
        "at_us": AT_US + number,
        "exchange": f"x{number}",
        "participant": "B01234",
        "references": {"seme": f"SEME{number}"},
        "mapping": "si-input@abc",
        "findings": ("PGB-MSG-003",),
        "payload": b'{"number":%d}' % number,
    }
    return Entry(**(values | changes))
