"""How verbs print: tables for people, JSON for programs, errors with what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pg_bridge.errors import BridgeError, Finding

_HONG_KONG = timezone(timedelta(hours=8))


def console() -> Console:
    """Where people read; wide when nobody looks, so that nothing is cut in a file."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def say_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say_error(error: BridgeError) -> None:
    """An error and its findings on standard error."""
    print(f"pg-bridge: {error.code}: {error}", file=sys.stderr)
    for finding in error.findings:
        print(f"  {finding}", file=sys.stderr)
        if finding.remedy:
            print(f"    {finding.remedy}", file=sys.stderr)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table of plain texts."""
    made = Table(title=title, title_justify="left", header_style="bold", show_lines=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    return made


def findings_table(findings: Sequence[Finding]) -> Table:
    """Findings, one a row."""
    return table(
        f"{len(findings)} findings",
        ("code", "severity", "place", "line", "text", "what to do"),
        [(f.codes, f.severity, f.path, f.line or "", f.text, f.remedy) for f in findings],
    )


def clock_text(at_us: int) -> str:
    """Hong Kong time of an entry, with milliseconds."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(_HONG_KONG).isoformat(" ", "milliseconds")[:23]
