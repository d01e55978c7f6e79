"""`pg-bridge reports`: files of what OCP told, and what OCP was called for, made from the journal."""

from __future__ import annotations

from typing import Any

import typer
import typer.core

from pg_bridge.cli import reports_usage, reports_write


class ReportGroup(typer.core.TyperGroup):
    """`reports NAME ...` is `reports write NAME ...`: the names of reports are the mapping set's."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click's; what is no verb is the name of a report."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["write", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=ReportGroup,
    help="Files for participants made of what OCP told: `pg-bridge reports NAME` for those of the mapping set.",
    no_args_is_help=True,
)


@app.callback()
def reports() -> None:
    """Files for participants, made of what OCP told."""


app.command("write")(reports_write.write)
app.command("usage")(reports_usage.usage)
