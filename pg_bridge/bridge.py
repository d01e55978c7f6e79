"""The composition root: builds every room from Config and clocks, starts and stops them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import uvicorn

from pg_bridge import telemetry
from pg_bridge.broadcasting import Broadcasting
from pg_bridge.config import Config
from pg_bridge.console.app import create_app
from pg_bridge.console.control import control_door
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError, Finding, JournalError, OcpError
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.ports import Ocp
from pg_bridge.exchange.terms import Fresh, Options, Terms
from pg_bridge.filing import Filing
from pg_bridge.journal.sqlite import SqliteJournal
from pg_bridge.link import events as link
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.loading import Loading, hash_of_ocp
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.ocp.client import OcpClient, company_limits
from pg_bridge.ocp.keys import KeyPair
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.subscription import ensure_subscribed
from pg_bridge.ocp.tokens import Identity
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.pss.desk import ListenerOptions
from pg_bridge.pss.drop import Drops
from pg_bridge.pss.file_desk import DropOptions
from pg_bridge.pss.listener import Listener
from pg_bridge.pss.reports import ReportFolder
from pg_bridge.pss.tls import server_context
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
    company_key: bytes
    machine_key: bytes
    passphrase: bytes | None
    version: str


class Desk:
    """Turns what happens on sessions into events of the dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @property
    def is_full(self) -> bool:
        """Nothing can be made durable now."""
        return self._dispatcher.is_full

    def opened(self, session: str, participant: str, terminal: str, address: str) -> None:
        """A PSS logged on."""
        self._dispatcher.session_opened(
            r.SessionOpened(participant=participant, session=session, terminal=terminal, address=address)
        )

    def turned_away(self, participant: str, terminal: str, address: str, text: str) -> None:
        """A connection or log-on was not accepted."""
        self._dispatcher.note(r.SessionRefused(participant=participant, terminal=terminal, address=address, text=text))

    def closed(self, session: str, participant: str, reason: str) -> None:
        """A session ended."""
        self._dispatcher.session_closed(r.SessionClosed(participant=participant, session=session, reason=reason))

    def request(self, session: str, participant: str, terminal: str, frame: link.RequestReceived) -> None:
        """A business request came."""
        request = frame.frame
        self._dispatcher.offer(
            e.RequestArrived(
                session,
                participant,
                terminal,
                request.sequence,
                request.template,
                request.message_type,
                request.raw.decode("ascii", "replace"),
                request.body,
            )
        )

    def frame_refused(
        self, session: str, participant: str, address: str, code: str, text: str, raw: bytes, size: int
    ) -> None:
        """Bytes were no frame, or a frame was not legal."""
        self._dispatcher.note(
            r.FrameRefused(
                participant=participant, session=session, address=address, code=code, text=text, raw=raw, size=size
            )
        )

    def freed(self, participant: str) -> None:
        """A session may be given deliveries again."""
        self._dispatcher.session_freed(participant)

    def answer_written(self, token: str) -> None:
        """A copy of an answer was given to the socket."""
        self._dispatcher.answer_written(token)

    def answers_left(self, session: str, tokens: Sequence[str]) -> None:
        """These answers are known to have left."""
        self._dispatcher.answers_left(session, tokens)

    def acknowledged(self, participant: str, token: str) -> None:
        """A delivery was acknowledged."""
        self._dispatcher.delivery_acknowledged(token, participant)


@dataclass(slots=True)
class Bridge:
    """A bridge that runs."""

    dispatcher: Dispatcher
    listener: Listener
    push_url: str
    work: list[asyncio.Task[Any]]

    async def until_failed(self) -> JournalError:
        """Return when durability is in doubt and the bridge must stop."""
        return await self.dispatcher.failed


