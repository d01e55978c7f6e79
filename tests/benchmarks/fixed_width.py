"""`python -m tests.benchmarks.fixed_width`: trades written to CCLID01 and read back, records a second on one core.

Seconds are those of the processor, so that others at work do not count. Records are made anew for each file, as a feed gives them, and their making is not counted. Each size is run in a
process of its own, so that its peak memory is its own: it must not grow with the number of records. 60,000 records
a second written are the least.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from pg_bridge.formats.fixed_width.layout import Layout, Record
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.formats.fixed_width.writer import write
from pg_bridge.profiles.layouts import read_layouts
from tests.doubles.mapping_files import shipped

LAYOUT = "CCLID01"
SIZES = (10_000, 1_000_000)
LEAST_A_SECOND = 60_000
MOST_GROWTH = 1.2
#: trades that are made at once, outside of the time that is measured
SHARE = 5_000
DAY = date(2026, 11, 23)


def layout() -> Layout:
    """The layout under test, of the shipped set."""
    return read_layouts(shipped(), [])[LAYOUT]


def header() -> Record:
    """The header of a file."""
    return Record("header", {"participant": "B01234", "market": "HKMK", "trade_date": DAY, "settlement_date": DAY})


def trade(number: int) -> Record:
    """One trade; no two are alike."""
    quantity = 100 * (1 + number % 977)
    price = Decimal(1_000 + number % 99_000).scaleb(-3)
    return Record(
        "detail",
        {
            "ccass": "1",
            "stock_code": f"{1 + number % 9_999:05d}",
            "isin": f"HK{number % 10**9:09d}0",
            "isolation": "1",
            "isolation_reason": None,
            "side": "BS"[number & 1],
            "trade_time": f"{9 + number % 7:02d}{number % 60:02d}",
            "trade_reference": f"{1_001_671_509_000_000 + number:016d}",
            "broker": "1170",
            "counterparty_broker": f"{number % 10_000:04d}",
            "counterparty": f"B{number % 100_000:05d}",
            "quantity": quantity,
            "price": price,
            "value": (price * quantity).quantize(Decimal("0.01")),
            "currency": "HKD",
            "method": "A",
            "direct": None,
            "accrued_interest": Decimal(0),
            "short_sell": "N",
            "origin": "A",
            "hedge": None,
        },
    )


def measure(records: int) -> dict[str, float]:
    """Write and read a file of so many records; the pieces go from one to the other and are not kept."""
    spent = {"made": 0.0, "read": 0.0}
    clock = time.process_time

    def made() -> Iterator[Record]:
        yield header()
        for start in range(0, records, SHARE):
            begun = clock()
            trades = [trade(number) for number in range(start, min(start + SHARE, records))]
            spent["made"] += clock() - begun
            yield from trades

    form = layout()
    begun = clock()
    size = sum(len(piece) for piece in write(form, made()))
    written = clock() - begun - spent["made"]
    spent["made"] = 0.0
    reader = FixedWidthReader(form)
    spans = {"write": 0.0}

    def pieces() -> Iterator[bytes]:
        source = write(form, made())
        while True:
            at = clock()
            piece = next(source, b"")
            spans["write"] += clock() - at
            if not piece:
                return
            yield piece

    begun = clock()
    count = sum(1 for _ in reader.records(pieces()))
    read = clock() - begun - spans["write"]
    assert not reader.findings
    assert records + 2 == count
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"records": records, "bytes": size, "written": records / written, "read": records / read, "peak_mb": peak_mb}


def main() -> int:
    """Measure each size; exit code 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of records")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one)))
        return 0
    rows = []
    for size in given.sizes:
        command = [sys.executable, "-m", __spec__.name, "--one", str(size)]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    is_flat = rows[-1]["peak_mb"] <= MOST_GROWTH * rows[0]["peak_mb"]
    is_good = is_flat and all(row["written"] >= LEAST_A_SECOND for row in rows)
    if given.json:
        print(json.dumps({"layout": LAYOUT, "sizes": rows, "least_a_second": LEAST_A_SECOND, "is_good": is_good}))
        return 0 if is_good else 1
    table = Table(
        title=f"{LAYOUT}: at least {LEAST_A_SECOND:,} records a second written, memory flat", title_justify="left"
    )
    for name in ("records", "MB", "written a second", "read a second", "peak MB"):
        table.add_column(name, justify="right")
    for row in rows:
        cells = (row["records"], row["bytes"] / 1e6, row["written"], row["read"], row["peak_mb"])
        table.add_row(*(f"{cell:,.0f}" for cell in cells))
    Console().print(table)
    print("good" if is_good else "not good")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
