"""`pg-bridge reports NAME`: a legacy file of trades or reference data, made from the journal."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pg_bridge.bridge.loading import hash_of_ocp
from pg_bridge.bridge.market_reports import MarketReports, Wanted
from pg_bridge.bridge.report_orders import ReportOrder, ReportTold, make_report, targets
from pg_bridge.cli.output import console, findings_table, say_json, table
from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.config import Config, ParticipantConfig, read_config
from pg_bridge.errors import ConfigError
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.mapping.book import load
from pg_bridge.profiles.market_concepts import Market


def write(
    name: Annotated[str, typer.Argument(help="Which report of the mapping set: cclid01, participants, stocks ...")],
    config: Annotated[Path, typer.Option("-c", "--config", help="The configuration file of the bridge.")],
    *,
    date: Annotated[str, typer.Option(help="The trade date or business date, as 2026-11-23; empty: today.")] = "",
    participant: Annotated[str, typer.Option(help="Only this participant; empty: all of the configuration.")] = "",
    market: Annotated[
        str, typer.Option(help="Only this market's trades: hong_kong, shanghai, shenzhen; empty: all that had any.")
    ] = "",
    out: Annotated[
        str,
        typer.Option(help="Write to this folder, as <participant>/<YYYYMMDD>/<report id>, in place of the configured."),
    ] = "",
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the configured one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a report of what the journal holds, whether the bridge runs or not. Exit code 1 if one could not be made.

    It goes to the reports folder and the participants' outboxes, each file whole or not at all.

    Example: pg-bridge reports cclid01 -c bridge.toml --date 2026-11-23 --participant B01234 --out /tmp/reports
    """
    settings = read_config(read_file(config, "the configuration").decode("utf-8", "replace"), os.environ)
    files = read_mappings(mappings or settings.mappings)
    reports = MarketReports(load(files), Path(settings.journal.path), hash_of_ocp(files))
    now = utc_now().astimezone(HONG_KONG)
    day = _day(date) or f"{now:%Y-%m-%d}"
    participants = _participants(settings, participant)
    orders: list[ReportOrder] = []
    for each in _markets(reports, name, market, day):
        for who, own in participants.items():
            places = targets(
                reports.rules(name).report_id(each),
                who,
                day,
                f"{now:%H%M%S}",
                reports=out or settings.reports.folder,
                drop_folder="" if out else own.drop_folder,
            )
            if not places:
                raise ConfigError(f"writing reports: {who} has no drop folder, and there is no [reports] folder: --out")
            orders.append(ReportOrder(Wanted(name, who, day, each, own.ncps), places))
    told = _made(reports, orders, is_quiet=json)
    findings = [finding for each in told for finding in each.findings]
    if json:
        say_json({"reports": told, "findings": findings})
    else:
        rows = [
            (each.wanted.participant, each.report, each.wanted.day, f"{each.records:,}", f"{each.size:,}", path)
            for each in told
            for path in each.paths
        ]
        columns = ("participant", "report", "day", "records", "bytes", "file")
        console().print(table(f"{len(rows)} files written", columns, rows))
        if findings:
            console().print(findings_table(findings))
    raise typer.Exit(1 if findings else 0)


def _day(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat() if text else ""
    except ValueError as error:
        raise ConfigError(f"writing reports: {text!r} is no day: write it as 2026-11-23") from error


def _participants(settings: Config, only: str) -> dict[str, ParticipantConfig]:
    if only and only not in settings.participants:
        raise ConfigError(f"writing reports: the configuration has no participant {only}")
    return {name: own for name, own in settings.participants.items() if only in ("", name)}


def _markets(reports: MarketReports, name: str, only: str, day: str) -> list[Market | None]:
    """The markets to make a report of; the first one where no trades were taken at all, so that this is told."""
    try:
        wanted = [Market(only)] if only else []
    except ValueError as error:
        raise ConfigError(f"writing reports: {only!r} is no market; {', '.join(Market)} are") from error
    if not reports.rules(name).is_of_trades:
        return [None]
    return [*(wanted or [each for each in Market if reports.has_trades(each, day)] or [*Market][:1])]


def _made(reports: MarketReports, orders: list[ReportOrder], *, is_quiet: bool) -> list[ReportTold]:
    """Make them, with a bar where a person looks."""
    if is_quiet or not sys.stderr.isatty():
        return [make_report(reports, order) for order in orders]
    told: list[ReportTold] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        for order in orders:
            task = bar.add_task(f"{order.wanted.name} {order.wanted.participant}")

            def show(done: int, of: int, task: int = int(task)) -> None:
                bar.update(task, completed=done, total=of)  # type: ignore[arg-type]

            told.append(make_report(reports, order, show))
    return told
