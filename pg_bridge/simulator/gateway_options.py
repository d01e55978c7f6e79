"""What the pretend PG is started with."""

from __future__ import annotations

import ssl
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

import msgspec

from pg_bridge.errors import ConfigError, Finding
from pg_bridge.profiles.hours import MarketHours
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.gateway_differences import DifferenceOrder
from pg_bridge.simulator.gateway_door import DoorOptions
from pg_bridge.simulator.life_cycle import BookRules
from pg_bridge.simulator.wire_faults import WireFault

WRONG_OPTION = "PGB-SIM-001"
_TIMES = ("matching_runs", "settlement_runs", "payment_runs", "day_end", "half_day_runs_end")


class GatewayOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be chosen about the pretend PG.

    port, secondary_port: of its two nodes (None: it has one); control_port: of its control by HTTP; 0: any free port.
    seed: what is left to chance follows from it. start: where its Hong Kong clock stands first (aware; None: the time
    of the wall); clock: whether it runs; rate: seconds of its clock in one of the wall. Time-outs of the conversation
    are of the wall. participants: who may log on (None: everyone); credentials: participant -> what it must show.
    most_sessions: of one participant. tls_certificate, tls_key, tls_client_ca: PEM files; with the last a PSS must
    show a certificate of it. matching_runs, settlement_runs, payment_runs, day_end: Hong Kong times `HH:MM` at which
    the clock brings them about; holidays, half_days, market_hours, keeps_hours: see BusinessDay. counterparties: those
    that answer by themselves. reports: a folder of reports, `<participant>/<YYYYMMDD>/<report id>` below it.
    ledger_file: every request taken is written there, too, a JSON object a line. faults: see wire_faults.WireFault.
    differences: see gateway_differences.DifferenceOrder.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    secondary_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    control_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    seed: int = 0
    start: datetime | None = None
    clock: Literal["stands", "runs"] = "runs"
    rate: Annotated[float, msgspec.Meta(gt=0, le=1_000_000)] = 1.0
    participants: list[str] | None = None
    credentials: dict[str, str] = {}
    most_sessions: Annotated[int, msgspec.Meta(ge=1)] = 4
    most_connections: Annotated[int, msgspec.Meta(ge=1)] = 2_000
    tls_certificate: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    match_at_once: bool = True
    match_accounts: bool = False
    revoke_by_both: bool = True
    dvp_shares_on_hold: bool = False
    maker_checker: list[str] = []
    retention_days: Annotated[int, msgspec.Meta(ge=0)] = 10
    holidays: list[date] = []
    half_days: list[date] = []
    half_day_runs_end: str = "13:00"
    market_hours: dict[str, MarketHours] = {}
    keeps_hours: bool = False
    counterparties: list[CounterpartyOrder] = []
    matching_runs: tuple[str, ...] = ("10:00", "12:00", "14:00", "15:45")
    settlement_runs: tuple[str, ...] = ("10:30", "12:30", "14:30", "16:00")
    payment_runs: tuple[str, ...] = ()
    day_end: str = "20:00"
    reports: str | None = None
    ledger_file: str | None = None
    faults: list[WireFault] = []
    differences: list[DifferenceOrder] = []

    def book_rules(self) -> BookRules:
        """The part of it that the SI rules need."""
        return BookRules(
            match_at_once=self.match_at_once,
            match_accounts=self.match_accounts,
            revoke_by_both=self.revoke_by_both,
            dvp_shares_on_hold=self.dvp_shares_on_hold,
            maker_checker=frozenset(self.maker_checker),
            holidays=frozenset(self.holidays),
            retention_days=self.retention_days,
        )

    def door(self) -> DoorOptions:
        """The part of it that the door needs. Raises ConfigError for TLS files that cannot be used."""
        ports = (self.port,) if self.secondary_port is None else (self.port, self.secondary_port)
        return DoorOptions(
            host=self.host,
            ports=ports,
            participants=None if self.participants is None else frozenset(self.participants),
            credentials=self.credentials,
            most_sessions=self.most_sessions,
            most_connections=self.most_connections,
            tls=self._tls(),
        )

    def _tls(self) -> ssl.SSLContext | None:
        if not self.tls_certificate:
            if self.tls_key or self.tls_client_ca:
                raise ConfigError("reading the TLS files: tls_certificate is not named, so there would be no TLS")
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.tls_certificate, self.tls_key or None)
            if self.tls_client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.tls_client_ca)
        except OSError as error:
            raise ConfigError(f"reading the TLS files: {error}") from error
        return context


def read_gateway_options(document: dict[str, Any]) -> GatewayOptions:
    """Typed options from plain values. Raises ConfigError with a finding for each that does not fit."""
    types = {field.name: field.type for field in msgspec.structs.fields(GatewayOptions)}
    findings: list[Finding] = []
    for name, value in document.items():
        if name not in types:
            findings.append(_wrong(name, "there is no such option", "Take it out, or correct its name."))
            continue
        try:
            typed = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            findings.append(_wrong(name, str(error), "Correct it."))
            continue
        if isinstance(typed, datetime) and typed.tzinfo is None:
            findings.append(_wrong(name, "it has no time zone", "Add one, as +08:00."))
        for moment in () if name not in _TIMES else (typed,) if isinstance(typed, str) else typed:
            try:
                time.fromisoformat(moment)
            except ValueError:
                findings.append(_wrong(name, f"{moment!r} is no time", "Write HH:MM."))
    if findings:
        raise ConfigError("reading the options of the pretend PG", findings=findings)
    return msgspec.convert(document, GatewayOptions)


def _wrong(name: str, text: str, remedy: str) -> Finding:
    return Finding(WRONG_OPTION, "error", "options", f"{name}: {text}", remedy=remedy)
