"""`pg-bridge simulate control` where only a pretend PG is meant: differences, sessions, requests, broadcasts."""

from __future__ import annotations

from typing import Annotated

import typer

from pg_bridge.cli.output import say_json
from pg_bridge.cli.simulate_control import Json, ask, say, say_done

AT = "http://127.0.0.1:8091"
Url = Annotated[str, typer.Option("--url", help="Where the control of the pretend PG listens.")]


def sessions(*, url: Url = AT, json: Json = False) -> None:
    """Show who is logged on at a pretend PG.

    Example: pg-bridge simulate control sessions --url http://127.0.0.1:8091
    """
    say(ask(url, "sessions"), json, "Sessions")


def requests(
    *,
    after: Annotated[int, typer.Option(help="Only what is behind this position.")] = 0,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Print every request that a pretend PG took, whatever came of it; `ledger` has only what was done.

    Example: pg-bridge simulate control requests --after 100
    """
    found = ask(url, "requests", after=after)
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
    say(ask(url, "broadcast", {"head": head, "text": text, "to": to or []}), json, "Broadcast")
