"""The pretend PG as a process, or beside a test: its door and its control, each on a socket of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import uvloop
from fastapi import FastAPI

from pg_bridge.link.profile import link_profile_of
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.simulator.gateway_bench import PretendPg
from pg_bridge.simulator.gateway_control import create_gateway_control
from pg_bridge.simulator.gateway_door import Door
from pg_bridge.simulator.gateway_options import GatewayOptions
from pg_bridge.simulator.gateway_words import read_gateway_words
from pg_bridge.simulator.ocp import CONTROL_PATH
from pg_bridge.simulator.run import serving


@dataclass(frozen=True, slots=True)
class RunningPg:
    """A pretend PG that listens. control: the URL below which its control lies."""

    pg: PretendPg
    door: Door
    control: str

    def where(self) -> dict[str, str]:
        """Where it listens, as it is printed."""
        nodes = [f"{host}:{port}" for host, port in self.door.addresses]
        places = {"pss": nodes[0]} | ({"secondary": nodes[1]} if len(nodes) > 1 else {})
        return places | {"listening": self.control, "control": self.control + CONTROL_PATH}


@asynccontextmanager
async def running_pg(
    files: Mapping[str, str], options: GatewayOptions, wall: Callable[[], datetime]
) -> AsyncIterator[RunningPg]:
    """Run a pretend PG by a set of mapping files (path below mappings/ to text) inside the running loop.

    Raises MappingInvalid where the files do not say how a PG speaks, ConfigError when an address cannot be bound or a
    file of the options cannot be used.
    """
    link, legacy = link_profile_of(files), read_legacy_profile(files)
    words = read_gateway_words(files, legacy)
    pg = PretendPg(link, legacy, words, options, wall)
    try:
        door = Door(
            link,
            options.door(),
            pg,
            request_templates=frozenset(pair for pair in legacy.request_templates if pair[0] in words.readings),
            wall=wall,
            seed=options.seed,
        )
        for fault in options.faults:
            door.faults.order(fault)
        await door.start()
        try:
            app = FastAPI(title="Pretend PG", docs_url=None, redoc_url=None, openapi_url=None)
            app.mount(CONTROL_PATH, create_gateway_control(pg, door))
            async with serving(app, options.host, options.control_port) as url:
                yield RunningPg(pg, door, url)
        finally:
            await door.close()
    finally:
        pg.close()


def serve_pg(
    files: Mapping[str, str],
    options: GatewayOptions,
    wall: Callable[[], datetime],
    announce: Callable[[dict[str, str]], None],
) -> None:
    """Run it until SIGINT or SIGTERM; announce: called with where it listens. Raises as running_pg."""

    async def serve() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with running_pg(files, options, wall) as running:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(name, ended.set)
            announce(running.where())
            await ended.wait()

    uvloop.run(serve())
