"""Lineage as an aligned two-column view: the PSS's message on the left, OCP's document on the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from pg_bridge.mapping.lineage import Lineage

_FATES = {"carried": "kept, not sent", "lost": "lost"}


def lineage_table(lineage: Sequence[Lineage], *, to_ocp: bool, title: str = "where each value comes from") -> Any:
    """One row a target; each side has its names and values under each other, between them what was done to the value.

    to_ocp: the targets are OCP's; else they are places of a message to the PSS.
    """
    made = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("PSS: field", "value", "", "OCP: member", "value", "rule"):
        made.add_column(column, overflow="fold", style="dim" if column == "rule" else None)
    for item in lineage:
        there, back = (_sources(item), item.before), (_target(item), item.after)
        left, right = (there, back) if to_ocp else (back, there)
        arrow = _arrow(item, to_ocp=to_ocp)
        cells = (left[0], _lines(left[1]), arrow, right[0], _lines(right[1]), item.rule)
        made.add_row(*(escape(cell) for cell in cells))
    return made


def _sources(item: Lineage) -> str:
    return "\n".join(item.sources) if item.sources else "(constant)"


def _target(item: Lineage) -> str:
    return f"({_FATES[item.kind]}) {item.target}".rstrip() if item.kind in _FATES else item.target


def _arrow(item: Lineage, *, to_ocp: bool) -> str:
    how = item.function or item.kind
    return f"── {how} ─▶" if to_ocp else f"◀─ {how} ──"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
