"""`python -m tests.benchmarks.pretend_pg`: requests a second that the pretend PG takes and answers, on one core.

The pretend PG is a process of its own on one core, the load on the others. On a busy machine trust the processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from pg_bridge.cli.processes import start, stop
from pg_bridge.cli.world import read_mappings
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from tests.benchmarks.load import run_load

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> int:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


async def measure(arguments: argparse.Namespace, folder: Path, options: Path) -> dict[str, Any]:
    """One run of instructions that are all accepted."""
    profile = read_link_profile(read_mappings()[LINK_FILE])
    participants = [f"B{number:05d}" for number in range(arguments.participants)]
    cores = sorted(os.sched_getaffinity(0))
    pg, where = await start(
        "simulate", "pg", "--port", "0", "--control-port", "0", "--json", "--options", str(options),
        log=folder / "pg.log",
    )  # fmt: skip
    try:
        os.sched_setaffinity(pg.pid, cores[:1])
        if len(cores) > 1:
            os.sched_setaffinity(0, cores[1:])
        host, _, port = where["pss"].rpartition(":")
        before = processor_s(pg.pid)
        took = await run_load(
            profile, host, int(port), participants=participants, sessions=arguments.sessions, each=arguments.each,
            window=arguments.window,
        )  # fmt: skip
        used, peak = processor_s(pg.pid) - before, peak_mib(pg.pid)
    finally:
        await stop(pg)
    count = arguments.sessions * arguments.each
    return {
        "cpus": len(cores),
        "sessions": arguments.sessions,
        "in_flight_each": arguments.window,
        "requests": count,
        "requests_per_s": round(count / took),
        "requests_per_processor_s": round(count / used),
        "peak_mib": peak,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--participants", type=int, default=4)
    parser.add_argument("--window", type=int, default=32, help="requests in flight on a session")
    parser.add_argument("--each", type=int, default=2000, help="instructions a session")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pg-bridge-benchmark-") as name:
        options = Path(name, "options.json")
        options.write_text(json.dumps({"most_sessions": 999}), "utf-8")
        figures = uvloop.run(measure(arguments, Path(name), options))
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for what, figure in figures.items():
        print(f"{what.replace('_', ' '):<26}{figure:>10,}")


if __name__ == "__main__":
    main()
