"""Rounds of translation in a process of its own: each line on standard input is one round, answered by one line of JSON.

It uses what `pg_bridge` gives to anyone, so that it measures any checkout that comes first on the path. Arguments: the
file of the MT543's text block, messages a round.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.cli.world import read_mappings
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.book import load

CONTEXT = {
    "reference": "PG00000000000003", "participant": "B01234", "terminal": "PSS1", "business_date": "2026-11-23",
    "timestamp": "20261123093000", "snapshot": False,
}  # fmt: skip
#: a push event as OCP sends it
EVENT: dict[str, Any] = {
    "eventId": "E-0002", "sequence": 2, "businessDate": "2026-11-23", "eventType": "MATCHED",
    "occurredAt": "2026-11-23T09:31:00.123+08:00", "previousStatus": "UNMATCHED", "newStatus": "MATCHED",
    "schemaVersion": "1", "requestReference": "B0123400001", "participantReference": "B0123400001",
    "participantId": "B01234", "counterpartyId": "C00019", "market": "HKMK", "direction": "DELIVER",
    "paymentInstruction": "DVP", "stockCode": "00005", "isin": "HK0005000002", "quantity": 1000, "currency": "HKD",
    "amount": "12345.67", "tradeDate": "2026-11-23", "settlementDate": "2026-11-25", "stockAccount": "00000001",
    "counterpartyAccount": None, "linkageReference": "202611230000001", "purpose": "TRADE", "hold": False,
    "remarks": "REMARKS", "siNumber": "I00000001", "status": "MATCHED", "version": 2, "holdOwn": False,
    "holdCounterparty": False, "revokeOwn": False, "revokeCounterparty": False,
    "lastRequestReference": "B0123400001", "reasonCode": None, "reasonText": None,
    "settlementPositionNumber": None, "createdAt": "2026-11-23T09:30:00.123+08:00",
    "updatedAt": "2026-11-23T09:31:00.123+08:00",
}  # fmt: skip

Stage = tuple[Callable[[Any], object], Sequence[Any]]


def fresh_texts(text: bytes, count: int) -> list[bytes]:
    """As many texts, each with a reference, a linkage, a quantity and an amount of its own."""
    return [
        text.replace(b"B0123400001", b"B01234%05d" % (number % 100_000))
        .replace(b"202611230000001", b"20261123%07d" % number)
        .replace(b"UNIT/1000,", b"UNIT/%d," % (1000 + 7 * number))
        .replace(b"HKD12345,67", b"HKD%d,%02d" % (10_000 + 3 * number, number % 100))
        for number in range(count)
    ]


def fresh_events(count: int) -> list[bytes]:
    """As many events in JSON, each of an SI of its own."""
    return [
        msgspec.json.encode(
            {
                **EVENT,
                "eventId": f"E-{number:04d}",
                "participantReference": f"B01234{number:05d}",
                "siNumber": f"I{number:08d}",
                "quantity": 1000 + 7 * number,
                "amount": f"{10_000 + 3 * number}.{number % 100:02d}",
            }
        )
        for number in range(count)
    ]


def stages(text: bytes, messages: int) -> dict[str, Stage]:
    """What is measured, by name, each with its arguments."""
    book = load(read_mappings())
    encode = msgspec.json.Encoder().encode
    decode = msgspec.json.Decoder().decode
    check = book.legacy.templates["SI01"].check

    def translate(body: bytes) -> tuple[bytes, bytes]:
        request = book.read_request("SI01", "543", body, CONTEXT)
        return encode(request.document), encode(request.lineage)

    def notify(event: bytes) -> tuple[bytes, bytes]:
        written = book.write_unsolicited("status_change", sources(decode(event)))
        return written.body, encode(written.lineage)

    def sources(event: Any) -> dict[str, Any]:
        return {"context": CONTEXT, "request": None, "answer": None, "ocp": event}

    same, fresh, events = [text] * messages, fresh_texts(text, messages), fresh_events(messages)
    requests = [book.read_request("SI01", "543", body, CONTEXT) for body in fresh]
    updates = [sources(decode(event)) for event in events]
    written = [book.write_unsolicited("status_change", each) for each in updates]
    if any(request.findings for request in requests):
        raise SystemExit("the text is refused; only a good one is worth measuring")
    return {
        "mt543": (translate, same),
        "mt543_fresh": (translate, fresh),
        "mt543_read": (read, fresh),
        # Reading goes with the check: what the reader knows of a message, the check may use.
        "mt543_read_check": (lambda body: check("543", read(body)), fresh),
        "mt543_read_check_map": (lambda body: book.read_request("SI01", "543", body, CONTEXT), fresh),
        "mt543_json": (lambda request: encode(request.document), requests),
        "mt543_lineage_json": (lambda request: encode(request.lineage), requests),
        "mt548": (notify, [events[0]] * messages),
        "mt548_fresh": (notify, events),
        "mt548_event": (decode, events),
        "mt548_write": (lambda each: book.write_unsolicited("status_change", each), updates),
        "mt548_lineage_json": (lambda each: encode(each.lineage), written),
    }


def measure(call: Callable[[Any], object], arguments: Sequence[Any]) -> dict[str, float]:
    """Median and minimum microseconds of a call, and calls a second over all."""
    clock = time.perf_counter_ns
    times = []
    began = before = clock()
    for argument in arguments:
        call(argument)
        now = clock()
        times.append(now - before)
        before = now
    return {
        "median_us": statistics.median(times) / 1e3,
        "min_us": min(times) / 1e3,
        "per_second": len(times) * 1e9 / (before - began),
    }


def main() -> None:
    """Answer each line with a round of every stage."""
    every = stages(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]))
    # as the bridge does when it has started
    gc.freeze()
    gc.set_threshold(20_000, 10, 100)
    for _ in sys.stdin:
        print(json.dumps({name: measure(*stage) for name, stage in every.items()}), flush=True)


if __name__ == "__main__":
    main()
