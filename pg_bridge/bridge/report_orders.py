"""An order of reports, and what became of each: what passes between the bridge and the process that makes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from pg_bridge.bridge.loading import hash_of_ocp
from pg_bridge.bridge.market_reports import MarketReports, Progress, Wanted
from pg_bridge.errors import BridgeError, Finding
from pg_bridge.mapping.book import load
from pg_bridge.pss.drop_folder import OUTBOX


class ReportOrder(msgspec.Struct, frozen=True):
    """A report, and where it is to lie."""

    wanted: Wanted
    targets: tuple[str, ...]


class Orders(msgspec.Struct, frozen=True):
    """Reports to make of a journal by the set of `files` (path below mappings/ to text)."""

    files: dict[str, str]
    journal: str
    orders: tuple[ReportOrder, ...]


class ReportTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one report. error: why it was not written, empty when it was; then nothing was changed."""

    wanted: Wanted
    report: str = ""
    paths: tuple[str, ...] = ()
    size: int = 0
    hash: str = ""
    records: int = 0
    entries: int = 0
    of_hash: str = ""
    error: str = ""
    findings: tuple[Finding, ...] = ()


def make_report(reports: MarketReports, order: ReportOrder, progress: Progress | None = None) -> ReportTold:
    """Make one report. What goes wrong is told, not raised."""
    wanted = order.wanted
    try:
        made, written = reports.write(wanted, [Path(target) for target in order.targets], progress)
    except BridgeError as error:
        return ReportTold(wanted=wanted, error=str(error), findings=error.told(wanted.name))
    return ReportTold(
        wanted=wanted,
        report=made.report,
        paths=order.targets,
        size=written.size,
        hash=written.hash,
        records=made.records,
        entries=made.entries,
        of_hash=made.of_hash,
    )


def fulfil(orders: Orders) -> list[ReportTold]:
    """Make every report of an order. Raises MappingInvalid."""
    reports = MarketReports(load(orders.files), Path(orders.journal), hash_of_ocp(orders.files))
    return [make_report(reports, order) for order in orders.orders]


#: makes reports beside the bridge; raises ReportError when none could be
MakeReports = Callable[[Orders], Awaitable[Sequence[ReportTold]]]


def targets(
    report: str, participant: str, day: str, stamp: str, *, reports: str = "", drop_folder: str = ""
) -> tuple[str, ...]:
    """Where a report lies: in the reports folder for download, and in the participant's outbox.

    day: YYYY-MM-DD. stamp: sets apart the batches of a day in the outbox, HHMMSS.
    """
    compact = day.replace("-", "")
    found = [Path(reports, participant, compact, report)] if reports else []
    if drop_folder:
        found.append(Path(drop_folder, OUTBOX, f"{report}.{compact}.{stamp}"))
    return tuple(str(path) for path in found)
