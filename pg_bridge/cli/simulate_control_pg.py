"""`pg-bridge simulate control` where only a pretend PG is meant: differences, sessions, requests, broadcasts."""

from __future__ import annotations

from typing import Annotated

import typer

from pg_bridge.cli.output import say_json
from pg_bridge.cli.simulate_control import Json, call, order_of, say, say_done

AT = "http://127.0.0.1:8091"
Url = Annotated[str, typer.Option("--url", help="Where the control of the pretend PG listens.")]


def sessions(*, url: Url = AT, json: Json = False) -> None:
    """Show who is logged on at a pretend PG.

    Example: pg-bridge simulate control sessions --url http://127.0.0.1:8091
    """
    say(call(url, "sessions"), json, "Sessions")


def requests(
    *,
    after: Annotated[int, typer.Option(help="Only what is behind this position.")] = 0,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Print every request that a pretend PG took, whatever came of it; `ledger` has only what was done.

    Example: pg-bridge simulate control requests --after 100
    """
    found = call(url, "requests", after=after)
    if json:
        say_json(found)
        return
    say_done("Requests", found["done"])


def broadcast(
    *,
    head: Annotated[str, typer.Option(help="Its head.")],
    text: Annotated[str, typer.Option(help="Its text.")],
    to: Annotated[
        list[str] | None, typer.Option(help="To whom; may be repeated; left out: to all that are on.")
    ] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Have a pretend PG tell participants something.

    Example: pg-bridge simulate control broadcast --head NOTICE --text "CLOSED TOMORROW"
    """
    say(call(url, "broadcast", {"head": head, "text": text, "to": to or []}), json, "Broadcast")


def differences(
    kind: Annotated[
        str, typer.Argument(help="The kind of difference to make; left out: show what is ordered and was made.")
    ] = "",
    *,
    template: Annotated[list[str] | None, typer.Option(help="Of which templates; may be repeated.")] = None,
    every: Annotated[int | None, typer.Option(help="Of every so many that could differ, one does.")] = None,
    share: Annotated[float | None, typer.Option(help="Or this share of them, as the seed says.")] = None,
    most: Annotated[int | None, typer.Option(help="So many at most.")] = None,
    late: Annotated[float | None, typer.Option(help="Seconds of its clock, of what comes late.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Make no more differences.")] = False,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Have a pretend PG answer otherwise than it should, and show every such difference that it made.

    Example: pg-bridge simulate control differences other_reason_code --template SI60 --every 10
    """
    if clear:
        call(url, "differences", method="DELETE")
    if kind:
        order = {"kind": kind, "templates": template or []}
        call(url, "differences", order | order_of(every=every, share=share, most=most, late_s=late))
    say(call(url, "differences"), json, "Differences")
