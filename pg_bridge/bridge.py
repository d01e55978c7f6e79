"""The composition root: builds every room from Config and clocks, starts and stops them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pg_bridge import telemetry
from pg_bridge.broadcasting import Broadcasting
from pg_bridge.config import Config
from pg_bridge.console.control import control_door
from pg_bridge.console_server import serve_console
from pg_bridge.desk import Desk
from pg_bridge.dispatcher.dispatcher import Dispatcher, DispatcherOptions
from pg_bridge.errors import ConfigError, Finding, JournalError
from pg_bridge.exchange.terms import Fresh, Terms
from pg_bridge.feeding import Feeding
from pg_bridge.filing import Filing
from pg_bridge.following import Following, follow_updates
from pg_bridge.gauges import show_gauges
from pg_bridge.journal.memory import MemoryJournal
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.key_watch import KeyWatch
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.loading import Loading, hash_of_ocp
from pg_bridge.mapping.book import MappingBook, load
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.metering import Metering
from pg_bridge.metrics import Metrics
from pg_bridge.ocp.circuit import Circuit
from pg_bridge.ocp.client import OcpClient, company_limits
from pg_bridge.ocp.key_list import KeyTexts
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.pss.drop import Drops
from pg_bridge.pss.file_desk import DropOptions
from pg_bridge.pss.listener import Listener
from pg_bridge.reconciliations import Reconciliations
from pg_bridge.report_orders import MakeReports
from pg_bridge.reporting import Reporting
from pg_bridge.resolving import Resolving
from pg_bridge.settings import (
    circuit_options,
    core_options,
    feed_options,
    kept_levels,
    listener_options,
    market_report_options,
    ocp_options,
    reconcile_time,
    report_folder,
)
from pg_bridge.watching import watch_updates
from pg_bridge.ways import PushTaker, Ways


class FreshIds(Fresh, Protocol):
    """All fresh ids that the bridge needs."""

    def session_id(self) -> str:
        """A new session id, 10x."""
        ...

    def claim(self) -> str:
        """A new claim on a file of a drop folder: letters and digits, sorted by time."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What only cli may touch: clocks, random ids, and the texts of files and secrets."""

    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    fresh: FreshIds
    mappings: Mapping[str, str]
    #: the folder that `mappings` came from, and what lies there now (raises ConfigError, MappingInvalid)
    mappings_folder: str
    read_folder: Callable[[], Mapping[str, str]]
    #: all findings of a set of files, without holding up the loop or touching what traffic uses
    check_set: Callable[[Mapping[str, str]], Awaitable[list[Finding]]]
    #: the keys as they lie on the disk now (raises ConfigError), and their passphrase
    read_keys: Callable[[], KeyTexts]
    passphrase: bytes | None = field(repr=False)
    version: str
    #: a journal in place of the configured one: of a bridge that only plays
    journal: MemoryJournal | None = None
    #: 0 to 1, anew each time
    chance: Callable[[], float] = lambda: 0.0
    #: the mappings, loaded, for who starts one bridge after another
    book: MappingBook | None = None
    #: makes reports of the market beside the bridge; None: none are made by themselves
    make_reports: MakeReports | None = None


@dataclass(slots=True)
class Bridge:
    """A bridge that runs."""

    dispatcher: Dispatcher
    listener: Listener
    push_url: str
    #: where pushes are taken, whatever OCP knows it by
    push_port: int
    work: list[asyncio.Task[Any]]

    async def until_failed(self) -> JournalError:
        """Return when durability is in doubt and the bridge must stop."""
        return await self.dispatcher.failed