@contextlib.asynccontextmanager
async def running(config: Config, world: World) -> AsyncIterator[Bridge]:
    """A bridge, started: replayed, listening, subscribed. Raises ConfigError, MappingInvalid, JournalError."""
    book = load(world.mappings)
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
        slots = CallLimits(company_limits(profile, config.ocp.company_calls), world.monotonic)
        stack.callback(slots.close)
        ways = Ways(
            _clients(config, world, slots), lambda other: company_limits(other, config.ocp.company_calls), slots
        )
        stack.push_async_callback(ways.aclose)
        client = ways.open(profile)
        journal = await SqliteJournal.open(Path(config.journal.path), node=config.journal.node)
        stack.push_async_callback(journal.close)
        terms = Terms(
            book,
            world.fresh,
            Options(
                answer_within_s=config.exchange.answer_within_s,
                lenient_participants=frozenset(
                    name for name, participant in config.participants.items() if participant.lenient
                ),
                profiles={name: entry.profile for name, entry in config.participants.items() if entry.profile},
                retry_first_s=config.exchange.retry_first_s,
                retry_most_s=config.exchange.retry_most_s,
                file_within_s=config.exchange.file_within_s,
            ),
        )
        dispatcher = Dispatcher(
            terms=terms,
            journal=journal,
            ocp=client,
            ocp_hash=hash_of_ocp(world.mappings),
            close_ocp=lambda: ways.close(client),
            slots=slots,
            reports=_reports(config),
            clock=world.clock,
        )
        replayed = await dispatcher.replay()
        telemetry.logger().info(telemetry.JOURNAL_REPLAYED, entries=replayed)
        listener = Listener(
            link_profile,
            _listener_options(config),
            Desk(dispatcher),
            request_templates=book.legacy.request_templates,
            session_id=world.fresh.session_id,
            clock=world.clock,
        )
        drops = Drops(
            {name: Path(entry.drop_folder) for name, entry in config.participants.items() if entry.drop_folder},
            DropOptions(scan_s=config.drop.scan_s, settle_s=config.drop.settle_s),
            Filing(dispatcher, world.clock),
            owner=journal.public_key.key_id().hex(),
            claim=world.fresh.claim,
            monotonic=world.monotonic,
        )
        dispatcher.begin(listener, version=world.version, replayed=replayed, files=drops)
        loop_task = asyncio.get_running_loop().create_task(dispatcher.run())
        stack.push_async_callback(_ended, loop_task)
        stack.push_async_callback(dispatcher.close, "stopped in order")
        taker = ways.taker = PushTaker(ways.door(client), dispatcher, world.clock)
        port, server = await _console(config, taker, dispatcher)
        stack.push_async_callback(server)
        push_url = config.push.url or f"http://{config.push.host}:{port}/ocp/status-events"
        try:
            await listener.start()
        except OSError as error:
            nodes = " and ".join(filter(None, (f"{config.pss.host}:{config.pss.port}", config.pss.secondary)))
            raise ConfigError(f"listening on {nodes}: {error}") from error
        stack.push_async_callback(listener.close)
        drops.start()
        stack.push_async_callback(drops.close)
        watch = asyncio.get_running_loop().create_task(
            _watch_updates(config, dispatcher, slots, taker, push_url, world)
        )
        stack.push_async_callback(_ended, watch)
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
            await stack.enter_async_context(control_door(config.control.socket, loading, broadcasting))
        nodes = ", ".join(f"{host}:{pss_port}" for host, pss_port in listener.addresses)
        telemetry.logger().info(telemetry.LISTENING, pss=nodes, push=push_url)
        yield Bridge(dispatcher, listener, push_url, [loop_task, watch])


def _reports(config: Config) -> ReportFolder | None:
    """The reports folder, where one is configured. Raises ConfigError when it is none."""
    folder = config.reports.folder
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"opening the reports folder {folder}: there is no such folder ([reports] folder)")
    return ReportFolder(Path(folder)) if folder else None


