"""`python -m tests.benchmarks.throughput`: SIs a second through the bridge against a bare proxy, same stub, one run.

Then the time to translate one MT543. Prints both sides and their ratio; machines are noisy, so trust the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop
from httpx_aiohttp import AiohttpTransport

from pg_bridge.cli.processes import start, stop, write_config, write_keys
from pg_bridge.cli.world import read_mappings
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import load
from tests.benchmarks.load import instruction, run_load

CONTEXT = {
    "reference": "PG1", "participant": "B01234", "terminal": "PSS1", "business_date": "2026-11-23",
    "timestamp": "20261123093000", "snapshot": False,
}  # fmt: skip


def translate_us(rounds: int = 3000) -> float:
    """Median microseconds to read, check, map with lineage, and write the JSON of one MT543."""
    book = load(read_mappings())
    body = instruction("B0123400001")
    encode = msgspec.json.Encoder().encode
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        request = book.read_request("SI01", "543", body, CONTEXT)
        encode(request.document)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


async def through_proxy(url: str, path: str, *, workers: int, seconds: float) -> float:
    """Requests a second that the bare proxy passes on."""
    book = load(read_mappings())
    document = book.read_request("SI01", "543", instruction("B0123400001"), CONTEXT).document
    body = msgspec.json.encode({"data": [document]})
    count = 0
    async with httpx.AsyncClient(transport=AiohttpTransport(), base_url=url, timeout=10.0) as client:
        end = time.perf_counter() + seconds

        async def work() -> None:
            nonlocal count
            while time.perf_counter() < end:
                answer = await client.post(path, content=body, headers={"content-type": "application/json"})
                answer.raise_for_status()
                count += 1

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(workers)))
        return count / (time.perf_counter() - began)


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Both sides, one after the other, in front of one stub."""
    files = read_mappings()
    profile = read_link_profile(files[LINK_FILE])
    participants = [f"B{number:05d}" for number in range(arguments.participants)]
    with tempfile.TemporaryDirectory(prefix="pg-bridge-benchmark-") as name:
        folder = Path(name)
        write_keys(folder, participants)
        stub, at = await start("simulate", "ocp", "--stub", "--port", "0", "--json", log=folder / "stub.log")
        url = at["listening"]
        proxy = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.proxy", url, stdout=asyncio.subprocess.PIPE
        )
        assert proxy.stdout is not None
        at_proxy = json.loads(await proxy.stdout.readline())["listening"]
        path = load(files).ocp.operations["si_add"].path  # type: ignore[index]
        bare = await through_proxy(at_proxy, path, workers=16, seconds=arguments.seconds)
        await stop(proxy)
        config = write_config(folder, url, participants)
        text = config.read_text("utf-8").replace("[pss]", "[pss]\nmax_sessions_per_participant = 64")
        text = text.replace("[ocp]", "[ocp]\ncompany_calls = -1").replace("[push]", "[push]\nsubscribe = false")
        config.write_text(text, "utf-8")
        bridge, where = await start("serve", "-c", str(config), "--json", log=folder / "bridge.log")
        host, _, port = where["pss"].rpartition(":")
        took = await run_load(
            profile, host, int(port), participants=participants, sessions=arguments.sessions, each=arguments.each,
            window=arguments.window,
        )  # fmt: skip
        await stop(bridge)
        await stop(stub)
    sis = arguments.sessions * arguments.each / took
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "sessions": arguments.sessions,
        "in_flight_each": arguments.window,
        "instructions": arguments.sessions * arguments.each,
        "bridge_si_per_s": round(sis),
        "bare_proxy_requests_per_s": round(bare),
        "ratio": round(sis / bare, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--participants", type=int, default=4)
    parser.add_argument("--window", type=int, default=64, help="requests in flight on a session")
    parser.add_argument("--each", type=int, default=1000, help="instructions a session")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the bare proxy is measured")
    arguments = parser.parse_args()
    # Before the load is made: its thousands of frames would be the garbage collector's to look at.
    translate = translate_us()
    figures = uvloop.run(measure(arguments)) | {"translate_mt543_us": round(translate, 1)}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