@contextlib.asynccontextmanager
async def running(config: Config, world: World) -> AsyncIterator[Bridge]:
    """A bridge, started: replayed, listening, subscribed. Raises ConfigError, MappingInvalid, JournalError."""
    book = world.book or load(world.mappings)
    wrong = [
        finding
        for name, entry in config.participants.items()
        for finding in profile_findings(book, name, entry.profile)
    ]
    if wrong:
        raise ConfigError("reading the participants' profiles", findings=wrong)
    link_profile = read_link_profile(world.mappings[LINK_FILE])
    profile = book.ocp
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        metering = Metering(config.ocp.company_id, config.ocp.machine_id, metrics)
        kept = None if world.journal else kept_levels(config, world.clock, stack)
        slots = CallLimits(company_limits(profile, config.ocp.company_calls), world.monotonic, kept)
        stack.callback(slots.close)
        keys = KeyWatch(config.ocp.company_id, config.ocp.machine_id, world.read_keys, world.passphrase, world.clock)
        told = "Days to the end of a key that has one, negative behind it."
        metrics.gauge("pg_bridge_key_days_left", told, ("whose", "key"), lambda: keys.days_left().items())
        circuit = Circuit(
            circuit_options(config),
            slots,
            monotonic=world.monotonic,
            chance=world.chance,
            on_change=metering.circuit_changed,
        )
        ways = Ways(
            _clients(config, world, slots, keys, metering, circuit),
            lambda other: company_limits(other, config.ocp.company_calls),
            slots,
        )
        stack.push_async_callback(ways.aclose)
        client = ways.open(profile)
        journal = world.journal or await SqliteJournal.open(Path(config.journal.path), node=config.journal.node)
        stack.push_async_callback(journal.close)
        terms = Terms(book, world.fresh, core_options(config))
        dispatcher = Dispatcher(
            terms=terms,
            journal=journal,
            ocp=client,
            ocp_hash=hash_of_ocp(world.mappings),
            close_ocp=lambda: ways.close(client),
            slots=slots,
            reports=report_folder(config),
            clock=world.clock,
            options=DispatcherOptions(chance=world.chance),
        )
        metering.note = dispatcher.note
        show_gauges(metrics, dispatcher, slots, circuit)
        dispatcher.reconciling.on_disagreement = metrics.disagreement_found
        replayed = await dispatcher.replay()
        telemetry.logger().info(telemetry.JOURNAL_REPLAYED, entries=replayed)
        listener = Listener(
            link_profile,
            listener_options(config),
            Desk(dispatcher),
            request_templates=book.legacy.request_templates,
            session_id=world.fresh.session_id,
            clock=world.clock,
        )
        drops = Drops(
            {name: Path(entry.drop_folder) for name, entry in config.participants.items() if entry.drop_folder},
            DropOptions(scan_s=config.drop.scan_s, settle_s=config.drop.settle_s),
            Filing(dispatcher, world.clock),
            owner=journal.public_key.key_id().hex() if isinstance(journal, SqliteJournal) else "",
            claim=world.fresh.claim,
            monotonic=world.monotonic,
        )
        dispatcher.begin(listener, version=world.version, replayed=replayed, files=drops)
        keys.begin(dispatcher)
        loop_task = asyncio.get_running_loop().create_task(dispatcher.run())
        stack.push_async_callback(_ended, loop_task)
        stack.push_async_callback(dispatcher.close, "stopped in order")
        taker = ways.taker = PushTaker(ways.door(client), dispatcher, world.clock)
        port, server = await serve_console(config.push, taker, dispatcher, metrics)
        stack.push_async_callback(server)
        push_url = config.push.url or f"http://{config.push.host}:{port}/ocp/status-events"
        following = Following(
            participants=list(config.participants),
            driver=config.push.driver,
            push_url=push_url,
            is_subscriber=config.push.subscribe,
            company_calls=config.ocp.company_calls,
        )
        following.chosen(profile)
        try:
            await listener.start()
        except OSError as error:
            nodes = " and ".join(filter(None, (f"{config.pss.host}:{config.pss.port}", config.pss.secondary)))
            raise ConfigError(f"listening on {nodes}: {error}") from error
        stack.push_async_callback(listener.close)
        drops.start()
        stack.push_async_callback(drops.close)
        watch = asyncio.get_running_loop().create_task(
            watch_updates(
                config.participants,
                dispatcher,
                taker.intake,
                reconcile_at=reconcile_time(config, world.mappings),
                clock=world.clock,
            )
        )
        stack.push_async_callback(_ended, watch)
        follow = asyncio.get_running_loop().create_task(
            follow_updates(following, dispatcher, taker.intake, slots, fresh_id=world.fresh.request_id)
        )
        stack.push_async_callback(_ended, follow)
        key_watch = asyncio.get_running_loop().create_task(keys.watch(dispatcher))
        stack.push_async_callback(_ended, key_watch)
        trying = asyncio.get_running_loop().create_task(circuit.keep_trying(lambda: ways.is_up(dispatcher)))
        stack.push_async_callback(_ended, trying)
        feeding = Feeding(feed_options(config), dispatcher, slots, world.clock)
        stack.push_async_callback(_ended, asyncio.get_running_loop().create_task(feeding.run()))
        if world.make_reports is not None and config.feeds.reports:
            reporting = Reporting(
                market_report_options(config),
                config.participants,
                dispatcher,
                config.journal.path,
                world.make_reports,
                world.clock,
            )
            stack.push_async_callback(_ended, asyncio.get_running_loop().create_task(reporting.run()))
        if config.control.socket:
            loading = Loading(
                dispatcher,
                listener,
                ways,
                check=world.check_set,
                folder=world.mappings_folder,
                read_folder=world.read_folder,
            )
            broadcasting = Broadcasting(dispatcher, listener, config.participants)
            reconciliations = Reconciliations(dispatcher, config.participants, world.clock)
            await stack.enter_async_context(
                control_door(
                    config.control.socket, loading, broadcasting, Resolving(dispatcher, slots), reconciliations
                )
            )
        nodes = ", ".join(f"{host}:{pss_port}" for host, pss_port in listener.addresses)
        telemetry.logger().info(telemetry.LISTENING, pss=nodes, push=push_url)
        yield Bridge(dispatcher, listener, push_url, port, [loop_task, watch, follow, key_watch, trying])


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _clients(
    config: Config, world: World, slots: CallLimits, keys: KeyWatch, metering: Metering, circuit: Circuit
) -> Callable[[OcpProfile], OcpClient]:
    """Makes the client of a profile; all of them sign with the same keys."""

    def make(profile: OcpProfile) -> OcpClient:
        return OcpClient(
            profile,
            ocp_options(config, world.passphrase),
            keys.identity(profile.token.algorithm),
            limits=slots,
            clock=world.clock,
            monotonic=world.monotonic,
            fresh_id=world.fresh.request_id,
            on_call=metering.ended,
            circuit=circuit,
        )

    return make
