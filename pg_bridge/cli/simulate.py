"""`pg-bridge simulate`: the pretend OCP."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
import uvicorn
import uvloop

from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.errors import ConfigError
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.simulator.ocp import SimulatorOptions, create_app
from pg_bridge.simulator.stub import run_stub

app = typer.Typer(help="The simulators: build, test and train without HKEX.", no_args_is_help=True)


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
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    start: Annotated[str, typer.Option(help="The simulated time to begin at (RFC 3339); empty: now.")] = "",
    rate: Annotated[float, typer.Option(help="How fast its clock goes; 0 stands.")] = 1.0,
    calls: Annotated[int, typer.Option(help="Calls a company may make in 60 s; 0: no limit, -1: as profiled.")] = -1,
    ledger: Annotated[Path | None, typer.Option(help="Append every instruction really entered to this file.")] = None,
    stub: Annotated[bool, typer.Option(help="Answer everything at once and know nothing: for benchmarks.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Say where it listens as one line of JSON.")] = False,
) -> None:
    """Run a pretend OCP; control it by HTTP under /_simulator.

    Example: pg-bridge simulate ocp --port 8090 --registrations registrations.json
    """
    profile = read_ocp_profile(read_mappings(mappings))

    def say(url: str) -> None:
        text = msgspec.json.encode({"listening": url}).decode() if json else f"The pretend OCP listens at {url}"
        print(text, flush=True)

    if stub:
        uvloop.run(run_stub(profile, host, port, say))
        return
    try:
        begin = datetime.fromisoformat(start) if start else None
    except ValueError as error:
        raise ConfigError(f"reading --start: {error}") from error
    options = SimulatorOptions(
        registrations=_registrations(registrations),
        company_calls=None if calls < 0 else calls,
        ledger_file=ledger,
        start=begin,
        rate=rate,
    )
    settings = uvicorn.Config(
        create_app(profile, options, utc_now),
        host=host,
        port=port,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    sock = settings.bind_socket()
    sock.listen(1024)  # from here on connections wait instead of being refused
    say(f"http://{host}:{sock.getsockname()[1]}")

    async def run() -> None:
        server = uvicorn.Server(settings)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, lambda: setattr(server, "should_exit", True))
        await server.serve(sockets=[sock])

    uvloop.run(run())


def _registrations(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found: dict[str, Any] = msgspec.json.decode(read_file(path, "the registrations"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError(f"reading the registrations {path}: {error}") from error
    return found
