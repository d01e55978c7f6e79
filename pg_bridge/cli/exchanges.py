"""`pg-bridge exchanges`: what is not over, what was asked about a lost call, and a person's word on one in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from pg_bridge.cli import exchanges_resolve, exchanges_show
from pg_bridge.cli.control_client import ask, door_of
from pg_bridge.cli.control_options import ConfigOption, ControlOption
from pg_bridge.cli.journal_state import Parked, journal_of, parked, state_of
from pg_bridge.cli.output import clock_text, console, say_json, table
from pg_bridge.console.exchanges import EXCHANGES_PATH
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.standing import Listing, Which, listing

app = typer.Typer(help="Exchanges that are not over: open, in doubt, parked, undelivered.", no_args_is_help=True)
app.command("show")(exchanges_show.show)
app.command("resolve")(exchanges_resolve.resolve)


@app.command("list")
def list_(
    *,
    in_doubt: Annotated[bool, typer.Option("--in-doubt", help="Those that wait for a person.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Those whose outcome is still to come.")] = False,
    parked_: Annotated[bool, typer.Option("--parked", help="Requests and updates that no rule could write.")] = False,
    undelivered: Annotated[bool, typer.Option("--undelivered", help="Messages that no PSS acknowledged yet.")] = False,
    participant: Annotated[str, typer.Option(help="Only this participant.")] = "",
    most: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many of each kind, the oldest.")] = 200,
    config: ConfigOption = None,
    control: ControlOption = "",
    journal: Annotated[
        Path | None, typer.Option("-j", "--journal", help="A journal file, in place of the running bridge.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List exchanges in doubt, open ones and undelivered messages of the running bridge, or of a journal file.

    None of --in-doubt, --open, --parked and --undelivered: all but the parked ones. Those stand in the journal only,
    which --journal or the configuration names. Exit code 1: something is in doubt or parked.

    Example: pg-bridge exchanges list --in-doubt -c bridge.toml
    """
    flags: dict[Which, bool] = {"in_doubt": in_doubt, "open": open_, "undelivered": undelivered}
    chosen = frozenset[Which](name for name, given in flags.items() if given)
    if not chosen and not parked_:
        chosen = frozenset(flags)
    if parked_ and journal is None and config is None:
        raise ConfigError("listing what is parked: name the journal, with --journal or by the configuration (-c)")
    found = Listing(exchanges=[], deliveries=[])
    if chosen and journal is not None:
        found = listing(state_of(journal, shows=not json), chosen, participant=participant, most=most)
    elif chosen:
        query = urlencode({"which": sorted(chosen), "participant": participant, "most": most}, doseq=True)
        found = ask(door_of(config, control), "GET", f"{EXCHANGES_PATH}?{query}", Listing)
    apart = parked(journal or journal_of(config), participant, most) if parked_ else []
    if json:
        say_json({"listing": found, "parked": apart})
    else:
        _print(found, apart, chosen, is_parked=parked_)
    raise typer.Exit(1 if found.in_doubt or apart else 0)


def _print(found: Listing, apart: list[Parked], chosen: frozenset[Which], *, is_parked: bool) -> None:
    out = console()
    for which, count in (("in_doubt", found.in_doubt), ("open", found.open)):
        if which not in chosen:
            continue
        rows = [
            (
                one.exchange, clock_text(one.at_us), one.participant, one.reference, one.function, one.si_number,
                one.request_id, one.why or _state(one.stage, one.looks, one.awaits, is_unknown=one.is_unknown),
                "told to wait" if one.is_told else "",
            )
            for one in found.exchanges
            if (one.stage == "in_doubt") == (which == "in_doubt")
        ]  # fmt: skip
        columns = ("exchange", "received (HKT)", "participant", "reference", "function", "SI", "call", "state", "PSS")
        out.print(table(f"{count} {which.replace('_', ' ')}", columns, rows))
    if "undelivered" in chosen:
        messages = [
            (
                one.delivery, one.participant, one.terminal, one.template, one.exchange, one.si_number,
                f"waits for the answer of {one.waits_for}" if one.waits_for else "sent" if one.is_sent else "waits",
            )
            for one in found.deliveries
        ]  # fmt: skip
        heads = ("delivery", "participant", "terminal", "message", "exchange", "SI", "state")
        out.print(table(f"{found.undelivered} undelivered", heads, messages))
    if is_parked:
        lines = [(one.position, clock_text(one.at_us), one.kind, one.participant, one.text) for one in apart]
        out.print(table(f"{len(apart)} parked", ("position", "time (HKT)", "kind", "participant", "why"), lines))


def _state(stage: str, looks: int, awaits: str, *, is_unknown: bool) -> str:
    if is_unknown:
        return f"outcome unknown{f', {looks} looks' if looks else ''}"
    return f"waits for {awaits}" if awaits else stage
