"""`pg-bridge reports usage`: what was called of OCP, from the journal, to check HKEX's fees by."""

from __future__ import annotations

import csv
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.entries import Kind
from pg_bridge.journal.review import AuditReader
from pg_bridge.journal.usage import Usage, bounds_us, count_usage

_DAY = ["%Y-%m-%d"]
_COLUMNS = Usage.__struct_fields__
_COUNTS = ("calls", "entries", "refused", "throttled", "failed")


def usage(
    *,
    journal: Annotated[Path, typer.Option("-j", "--journal", help="The journal file.")] = Path(
        "pg-bridge.journal.sqlite"
    ),
    first: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="The first day, Hong Kong.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last day, it included.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, with a head line.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the calls to OCP and their entries, by day, company, participant and service (operation).

    Calls for tokens are not among them. Each page of a listing is a call, and so is each try.

    Example: pg-bridge reports usage -j bridge.sqlite --from 2026-11-01 --to 2026-11-30 --csv
    """
    if first is not None and last is not None and last < first:
        raise ConfigError("counting usage: the last day is before the first one")
    since_us, until_us = bounds_us(_day(first), _day(last))
    with AuditReader(journal) as reader:
        found = count_usage(reader.each(Kind.CALL_ENDED, since_us=since_us, until_us=until_us))
    rows = [msgspec.structs.astuple(one) for one in found]
    totals = {name: sum(getattr(one, name) for one in found) for name in _COUNTS}
    if json:
        say_json({"usage": found, "totals": totals})
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        writer.writerows(rows)
    else:
        console().print(table(f"{totals['calls']:,} calls, {totals['entries']:,} entries", _COLUMNS, rows))


def _day(given: datetime | None) -> date | None:
    return given.date() if given is not None else None
