"""Lineage as an aligned two-column view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pg_bridge.cli.output import table
from pg_bridge.mapping.lineage import Lineage


def lineage_table(lineage: Sequence[Lineage]) -> Any:
    """One row a target: where from, where to, by which rule and function, and what became of it."""
    return table(
        "where each value comes from",
        ("source", "value", "target", "value there", "rule", "function", ""),
        [
            (
                " + ".join(item.sources),
                item.before.replace("\r\n", " | "),
                item.target,
                item.after.replace("\r\n", " | ") if item.kind != "carried" else "(carried)",
                item.rule,
                item.function,
                item.kind,
            )
            for item in lineage
        ],
    )
