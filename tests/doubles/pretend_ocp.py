"""The client of the bridge and the pretend OCP, joined by real HTTP with real keys."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pg_bridge.ocp.client import OcpClient
from pg_bridge.ocp.keys import public_jwks
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.tokens import Identity
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.pretend import PretendOcp
from pg_bridge.simulator.run import serving
from tests.doubles import ocp_world as world


def wall() -> datetime:
    """Now: uvicorn dates its answers by it, whatever the pretend OCP's Hong Kong clock says."""
    return datetime.now(UTC)


@asynccontextmanager
async def client_and_pretend(
    profile: OcpProfile, identity: Identity | None = None, *also: Identity
) -> AsyncIterator[tuple[OcpClient, PretendOcp]]:
    """Both, for company HKB01234 with participant B01234; the Hong Kong day is that of `ocp_world.NOW`.

    also: whose keys are registered, too.
    """
    # a copy: the client's may come to sign with another key than that with which it began
    identity = replace(identity or world.identity())
    every = [identity, *also]
    company = {"jwks": public_jwks([one.company_key for one in every]), "participants": ["B01234"]}
    machine = {"jwks": public_jwks([one.machine_key for one in every]), "company": identity.company_id}
    registrations = {"companies": {identity.company_id: company}, "machines": {identity.machine_id: machine}}
    app = create_app(profile, read_options({"start": world.NOW, "registrations": registrations}), wall)
    limits = CallLimits([], time.monotonic)
    async with (
        serving(app) as url,
        OcpClient(
            profile,
            OcpOptions(base_url=url),
            identity,
            limits=limits,
            clock=wall,
            monotonic=time.monotonic,
            fresh_id=world.fresh_id,
        ) as client,
    ):
        yield client, app.state.ocp
