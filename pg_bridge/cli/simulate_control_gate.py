"""`pg-bridge simulate control` of the gate: limits, entitlements, tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from pg_bridge.cli.simulate_control import AT, Json, Url, call, order_of, say
from pg_bridge.errors import ConfigError


def limits(
    *,
    calls: Annotated[int | None, typer.Option(help="Calls a company may make in the profile's period; 0: any.")] = None,
    machine_calls: Annotated[int | None, typer.Option(help="The same of a machine.")] = None,
    transaction_limit: Annotated[
        list[str] | None,
        typer.Option(help="Of a participant or machine, as B01234=5000000; these and no others; '' for none."),
    ] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show or change how many calls, and how much money at the release of a hold, are let through.

    Example: pg-bridge simulate control limits --calls 60 --transaction-limit B01234=5000000
    """
    order = order_of(
        company_calls=calls,
        machine_calls=machine_calls,
        transaction_limits=None
        if transaction_limit is None
        else read_limits([one for one in transaction_limit if one]),
    )
    say(call(url, "limits", order or None), json, "Limits")


def entitlements(
    company: Annotated[str, typer.Argument(help="The company; left out: show.")] = "",
    functions: Annotated[
        list[str] | None, typer.Argument(help="The operations that it may call; left out: all; none: nothing.")
    ] = None,
    *,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show or change what companies may call; anything else is refused with 403.

    Example: pg-bridge simulate control entitlements CP00001 si_query status_events
    """
    granted = [] if functions == ["none"] else functions or None
    order = {"company": company, "functions": granted} if company else None
    say(call(url, "entitlements", order), json, "Entitlements")


def expire_tokens(*, url: Url = AT, json: Json = False) -> None:
    """Let no token that was given be good any longer.

    Example: pg-bridge simulate control expire-tokens
    """
    say(call(url, "expire-tokens", {}), json, "Tokens have ended")


def read_limits(said: list[str]) -> dict[str, str]:
    """Limits by participant or machine, from texts as B01234=5000000. Raises ConfigError."""
    limits = {}
    for one in said:
        name, equals, amount = one.partition("=")
        if not (name and equals and amount):
            raise ConfigError(f"--transaction-limit {one}: write it as B01234=5000000")
        limits[name] = amount
    return limits
