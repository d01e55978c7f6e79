"""A pretend OCP and a bridge in one process and in simulated time: the bridge may stop for hours and start again.

What each PSS was told is compared with the pretend OCP's own history of events.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from pg_bridge.bridge.running import Bridge, World, running
from pg_bridge.cli.own_stage import BEGINS, Set
from pg_bridge.cli.processes import COMPANY, MACHINE
from pg_bridge.cli.seeded_ids import SeededIds
from pg_bridge.cli.world import mappings_folder, read_mappings
from pg_bridge.config import Config
from pg_bridge.exchange.entries import Entry, Kind
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.ocp.key_list import KeyText, ListedKey
from pg_bridge.simulator.faults import Fault, FaultKind
from pg_bridge.simulator.keys import SigningKey
from pg_bridge.simulator.ocp import create_app
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.pretend import PretendOcp
from pg_bridge.simulator.pss import Received, ScriptedPss
from pg_bridge.simulator.run import serving
from pg_bridge.simulator.seeded_keys import seeded_key_pem
from pg_bridge.simulator.simulated_loop import SimulatedLoop
from tests.doubles.stack import Words

PARTICIPANTS = ("B01234", "C00019")
_OCP, _PUSH = ("127.0.0.1", 8090), ("127.0.0.1", 7080)
_SETTLES = re.compile(rb"(?<=98A::SETT//)[0-9]{8}")
_PREVIOUS = re.compile(r"20C::PREV//(\S+)")
_OWN = re.compile(r"20C::SEME//(\S+)")
_WORDS = re.compile(r"70D::REAS//(\S+)( SNAPSHOT)?")


@lru_cache(maxsize=1)
def shipped() -> Set:
    """The shipped set, read once."""
    folder = str(mappings_folder())
    return Set(read_mappings(folder), folder)


class _Holed(list):  # type: ignore[type-arg]
    """Documents by their place, some of which are gone."""

    def __getitem__(self, asked: Any) -> Any:
        found = super().__getitem__(asked)
        return [one for one in found if one is not None] if isinstance(asked, slice) else found


class UpdateWorld:
    """One world. driver: by which updates come; ocp: options of the pretend OCP."""

    def __init__(self, loop: SimulatedLoop, driver: str, *, bridge: dict[str, Any] | None = None, **ocp: Any) -> None:
        self.loop = loop
        self.driver = driver
        self.passed = timedelta()
        self.journal = MemoryJournal()
        self.words = Words("shipped")
        self.pss: dict[str, ScriptedPss] = {}
        self.before: defaultdict[str, list[Received]] = defaultdict(list)
        #: how many SIs each PSS entered since it logged on
        self._entered: Counter[str] = Counter()
        self._bridge_config = bridge or {}
        self._ids = SeededIds(1)
        self._pem = seeded_key_pem("updates", shipped().ocp.token.algorithm)
        key = {"keys": [SigningKey(self._pem, shipped().ocp.token.algorithm).jwk]}
        options = {
            "start": BEGINS.isoformat(),
            "seed": 1,
            "company_calls": 0,
            "signing_key": self._pem,
            "registrations": {
                "companies": {COMPANY: {"jwks": key, "participants": list(PARTICIPANTS)}},
                "machines": {MACHINE: {"jwks": key, "company": COMPANY}},
            },
            **ocp,
        }
        self.app = create_app(shipped().ocp, read_options(options), self.clock)
        self.ocp: PretendOcp = self.app.state.ocp
        self._lost: dict[tuple[str, date], list[tuple[int, int]]] = {}
        self._events = self.ocp.events
        self.ocp.events = self._kept  # type: ignore[method-assign]

    def clock(self) -> Any:
        """The world's time."""
        return BEGINS + timedelta(seconds=self.loop.time()) + self.passed

    @contextlib.asynccontextmanager
    async def platform(self) -> AsyncIterator[None]:
        """OCP is up."""
        async with serving(self.app, dated=False) as url:
            self.loop.stand_for[_OCP] = ("127.0.0.1", int(url.rpartition(":")[2]))
            yield

    @contextlib.asynccontextmanager
    async def bridge(self, driver: str = "", **more: Any) -> AsyncIterator[Bridge]:
        """The bridge is up, over the journal of the one before, and every PSS is on."""
        config = {
            "ocp": {
                "base_url": f"http://{_OCP[0]}:{_OCP[1]}",
                "company_id": COMPANY,
                "machine_id": MACHINE,
                "company_key_file": "",
                "machine_key_file": "",
                "company_calls": -1,
            },
            "participants": {name: {} for name in PARTICIPANTS},
            "pss": {"port": 0},
            "push": {
                "port": 0,
                "driver": driver or self.driver,
                "url": f"http://{_PUSH[0]}:{_PUSH[1]}/ocp/status-events",
            },
            "control": {"socket": ""},
            **self._bridge_config,
            **more,
        }
        key = KeyText(self._pem.encode(), ListedKey(file=""))
        world = World(
            clock=self.clock,
            monotonic=self.loop.time,
            fresh=self._ids,
            mappings=shipped().files,
            mappings_folder=shipped().folder,
            read_folder=lambda: shipped().files,
            check_set=None,  # type: ignore[arg-type] - no set is loaded
            read_keys=lambda: {"company": (key,), "machine": (key,)},
            passphrase=None,
            version="test",
            journal=self.journal,
            book=shipped().book,
        )
        async with running(msgspec.convert(config, Config), world) as bridge:
            self.loop.stand_for[_PUSH] = ("127.0.0.1", bridge.push_port)
            for name in PARTICIPANTS:
                pss = ScriptedPss(shipped().link, participant=name, clock=self.clock)
                await pss.connect(*bridge.listener.addresses[0])
                await pss.log_on()
                self.pss[name] = pss
            self._entered.clear()
            while not self._listens(driver or self.driver):  # noqa: ASYNC110 - time is simulated
                await asyncio.sleep(0.1)
            try:
                yield bridge
            finally:
                for name, pss in self.pss.items():
                    self.before[name] += pss.received
                    pss.close()
                self.pss.clear()

    def _listens(self, driver: str) -> bool:
        """Whether OCP's pushes have somebody to go to."""
        if driver == "webhook":
            return bool(self.ocp.pusher.subscribers())
        return driver == "poll" or len(list(self.ocp.streams)) == len(PARTICIPANTS)

    # --- what happens

    def jump(self, **passed: float) -> None:
        """Let time pass (as of a timedelta); OCP does what is due."""
        self.passed += timedelta(**passed)
        self.ocp.catch_up()

    def fault(self, kind: FaultKind, **more: Any) -> None:
        """Have pushes go wrong."""
        self.ocp.faults.order(Fault(kind=kind, **more))

    def deliver(self, number: int, *, days: int = 0) -> None:
        """B01234's side of a pair of SIs."""
        self._enter("B01234", number, days)

    def receive(self, number: int, *, days: int = 0) -> None:
        """C00019's side of it."""
        self._enter("C00019", number, days)

    def _enter(self, participant: str, number: int, days: int) -> None:
        make = self.words.deliver if participant == "B01234" else self.words.receive
        kind = self.words.input["deliver" if participant == "B01234" else "receive"]
        body = make(f"{participant[0]}{number:07d}", quantity=f"{1000 + number},")
        day = (self.clock().astimezone(HONG_KONG) + timedelta(days=days)).strftime("%Y%m%d").encode()
        self._entered[participant] += 1
        self.pss[participant].send(kind, self.words.input["template"], _SETTLES.sub(day, body))

    async def answered(self) -> None:
        """Every PSS has an answer to all that it entered since it logged on."""
        template = self.words.template["answer"]
        for name, pss in self.pss.items():
            await self._until(
                pss,
                lambda pss=pss, name=name: (
                    sum(got.is_answer and got.frame.template == template for got in pss.received) >= self._entered[name]
                ),
            )

    async def told(self, timeout_s: float = 300.0) -> None:
        """Every PSS was told all that happened."""
        for pss in self.pss.values():
            await self._until(
                pss,
                lambda name=pss.participant: (
                    self.record(name).keys() >= self.history(name).keys()
                    and sum(map(len, self.record(name).values())) >= sum(map(len, self.history(name).values()))
                ),
                timeout_s,
            )

    async def _until(self, pss: ScriptedPss, is_so: Callable[[], bool], timeout_s: float = 300.0) -> None:
        while not is_so():
            await pss.wait_for(lambda _: True, timeout_s, after=len(pss.events))

    def lose(self, participant: str, day: date, first: int, last: int) -> None:
        """OCP has these events of a day no more, whoever asks; its history still tells them here."""
        self._lost.setdefault((participant, day), []).append((first, last))

    def _kept(self, participant: str, day: date) -> list[msgspec.Raw]:
        log = self._events(participant, day)
        spans = self._lost.get((participant, day), [])
        return _Holed(
            None if any(first <= number <= last for first, last in spans) else document
            for number, document in enumerate(log, start=1)
        )

    # --- what was told

    def history(self, participant: str) -> dict[str, list[str]]:
        """SI number -> the statuses that OCP's events told, but for each SI's first."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for event in self.ocp.told():
            if event.participant == participant:
                document = msgspec.json.decode(event.document)
                if document["eventType"] != "CREATED":
                    found[document["siNumber"]].append(document["newStatus"])
        return found

    def record(self, participant: str, *, marked: bool = False) -> dict[str, list[str]]:
        """SI number -> the statuses that the PSS was told, copies left out. marked: with those of snapshots marked."""
        seen: set[str] = set()
        found: defaultdict[str, list[str]] = defaultdict(list)
        for got in self._received(participant):
            if got.frame.template not in (self.words.template["told"], self.words.template["done"]):
                continue
            own, number = _OWN.search(got.text), _PREVIOUS.search(got.text)
            assert own is not None
            assert number is not None
            if own[1] in seen:
                continue
            seen.add(own[1])
            words = _WORDS.search(got.text)
            status = words[1] if words else "SETTLED"
            found[number[1]].append(status + (" SNAPSHOT" if marked and words and words[2] else ""))
        return found

    def _received(self, participant: str) -> Iterator[Received]:
        yield from self.before[participant]
        if participant in self.pss:
            yield from self.pss[participant].received

    def entries(self, kind: Kind) -> list[Entry]:
        """The journal's entries of a kind."""
        return [entry for entry in self.journal.entries if entry.kind is kind]
