"""`python -m tests.benchmarks.trade_file --trades 1000000`: CCLID01 from a journal full of trades, records a second.

The journal is filled first, with the pretend OCP's own trades of a market's day (corrections and cancellations among
them) in pages of 1,000, and that is not counted. Then one process a size makes the file: seconds are those of its
processor, from opening the journal to the renamed file; its peak memory is its own and must not grow with the number
of trades. 60,000 entries a second are the least.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from pg_bridge.bridge.loading import hash_of_ocp
from pg_bridge.bridge.market_reports import MarketReports, Wanted
from pg_bridge.exchange.kinds.market import TradesTaken
from pg_bridge.exchange.records import write_entry
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.mapping.book import load
from pg_bridge.profiles.market_concepts import Market
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.simulator.binding import Binding
from pg_bridge.simulator.calendar_days import calendar_day
from pg_bridge.simulator.market_documents import MarketDocuments
from pg_bridge.simulator.reference_data import ReferenceData
from pg_bridge.simulator.trades import TradeDay
from tests.doubles.mapping_files import shipped

REPORT = "cclid01"
SIZES = (10_000, 1_000_000)
LEAST_A_SECOND = 60_000
MOST_GROWTH = 1.2
DAY = date(2026, 11, 23)
PARTICIPANT = "C00019"
PAGE = 1000


async def fill(path: Path, trades: int) -> list[str]:
    """A journal with so many entries about trades; gives the NCPs whose trades they are."""
    files = shipped()
    profile = read_ocp_profile(files)
    reference = ReferenceData(0, {PARTICIPANT})
    ncps = reference.ncps_of([PARTICIPANT], Market.HONG_KONG, DAY) or reference.ncp_mappings[:3]
    day = TradeDay(
        "0 bench",
        calendar_day(Market.HONG_KONG, DAY),
        ncps,
        reference.eligible[Market.HONG_KONG],
        reference.brokers,
        0.0,
        trades,
        MarketDocuments(Binding(profile)).trade,
    )
    async with await SqliteJournal.open(path, node="bench") as journal:
        for first in range(1, trades + 1, PAGE):
            last = min(first + PAGE - 1, trades)
            raw = msgspec.Raw(msgspec.json.encode(day.entries(first, last)))
            record = TradesTaken(
                market=Market.HONG_KONG.value,
                trade_date=DAY.isoformat(),
                first=first,
                last=last,
                ocp_hash=hash_of_ocp(files),
                trades=raw,
            )
            await journal.append([write_entry(record, first)])
            day._made[first - 1 : last] = [msgspec.Raw(b"")] * (last - first + 1)  # what was told need not be kept
    return sorted({one.ncp for one in ncps})


def measure(path: Path, ncps: list[str], trades: int) -> dict[str, float]:
    """Make the file of a filled journal."""
    files = shipped()
    reports = MarketReports(load(files), path, hash_of_ocp(files))
    wanted = Wanted(REPORT, PARTICIPANT, DAY.isoformat(), Market.HONG_KONG, tuple(ncps))
    begun, wall = time.process_time(), time.monotonic()
    made, written = reports.write(wanted, [path.with_name("out.txt")])
    spent = time.process_time() - begun
    assert trades == made.entries
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "trades": trades,
        "records": made.records,
        "bytes": written.size,
        "a_second": trades / spent,
        "wall_s": time.monotonic() - wall,
        "peak_mb": peak_mb,
    }


def _in_child(*arguments: str) -> str:
    command = [sys.executable, "-m", __spec__.name, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Measure each size; exit code 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, action="append", help="number of entries; again for others")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--fill", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        print(",".join(asyncio.run(fill(Path(given.fill[0]), int(given.fill[1])))))
        return 0
    if given.one:
        print(json.dumps(measure(Path(given.one[0]), given.one[1].split(","), int(given.one[2]))))
        return 0
    rows = []
    for trades in sorted({SIZES[0], *(given.trades or SIZES)}):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "journal.sqlite")
            # Both in processes of their own: a child's peak begins with that of the process which starts it.
            ncps = _in_child("--fill", path, str(trades)).strip()
            rows.append(json.loads(_in_child("--one", path, ncps, str(trades))))
    is_flat = rows[-1]["peak_mb"] <= MOST_GROWTH * rows[0]["peak_mb"]
    is_good = is_flat and all(row["a_second"] >= LEAST_A_SECOND for row in rows)
    if given.json:
        print(json.dumps({"report": REPORT, "sizes": rows, "least_a_second": LEAST_A_SECOND, "is_good": is_good}))
        return 0 if is_good else 1
    title = f"journal to {REPORT}: at least {LEAST_A_SECOND:,} entries a second of processor time, memory flat"
    table = Table(title=title, title_justify="left")
    for name in ("entries", "records", "MB", "entries a second", "seconds", "peak MB"):
        table.add_column(name, justify="right")
    for row in rows:
        cells = (row["trades"], row["records"], row["bytes"] / 1e6, row["a_second"], row["wall_s"], row["peak_mb"])
        table.add_row(*(f"{cell:,.0f}" for cell in cells))
    Console().print(table)
    print("good" if is_good else "not good")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
