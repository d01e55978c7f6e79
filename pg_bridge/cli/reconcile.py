"""`pg-bridge reconcile`: compare open SIs with OCP, by the running bridge."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress

from pg_bridge.cli.control_client import ask, check_who, door_of
from pg_bridge.cli.control_options import ByOption, ConfigOption, ControlOption, ReasonOption
from pg_bridge.cli.output import console, findings_table, say_json, table
from pg_bridge.console.reconciliations import RECONCILIATIONS_PATH, LastReconciled, ReconcileAsked, Reconciliation

#: of a participant with some ten thousand open SIs, within the call limits
_ANSWER_S = 600.0


def reconcile(
    *,
    participant: Annotated[
        list[str] | None, typer.Option("--participant", help="A participant, once or more; left out: all.")
    ] = None,
    config: ConfigOption = None,
    control: ControlOption = "",
    by: ByOption = "",
    reason: ReasonOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have the running bridge compare every open SI with OCP, as it does by itself at day end.

    Exit code 1: OCP says otherwise of an SI than its events said; where the PSS could not know, it has been told.

    Example: pg-bridge reconcile -c bridge.toml --participant B01234 --by "A. Chan" --reason "typhoon, early close"
    """
    check_who("reconciling", by, reason)
    door = door_of(config, control)
    known = ask(door, "GET", RECONCILIATIONS_PATH, list[LastReconciled])
    names = participant or [one.participant for one in known]
    found: list[Reconciliation] = []
    with Progress(console=console(), disable=json, transient=True) as progress:
        task = progress.add_task("Comparing with OCP", total=len(names))
        for name in names:
            asked = ReconcileAsked(participant=name, by=by, reason=reason)
            found.append(ask(door, "POST", RECONCILIATIONS_PATH, Reconciliation, asked, answer_s=_ANSWER_S))
            progress.advance(task)
    findings = [finding for one in found for finding in one.findings]
    if json:
        say_json(found)
    else:
        rows = [
            (one.participant, f"{one.open}", f"{one.agreed}", f"{one.disagreed}", f"{one.unknown}") for one in found
        ]
        heads = ("participant", "open SIs", "agree", "disagree", "never heard of")
        console().print(table("", heads, rows))
        if findings:
            console().print(findings_table(findings))
        print(f"Journaled up to position {max((one.position for one in found), default=0)}.")
    raise typer.Exit(1 if findings else 0)
