"""What the pretend OCP is started with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from pg_bridge.errors import ConfigError, Finding
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.hours import MarketHours
from pg_bridge.profiles.market_concepts import Currency
from pg_bridge.simulator.counterparties import CounterpartyOrder
from pg_bridge.simulator.life_cycle import BookRules, Stock


class Company(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered company: its public keys (a JWK set, RFC 7517), its participants, what it may call.

    A key with `exp` (epoch seconds) ends then; several live at once. functions: operations; None: all.
    """

    jwks: dict[str, Any]
    participants: list[str]
    functions: list[Operation] | None = None


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
    signed with (None: a fresh one; with a seed, the one that follows from it). push_waits_s: how long to wait before
    each further try of a delivery; the last one repeats until push_gives_up_s of its clock are over.
    seed: of all that is left to chance. payment_runs: when the money of shares on hold comes by itself. market_hours:
    sessions by market, looked at when keeps_hours; half_days: see BusinessDay.
    counterparties: those that answer by themselves. money_tolerance: by how much the amounts of two SIs that match may
    differ. accounts: of a participant, the stock accounts it has (who is not named has every one). transaction_limits:
    of a participant or a machine, how many Hong Kong dollars one release of a hold may let go; prices: of a stock, in
    them (with reference_data those of the generated stocks, too); exchange_rates: what one of a currency is in them.
    state_file: the state is kept there and gone on from (its clock, rules and subscriptions then come before these
    options; tokens are not kept). durable: what is kept there is on the disk, not only with the
    system, before it is answered.
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
    money_tolerance: Decimal = Decimal(0)
    accounts: dict[str, list[str]] = {}
    transaction_limits: dict[str, Decimal] = {}
    prices: dict[str, Decimal] = {}
    exchange_rates: dict[Currency, Decimal] = msgspec.field(
        default_factory=lambda: {Currency.RENMINBI: Decimal("1.08"), Currency.US_DOLLAR: Decimal("7.80")}
    )
    matching_runs: tuple[str, ...] = ("10:00", "12:00", "14:00", "15:45")
    settlement_runs: tuple[str, ...] = ("10:30", "12:30", "14:30", "17:00")
    payment_runs: tuple[str, ...] = ()
    day_end: str = "20:00"
    push_waits_s: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    push_gives_up_s: float = 86400.0
    signing_key: str | None = None
    ledger_file: str | None = None
    state_file: str | None = None
    durable: bool = False

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
            money_tolerance=self.money_tolerance,
            accounts={name: frozenset(accounts) for name, accounts in self.accounts.items()},
            prices=self.prices,
        )


def read_options(document: dict[str, Any]) -> SimulatorOptions:
    """Typed options from plain values. Raises ConfigError with a finding for each that does not fit."""
    findings = list(_findings(document))
    if findings:
        text = "; ".join(f"{one.path}: {one.text}" for one in findings)
        raise ConfigError(f"reading the simulator's options: {text}", findings=findings)
    return msgspec.convert(document, SimulatorOptions)


def _findings(document: dict[str, Any]) -> Iterator[Finding]:
    types = {one.name: one.type for one in msgspec.structs.fields(SimulatorOptions)}
    typed: dict[str, Any] = {}
    for name, value in document.items():
        if name not in types:
            yield _finding(name, "there is no such option", "Take it out, or spell it as simulator/options.py does.")
            continue
        try:
            typed[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            yield _finding(name, str(error), "Give a value of the type that the option has.")
    yield from _findings_of_money(typed)
    start: datetime | None = typed.get("start")
    if start is not None and start.tzinfo is None:
        yield _finding("start", "it has no time zone", "End it with +08:00, or Z.")
    for name in ("matching_runs", "settlement_runs", "payment_runs", "day_end", "half_day_runs_end"):
        value = typed.get(name, ())
        for moment in (value,) if isinstance(value, str) else value:
            if not _is_time(moment):
                yield _finding(name, f"{moment!r} is no time", "Write it HH:MM.")
    if typed.get("durable") and not typed.get("state_file"):
        yield _finding("durable", "there is no state to keep", "Name a state_file.")
    registrations = typed.get("registrations", Registrations())
    for machine, registered in registrations.machines.items():
        if registered.company not in registrations.companies:
            text = f"the machine {machine} is of a company {registered.company} that is not there"
            yield _finding("registrations", text, "Register the company too.")
    users = set(registrations.machines) | {
        participant for company in registrations.companies.values() for participant in company.participants
    }
    for name in sorted(set(typed.get("transaction_limits", ())) - users):
        text = f"{name} is no registered machine or participant"
        yield _finding("transaction_limits", text, "Name one that is registered.")


def _findings_of_money(typed: dict[str, Any]) -> Iterator[Finding]:
    amounts = [("money_tolerance", "it", typed.get("money_tolerance", Decimal(0)))]
    for name in ("transaction_limits", "prices", "exchange_rates"):
        amounts += [(name, str(whose), amount) for whose, amount in typed.get(name, {}).items()]
    for name, whose, amount in amounts:
        if not amount.is_finite() or amount < 0 or (name == "exchange_rates" and not amount):
            yield _finding(
                name, f"{whose} is {amount}", "Give a plain amount that is not negative; of a rate, above 0."
            )


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True


def _finding(option: str, text: str, remedy: str) -> Finding:
    return Finding(ConfigError.code, "error", option, text, remedy=remedy)
