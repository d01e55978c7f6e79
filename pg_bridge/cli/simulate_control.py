"""`pg-bridge simulate control`: command a running pretend OCP, or a pretend PG in what both have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import read_file
from pg_bridge.errors import ConfigError
from pg_bridge.simulator.ocp import CONTROL_PATH

app = typer.Typer(help="Command a running pretend OCP or PG.", no_args_is_help=True)

Url = Annotated[str, typer.Option("--url", help="Where the pretend OCP, or the control of the pretend PG, listens.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AT = "http://127.0.0.1:8090"
_COLUMNS = (
    "position", "at", "operation", "participant", "terminal", "template", "request_reference", "si_number", "outcome",
    "status", "request_id",
)  # fmt: skip
#: a snapshot of a long day is large
TIMEOUT_S = 300.0


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def call(url: str, path: str, order: object = None, method: str = "", **parameters: Any) -> dict[str, Any]:
    """Ask the control at `url`, or order. Raises ConfigError that names what is wrong with an order that is refused."""
    answer = _send(url, path, method or ("GET" if order is None else "POST"), order, parameters)
    try:
        found: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigError(f"asking {url}: what answers there is no pretend OCP or PG") from error
    return found


def _send(url: str, path: str, method: str, order: object = None, parameters: dict[str, Any] | None = None) -> bytes:
    given = {name: value for name, value in (parameters or {}).items() if value is not None}
    content = order if isinstance(order, bytes) else None if order is None else msgspec.json.encode(order)
    where = f"{url.rstrip('/')}{CONTROL_PATH}/{path}"
    try:
        reply = httpx.request(
            method,
            where,
            content=content,
            params=given,
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_S,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"asking {url}: {error or type(error).__name__}; does a pretend OCP or PG listen there?"
        ) from error
    if reply.is_success:
        return reply.content
    raise ConfigError(f"{path}: {_why(reply)}")


def _why(reply: httpx.Response) -> str:
    try:
        detail = msgspec.json.decode(reply.content)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"HTTP {reply.status_code}; does what listens there know of it, and is it of this version?"
    if isinstance(detail, str):
        return detail
    return "; ".join(f"{'.'.join(str(one) for one in fault['loc'][1:])}: {fault['msg']}" for fault in detail)


def say(found: dict[str, Any], json: bool, title: str) -> None:
    """Print what was answered."""
    if json:
        say_json(found)
        return
    rows = [(name, _cell(value)) for name, value in found.items()]
    console().print(table(title, ("what", "value"), rows))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_cell(one)}" for name, one in value.items()) or "-"
    if isinstance(value, list):
        return "\n".join(_row(one) for one in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def _row(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_row(one)}" for name, one in value.items() if one not in (None, "", [], {}))
    return str(value)


def order_of(**members: Any) -> dict[str, Any]:
    """An order of the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


@app.command("state")
def state(*, url: Url = AT, json: Json = False) -> None:
    """Say how it stands: clock, next run, SIs by status, ledger, subscriptions, faults.

    Example: pg-bridge simulate control state --url http://127.0.0.1:8090
    """
    say(call(url, "state"), json, "State")


