"""`pg-bridge simulate`: the pretend OCP, and the group of its neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli import (
    simulate_control,
    simulate_control_gate,
    simulate_control_pg,
    simulate_pg,
    simulate_pss,
    simulate_samples,
)
from pg_bridge.cli.simulate_control_gate import read_limits
from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.profiles.hours import read_hours
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.simulator.options import read_options
from pg_bridge.simulator.run import serve
from pg_bridge.simulator.stub import serve_stub

app = typer.Typer(help="The simulators: build, test and train without HKEX.", no_args_is_help=True)
app.add_typer(simulate_control.app, name="control")


@app.callback()
def simulators() -> None:
    """Simulators of the other side."""


@app.command("ocp")
def ocp(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free port.")] = 8090,
    registrations: Annotated[
        Path | None,
        typer.Option(
            help="JSON: companies and machines with their public keys (JWKS; several may be live, one with `exp` "
            "ends) and what they may call, as --registrations registrations.json."
        ),
    ] = None,
    options: Annotated[
        Path | None,
        typer.Option(
            help="JSON: anything else that can be chosen (simulator/options.py); what is said here comes first."
        ),
    ] = None,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    start: Annotated[
        str, typer.Option(help="The simulated time to begin at, as 2026-11-23T09:30:00+08:00; empty: now.")
    ] = "",
    rate: Annotated[float | None, typer.Option(help="How fast its clock goes, as 60 for an hour a minute.")] = None,
    stand: Annotated[bool, typer.Option("--stand", help="Let its clock stand until it is told otherwise.")] = False,
    calls: Annotated[
        int,
        typer.Option(help="Calls a company may make in the profile's period, as 480; 0: no limit, -1: as profiled."),
    ] = -1,
    machine_calls: Annotated[
        int, typer.Option(help="Calls a machine may make, as 60; 0: no limit, -1: as profiled.")
    ] = -1,
    transaction_limit: Annotated[
        list[str] | None,
        typer.Option(
            help="How many Hong Kong dollars one release of a hold may let go, of a participant or a machine, as "
            "--transaction-limit B01234=5000000; again for others."
        ),
    ] = None,
    money_tolerance: Annotated[
        str, typer.Option(help="By how much the amounts of two SIs that match may differ, as 0.50; empty: not at all.")
    ] = "",
    maker_checker: Annotated[
        list[str] | None,
        typer.Option(
            help="A participant whose SIs wait for authorisation, as --maker-checker B01234; again for others."
        ),
    ] = None,
    reference_data: Annotated[
        bool,
        typer.Option(
            "--reference-data",
            help="Know the generated participants, stocks and holidays, and refuse all others (unknown stock or "
            "participant, not eligible, not the domain counter, no settlement day).",
        ),
    ] = False,
    trades_a_second: Annotated[
        float | None, typer.Option(help="Trades a second of its clock, a company and market, as 25.")
    ] = None,
    trades_at_once: Annotated[
        int | None, typer.Option(help="So many trades are there from the day's beginning on, as 100000.")
    ] = None,
    hours: Annotated[
        bool,
        typer.Option("--hours", help="Take instructions in each market's sessions only, and by the day's cut-offs."),
    ] = False,
    seed: Annotated[int | None, typer.Option(help="What is left to chance follows from it, as 7.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Append every instruction really done to this file.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Keep the state in this file, and go on from it: book, events, clock (it ran on; before --start), "
            "what was set by control, subscriptions with what waits for them, used request ids, ledger. Trades follow "
            "from the seed, which is kept, too; a stream goes on behind the Last-Event-ID that it names, a socket "
            "behind what it acknowledged. Not kept: tokens (401; ask for a new one)."
        ),
    ] = None,
    durable: Annotated[
        bool,
        typer.Option("--durable", help="With --state: on the disk before it is answered; a loss of power loses none."),
    ] = False,
    stub: Annotated[bool, typer.Option(help="Answer everything at once and know nothing: for benchmarks.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="It says where it listens as one line of JSON in any case.")
    ] = True,
) -> None:
    """Run a pretend OCP; control it by HTTP under /_simulator, which has its own page at /_simulator/docs.

    Example: pg-bridge simulate ocp --registrations registrations.json --reference-data --hours --state ocp.state
    """
    files = read_mappings(mappings)
    profile = read_ocp_profile(files)
    if stub:
        serve_stub(profile, utc_now(), host, port)
        return
    if stand and rate is not None:
        raise ConfigError("simulate ocp: --stand and --rate exclude each other")
    document: dict[str, Any] = _json(options, "the options")
    document = {"market_hours": msgspec.to_builtins(read_hours(files))} | document | {"host": host, "port": port}
    said = {
        "rate": rate,
        "clock": "stands" if stand else None,
        "keeps_hours": hours or None,
        "reference_data": reference_data or None,
        "trades_a_second": trades_a_second,
        "trades_at_once": trades_at_once,
        "seed": seed,
        "maker_checker": maker_checker or None,
        "transaction_limits": read_limits(transaction_limit or []) or None,
        "money_tolerance": money_tolerance or None,
        "company_calls": calls if calls >= 0 else None,
        "machine_calls": machine_calls if machine_calls >= 0 else None,
        "state_file": str(state) if state is not None else None,
        "durable": durable or None,
        "registrations": _json(registrations, "the registrations") if registrations is not None else None,
        "start": start or None,
        "ledger_file": str(ledger) if ledger is not None else None,
    }
    document |= {name: value for name, value in said.items() if value is not None}
    serve(profile, read_options(document), utc_now)


def _json(path: Path | None, what: str) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found: dict[str, Any] = msgspec.json.decode(read_file(path, what), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError(f"reading {what} {path}: {error}") from error
    return found


app.command("pg")(simulate_pg.pg)
simulate_control.app.command("sessions")(simulate_control_pg.sessions)
simulate_control.app.command("requests")(simulate_control_pg.requests)
simulate_control.app.command("differences")(simulate_control_pg.differences)
simulate_control.app.command("broadcast")(simulate_control_pg.broadcast)
simulate_control.app.command("limits")(simulate_control_gate.limits)
simulate_control.app.command("entitlements")(simulate_control_gate.entitlements)
simulate_control.app.command("expire-tokens")(simulate_control_gate.expire_tokens)
app.command("pss")(simulate_pss.pss)
app.command("samples")(simulate_samples.samples)
