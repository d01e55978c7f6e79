"""`pg-bridge serve`: the bridge."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from pathlib import Path
from typing import Annotated

import msgspec
import typer
import uvloop

from pg_bridge import telemetry
from pg_bridge.bridge.running import running
from pg_bridge.cli.world import build_world, read_file
from pg_bridge.config import Config, read_config
from pg_bridge.errors import ConfigError
from pg_bridge.example_config import EXAMPLE


def serve(
    config: Annotated[Path | None, typer.Option("-c", "--config", help="The configuration file (TOML).")] = None,
    *,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    example_config: Annotated[
        bool, typer.Option("--example-config", help="Print a configuration with every key explained, and end.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Say where we listen as one line of JSON.")] = False,
) -> None:
    """Run the bridge until SIGTERM or SIGINT.

    Example: pg-bridge serve --example-config > bridge.toml; pg-bridge serve -c bridge.toml
    """
    if example_config:
        print(EXAMPLE, end="")
        return
    if config is None:
        raise ConfigError("starting the bridge: name its configuration, -c bridge.toml (see --example-config)")
    settings = read_config(read_file(config, "the configuration").decode("utf-8", "replace"), os.environ)
    telemetry.set_up(level=settings.log.level, as_json=settings.log.json)
    raise typer.Exit(uvloop.run(_serve(settings, mappings, as_json=json)))


async def _serve(config: Config, mappings: str, *, as_json: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with running(config, build_world(config, mappings=mappings)) as bridge:
        nodes = [f"{host}:{port}" for host, port in bridge.listener.addresses]
        where = {"pss": nodes[0], "push": bridge.push_url, "journal": config.journal.path}
        where["secondary"] = nodes[1] if len(nodes) > 1 else ""
        where["control"] = config.control.socket
        if as_json:
            print(msgspec.json.encode(where).decode(), flush=True)
        else:
            print(f"pg-bridge listens for PSSs on {' and '.join(nodes)} and for pushes at {where['push']}", flush=True)
        # What is loaded stays for good: the collector need not look at it again, nor look as often.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 10, 100)
        ended = asyncio.create_task(stop.wait())
        failed = asyncio.ensure_future(bridge.until_failed())
        await asyncio.wait({ended, failed}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return 2 if failed.done() else 0
