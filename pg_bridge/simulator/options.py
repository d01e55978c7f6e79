"""What the pretend OCP is started with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.hours import MarketHours
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.life_cycle import BookRules, Stock


class Company(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered company: its public keys (a JWK set, RFC 7517), its participants, what it may call.

    functions: names of operations; None: all.
    """

    jwks: dict[str, Any]
    participants: list[str]
    functions: list[str] | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered machine of a company, with its own public keys."""

    jwks: dict[str, Any]
    company: str


class Registrations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may ask for a token, by id."""

    companies: dict[str, Company] = {}
    machines: dict[str, Machine] = {}


class ReferenceStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stock, by its code."""

    isin: str | None = None
    eligible: bool = True
    domain: bool = True


class SimulatorOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be chosen about the pretend OCP.

    start: where its Hong Kong clock stands first (aware; None: the time of the wall). clock: whether it runs;
    rate: seconds of its clock in one of the wall. company_calls, machine_calls: calls a period (None: as the
    profile says; 0: no limit). settlement_runs, matching_runs, day_end: Hong Kong times `HH:MM` at which the
    clock brings them about. stocks, participants: reference data (None: every well-formed one is known).
    reference_data: the book knows the generated participants, stocks and holidays, and those, only.
    trades_a_second: entries about trades, a company and market, in a second of the simulated clock;
    trades_at_once: so many are there from the day's beginning on, instead (0: by rate).
    replay_request_ids: a repeated request id is answered as the first time instead of refused. ledger_file:
    the ledger is written there too, a JSON object a line. signing_key: PEM of the key that pushes are
    signed with (None: a fresh one). push_waits_s: how long to wait before each further try of a delivery; the
    last one repeats until push_gives_up_s. seed: of all that is left to chance. payment_runs: when the money of shares
    on hold comes by itself. market_hours: sessions by market, looked at when keeps_hours; half_days: see BusinessDay.
    counterparties: those that answer by themselves. state_file: the state is kept there and gone on from (its clock,
    rules and subscriptions then come before these options; tokens and counts of calls are not kept).
    """

    host: str = "127.0.0.1"
    port: int = 0
    registrations: Registrations = Registrations()
    seed: int = 0
    start: datetime | None = None
    clock: Literal["stands", "runs"] = "runs"
    rate: float = 1.0
    token_life_s: int = 30
    company_calls: int | None = None
    machine_calls: int | None = None
    replay_request_ids: bool = False
    match_at_once: bool = True
    match_accounts: bool = False
    revoke_by_both: bool = True
    dvp_shares_on_hold: bool = False
    maker_checker: list[str] = []
    retention_days: int = 10
    si_number_form: str = "I{:08d}"
    holidays: list[date] = []
    participants: list[str] | None = None
    stocks: dict[str, ReferenceStock] | None = None
    reference_data: bool = False
    trades_a_second: Annotated[float, msgspec.Meta(ge=0, le=100_000)] = 1.0
    trades_at_once: Annotated[int, msgspec.Meta(ge=0, le=5_000_000)] = 0
    half_days: list[date] = []
    half_day_runs_end: str = "13:00"
    market_hours: dict[str, MarketHours] = {}
    keeps_hours: bool = False
    counterparties: list[CounterpartyOrder] = []
    matching_runs: tuple[str, ...] = ("10:00", "12:00", "14:00", "15:45")
    settlement_runs: tuple[str, ...] = ("10:30", "12:30", "14:30", "16:00")
    payment_runs: tuple[str, ...] = ()
    day_end: str = "20:00"
    push_waits_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    push_gives_up_s: float = 86400.0
    signing_key: str | None = None
    ledger_file: str | None = None
    state_file: str | None = None

    def book_rules(self) -> BookRules:
        """The part of it that the SI rules need."""
        return BookRules(
            match_at_once=self.match_at_once,
            match_accounts=self.match_accounts,
            revoke_by_both=self.revoke_by_both,
            dvp_shares_on_hold=self.dvp_shares_on_hold,
            maker_checker=frozenset(self.maker_checker),
            holidays=frozenset(self.holidays),
            participants=None if self.participants is None else frozenset(self.participants),
            stocks=None
            if self.stocks is None
            else {
                code: Stock(isin=stock.isin, eligible=stock.eligible, domain=stock.domain)
                for code, stock in self.stocks.items()
            },
            retention_days=self.retention_days,
            si_number_form=self.si_number_form,
        )


def read_options(document: dict[str, Any]) -> SimulatorOptions:
    """Typed options from plain values. Raises ConfigError naming the first that does not fit."""
    try:
        options = msgspec.convert(document, SimulatorOptions)
    except msgspec.ValidationError as error:
        raise ConfigError(f"reading the simulator's options: {error}") from error
    if options.start is not None and options.start.tzinfo is None:
        raise ConfigError("reading the simulator's options: start has no time zone")
    unknown = {machine.company for machine in options.registrations.machines.values()} - set(
        options.registrations.companies
    )
    if unknown:
        raise ConfigError(f"reading the simulator's options: machines of no company: {', '.join(sorted(unknown))}")
    return options