async def _ended(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _clients(config: Config, world: World, slots: CallLimits) -> Callable[[OcpProfile], OcpClient]:
    """Makes the client of a profile; all of them sign with the same keys."""
    ocp = config.ocp
    pairs: dict[str, list[KeyPair]] = {}

    def make(profile: OcpProfile) -> OcpClient:
        algorithm = profile.token.algorithm
        if algorithm not in pairs:
            pairs[algorithm] = [
                KeyPair(pem, algorithm=algorithm, passphrase=world.passphrase)
                for pem in (world.company_key, world.machine_key)
            ]
        company, machine = pairs[algorithm]
        return OcpClient(
            profile,
            _ocp_options(config),
            Identity(company_id=ocp.company_id, company_key=company, machine_id=ocp.machine_id, machine_key=machine),
            limits=slots,
            clock=world.clock,
            monotonic=world.monotonic,
            fresh_id=world.fresh.request_id,
        )

    return make


def _ocp_options(config: Config) -> OcpOptions:
    ocp = config.ocp
    return OcpOptions(
        base_url=ocp.base_url,
        auth_base_url=ocp.auth_base_url,
        connect_s=ocp.connect_timeout_s,
        read_s=ocp.read_timeout_s,
        write_s=ocp.read_timeout_s,
        pool_s=ocp.read_timeout_s,
        ca_file=_file(ocp.ca_file),
        client_certificate_file=_file(ocp.client_certificate_file),
        client_key_file=_file(ocp.client_key_file),
        proxy=ocp.proxy,
    )


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def _listener_options(config: Config) -> ListenerOptions:
    pss = config.pss
    return ListenerOptions(
        host=pss.host,
        port=pss.port,
        participants={name: frozenset(entry.addresses) for name, entry in config.participants.items()},
        most_sessions=pss.max_sessions_per_participant,
        pause_unsent=pss.pause_unsent_bytes,
        resume_unsent=pss.resume_unsent_bytes,
        slow_reader_s=pss.slow_reader_s,
        drain_s=pss.drain_s,
        most_unsent=pss.most_unsent_bytes,
        secondary=pss.second_node(),
        answer_order=pss.answer_order,
        tls=server_context(pss.tls_certificate, pss.tls_key, pss.tls_client_ca),
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: cli decides when the bridge ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def _console(config: Config, taker: PushTaker, dispatcher: Dispatcher) -> tuple[int, Callable[[], Any]]:
    async def health() -> dict[str, Any]:
        return {
            "status": "down" if dispatcher.failed.done() else "up",
            "open": sum(exchange.reply is None for exchange in dispatcher.state.exchanges.values()),
            "in_doubt": len(dispatcher.state.in_doubt()),
            "undelivered": sum(len(outbox.queue) for outbox in dispatcher.state.outboxes.values()),
        }

    settings = uvicorn.Config(
        create_app(taker, health),
        host=config.push.host,
        port=config.push.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = _Server(settings)
    try:
        sock = settings.bind_socket()
    except SystemExit as error:
        raise ConfigError(f"listening on {config.push.host}:{config.push.port}: the address is taken") from error
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[sock]))

    async def stop() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        sock.close()

    return int(sock.getsockname()[1]), stop


async def _watch_updates(
    config: Config,
    dispatcher: Dispatcher,
    slots: CallLimits,
    taker: PushTaker,
    push_url: str,
    world: World,
) -> None:
    """Subscribe; ask for status events at start, at the change of the day, and after silence."""
    log = telemetry.logger()
    #: the way to OCP by which we subscribed; another profile may know another subscription
    subscribed: Ocp | None = None
    days = dict.fromkeys(config.participants, "")
    asked_at = world.clock()
    while True:
        if config.push.subscribe and subscribed is not dispatcher.sets.in_force.ocp:
            try:
                with dispatcher.sets.using() as now_used:
                    await ensure_subscribed(now_used.ocp, slots, now_used.terms.ocp, push_url, world.fresh.request_id)
                subscribed = now_used.ocp
            except OcpError as error:
                log.warning(telemetry.OCP_FAILED, doing="subscribing", error=str(error))
        now = world.clock()
        today = dispatcher.terms.business_date(now)
        silent_s = (now - max(taker.last_at, asked_at)).total_seconds()
        for participant, day in days.items():
            if day != today or silent_s >= dispatcher.terms.ocp.push.silence_s:
                asked_at = now
                for date in sorted({day or today, today}):
                    after = dispatcher.state.feed(participant, date).next_sequence - 1
                    await dispatcher.fetch(participant, date, after)
                if day != today:
                    dispatcher.forget()
                days[participant] = today
        await asyncio.sleep(1.0)
