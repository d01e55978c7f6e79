"""(environment, TOML text) -> frozen Config. Reads no file and no environment itself.

Secrets come from files or from environment variables that the file names, never from the file itself.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime, time
from typing import Literal

import msgspec

from pg_bridge.errors import ConfigError, Finding
from pg_bridge.profiles.market_concepts import Market

_LAST_PORT = 65_535


class PssConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[pss]: where the PSSs dial in."""

    host: str = "127.0.0.1"
    port: int = 7000
    #: `host:port` of a second node that PSSs may dial; empty: none
    secondary: str = ""
    #: empty: as the framing says
    answer_order: Literal["", "request", "any"] = ""
    max_sessions_per_participant: int = 4
    pause_unsent_bytes: int = 262_144
    resume_unsent_bytes: int = 65_536
    most_unsent_bytes: int = 8_388_608
    slow_reader_s: float = 30.0
    drain_s: float = 5.0
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""

    def second_node(self) -> tuple[str, int] | None:
        """Host and port of the second node. Raises ConfigError where `secondary` is none."""
        if not self.secondary:
            return None
        host, _, port = self.secondary.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
            raise ConfigError(f"reading the configuration: pss.secondary is {self.secondary!r}, no host:port")
        return host.removeprefix("[").removesuffix("]"), int(port)


class ParticipantConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[participants.<id>]: who may log on."""

    addresses: tuple[str, ...] = ()
    lenient: bool = False
    #: texts of its own for `profile.*` in rules, in place of the mapping set's
    profile: dict[str, str] = {}
    #: the folder in which it exchanges files; empty: none
    drop_folder: str = ""
    #: the NCPs whose trades are its own; empty: those that reference data says it clears for, and itself
    ncps: tuple[str, ...] = ()


class OcpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[ocp]: where OCP is and who we are there."""

    base_url: str
    auth_base_url: str = ""
    company_id: str
    machine_id: str
    company_key_file: str
    machine_key_file: str
    key_passphrase_env: str = ""
    key_passphrase_file: str = ""
    ca_file: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""
    proxy: str = ""
    connect_timeout_s: float = 3.0
    read_timeout_s: float = 10.0
    write_timeout_s: float = 10.0
    pool_timeout_s: float = 10.0
    #: 0: write, read and pool together
    whole_timeout_s: float = 0.0
    keep_alive_s: float = 4.0
    most_connections: int = 64
    #: 0: as the profile says; -1: no limit
    company_calls: int = 0
    #: in a row until no call goes any more; 0: never
    circuit_failures: int = 5

    def __repr__(self) -> str:
        return f"OcpConfig(base_url={self.base_url!r}, company_id={self.company_id!r}, machine_id={self.machine_id!r})"


class DropConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[drop]: how the participants' drop folders are looked after."""

    scan_s: float = 1.0
    settle_s: float = 2.0


class PushConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[push]: how updates come from OCP, and where it pushes to."""

    #: empty: as the OCP profile says
    driver: Literal["", "webhook", "sse", "websocket", "poll"] = ""
    host: str = "127.0.0.1"
    port: int = 7080
    #: the URL that OCP knows us by; empty: http://host:port/ocp/status-events
    url: str = ""
    subscribe: bool = True


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[journal]: where every step is recorded."""

    path: str = "pg-bridge.journal.sqlite"
    node: str = "node1"


class ExchangeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[exchange]: times of the core."""

    answer_within_s: float = 20.0
    retry_first_s: float = 1.0
    retry_most_s: float = 30.0
    file_within_s: float = 600.0


class ReconcileConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[reconcile]: when every open SI is compared with OCP."""

    #: `HH:MM`, Hong Kong time; empty: when OCP's day has ended
    at: str = ""

    def time_of_day(self) -> time | None:
        """The time, None where it is left to OCP's hours. Raises ConfigError where `at` is none."""
        if not self.at:
            return None
        try:
            return datetime.strptime(self.at, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone of its own
        except ValueError as error:
            raise ConfigError(f"reading the configuration: reconcile.at is {self.at!r}, no HH:MM") from error


class ReportsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[reports]: what participants may download."""

    #: `<folder>/<participant>/<YYYYMMDD>/<report id>`; empty: no reports
    folder: str = ""


class FeedsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[feeds]: what is taken of the market, and the reports that are made of it."""

    #: markets whose trades are taken: hong_kong, shanghai, shenzhen
    trades: tuple[Market, ...] = ()
    trade_wait_s: int = 30
    trade_every_s: float = 5.0
    trade_days_back: int = 4
    reference_data: bool = False
    reference_at: str = "06:00"
    #: what is done about an instruction at odds with reference data
    reference_faults: Literal["ignore", "warn", "refuse"] = "warn"
    #: names of reports that are made by themselves
    reports: tuple[str, ...] = ()
    report_every_s: float = 900.0
    day_end: str = "18:30"


class ControlConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[control]: the door for commands to the running bridge."""

    #: the Unix domain socket; empty: none
    socket: str = "pg-bridge.control.sock"


class LogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[log]: how the log is written."""

    level: str = "info"
    json: bool = True


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration file."""

    ocp: OcpConfig
    participants: dict[str, ParticipantConfig]
    pss: PssConfig = PssConfig()
    drop: DropConfig = DropConfig()
    push: PushConfig = PushConfig()
    journal: JournalConfig = JournalConfig()
    exchange: ExchangeConfig = ExchangeConfig()
    control: ControlConfig = ControlConfig()
    reports: ReportsConfig = ReportsConfig()
    feeds: FeedsConfig = FeedsConfig()
    reconcile: ReconcileConfig = ReconcileConfig()
    log: LogConfig = LogConfig()
    #: another folder of mappings; empty: the shipped one
    mappings: str = ""


def read_config(text: str, environment: Mapping[str, str]) -> Config:
    """Read a configuration. Raises ConfigError with every finding.

    An environment variable `PG_BRIDGE_<SECTION>_<KEY>` (upper case) overrides a text, number or boolean of a section.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"reading the configuration: {error}") from error
    for name, value in environment.items():
        if name.startswith("PG_BRIDGE_") and name.count("_") >= 3:
            section, _, key = name.removeprefix("PG_BRIDGE_").lower().partition("_")
            if section in _SECTIONS:
                document.setdefault(section, {})[key] = _scalar(value)
    try:
        config = msgspec.convert(document, Config, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"reading the configuration: {error}") from error
    findings = [Finding("PGB-CFG-002", "error", "participants", "name at least one participant that may log on")] * (
        not config.participants
    )
    findings += [
        Finding("PGB-CFG-003", "error", f"participants.{name}", "a participant id has 6 characters")
        for name in config.participants
        if len(name) != 6
    ]
    if not 0 <= config.pss.resume_unsent_bytes <= config.pss.pause_unsent_bytes <= config.pss.most_unsent_bytes:
        text = "resume_unsent_bytes, pause_unsent_bytes and most_unsent_bytes do not follow each other in size"
        findings.append(Finding("PGB-CFG-005", "error", "pss", text, remedy="Give them in this order, each larger."))
    if config.ocp.key_passphrase_env and config.ocp.key_passphrase_file:
        remedy = "Name one of key_passphrase_env and key_passphrase_file."
        findings.append(Finding("PGB-CFG-009", "error", "ocp", "the keys' passphrase has two places", remedy=remedy))
    try:
        config.pss.second_node()
    except ConfigError as error:
        findings.append(Finding("PGB-CFG-008", "error", "pss.secondary", str(error), remedy="Write it as host:port."))
    try:
        config.reconcile.time_of_day()
    except ConfigError as error:
        findings.append(Finding("PGB-CFG-009", "error", "reconcile.at", str(error), remedy="Write it as HH:MM."))
    if config.push.subscribe and not config.push.url and config.push.host in ("0.0.0.0", "::"):  # noqa: S104 - compared
        text = (
            "OCP cannot push to an address that means any: name the URL that reaches this machine, or subscribe = false"
        )
        findings.append(Finding("PGB-CFG-004", "error", "push.url", text))
    findings += _folder_findings(config)
    findings += _feed_findings(config.feeds)
    if findings:
        raise ConfigError("; ".join(str(finding) for finding in findings), findings=findings)
    return config


def _folder_findings(config: Config) -> list[Finding]:
    """Drop folders that are one another's, or within one another: a file would be everybody's."""
    folders = {
        name: posixpath.normpath(entry.drop_folder) + "/"
        for name, entry in config.participants.items()
        if entry.drop_folder
    }
    findings = [
        Finding(
            "PGB-CFG-006",
            "error",
            f"participants.{name}.drop_folder",
            f"the folder is that of {other} too, or one lies within the other",
            remedy="Give each participant a folder of its own, side by side.",
        )
        for name, folder in folders.items()
        for other, beside in folders.items()
        if name != other and folder.startswith(beside)
    ]
    if config.drop.scan_s <= 0 or config.drop.settle_s < 0:
        text = "scan_s must be more than 0, settle_s 0 or more"
        findings.append(Finding("PGB-CFG-007", "error", "drop", text, remedy="Give times in seconds."))
    return findings


def _feed_findings(feeds: FeedsConfig) -> list[Finding]:
    """Times that are none."""
    findings = [
        Finding("PGB-CFG-009", "error", f"feeds.{name}", f"{value!r} is no time of day", remedy="Write it as HH:MM.")
        for name, value in (("reference_at", feeds.reference_at), ("day_end", feeds.day_end))
        if not _TIME.fullmatch(value)
    ]
    if feeds.trade_wait_s < 0 or feeds.trade_every_s < 0 or feeds.trade_days_back < 0 or feeds.report_every_s <= 0:
        text = "times and days must be 0 or more, report_every_s more than 0"
        findings.append(Finding("PGB-CFG-009", "error", "feeds", text, remedy="Give times in seconds."))
    return findings


_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_SECTIONS = frozenset(
    {"ocp", "pss", "drop", "push", "journal", "exchange", "control", "reports", "feeds", "reconcile", "log"}
)


def _scalar(value: str) -> str | int | float | bool:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