@app.command("clock")
def clock(
    *,
    jump: Annotated[str | None, typer.Option(help="Go on from this moment (RFC 3339).")] = None,
    advance: Annotated[float | None, typer.Option(help="Go on from so many seconds later.")] = None,
    stand: Annotated[bool, typer.Option("--stand", help="Let it stand.")] = False,
    rate: Annotated[float | None, typer.Option(help="Let it run, so many seconds in one.")] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show its clock, or set it; runs that it passes take place.

    Example: pg-bridge simulate control clock --jump 2026-11-25T10:30:00+08:00
    """
    if stand and rate is not None:
        raise ConfigError("clock: --stand and --rate exclude each other")
    mode = "stands" if stand else "runs" if rate is not None else None
    order = order_of(jump=jump, advance_s=advance, mode=mode, rate=rate)
    say(call(url, "clock", order or None), json, "Clock")


@app.command("run")
def run(
    which: Annotated[str, typer.Argument(help="match, settle, pay, not_paid or day_end.")],
    *,
    si: Annotated[str | None, typer.Option(help="Only this SI's pair: settled at once, paid, or not paid.")] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Do one run now.

    Example: pg-bridge simulate control run settle
    """
    say(call(url, "run", order_of(run=which, si_number=si)), json, f"Run {which}")


@app.command("faults")
def faults(
    kind: Annotated[str, typer.Argument(help="The kind of fault to order; left out: show what is ordered.")] = "",
    *,
    operation: Annotated[str, typer.Option(help="Of which operation, token or push; left out: of any.")] = "",
    skip: Annotated[int, typer.Option(help="Let so many pass first.")] = 0,
    count: Annotated[int, typer.Option(help="Then so many go wrong; 0: all.")] = 1,
    share: Annotated[float | None, typer.Option(help="Of those met, this part goes wrong; left out: all.")] = None,
    work: Annotated[bool | None, typer.Option(help="Whether the work is done first; left out: as usual.")] = None,
    delay: Annotated[float | None, typer.Option(help="Seconds, of late and slow answers and old timestamps.")] = None,
    retry_after: Annotated[int | None, typer.Option(help="Seconds, of 429 and 503.")] = None,
    refusal: Annotated[str | None, typer.Option(help="What refusals say, as outside_hours.")] = None,
    template: Annotated[str | None, typer.Option(help="At a pretend PG: of which template; left out: any.")] = None,
    participant: Annotated[str | None, typer.Option(help="At a pretend PG: of whom; left out: anyone.")] = None,
    terminal: Annotated[str | None, typer.Option(help="At a pretend PG: of which terminal.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Let nothing go wrong any more.")] = False,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show, order or clear faults: of calls and pushes at a pretend OCP, of the wire at a pretend PG.

    Example: pg-bridge simulate control faults timed_out --operation si_add --count 3
    """
    if clear:
        call(url, "faults", method="DELETE")
    if kind:
        order = {"kind": kind, "skip": skip, "count": count}
        order |= order_of(operation=operation or None, template=template, participant=participant, terminal=terminal)
        order |= order_of(share=share, work=work, delay_s=delay, retry_after_s=retry_after, refusal=refusal)
        call(url, "faults", order)
    say(call(url, "faults"), json, "Faults")


@app.command("counterparties")
def counterparties(
    participant: Annotated[
        str | None, typer.Argument(help="Who answers by itself; 'others': all that are no company's; left out: show.")
    ] = None,
    *,
    mismatch_one_in: Annotated[int, typer.Option(help="One in so many answers differs; 0: none.")] = 0,
    late: Annotated[float, typer.Option(help="Seconds of its clock until the answer.")] = 0.0,
    clear: Annotated[bool, typer.Option("--clear", help="Let none answer by itself any more.")] = False,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show, order or clear the counterparties that answer by themselves.

    Example: pg-bridge simulate control counterparties C00019 --mismatch-one-in 10 --late 60
    """
    if clear:
        call(url, "counterparties", method="DELETE")
    if participant is not None:
        named = "" if participant == "others" else participant
        call(url, "counterparties", {"participant": named, "mismatch_one_in": mismatch_one_in, "late_s": late})
    say(call(url, "counterparties"), json, "Counterparties")


@app.command("rules")
def rules(
    *,
    match_at_once: Annotated[bool | None, typer.Option(help="Match at once, or at the runs.")] = None,
    revoke_by_both: Annotated[bool | None, typer.Option(help="A revoke needs both sides.")] = None,
    dvp_shares_on_hold: Annotated[bool | None, typer.Option(help="DVP too waits for its payment.")] = None,
    maker_checker: Annotated[
        list[str] | None, typer.Option(help="Participants whose SIs wait for authorisation; '' for none.")
    ] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show or change the rules of the book.

    Example: pg-bridge simulate control rules --no-match-at-once --maker-checker B01234
    """
    order = order_of(
        match_at_once=match_at_once,
        revoke_by_both=revoke_by_both,
        dvp_shares_on_hold=dvp_shares_on_hold,
        maker_checker=[one for one in maker_checker if one] if maker_checker else None,
    )
    say(call(url, "rules", order or None), json, "Rules")


@app.command("hours")
def hours(
    sessions: Annotated[Switch | None, typer.Argument(help="Look at the sessions, or not; left out: show.")] = None,
    *,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show which markets are open, or have the sessions looked at, or not.

    Example: pg-bridge simulate control hours on
    """
    found = call(url, "day") if sessions is None else call(url, "hours", {"keep": sessions is Switch.ON})
    say(found, json, "Day")


@app.command("weather")
def weather(
    warning: Annotated[str, typer.Argument(help="typhoon, black_rainstorm or fair; left out: show.")] = "",
    *,
    until: Annotated[str | None, typer.Option(help="Until when (RFC 3339); left out: until told otherwise.")] = None,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Show the weather, or have a warning in force from now on.

    Example: pg-bridge simulate control weather typhoon --until 2026-11-25T11:00:00+08:00
    """
    found = call(url, "weather", order_of(weather=warning, until=until)) if warning else call(url, "day")
    say(found, json, "Day")


@app.command("ledger")
def ledger(
    *,
    after: Annotated[int, typer.Option(help="Only what is behind this position.")] = 0,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Print every instruction that it really did.

    Example: pg-bridge simulate control ledger --after 100
    """
    found = call(url, "ledger", after=after)
    if json:
        say_json(found)
        return
    say_done("Ledger", found["done"])


def say_done(title: str, done: list[dict[str, Any]]) -> None:
    """What was done as a table, of the columns that are there."""
    columns = [name for name in _COLUMNS if any(name in one for one in done)]
    console().print(table(title, columns, [[one.get(name) for name in columns] for one in done]))


@app.command("reset")
def reset(*, url: Url = AT, json: Json = False) -> None:
    """Begin with an empty book; clock and subscriptions stay.

    Example: pg-bridge simulate control reset
    """
    call(url, "reset", {})
    say(call(url, "state"), json, "State")


@app.command("snapshot")
def snapshot(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Write its whole state to a file.

    Example: pg-bridge simulate control snapshot before-lunch.json
    """
    content = _send(url, "snapshot", "GET")
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"writing the snapshot {file}: {error.strerror}") from error
    say({"file": str(file), "bytes": len(content)}, json, "Snapshot")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A snapshot.")],
    *,
    url: Url = AT,
    json: Json = False,
) -> None:
    """Go on where the snapshot was taken.

    Example: pg-bridge simulate control restore before-lunch.json
    """
    say(call(url, "restore", read_file(file, "the snapshot")), json, "Restored")
