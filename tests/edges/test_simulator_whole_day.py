"""A whole day at the pretend OCP, small: every SI ends as it must, and every event reaches its participant."""

from __future__ import annotations

import httpx

from pg_bridge.cli.world import utc_now
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from tests.doubles.day_receivers import DayReceivers
from tests.doubles.ocp_caller import shipped_profile
from tests.doubles.ocp_day import OPTIONS, Day, participants_of, registrations


async def test_all_instructions_of_a_day_end_as_they_must_and_every_event_is_pushed() -> None:
    participants = participants_of(8)
    options = {**OPTIONS, "clock": "stands", "registrations": registrations(participants)}
    app = create_app(shipped_profile(), read_options(options), utc_now)
    receivers = DayReceivers()
    limits = httpx.Limits(max_connections=len(participants), max_keepalive_connections=0)
    async with (
        serving(app) as url,
        serving(receivers) as push_url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, limits=limits) as http,
    ):
        verdict = await Day(url, http, participants, 2000, by_clock=False).play(push_url, receivers)

    assert [] == verdict.faults(), verdict
    assert 2000 == sum(verdict.at_ocp.values())
