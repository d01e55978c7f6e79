"""What each room is told of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path

from pg_bridge.config import Config
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.terms import Options
from pg_bridge.feeding import FeedOptions
from pg_bridge.ocp.circuit import CircuitOptions
from pg_bridge.ocp.kept_levels import KeptLevels
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.profiles.hours import read_hours
from pg_bridge.pss.desk import ListenerOptions
from pg_bridge.pss.reports import ReportFolder
from pg_bridge.pss.tls import server_context
from pg_bridge.reporting import ReportOptions

#: when open SIs are compared with OCP: so long after its last session closes, or then where its hours are not known
_RECONCILE_AFTER, _RECONCILE_AT = timedelta(minutes=15), time(20, 0)


def core_options(config: Config) -> Options:
    """The core's."""
    return Options(
        answer_within_s=config.exchange.answer_within_s,
        lenient_participants=frozenset(
            name for name, participant in config.participants.items() if participant.lenient
        ),
        profiles={name: entry.profile for name, entry in config.participants.items() if entry.profile},
        retry_first_s=config.exchange.retry_first_s,
        retry_most_s=config.exchange.retry_most_s,
        file_within_s=config.exchange.file_within_s,
        reference_faults=config.feeds.reference_faults,
    )


def report_folder(config: Config) -> ReportFolder | None:
    """The reports folder, where one is configured. Raises ConfigError when it is none."""
    folder = config.reports.folder
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"opening the reports folder {folder}: there is no such folder ([reports] folder)")
    return ReportFolder(Path(folder)) if folder else None


def reconcile_time(config: Config, mappings: Mapping[str, str]) -> time:
    """When open SIs are compared with OCP, Hong Kong time. Raises MappingInvalid, ConfigError."""
    chosen = config.reconcile.time_of_day()
    if chosen is not None:
        return chosen
    closes = [session[1] for hours in read_hours(mappings).values() for session in hours.sessions]
    if not closes:
        return _RECONCILE_AT
    behind = datetime.combine(date.min, max(closes)) + _RECONCILE_AFTER
    return behind.time() if behind.date() == date.min else time(23, 59)


def ocp_options(config: Config, passphrase: bytes | None = None) -> OcpOptions:
    """Of the way to OCP. passphrase: of the client certificate's key, where it has one."""
    ocp = config.ocp
    return OcpOptions(
        base_url=ocp.base_url,
        auth_base_url=ocp.auth_base_url,
        connect_s=ocp.connect_timeout_s,
        read_s=ocp.read_timeout_s,
        write_s=ocp.write_timeout_s,
        pool_s=ocp.pool_timeout_s,
        most_s=ocp.whole_timeout_s,
        keep_alive_s=ocp.keep_alive_s,
        most_connections=ocp.most_connections,
        ca_file=_file(ocp.ca_file),
        client_certificate_file=_file(ocp.client_certificate_file),
        client_key_file=_file(ocp.client_key_file),
        client_key_passphrase=passphrase,
        proxy=ocp.proxy,
    )


def circuit_options(config: Config) -> CircuitOptions:
    """Of the circuit to OCP."""
    return CircuitOptions(
        failures=config.ocp.circuit_failures,
        first_s=config.exchange.retry_first_s,
        most_s=config.exchange.retry_most_s,
    )


def kept_levels(config: Config, clock: Callable[[], datetime], stack: AsyncExitStack) -> KeptLevels:
    """What keeps the call limits over a kill, beside the journal. Raises ConfigError."""
    path = Path(config.journal.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = KeptLevels(path.with_name(path.name + ".calls"), lambda: clock().timestamp())
    stack.callback(kept.close)
    return kept


def feed_options(config: Config) -> FeedOptions:
    """Of the market's feeds."""
    feeds = config.feeds
    return FeedOptions(
        markets=feeds.trades,
        wait_s=feeds.trade_wait_s,
        every_s=feeds.trade_every_s,
        days_back=feeds.trade_days_back,
        is_reference_taken=feeds.reference_data,
        reference_at=feeds.reference_at,
    )


def market_report_options(config: Config) -> ReportOptions:
    """Of the reports that are made by themselves."""
    feeds = config.feeds
    return ReportOptions(
        names=feeds.reports,
        every_s=feeds.report_every_s,
        day_end=feeds.day_end,
        days_back=feeds.trade_days_back,
        folder=config.reports.folder,
    )


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def listener_options(config: Config) -> ListenerOptions:
    """Of the listener. Raises ConfigError when certificates or keys cannot be used."""
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
