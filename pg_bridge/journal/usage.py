"""Calls and entries by day, company, participant and service, counted from the journal: to check HKEX's fees by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone

import msgspec

from pg_bridge.exchange.entries import Stored

_HONG_KONG = timezone(timedelta(hours=8))
#: what is counted under where the journal keeps only that there was a call
UNKNOWN = "unknown"
#: outcomes by the HTTP status of a call; others: unknown, as no answer is
_THROTTLED, _READ, _SERVER = 429, frozenset({200, 400, 401, 403}), 500


class _Call(msgspec.Struct):
    """What is counted of a call's entry."""

    operation: str = UNKNOWN
    company: str = UNKNOWN
    entries: int = 0
    status: int = 0
    error: str = ""


class Usage(msgspec.Struct, kw_only=True):
    """What one participant used of one service on one day (Hong Kong, YYYY-MM-DD).

    calls: every HTTP request that went out; among them those that OCP refused or denied, throttled, or did not answer
    in a way that can be read (failed). entries: of a write those asked, of a question those answered; of calls
    that were neither throttled nor failed.
    """

    day: str
    company: str
    participant: str
    service: str
    calls: int = 0
    entries: int = 0
    refused: int = 0
    throttled: int = 0
    failed: int = 0


def bounds_us(first: date | None, last: date | None) -> tuple[int | None, int | None]:
    """UTC microseconds of the first day's begin and of the last day's end, Hong Kong time."""
    return (
        None if first is None else _midnight_us(first),
        None if last is None else _midnight_us(last + timedelta(days=1)),
    )


def _midnight_us(day: date) -> int:
    return round(datetime.combine(day, time(), _HONG_KONG).timestamp()) * 1_000_000


def count_usage(calls: Iterable[Stored]) -> list[Usage]:
    """The usage of these entries (kind `call_ended`), sorted; a payload that was dropped counts as unknown."""
    found: dict[tuple[str, str, str, str], Usage] = {}
    read = msgspec.json.Decoder(_Call | None).decode
    for stored in calls:
        entry = stored.entry
        call = read(entry.payload) or _Call()
        day = datetime.fromtimestamp(entry.at_us / 1e6, UTC).astimezone(_HONG_KONG).date().isoformat()
        key = (day, call.company, entry.participant, call.operation)
        usage = found.get(key)
        if usage is None:
            usage = found[key] = Usage(
                day=day, company=call.company, participant=entry.participant, service=call.operation
            )
        usage.calls += 1
        if call.status == _THROTTLED:
            usage.throttled += 1
        elif call.status not in _READ:
            usage.failed += 1
        else:
            usage.refused += bool(call.error)
            usage.entries += call.entries
    return [found[key] for key in sorted(found)]
