"""`pg-bridge mappings coverage`: both sides against each other, for the terminal, for programs, and to sign off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pg_bridge.cli.output import clock_text, console, say_json, table
from pg_bridge.cli.world import program_version, read_mappings, utc_now
from pg_bridge.console.coverage_page import LABELS, OCP_SIDE, OTHER_SIDES, PARTS, coverage_page
from pg_bridge.errors import ConfigError
from pg_bridge.mapping.book import load
from pg_bridge.mapping.condition_words import source_words
from pg_bridge.mapping.coverage.coverage import Coverage, SectionCoverage, Side, best
from pg_bridge.mapping.coverage.coverage import coverage as coverage_of
from pg_bridge.mapping.coverage.joins import CONSTANT
from pg_bridge.mapping.coverage.pairing import Pairing


def coverage(
    folder: Annotated[Path | None, typer.Argument(help="The folder; left out: the shipped one.")] = None,
    *,
    function: Annotated[str, typer.Option(help="This function only, as rule files name it.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write one HTML page to read, print and sign off.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which legacy fields meet which OCP members, how, and what stands alone; count what is public and assumed.

    Example: pg-bridge mappings coverage --function input_si --html coverage.html
    """
    files = read_mappings(str(folder) if folder is not None else "")
    book = load(files)
    try:
        found = coverage_of(book, files, function=function)
    except KeyError:
        names = ", ".join(sorted({located.file.function for located in book.rules.files}))
        raise ConfigError(f"showing coverage: there is no function {function}; there are {names}") from None
    if html is not None:
        made_on = f"{clock_text(int(utc_now().timestamp() * 1e6))[:16]} Hong Kong time"
        _write(html, coverage_page(found, date=made_on, program=program_version()))
    if json:
        say_json(found)
    elif html is not None:
        print(f"Written to {html}: the set {found.name} {found.version}, {found.hash}")
    else:
        _print(found)


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise ConfigError(f"writing the page: {error}") from error


def _print(found: Coverage) -> None:
    out = console()
    print(f"Set {found.name} {found.version}, {found.hash}")
    for each in found.functions:
        for covered in each.sections:
            section = covered.section
            out.print()
            title = f"{each.function}: {PARTS[section.part]} ({section.template} and {section.schema}, {section.file})"
            side = OTHER_SIDES.get(section.part, OCP_SIDE)[1]
            columns = ("legacy field", "M/O", side, "how, or why not", "status", "p/a")
            made = table(escape(title), columns, _rows(covered))
            made.columns[0].no_wrap = True  # a place that is cut in two cannot be searched for
            out.print(made)
            print(f"  fields   {_counts(covered.fields)}")
            print(f"  {side.split()[-1] + 's':8} {_counts(covered.members)}")
    out.print()
    rows = [(tally.kind, tally.public, tally.assumed, tally.total) for tally in found.tallies]
    out.print(table("The whole set", ("entries", "public", "assumed", "total"), rows))
    print("p/a: public or assumed, of field, member and rule. `--html FILE` tells all; `mappings explain WORD` of one.")


def _rows(covered: SectionCoverage) -> Iterator[tuple[str, ...]]:
    """One row a place, then one a member that stands at no place."""
    section = covered.section
    statuses = {field.place: field.status for field in section.fields}
    for place, status in statuses.items():
        there = [pairing for pairing in section.pairings if pairing.place == place]
        yield _row(place + _types(there), status, there)
    loose: dict[str, list[Pairing]] = {}
    for pairing in section.pairings:
        if not pairing.place:
            loose.setdefault(pairing.member, []).append(pairing)
    for there in loose.values():
        yield _row("", "", there)


def _types(pairings: Sequence[Pairing]) -> str:
    types = pairings[0].message_types if pairings else ()
    return f" ({', '.join(types)})" if types else ""


def _row(place: str, status: str, there: Sequence[Pairing]) -> tuple[str, ...]:
    members = dict.fromkeys(pairing.member for pairing in there if pairing.member)
    chosen = dict.fromkeys(each.constant for each in there if each.constant and each.condition)
    hows = dict.fromkeys(_how(each) for each in there if (each.member or not members) and each.constant not in chosen)
    if chosen:
        hows[f"{', '.join(chosen)} by condition"] = None
    marks = dict.fromkeys(
        "".join(source[:1] or "-" for source in (each.place_source, each.member_source, each.rule_source))
        for each in there
    )
    told = LABELS[best(pairing.status for pairing in there)][0]
    return place, status, ", ".join(members), "; ".join(how for how in hows if how), told, " ".join(marks)


def _how(pairing: Pairing) -> str:
    if pairing.reason and not pairing.how:
        return pairing.reason
    others = " + ".join(source_words(other) for other in pairing.others)
    if pairing.how == CONSTANT:
        return f"writes {pairing.constant}"
    return " from ".join(text for text in (pairing.how, others) if text)


def _counts(side: Side) -> str:
    told = ", ".join(f"{count} {LABELS[status][0]}" for status, count in side.statuses.items())
    return (
        f"{side.total}: {told}; {side.joined_percent:.1f} % have a value across, "
        f"{side.accounted_percent:.1f} % accounted for; {side.public} public, {side.assumed} assumed"
    )
