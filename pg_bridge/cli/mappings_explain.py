"""`pg-bridge mappings explain`: everything that a set of mapping files knows of one word."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import read_mappings
from pg_bridge.console.coverage_page import LABELS, OTHER_SIDES
from pg_bridge.mapping.book import load
from pg_bridge.mapping.condition_words import source_words
from pg_bridge.mapping.coverage.explain import ExplainedColumn, ExplainedMember, ExplainedPlace, Explanation
from pg_bridge.mapping.coverage.explain import explain as explain_word
from pg_bridge.mapping.coverage.named import NamedFunction, NamedTable, Use
from pg_bridge.mapping.coverage.pairing import Pairing

#: cases named on a terminal; `--json` has all
MOST_CASES = 5


def explain(
    word: Annotated[str, typer.Argument(help="A place or part of one, a member, a column, a function, a code table.")],
    folder: Annotated[Path | None, typer.Argument(help="The folder; left out: the shipped one.")] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell all that is known of a place, member, column, function or code table. Exit code 1 where it is not known.

    Example: pg-bridge mappings explain 36B:SETT
    """
    files = read_mappings(str(folder) if folder is not None else "")
    found = explain_word(load(files), files, word)
    if json:
        say_json(found)
    elif found.is_known:
        _print(found)
    else:
        near = f" Near it: {', '.join(found.near)}." if found.near else ""
        print(f"pg-bridge: the mappings know no {word}.{near}", file=sys.stderr)
    raise typer.Exit(0 if found.is_known else 1)


def _print(found: Explanation) -> None:
    for place in found.places:
        _place(place)
    for member in found.members:
        _member(member)
    for column in found.columns:
        _column(column)
    for function in found.functions:
        _function(function)
    for named in found.tables:
        _table(named)


def _place(place: ExplainedPlace) -> None:
    print(f"{place.place}: field of {place.template}, {place.part} of {place.function}")
    for field in place.fields:
        only = f", in MT{', MT'.join(field.message_types)} only" if field.message_types else ""
        repeats = ", repeats" if field.repeats else ""
        print(f"  {field.meaning}; {field.source}")
        print(f"  {'mandatory' if field.status == 'M' else 'optional'}{repeats}, format {field.format}{only}")
        if field.values:
            print(f"  values {', '.join(field.values)}")
        if field.sample:
            print(f"  for example {field.sample}".replace("\r\n", " | "))
    _rules(place.pairings)
    if place.other_way:
        _rules(place.other_way, "its members the other way")
    _cases(place.cases)


def _member(member: ExplainedMember) -> None:
    print(f"{member.path}: member of OCP's documents")
    for schema, spec in member.schemas:
        needed = ", must have a value" if spec.is_required else ""
        print(f"  in {schema}: {spec.kind}{needed}; {spec.source}")
    first = member.schemas[0][1]
    if first.meaning:
        print(f"  {first.meaning}")
    if first.codes:
        print(f"  codes {', '.join(first.codes)}")
    if first.sample:
        print(f"  for example {first.sample}")
    _rules((*member.to_ocp, *member.to_legacy))
    _cases(member.cases)


def _column(explained: ExplainedColumn) -> None:
    column = explained.column
    print(f"{column.path}: {OTHER_SIDES[explained.part][1]} of {explained.schema}")
    needed = ", must have a value" if column.is_required else ""
    print(f"  {column.kind}{needed}; {column.source}")
    if column.meaning:
        print(f"  {column.meaning}")
    if column.codes:
        print(f"  values {', '.join(column.codes)}")
    _rules(explained.pairings)
    _cases(explained.cases)


def _function(function: NamedFunction) -> None:
    print(f"{function.name}: function of rules")
    print(f"  {function.meaning}")
    print(f"  inverse: {function.inverse}")
    for option, kind in function.options:
        print(f"  option {option}: {kind}")
    for title, examples in (
        ("legacy to OCP", function.to_ocp_examples),
        ("OCP to legacy", function.to_legacy_examples),
    ):
        for example in examples:
            print(f"  {title}: {example}")
    _uses(function.uses)
    _cases(function.cases)


def _table(named: NamedTable) -> None:
    print(f"{named.name}: code table; {named.source}")
    keys = {"ocp": "of OCP", "record": "of columns of a record"}.get(named.keys, "of the legacy side")
    print(f"  {named.meaning}; keys are {keys}")
    if named.note:
        print(f"  {named.note}")
    rows: list[tuple[str, str, str]] = [
        (key, code, "" if named.keys != "legacy" or is_back else "not written back")
        for key, code, is_back in named.rows
    ]
    rows += [(f"{low} to {high}", code, "") for low, high, code in named.ranges]
    rows.append(("any other", "refused, or parked" if named.default is None else named.default, ""))
    console().print(table("", ("key", "code", ""), rows))
    _uses(named.uses)
    _cases(named.cases)


def _rules(pairings: Sequence[Pairing], title: str = "") -> None:
    ways = {"request": "to OCP", "upload": "from the PSS", "record": "to a message"}
    rows = [
        (
            ways.get(each.part, "to the PSS"),
            each.function,
            each.template,
            each.place,
            each.member or ", ".join(source_words(other) for other in each.others),
            _how(each),
            each.condition,
            LABELS[each.status][0],
            each.rule,
            each.reason or each.why,
        )
        for each in pairings
    ]
    other = "column" if any(each.part == "record" for each in pairings) else "OCP member"
    columns = ("way", "function", "template", "legacy field", other, "how", "when", "status", "rule", "reason")
    # A column in which nothing stands tells nothing.
    filled = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    titles = [columns[number] for number in filled]
    made = table(title, titles, [[row[number] for number in filled] for row in rows])
    for column in made.columns:
        column.no_wrap = column.header in ("way", "legacy field", "rule")
    console().print(made)


def _how(pairing: Pairing) -> str:
    text = f"{pairing.how} {pairing.constant}".strip() if pairing.constant else pairing.how
    return f"{text}, else {pairing.default}" if pairing.default else text


def _cases(cases: Sequence[str]) -> None:
    print(f"  shown by {len(cases)} case{'' if len(cases) == 1 else 's'}{':' if cases else ''}")
    for name in cases[:MOST_CASES]:
        print(f"    {name}")
    if len(cases) > MOST_CASES:
        print(f"    and {len(cases) - MOST_CASES} more")
    print()


def _uses(uses: Iterable[Use]) -> None:
    rows = [(use.function, use.part, use.template, use.place, use.member, use.rule) for use in uses]
    if rows:
        console().print(table("used by", ("function", "part", "template", "legacy field", "member", "rule"), rows))
    else:
        print("  no rule uses it")
