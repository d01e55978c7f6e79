"""A bridge and a pretend OCP in one process, for scenarios: their clock, ids and keys follow from a seed.

Time is that of a SimulatedLoop, so that nobody waits and the same seed gives the same bytes. All addresses that
anybody writes down are those of `_OCP` and `_PUSH`; where that really is, the loop knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.bridge import World, running
from pg_bridge.cli.backstage import broadcast_by, put_report
from pg_bridge.cli.check_apart import check_apart
from pg_bridge.cli.processes import COMPANY, MACHINE
from pg_bridge.cli.seeded_ids import SeededIds
from pg_bridge.cli.world import program_version
from pg_bridge.config import Config
from pg_bridge.errors import ConfigError
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.link.profile import LinkProfile, link_profile_of
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.ocp.key_list import KeyText, ListedKey
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.hours import read_hours
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serving
from pg_bridge.simulator.scenario import Needs, Report, Stage, Telling
from pg_bridge.simulator.scenario_record import RecordingApp, WireRecord
from pg_bridge.simulator.scenario_stage import OcpControl, Place
from pg_bridge.simulator.seeded_keys import seeded_key_pem
from pg_bridge.simulator.simulated_loop import SimulatedLoop

#: when every world begins: a Monday morning in Hong Kong, in the first session
BEGINS = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
_HOST = "127.0.0.1"
_OCP, _PUSH = (_HOST, 8090), (_HOST, 7080)


@dataclass(slots=True)
class _Operator:
    """Backstage of a world of our own."""

    loop: SimulatedLoop
    folder: Path
    passed: timedelta = field(default_factory=timedelta)

    def clock(self) -> datetime:
        """The world's time."""
        return BEGINS + timedelta(seconds=self.loop.time()) + self.passed

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.passed += timedelta(seconds=seconds)

    async def broadcast(self, telling: Telling) -> None:
        """Have the bridge tell it. Raises BridgeError."""
        await broadcast_by(str(self.control), telling)

    @property
    def control(self) -> Path:
        """The bridge's control socket."""
        return self.folder / "control.sock"

    @property
    def reports(self) -> Path:
        """The bridge's reports folder."""
        return self.folder / "reports"

    def put_report(self, report: Report, day: str) -> None:
        """Put it where the bridge looks."""
        put_report(self.reports, report, day)


@dataclass(frozen=True)
class Set:
    """A mapping set, read once. files: path below mappings/ -> text."""

    files: Mapping[str, str]
    folder: str

    @cached_property
    def ocp(self) -> OcpProfile:
        """OCP's profile of it."""
        return read_ocp_profile(self.files)

    @cached_property
    def legacy(self) -> LegacyProfile:
        """The legacy profile of it."""
        return read_legacy_profile(self.files)

    @cached_property
    def link(self) -> LinkProfile:
        """The link profile of it."""
        return link_profile_of(self.files)

    @cached_property
    def book(self) -> MappingBook:
        """All of it, as the bridge has it."""
        return load(self.files)

    @cached_property
    def hours(self) -> dict[str, Any]:
        """The hours of the markets, as the pretend OCP's options have them."""
        found: dict[str, Any] = msgspec.to_builtins(read_hours(self.files))
        return found


@contextlib.asynccontextmanager
async def own_stage(
    loop: SimulatedLoop,
    chosen: Set,
    participants: Sequence[str],
    folder: Path,
    *,
    seed: int = 0,
    stage: Stage | None = None,
    record: WireRecord | None = None,
    sessions: int = 4,
    journal: MemoryJournal | None = None,
) -> AsyncIterator[Place]:
    """A fresh world in `folder` (empty), ended in order. sessions: that a participant may have at once. journal: to
    be looked at afterwards.
    """
    stage = stage or Stage()
    operator = _Operator(loop, folder)
    operator.reports.mkdir()
    profile = chosen.ocp
    pem = seeded_key_pem(f"{seed}", profile.token.algorithm)
    app = create_app(profile, read_options(_ocp_options(chosen, pem, participants, seed, stage)), operator.clock)
    if record is not None:
        app.state.ocp.pusher.on_try = record.push
        app.add_middleware(RecordingApp, record=record)
    key = KeyText(pem.encode(), ListedKey(file=""))
    config = _bridge_config(operator, participants, stage, sessions)
    world = World(
        clock=operator.clock,
        monotonic=loop.time,
        fresh=SeededIds(seed),
        mappings=chosen.files,
        mappings_folder=chosen.folder,
        read_folder=lambda: chosen.files,
        check_set=check_apart,
        read_keys=lambda: {"company": (key,), "machine": (key,)},
        passphrase=None,
        version=program_version(),
        journal=journal or MemoryJournal(),
        book=chosen.book,
    )
    async with serving(app, dated=False) as url:
        loop.stand_for[_OCP] = (_HOST, int(url.rpartition(":")[2]))
        async with running(config, world) as bridge:
            loop.stand_for[_PUSH] = (_HOST, bridge.push_port)
            yield Place(
                nodes=tuple(bridge.listener.addresses),
                control=OcpControl(f"http://{_OCP[0]}:{_OCP[1]}"),
                backstage=operator,
                clock=operator.clock,
                has=frozenset(Needs),
            )


def _ocp_options(chosen: Set, pem: str, participants: Sequence[str], seed: int, stage: Stage) -> dict[str, Any]:
    key = {"keys": [SigningKey(pem, chosen.ocp.token.algorithm).jwk]}
    given = dict(stage.ocp)
    granted = [one.value for one in Operation if one.value not in given.pop("not_granted", ())]
    return {
        "start": BEGINS.isoformat(),
        "clock": "stands",
        "seed": seed,
        "company_calls": 0,
        "signing_key": pem,
        "market_hours": chosen.hours,
        "registrations": {
            "companies": {COMPANY: {"jwks": key, "participants": list(participants), "functions": granted}},
            "machines": {MACHINE: {"jwks": key, "company": COMPANY}},
        },
        **given,
    }


def _bridge_config(operator: _Operator, participants: Sequence[str], stage: Stage, sessions: int) -> Config:
    config: dict[str, dict[str, Any]] = {
        "ocp": {
            "base_url": f"http://{_OCP[0]}:{_OCP[1]}",
            "company_id": COMPANY,
            "machine_id": MACHINE,
            "company_key_file": "",
            "machine_key_file": "",
        },
        "participants": {name: {} for name in participants},
        "pss": {"port": 0, "secondary": f"{_HOST}:0", "max_sessions_per_participant": sessions},
        "push": {"port": 0, "url": f"http://{_PUSH[0]}:{_PUSH[1]}/ocp/status-events"},
        "control": {"socket": str(operator.control)},
        "reports": {"folder": str(operator.reports)},
    }
    for name, section in stage.bridge.items():
        config[name] = config.get(name, {}) | section
    try:
        return msgspec.convert(config, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"reading the scenario's stage: bridge: {error}") from error
