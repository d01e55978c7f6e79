"""`pg-bridge`: the verbs, and what becomes of their errors.

Exit codes: 0 good, 1 findings, 2 wrong use or configuration.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pg_bridge.cli import (
    audit,
    broadcast,
    demo,
    doctor,
    exchanges,
    files,
    keys,
    mappings,
    reconcile,
    reports,
    send,
    serve,
    simulate,
    translate,
)
from pg_bridge.cli.output import say_error
from pg_bridge.cli.world import program_version
from pg_bridge.errors import BridgeError, ConfigError, JournalError, MappingError

app = typer.Typer(
    name="pg-bridge",
    help="Stands where the CCASS Participant Gateway stood: ISO 15022 from the back office, OCP API calls to HKEX.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("send")(send.send)
app.command("translate")(translate.translate)
app.command("broadcast")(broadcast.broadcast)
app.command("reconcile")(reconcile.reconcile)
app.command("doctor")(doctor.doctor)
app.add_typer(simulate.app, name="simulate")
app.add_typer(audit.app, name="audit")
app.add_typer(exchanges.app, name="exchanges")
app.add_typer(files.app, name="files")
app.add_typer(keys.app, name="keys")
app.add_typer(mappings.app, name="mappings")
app.add_typer(reports.app, name="reports")


@app.callback(invoke_without_command=True)
def version(*, show: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    """Translate between the PSSs' messages and OCP, and journal every step."""
    if show:
        print(program_version())
        raise typer.Exit


def main() -> None:
    """Run a verb."""
    try:
        app()
    except (ConfigError, MappingError, JournalError) as error:
        say_error(error)
        sys.exit(2)
    except BridgeError as error:
        say_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
