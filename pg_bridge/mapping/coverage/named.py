"""The functions and code tables of a set as a person reads them, and which rules use them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks.rule_check import REFUSAL_REASONS
from pg_bridge.mapping.conversions import Cut
from pg_bridge.mapping.coverage.pairing import Pairing, PartName
from pg_bridge.mapping.functions import FUNCTIONS, Example
from pg_bridge.profiles.legacy import CodeTable


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that uses a function or table, `file:line`, and what it joins."""

    function: str
    part: PartName
    template: str
    place: str
    member: str
    rule: str


class NamedTable(msgspec.Struct, frozen=True, kw_only=True):
    """One code table. keys: whose the keys are, `legacy` or `ocp`, or `record` where only records of files use it.

    rows: (key, code, is written back) in file order; ranges: (first key, last key, code); default: the code of every
    other key, None where it is refused. cases: of `explain` only.
    """

    name: str
    meaning: str
    source: str
    keys: str
    rows: tuple[tuple[str, str, bool], ...]
    ranges: tuple[tuple[str, str, str], ...]
    default: str | None
    uses: tuple[Use, ...]
    note: str = ""
    cases: tuple[str, ...] = ()


class NamedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One function of rules. options: name and kind; examples: `before -> after`, with the options where it has any."""

    name: str
    meaning: str
    options: tuple[tuple[str, str], ...]
    inverse: str
    to_ocp_examples: tuple[str, ...]
    to_legacy_examples: tuple[str, ...]
    uses: tuple[Use, ...]
    cases: tuple[str, ...] = ()


def named_table(table: CodeTable, pairings: Sequence[Pairing]) -> NamedTable:
    """A code table and its uses."""
    uses = _uses(pairing for pairing in pairings if table.name in pairing.tables)
    is_of_records = bool(uses) and all(use.part == "record" for use in uses)
    return NamedTable(
        name=table.name,
        meaning=table.meaning,
        source=table.source,
        keys="record" if is_of_records else table.keys,
        rows=tuple((key, code, table.inverse.get(code) == key) for key, code in table.entries.items()),
        ranges=table.ranges,
        default=table.default,
        uses=uses,
        note="the bridge itself looks up reasons of refusals here" if table.name == REFUSAL_REASONS else "",
    )


def named_function(name: str, pairings: Sequence[Pairing]) -> NamedFunction:
    """A function of rules and its uses. Raises KeyError when there is none."""
    function = FUNCTIONS[name]
    if function.to_ocp is None or function.to_legacy is None:
        inverse = f"none: it serves {'OCP to legacy' if function.to_ocp is None else 'legacy to OCP'} only"
    elif function.is_lossless:
        inverse = "both ways; the inverse gives the same value back"
    else:
        inverse = "both ways; the inverse need not give the same value back"
    return NamedFunction(
        name=name,
        meaning=function.meaning,
        options=tuple((option, _KINDS.get(kind, kind.__name__)) for option, kind in function.options.items()),
        inverse=inverse,
        to_ocp_examples=tuple(_example(example) for example in function.ocp_examples),
        to_legacy_examples=tuple(_example(example) for example in function.legacy_examples),
        uses=_uses(pairing for pairing in pairings if name in pairing.functions),
    )


def tables_of(book: MappingBook, pairings: Sequence[Pairing]) -> tuple[NamedTable, ...]:
    """Every code table of a set."""
    return tuple(named_table(table, pairings) for table in book.legacy.tables.values())


def functions_of(pairings: Sequence[Pairing]) -> tuple[NamedFunction, ...]:
    """Every function that the pairings use, by name."""
    used = {name for pairing in pairings for name in pairing.functions}
    return tuple(named_function(name, pairings) for name in sorted(used))


def _uses(pairings: Iterable[Pairing]) -> tuple[Use, ...]:
    found = [
        Use(
            function=each.function,
            part=each.part,
            template=each.template,
            place=each.place,
            member=each.member,
            rule=each.rule,
        )
        for each in pairings
    ]
    return tuple(dict.fromkeys(found))


_KINDS = {str: "text", int: "whole number", dict: "table of whole numbers"}


def _example(example: Example) -> str:
    result = example.result if isinstance(example.result, tuple) else (example.result,)
    before = ", ".join(_shown(value) for value in example.sources)
    after = ", ".join(_shown(value) for value in result)
    options = "; ".join(f"{name} = {_shown(value)}" for name, value in example.options.items())
    return f"{before} → {after}" + (f"  ({options})" if options else "")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Cut):
        return f"{_shown(str(value))}, the rest is lost"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return f"“{value}”".replace("\r\n", " ⏎ ").replace("\n", " ⏎ ") if isinstance(value, str) else str(value)
