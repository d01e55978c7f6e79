"""`pg-bridge reports`: what can be told from what the bridge holds."""

from __future__ import annotations

import typer

from pg_bridge.cli import reports_usage

app = typer.Typer(help="Reports and legacy files.", no_args_is_help=True)
app.command("usage")(reports_usage.usage)
