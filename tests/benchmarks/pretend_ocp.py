"""`python -m tests.benchmarks.pretend_ocp`: how fast the pretend OCP is, on one core, with every check on.

Single siAdd calls and bulk ones of 1,000 entries, over HTTP with keep-alive. The server runs on one core and the load
on another, where there are two. Processor seconds of the server are given beside what the clock says: trust those on a
machine that has other work to do. With --day a whole day instead: see tests/doubles/ocp_day.py.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop

from pg_bridge.cli.processes import start, stop
from pg_bridge.simulator.run import serving
from tests.benchmarks.ocp_load import adds, registered, run_calls, sides, token_of
from tests.doubles.day_receivers import DayReceivers
from tests.doubles.ocp_caller import MAPPINGS
from tests.doubles.ocp_day import OPTIONS, Day, participants_of, registrations

START = "2026-11-23T09:30:00+08:00"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """The pretend OCP, a process of its own."""

    url: str
    pid: int

    def processor_s(self) -> float:
        """Processor seconds that it has used."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def peak_mib(self) -> float:
        """Its peak resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise ValueError("the peak is not told")


@asynccontextmanager
async def server(
    registrations: dict, *, signed: bool = False, rate: float = 1.0, **options: Any
) -> AsyncIterator[Server]:
    """Start it with these options, on the first core; the rest of us goes to another."""
    document = {"start": START, "token_life_s": 3600, "company_calls": 0, "registrations": registrations} | options
    with tempfile.TemporaryDirectory(prefix="pg-bridge-benchmark-") as name:
        folder = Path(name)
        (folder / "options.json").write_text(json.dumps(document), "utf-8")
        more = ["--mappings", str(_signing_mappings(folder))] if signed else []
        process, at = await start(
            "simulate", "ocp", "--port", "0", "--json", "--options", str(folder / "options.json"), "--calls", "0",
            "--rate", str(rate), *more, log=folder / "ocp.log",
        )  # fmt: skip
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process.pid, cores[:1])
        os.sched_setaffinity(0, cores[1:] or cores)
        try:
            yield Server(at["listening"], process.pid)
        finally:
            await stop(process)
            os.sched_setaffinity(0, cores)


def _signing_mappings(folder: Path) -> Path:
    """The shipped mappings, but that writes are signed."""
    made = folder / "mappings"
    for path in MAPPINGS.rglob("*.*"):
        to = made / path.relative_to(MAPPINGS)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(path.read_text("utf-8").replace("sign_writes = false", "sign_writes = true"), "utf-8")
    return made


async def measure(*, calls: int, each: int, connections: int, signed: bool, **options: Any) -> dict[str, Any]:
    """Enter `calls` times `each` entries, both sides of every pair."""
    async with server(registered(), signed=signed, **options) as one:
        token = await token_of(one.url)
        numbers = itertools.count(1)
        warm = adds(token, itertools.islice(sides(numbers), min(each * 20, 2000)), each, signed=signed)
        await run_calls(one.url, warm, connections)
        requests = adds(token, itertools.islice(sides(numbers), calls * each), each, signed=signed)
        used = one.processor_s()
        took, answers = await run_calls(one.url, requests, connections)
        used = one.processor_s() - used
        peak = one.peak_mib()
    entered = 0
    for answer in answers:
        document = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
        assert document["code"] == "0", document
        entered += sum(entry["siNumber"] is not None for entry in document["data"])
    assert entered == calls * each, f"{calls * each - entered} were refused: {document['data'][0]}"
    return {
        "calls": calls,
        "entries_each": each,
        "connections": connections,
        "signed": signed,
        "calls_per_s": round(calls / took),
        "entries_per_s": round(entered / took),
        "server_cpu_us_per_call": round(used / calls * 1e6),
        "server_cpu_us_per_entry": round(used / entered * 1e6, 1),
        "entries_per_cpu_s": round(entered / used),
        "peak_mib": round(peak),
    }


async def whole_day(sis: int, participants: int, rate: float) -> dict[str, Any]:
    """One day by a clock that goes `rate` times as fast as the wall's: what it came to, and what it cost."""
    own = participants_of(participants)
    options = {**OPTIONS, "clock": "runs", "push_waits_s": [0.2, 1.0]}
    async with server(registrations(own), rate=rate, **options) as one:
        receivers = DayReceivers()
        # a kept connection may end just when the next call goes out, which would then be in doubt
        limits = httpx.Limits(max_connections=participants, max_keepalive_connections=0)
        async with (
            serving(receivers) as push_url,
            httpx.AsyncClient(base_url=one.url, timeout=120, trust_env=False, limits=limits) as http,
        ):
            verdict = await Day(one.url, http, own, sis, by_clock=True).play(push_url, receivers)
        used, peak = one.processor_s(), one.peak_mib()
    return {
        "participants": participants,
        "clock_rate": rate,
        **{name: value for name, value in vars(verdict).items() if name not in ("entry_s", "took_s", "refused")},
        "entry_s": round(verdict.entry_s, 1),
        "took_s": round(verdict.took_s, 1),
        "server_cpu_s": round(used, 1),
        "server_cpu_us_per_si": round(used / verdict.sis * 1e6),
        "peak_mib": round(peak),
        "refused": verdict.refused,
        "faults": verdict.faults(),
    }


def machine() -> dict[str, Any]:
    """What it runs on."""
    names = {line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")}
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": next(iter(names), platform.machine()),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8", "replace").splitlines()


async def speeds(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every measurement of the entry of instructions."""
    single = {"calls": arguments.calls, "each": 1, "connections": arguments.connections}
    bulk = {"calls": arguments.bulk_calls, "each": 1000, "connections": 2}
    found = {}
    for name, kind, options in (
        ("single", single, {}),
        ("single_signed", single, {"signed": True}),
        ("bulk_matched_at_once", bulk, {}),
        ("bulk_matched_by_runs", bulk, {"match_at_once": False}),
    ):
        if arguments.only in ("", name):
            found[name] = await measure(**{"signed": False, **kind, **options})
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000, help="single calls")
    parser.add_argument("--bulk-calls", type=int, default=60, help="calls of 1,000 entries")
    parser.add_argument("--connections", type=int, default=16, help="of the single calls, one in flight on each")
    parser.add_argument("--only", default="", help="one measurement")
    parser.add_argument("--day", action="store_true", help="one day with pushes instead")
    parser.add_argument("--sis", type=int, default=100_000, help="instructions of the day")
    parser.add_argument("--participants", type=int, default=40, help="of the day")
    parser.add_argument("--rate", type=float, default=250.0, help="of the day's clock: seconds in one of the wall")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.day:
        measured = {"day": uvloop.run(whole_day(arguments.sis, arguments.participants, arguments.rate))}
    else:
        measured = uvloop.run(speeds(arguments))
    found = {"machine": machine(), **measured}
    if arguments.json:
        print(json.dumps(found, indent=2))
    for name, figures in found.items() if not arguments.json else ():
        print(name)
        for what, figure in figures.items():
            print(f"  {what:24} {_told(figure):>12}")
    if arguments.day and measured["day"]["faults"]:
        raise SystemExit(1)


def _told(figure: object) -> str:
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return str(figure)
    return f"{figure:,}"


if __name__ == "__main__":
    main()
