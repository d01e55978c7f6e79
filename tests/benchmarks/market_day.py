"""Trades a second of the pretend OCP: made alone, and read over HTTP in pages of 1,000.

python -m tests.benchmarks.market_day [--trades 100000]
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time

from pg_bridge.profiles.concepts import Operation
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from tests.doubles.ocp_caller import COMPANY, Wall, registrations, shipped_profile
from tests.doubles.running_ocp import START, running

TODAY = {"tradeDate": "2026-11-23", "market": "HKMK"}
PAGE = 1000


def made_a_second(trades: int) -> float:
    """Trades made in a second of processor time, the reference data made before."""
    document = {"registrations": registrations(), "start": START, "clock": "stands", "trades_at_once": trades}
    calls = create_app(shipped_profile(), read_options(document), Wall()).state.ocp.market
    assert calls.reference.stocks
    began = time.process_time()
    for after in range(0, trades, PAGE):
        asked = {**TODAY, "afterSequence": after, "size": PAGE}
        found = calls.answer(Operation.TRADES, COMPANY, asked)
        assert PAGE == len(found.entries)
    return trades / (time.process_time() - began)


async def read_a_second(trades: int) -> tuple[float, float]:
    """Trades read over HTTP in a second: the first time, when they are made as they are read, and the second."""
    async with running(trades_at_once=trades, company_calls=0, token_life_s=1_000_000) as (one, _):
        rates = []
        for _ in range(2):
            began, after = time.perf_counter(), 0
            while after < trades:
                parameters = {**TODAY, "afterSequence": after, "size": PAGE}
                reply = await one.http.get("/api/trades/v1", params=parameters, headers=one.headers())
                after += reply.content.count(b'"tradeReference"')
            rates.append(trades / (time.perf_counter() - began))
        return rates[0], rates[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    trades = parser.parse_args().trades // PAGE * PAGE
    print(f"{trades} trades of one market day")
    print(f"made:                 {made_a_second(trades):9,.0f} a second of processor time")
    first, again = asyncio.run(read_a_second(trades))
    print(f"made and read (HTTP): {first:9,.0f} a second")
    print(f"read again (HTTP):    {again:9,.0f} a second")
    print(f"peak memory:          {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:9,.0f} MiB")


if __name__ == "__main__":
    main()
