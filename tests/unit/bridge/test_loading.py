"""Loading: only a set that checks comes into force, everywhere at once; the journal keeps what was refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pg_bridge.bridge.loading import Loading, hash_of_ocp
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError, Finding, JournalFull
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.ports import Ocp
from pg_bridge.exchange.records import Who
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import content_hash
from pg_bridge.mapping.checks.check import check
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.pss.connection import Connection
from pg_bridge.pss.desk import ListenerOptions
from pg_bridge.pss.listener import Listener
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.loop import Answers, FreeSlots, dispatching
from tests.doubles.mapping_files import shipped
from tests.doubles.sets import broken, edited, other_ocp, versioned

WHO = Who(user="ops", uid=1000, pid=1)


async def checked(files: Mapping[str, str]) -> list[Finding]:
    """The check, in this process: here is no traffic beside it."""
    return check(files)


class FakeWays:
    """Opens fakes; keeps which are in force and closed. `refusal`: why no way can be opened."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.refusal: ConfigError | None = None
        self.in_force: list[Ocp] = []
        self.closed: list[Ocp] = []

    def open(self, profile: OcpProfile) -> Ocp:
        if self.refusal is not None:
            raise self.refusal
        return FakeOcp(profile, lambda: self._core.now)

    def put_in_force(self, ocp: Ocp) -> None:
        self.in_force.append(ocp)

    async def close(self, ocp: Ocp) -> None:
        self.closed.append(ocp)


class World:
    """A dispatcher and a listener that hears nobody, under the shipped set."""

    def __init__(self) -> None:
        core = Core()
        self.journal = MemoryJournal()
        self.ways = FakeWays(core)
        self.folder: dict[str, str] | ConfigError = shipped()
        self.first = FakeOcp(book().ocp, lambda: core.now)
        self.dispatcher = Dispatcher(
            terms=core.terms,
            journal=self.journal,
            ocp=self.first,
            ocp_hash=hash_of_ocp(shipped()),
            close_ocp=lambda: self.ways.close(self.first),
            slots=FreeSlots(),
            clock=lambda: core.now,
        )
        self.listener = Listener(
            read_link_profile(shipped()[LINK_FILE]),
            ListenerOptions(),
            _Nobody(),
            request_templates=book().legacy.request_templates,
            session_id=lambda: "S000000001",
            clock=lambda: core.now,
        )
        self.loading = Loading(
            self.dispatcher,
            self.listener,
            self.ways,
            check=checked,
            folder="/etc/mappings",
            read_folder=self.read_folder,
        )

    def read_folder(self) -> Mapping[str, str]:
        if isinstance(self.folder, ConfigError):
            raise self.folder
        return self.folder

    def entries(self, kind: Kind) -> list[dict[str, Any]]:
        return [entry.body() for entry in self.journal.entries if entry.kind is kind]


class _Nobody:
    """No session is on, so nothing is ever told."""

    is_full = False

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    world = World()
    world.dispatcher.begin(Answers(world.journal), version="test", replayed=0)
    async with dispatching(world.dispatcher):
        yield world


async def test_set_that_checks_is_in_force_from_its_entry_on() -> None:
    async with running() as world:
        load = await world.loading.load(edited(), WHO)
        shown = await world.loading.in_force()

    assert "loaded" == load.verdict
    assert Kind.MAPPINGS_LOADED is world.journal.entries[load.position - 1].kind
    assert (load.loaded, load.position) == (shown.in_force, shown.position)
    assert content_hash(edited()) == shown.in_force.hash
    assert world.dispatcher.sets.in_force.ocp is world.first  # the same profile, the same way
    assert [] == world.ways.in_force


