"""Keys follow each other while the bridge runs: journaled first, and what cannot be used changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.key_watch import KeyWatch
from pg_bridge.loading import hash_of_ocp
from pg_bridge.ocp.key_list import KeyText, KeyTexts, ListedKey
from tests.doubles import ocp_world as world
from tests.doubles.core import Core, book
from tests.doubles.fake_ocp import FakeOcp
from tests.doubles.loop import Answers, FreeSlots, dispatching
from tests.doubles.mapping_files import shipped


class Keys:
    """A watch over keys that lie in memory, beside a dispatcher."""

    def __init__(self) -> None:
        self.clock = world.FakeClock()
        self.disk: KeyTexts | ConfigError = {"company": (self.key("company"),), "machine": (self.key("machine"),)}
        self.watch = KeyWatch("HKB01234", "HKB01234-M1", self.read, None, self.clock)
        self.identity = self.watch.identity("RS256")

    def key(self, name: str, begins: float | None = None, ends: float | None = None, by: str = "") -> KeyText:
        def at(days: float | None) -> Any:
            return None if days is None else world.NOW + timedelta(days=days)

        listed = ListedKey(file=f"{name}.pem", used_from=at(begins), ends_at=at(ends))
        return KeyText(world.key_pem(name), listed, Who(user="ops", uid=7, by=by))

    def read(self) -> KeyTexts:
        if isinstance(self.disk, ConfigError):
            raise self.disk
        return self.disk

    def put(self, *company: KeyText) -> None:
        self.disk = {"company": company, "machine": (self.key("machine"),)}


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Keys, Dispatcher, Any]]:
    keys, core, journal = Keys(), Core(), MemoryJournal()
    ocp = FakeOcp(book().ocp, lambda: core.now)
    dispatcher = Dispatcher(
        terms=core.terms,
        journal=journal,
        ocp=ocp,
        ocp_hash=hash_of_ocp(shipped()),
        close_ocp=_nothing,
        slots=FreeSlots(),
        clock=keys.clock,
    )
    dispatcher.begin(Answers(journal), version="test", replayed=0)
    async with dispatching(dispatcher):
        yield keys, dispatcher, journal


async def _nothing() -> None:
    return None


def told(journal: Any, kind: Kind = Kind.KEY_USED) -> list[Mapping[str, Any]]:
    return [entry.body() for entry in journal.entries if entry.kind is kind]


async def test_the_journal_says_which_keys_sign_from_the_start_on() -> None:
    async with running() as (keys, dispatcher, journal):
        keys.watch.begin(dispatcher)
        await dispatcher.durable()
        await keys.watch.turn(dispatcher)

    thumbprints = [world.key(name).thumbprint for name in ("company", "machine")]
    assert thumbprints == [one["key"] for one in told(journal)]
    assert [("company", "ops"), ("machine", "ops")] == [(one["whose"], one["who"]["user"]) for one in told(journal)]


async def test_a_key_takes_over_at_its_time_and_the_journal_says_who_listed_it() -> None:
    async with running() as (keys, dispatcher, journal):
        keys.watch.begin(dispatcher)
        keys.put(keys.key("company", ends=8), keys.key("company-2", begins=1, by="A. Chan"))
        await keys.watch.read_again(dispatcher)
        await keys.watch.turn(dispatcher)
        before = keys.identity.company_key
        keys.clock.forward(86_400)
        await keys.watch.turn(dispatcher)
        after = keys.identity.company_key

    assert [world.key("company").thumbprint, world.key("company-2").thumbprint] == [
        before.thumbprint,
        after.thumbprint,
    ]
    last = told(journal)[-1]
    assert (after.thumbprint, before.thumbprint) == (last["key"], last["before"])
    assert ("A. Chan", round(world.NOW.timestamp() + 86_400)) == (last["who"]["by"], last["used_from_us"] / 1_000_000)
    assert 3 == len(told(journal))


async def test_keys_that_cannot_be_used_change_nothing_and_are_told_once() -> None:
    async with running() as (keys, dispatcher, journal):
        keys.watch.begin(dispatcher)
        first = keys.identity.company_key
        with capture_logs() as logs:
            for disk in (ConfigError("its mode is 0644"), ConfigError("its mode is 0644")):
                keys.disk = disk
                await keys.watch.read_again(dispatcher)
            keys.put(KeyText(b"no key", ListedKey(file="bad.pem")))
            await keys.watch.read_again(dispatcher)
        await keys.watch.turn(dispatcher)
        await dispatcher.durable()

    assert first is keys.identity.company_key
    refused = [one["findings"][0]["text"] for one in told(journal, Kind.KEYS_REFUSED)]
    assert 2 == len(refused) == len(logs)
    assert "its mode is 0644" in refused[0]
    assert "bad.pem" in refused[1]


async def test_an_end_is_warned_of_at_the_start_and_then_daily_until_a_key_follows() -> None:
    async with running() as (keys, dispatcher, _):
        with capture_logs() as logs:
            keys.put(keys.key("company", ends=14.5))
            await keys.watch.read_again(dispatcher)
            for _hour in range(72):
                await keys.watch.turn(dispatcher)
                keys.clock.forward(3600)
            ends = [one for one in logs if one["event"] == "key_end_near"]
            left = keys.watch.days_left()
            keys.put(keys.key("company", ends=14.5), keys.key("company-2", begins=10))
            await keys.watch.read_again(dispatcher)
            await keys.watch.turn(dispatcher)
            after = [one for one in logs if one["event"] == "key_end_near"]

    assert [13.5, 12.5] == [one["days_left"] for one in ends]
    assert {("company", world.key("company").thumbprint): 11.5} == left
    assert len(ends) == len(after)


async def test_a_key_that_has_ended_still_signs_and_is_an_alarm() -> None:
    async with running() as (keys, dispatcher, _):
        with capture_logs() as logs:
            keys.put(keys.key("company", ends=-1))
            await keys.watch.read_again(dispatcher)
            await keys.watch.turn(dispatcher)

    assert [("key_ended", "error")] == [(one["event"], one["log_level"]) for one in logs if one["event"] == "key_ended"]
    assert world.key("company").thumbprint == keys.identity.company_key.thumbprint
