"""`pg-bridge keys`: the keys by which OCP knows the company and this machine."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from pg_bridge.cli import keys_export, keys_new, keys_rotate
from pg_bridge.cli.keys_set import BOTH, ConfigArgument, KeySet, configured, moment, told
from pg_bridge.cli.output import console, findings_table, say_json, table
from pg_bridge.errors import Finding
from pg_bridge.ocp.key_list import Whose
from pg_bridge.ocp.key_ring import KeyRing

app = typer.Typer(help="The keys by which OCP knows the company and this machine.", no_args_is_help=True)

END_NEAR, ENDED = "PGB-KEY-004", "PGB-KEY-005"


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """One key as it is listed. state: signs, waits (for its time), before (another signs now), ended."""

    whose: Whose
    file: str
    thumbprint: str
    algorithm: str
    state: str
    used_from: datetime | None
    ends_at: datetime | None
    days_left: float | None
    made_at: datetime | None
    age_days: float | None
    by: str


@app.command("list")
def list_(
    *,
    config: ConfigArgument,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the keys: which one signs now, from when others do, and when each ends; exit code 1 from 14 days before.

    Example: pg-bridge keys list -c bridge.toml
    """
    keys = configured(config)
    now = moment("now", "now")
    lines: list[KeyLine] = []
    findings: list[Finding] = []
    for whose in BOTH:
        ring = keys.ring(whose)
        lines += _lines(ring, now)
        findings += end_findings(keys, ring, now)
    if json:
        say_json({"keys": lines, "findings": findings})
    else:
        rows = [
            (
                one.whose,
                one.state,
                one.file,
                one.thumbprint,
                one.algorithm,
                told(one.used_from),
                told(one.ends_at),
                "" if one.days_left is None else f"{one.days_left:.1f}",
                "" if one.age_days is None else f"{one.age_days:.0f} days",
            )
            for one in lines
        ]
        columns = ("whose", "state", "file", "thumbprint", "by", "signs from", "ends", "days left", "age")
        console().print(table("Times are Hong Kong's", columns, rows))
        if findings:
            console().print(findings_table(findings))
    raise typer.Exit(1 if findings else 0)


def _lines(ring: KeyRing, now: datetime) -> list[KeyLine]:
    signs = ring.at(now)
    lines = []
    for key in ring.keys:
        listed = key.listed
        days = key.days_left(now)
        if key is signs:
            state = "signs"
        elif key.has_ended(now):
            state = "ended"
        else:
            state = "before" if key.has_begun(now) else "waits"
        lines.append(
            KeyLine(
                whose=ring.whose,
                file=listed.file,
                thumbprint=key.pair.thumbprint,
                algorithm=key.pair.algorithm,
                state=state,
                used_from=listed.used_from,
                ends_at=listed.ends_at,
                days_left=None if days is None else round(days, 2),
                made_at=listed.made_at,
                age_days=None if listed.made_at is None else (now - listed.made_at).total_seconds() / 86_400,
                by=listed.by,
            )
        )
    return lines


def end_findings(keys: KeySet, ring: KeyRing, now: datetime) -> list[Finding]:
    """What is wrong with the end of the key that signs: near or past, and no other is to follow it in time."""
    ending = ring.ending(now)
    if ending is None:
        return []
    key, days = ending
    at, ends = keys.file(ring.whose), told(key.listed.ends_at)
    remedy = f"pg-bridge keys rotate {ring.whose} -c bridge.toml, and register the new key at HKEX's portal."
    if days > 0:
        text = f"the {ring.whose}'s key {key.listed.file} ends {ends}, in {days:.1f} days"
        return [Finding(END_NEAR, "warning", at, text, remedy=remedy)]
    text = f"the {ring.whose}'s key {key.listed.file} ended {ends}: OCP will refuse it"
    return [Finding(ENDED, "error", at, text, remedy=remedy)]


app.command("new")(keys_new.new)
app.command("rotate")(keys_rotate.rotate)
app.command("export")(keys_export.export)