async def test_next_start_is_told_of_what_lies_in_the_folder() -> None:
    async with running() as world:
        load = await world.loading.load(edited(), WHO)
        world.folder = edited()
        kept = await world.loading.in_force()
        world.folder = ConfigError("there is no folder")
        gone = await world.loading.in_force()

    assert book().hash == load.next_start.hash
    assert kept.in_force.hash == kept.next_start.hash
    assert ("", "there is no folder") == (gone.next_start.hash, gone.next_start.error)


async def test_broken_set_changes_nothing_and_is_journaled_with_every_finding() -> None:
    async with running() as world:
        before = world.dispatcher.sets.in_force
        load = await world.loading.load(broken(), WHO)

    (entry,) = world.entries(Kind.MAPPINGS_REFUSED)
    assert "refused" == load.verdict
    assert before is world.dispatcher.sets.in_force
    assert {"rules/si-input.toml", "legacy/framing.toml"} <= {f.path for f in load.findings}
    assert [f.code for f in load.findings] == [finding["code"] for finding in entry["findings"]]
    assert ("broken", book().hash) == (entry["refused"]["version"], entry["in_force"]["hash"])
    assert [] == world.entries(Kind.MAPPINGS_LOADED)


async def test_set_that_is_in_force_already_changes_nothing() -> None:
    async with running() as world:
        load = await world.loading.load(shipped(), WHO)

    assert ("in_force_already", 1) == (load.verdict, load.position)
    assert [] == world.entries(Kind.MAPPINGS_LOADED)


async def test_other_ocp_profile_has_a_way_of_its_own_and_the_old_one_is_closed_when_nothing_needs_it() -> None:
    async with running() as world:
        load = await world.loading.load(other_ocp(), WHO)
        back = await world.loading.load(shipped(), WHO)
        await asyncio.sleep(0)
        (second, third) = world.ways.in_force

    assert ("loaded", "loaded") == (load.verdict, back.verdict)
    assert [world.first, second] == world.ways.closed
    assert third is world.dispatcher.sets.in_force.ocp


async def test_profile_that_our_keys_do_not_fit_is_refused() -> None:
    async with running() as world:
        world.ways.refusal = ConfigError("the key is none of this algorithm")
        load = await world.loading.load(other_ocp(), WHO)

    assert "refused" == load.verdict
    assert ["the key is none of this algorithm"] == [finding.text for finding in load.findings]
    assert 1 == len(world.entries(Kind.MAPPINGS_REFUSED))


async def test_new_connections_follow_the_new_framing() -> None:
    files = versioned("framing")
    files[LINK_FILE] = files[LINK_FILE].replace("max_in_flight = ", "max_in_flight = 1")
    async with running() as world:
        before = world.listener.profile
        await world.loading.load(files, WHO)

    assert f"1{before.limits.max_in_flight}" == str(world.listener.profile.limits.max_in_flight)


async def test_nothing_is_changed_while_the_journal_is_busy() -> None:
    async with running() as world:
        world.dispatcher._options = type(world.dispatcher._options)(most_pending=0)
        with pytest.raises(JournalFull):
            await world.loading.load(edited(), WHO)

    assert book().hash == world.dispatcher.terms.book.hash


@pytest.mark.parametrize("gone", ["rules/set.toml", LINK_FILE, "ocp/openapi.yaml", "legacy/codes.toml"])
def test_set_without_a_file_does_not_check(gone: str) -> None:
    files = shipped()
    del files[gone]

    assert [] != [finding for finding in check(files) if finding.severity == "error"]


def test_nothing_at_all_does_not_check() -> None:
    assert [] != check({})


async def test_session_that_is_on_keeps_its_framing_and_takes_the_new_requests() -> None:
    async with running() as world:
        listener = world.listener
        on = Connection(listener)
        listener.connections.add(on)
        before = listener.profile
        other = read_link_profile(shipped()[LINK_FILE])
        listener.take(other, frozenset({("SI99", "543")}))
        new = Connection(listener)

    assert before is on.session.profile
    assert other is new.session.profile
    assert frozenset({("SI99", "543")}) == on.session.request_templates == new.session.request_templates
