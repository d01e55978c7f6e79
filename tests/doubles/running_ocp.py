"""The pretend OCP over real HTTP with a standing clock, and two companies that are logged in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import OTHER_COMPANY, OTHER_MACHINE, OcpCaller, Wall, registrations, shipped_profile

START = "2026-11-23T09:30:00+08:00"


@asynccontextmanager
async def running(
    profile: OcpProfile | None = None, wall: Wall | None = None, **options
) -> AsyncIterator[tuple[OcpCaller, OcpCaller]]:
    """The pretend OCP and two companies that are logged in."""
    wall = wall or Wall()
    document = {"registrations": registrations(), "start": START, "clock": "stands", "push_waits_s": [0.01]}
    app = create_app(profile or shipped_profile(), read_options(document | options), wall)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as http:
        one = OcpCaller(http, wall)
        other = OcpCaller(http, wall, OTHER_COMPANY, OTHER_MACHINE)
        await one.log_in()
        await other.log_in()
        yield one, other
