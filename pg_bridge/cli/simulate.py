"""`pg-bridge simulate`: the pretend OCP, and the group of its neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli import simulate_control, simulate_control_pg, simulate_pg, simulate_pss, simulate_samples
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
        Path | None, typer.Option(help="JSON: companies and machines with their public keys (JWKS).")
    ] = None,
    options: Annotated[
        Path | None, typer.Option(help="JSON: anything else that can be chosen (simulator/options.py).")
    ] = None,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    start: Annotated[str, typer.Option(help="The simulated time to begin at (RFC 3339); empty: now.")] = "",
    rate: Annotated[float, typer.Option(help="How fast its clock goes.")] = 1.0,
    calls: Annotated[int, typer.Option(help="Calls a company may make in 60 s; 0: no limit, -1: as profiled.")] = -1,
    ledger: Annotated[Path | None, typer.Option(help="Append every instruction really done to this file.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Keep the state in this file, and go on from it (its clock before --start)."),
    ] = None,
    hours: Annotated[bool, typer.Option(help="Take instructions in each market's sessions only.")] = False,
    seed: Annotated[int | None, typer.Option(help="What is left to chance follows from it.")] = None,
    stub: Annotated[bool, typer.Option(help="Answer everything at once and know nothing: for benchmarks.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="It says where it listens as one line of JSON in any case.")
    ] = True,
) -> None:
    """Run a pretend OCP; control it by HTTP under /_simulator, which has its own page at /_simulator/docs.

    Example: pg-bridge simulate ocp --port 8090 --registrations registrations.json
    """
    files = read_mappings(mappings)
    profile = read_ocp_profile(files)
    if stub:
        serve_stub(profile, utc_now(), host, port)
        return
    document: dict[str, Any] = _json(options, "the options")
    document = {"market_hours": msgspec.to_builtins(read_hours(files))} | document
    document |= {"host": host, "port": port, "rate": rate}
    if hours:
        document["keeps_hours"] = True
    if seed is not None:
        document["seed"] = seed
    if state is not None:
        document["state_file"] = str(state)
    if registrations is not None:
        document["registrations"] = _json(registrations, "the registrations")
    if start:
        document["start"] = start
    if calls >= 0:
        document["company_calls"] = calls
    if ledger is not None:
        document["ledger_file"] = str(ledger)
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
app.command("pss")(simulate_pss.pss)
app.command("samples")(simulate_samples.samples)
