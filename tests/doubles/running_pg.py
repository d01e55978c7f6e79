"""The pretend PG inside the running loop, or as a process; with PSSs that dial it and its control."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from pg_bridge.cli.processes import start, stop
from pg_bridge.cli.world import utc_now
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.profiles.hours import read_hours
from pg_bridge.simulator.gateway_options import read_gateway_options
from pg_bridge.simulator.gateway_run import running_pg
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.mapping_sets import set_files, write_set
from tests.doubles.stack import Words


class AtThePg:
    """A pretend PG that listens. where: as it prints that."""

    def __init__(self, where: dict[str, str], set_name: str = "shipped") -> None:
        self.where = where
        self.words = Words(set_name)
        self.link = read_link_profile(set_files(set_name)[LINK_FILE])
        self.url = where["listening"]
        self.came: list[ScriptedPss] = []

    def address(self, node: str = "pss") -> tuple[str, int]:
        host, _, port = self.where[node].rpartition(":")
        return host, int(port)

    async def pss(
        self, participant: str = "B01234", terminal: str = "PSS1", *, node: str = "pss", **more: Any
    ) -> ScriptedPss:
        pss = ScriptedPss(self.link, participant=participant, terminal=terminal, clock=utc_now, **more)
        self.came.append(pss)
        await pss.connect(*self.address(node))
        await pss.log_on()
        return pss

    async def control(self, path: str, document: dict[str, Any] | None = None, method: str = "") -> Any:
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"{self.where['control']}/{path}"
            answer = await http.request(method or ("GET" if document is None else "POST"), url, json=document)
            answer.raise_for_status()
            return answer.json()

    def close(self) -> None:
        for pss in self.came:
            pss.close()


@contextlib.asynccontextmanager
async def pg_here(
    set_name: str = "shipped", wall: Callable[[], datetime] = utc_now, **options: Any
) -> AsyncIterator[AtThePg]:
    """A pretend PG in this loop, whose clock stands unless told otherwise."""
    hours = msgspec.to_builtins(read_hours(set_files(set_name)))
    document = {"clock": "stands", "market_hours": hours} | options
    async with running_pg(set_files(set_name), read_gateway_options(document), wall) as running:
        there = AtThePg(running.where(), set_name)
        try:
            yield there
        finally:
            there.close()


@contextlib.asynccontextmanager
async def pg_process(
    folder: Path, *arguments: str, set_name: str = "shipped", **options: Any
) -> AsyncIterator[AtThePg]:
    """A pretend PG as a person starts it, whose clock stands unless told otherwise."""
    file = folder / "pg-options.json"
    file.write_bytes(msgspec.json.encode({"clock": "stands"} | options))
    mappings = write_set(set_name, folder)
    process, where = await start(
        "simulate", "pg", "--port", "0", "--control-port", "0", "--json", "--options", str(file), *arguments,
        *(("--mappings", mappings) if mappings else ()), log=folder / "pg.log",
    )  # fmt: skip
    there = AtThePg(where, set_name)
    try:
        yield there
    finally:
        there.close()
        assert 0 == await stop(process)
        assert "" == (folder / "pg.log").read_text("utf-8")
