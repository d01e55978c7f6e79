"""`simulate ocp` as it is typed: its flags, and what it promises of a kill and a restart with `--state`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError
from tests.doubles.ocp_caller import MACHINE, OcpCaller, Wall, registrations, si_entry
from tests.doubles.running_ocp import running

TRADES, STREAM = "/api/trades/v1", "/api/si/status-events/stream/v1"
FLAGS = (
    "--start", "2026-11-23T09:30:00+08:00", "--stand", "--reference-data", "--trades-at-once", "500", "--seed", "7",
    "--calls", "40", "--machine-calls", "0", "--maker-checker", "B01234", "--transaction-limit", f"{MACHINE}=5.50",
    "--money-tolerance", "0.50", "--hours", "--durable",
)  # fmt: skip


class RealWall(Wall):
    """The wall's real time, as it was when it was made."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)


@asynccontextmanager
async def typed(folder: Path, *flags: str) -> AsyncIterator[OcpCaller]:
    """`simulate ocp --state`, killed in the end."""
    (folder / "registrations.json").write_text(json.dumps(registrations()))
    command = [sys.executable, "-m", "pg_bridge", "simulate", "ocp", "--port", "0", "--state", str(folder / "state")]
    command += ["--registrations", str(folder / "registrations.json"), *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        try:
            line = await asyncio.to_thread(process.stdout.readline)
            async with httpx.AsyncClient(base_url=json.loads(line)["listening"], timeout=20, trust_env=False) as http:
                yield OcpCaller(http, RealWall())
        finally:
            process.send_signal(signal.SIGKILL)


async def trades(one: OcpCaller, after: int) -> list[dict]:
    parameters = {"tradeDate": "2026-11-23", "market": "HKMK", "afterSequence": after, "size": 100}
    return (await one.http.get(TRADES, params=parameters, headers=one.headers())).json()["data"]


async def behind(one: OcpCaller, place: str, count: int) -> list[int]:
    """The sequences of so many events behind a place."""
    headers = one.headers() | {"Last-Event-ID": place}
    found: list[int] = []
    async with one.http.stream("GET", STREAM, params={"participantId": "B01234"}, headers=headers) as reply:
        async for line in reply.aiter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: "))["sequence"])
            if len(found) == count:
                break
    return found


async def test_positions_and_counts_hold_over_a_kill_and_tokens_do_not(tmp_path: Path) -> None:
    async with typed(tmp_path, *FLAGS) as one:
        await one.log_in()
        stated = {"stockCode": None, "isin": (await eligible(one))["isin"], "counterpartyId": "C00019"}
        entered = (await one.add(*(si_entry(f"R{n}", quantity=n, **stated) for n in (1, 2, 3)))).json()["data"]
        unknown = (await one.add(si_entry("R9", stockCode="99999", isin=None))).json()["data"][0]
        first, rest = await trades(one, 0), await trades(one, 100)
        told = await behind(one, "2026-11-23:1", 2)
        limits = await one.control("limits")
        for _ in range(40):
            last = await one.http.get("/api/system/echo/v1", headers=one.headers())
        token = one.token
    async with typed(tmp_path, *FLAGS) as one:
        one.token = token
        refused = await one.http.get("/api/system/echo/v1", headers=one.headers())
        await one.log_in()
        renewed = await one.http.get("/api/system/echo/v1", headers=one.headers())
        await one.control("limits", {"company_calls": 0})
        trades_after, told_after = (
            [await trades(one, after) for after in (0, 100)],
            await behind(one, "2026-11-23:1", 2),
        )
        found = await one.query(participantId="B01234")
        state = await one.control("clock")

    assert (["PENDING"] * 3, ["400101"]) == (
        [entry["status"] for entry in entered],
        [error["recordErrorCode"] for error in unknown["exception"]],
    )
    assert {"company_calls": 40, "machine_calls": 0, "transaction_limits": {MACHINE: "5.50"}} == limits
    assert (429, 401, 429) == (last.status_code, refused.status_code, renewed.status_code)
    assert ([first, rest], [2, 3], [2, 3]) == (trades_after, told, told_after)
    assert [1, 101] == [first[0]["sequence"], rest[0]["sequence"]]
    assert (3, "2026-11-23T09:30:00+08:00", "stands") == (found["totalSize"], state["now"], state["mode"])


async def eligible(one: OcpCaller) -> dict:
    reply = await one.http.get("/api/refdata/stocks/v1", params={"size": 100}, headers=one.headers())
    return next(
        one for one in reply.json()["data"] if one["ccassEligible"] and one["domainStockCode"] == one["stockCode"]
    )


async def test_what_is_durable_is_on_the_disk_before_it_is_answered(tmp_path: Path, monkeypatch) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor))[1])
    counts = []
    for durable in (False, True):
        async with running(state_file=str(tmp_path / f"state{durable}"), durable=durable) as (one, _):
            before = len(synced)
            await one.add(si_entry("R1"), si_entry("R2", quantity=5))
            counts.append(len(synced) - before)

    assert [0, 1] == counts


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--rate", "2", "--stand"), "exclude each other"),
        (("--transaction-limit", "B01234"), "write it as B01234=5000000"),
        (("--transaction-limit", "B01234=5"), "transaction_limits: B01234 is no registered machine"),
        (("--money-tolerance", "much", "--start", "today"), "start: "),
        (("--money-tolerance", "much", "--start", "today"), "money_tolerance: "),
        (("--trades-a-second", "-1"), "trades_a_second: "),
        (("--durable",), "durable: "),
        (("--options", "/nowhere/at/all"), "reading the options"),
    ],
)
def test_a_bad_flag_is_refused_by_name(flags: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(app, ["simulate", "ocp", "--port", "0", *flags])

    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)


def test_the_help_says_what_a_restart_keeps() -> None:
    told = " ".join(CliRunner().invoke(app, ["simulate", "ocp", "--help"], env={"COLUMNS": "200"}).output.split())

    for words in ("--reference-data", "--trades-at-once", "--maker-checker", "Not kept: tokens"):
        assert words in told
