"""`pg-bridge simulate pg`: a pretend Participant Gateway."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli.output import console, table
from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.profiles.hours import read_hours
from pg_bridge.simulator.gateway_options import read_gateway_options
from pg_bridge.simulator.gateway_run import serve_pg


def pg(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="For PSSs; 0: any free port.")] = 7100,
    secondary_port: Annotated[
        int | None, typer.Option(help="Of a second node; 0: any free port; left out: there is none.")
    ] = None,
    control_port: Annotated[int, typer.Option(help="For its control by HTTP; 0: any free port.")] = 8091,
    options: Annotated[
        Path | None, typer.Option(help="JSON: anything else that can be chosen (simulator/gateway_options.py).")
    ] = None,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    start: Annotated[str, typer.Option(help="The simulated time to begin at (RFC 3339); empty: now.")] = "",
    rate: Annotated[float | None, typer.Option(help="How fast its clock goes; 0: it stands.")] = None,
    seed: Annotated[int | None, typer.Option(help="What is left to chance follows from it.")] = None,
    participant: Annotated[
        list[str] | None, typer.Option(help="Who may log on; may be repeated; left out: everyone.")
    ] = None,
    maker_checker: Annotated[
        list[str] | None, typer.Option(help="Whose SIs wait for authorisation; may be repeated.")
    ] = None,
    reports: Annotated[
        Path | None, typer.Option(help="A folder of reports: <participant>/<YYYYMMDD>/<report id>.")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Append every request taken to this file.")] = None,
    tls_certificate: Annotated[str, typer.Option(help="Speak TLS, with this certificate (PEM).")] = "",
    tls_key: Annotated[str, typer.Option(help="Its key (PEM).")] = "",
    tls_client_ca: Annotated[str, typer.Option(help="A PSS must show a certificate of this CA (PEM).")] = "",
    json: Annotated[bool, typer.Option("--json", help="Say where it listens as one line of JSON.")] = False,
) -> None:
    """Run a pretend Participant Gateway that speaks to PSSs as the PG did, with a book of its own behind it.

    Control it by HTTP under /_simulator, which has its own page at /_simulator/docs, or by `simulate control --url`.

    Example: pg-bridge simulate pg --port 7100 --control-port 8091 --participant B01234 --participant C00019
    """
    files = read_mappings(mappings)
    document: dict[str, Any] = {"market_hours": msgspec.to_builtins(read_hours(files))} | _options(options)
    given = {
        "secondary_port": secondary_port,
        "start": start or None,
        "seed": seed,
        "participants": participant or None,
        "maker_checker": maker_checker or None,
        "reports": str(reports) if reports is not None else None,
        "ledger_file": str(ledger) if ledger is not None else None,
        "tls_certificate": tls_certificate or None,
        "tls_key": tls_key or None,
        "tls_client_ca": tls_client_ca or None,
    }
    document |= {"host": host, "port": port, "control_port": control_port}
    document |= {name: value for name, value in given.items() if value is not None}
    if rate == 0:
        document["clock"] = "stands"
    elif rate is not None:
        document["rate"] = rate

    def announce(where: dict[str, str]) -> None:
        if json:
            print(msgspec.json.encode(where).decode(), flush=True)
            return
        told = [
            ("PSSs dial", where["pss"]),
            ("or, of the second node", where.get("secondary", "")),
            ("its control", where["control"]),
            ("a page about that", f"{where['control']}/docs"),
        ]
        console().print(table("The pretend PG listens", ("what", "where"), [row for row in told if row[1]]))
        sys.stdout.flush()

    serve_pg(files, read_gateway_options(document), utc_now, announce)


def _options(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found: dict[str, Any] = msgspec.json.decode(read_file(path, "the options"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError(f"reading the options {path}: {error}") from error
    return found
