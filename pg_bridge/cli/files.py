"""`pg-bridge files`: batch files and reports, fixed-width or tag-based, checked and shown. Nothing is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.progress import Progress

from pg_bridge.cli import files_list
from pg_bridge.cli.output import console, findings_table, say_json, table
from pg_bridge.cli.world import read_file, read_mappings
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.formats import tag_based
from pg_bridge.formats.fixed_width.layout import Layout, Record, Value
from pg_bridge.formats.fixed_width.reader import FixedWidthReader
from pg_bridge.formats.tag_based import TagBasedForm
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile

app = typer.Typer(help="Batch files and reports: check and show them.", no_args_is_help=True)

#: what `--layout` names the tag-based form
TAG_BASED = "tag-based"
NO_LAYOUT = "PGB-FIL-010"
_PIECE_BYTES = 262_144
#: bytes in which a first line ends, or it is none
_FIRST_LINE = 8192
#: columns that stand beside one another; the values of more are told one after another
_MOST_COLUMNS = 10
#: bytes from which on a bar shows how far the reading is
_LONG = 20_000_000

_File = Annotated[Path, typer.Argument(help="The file.")]
_Layout = Annotated[str, typer.Option(help=f"Its layout, or {TAG_BASED}; left out: as its first line tells.")]
_Mappings = Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Read(NamedTuple):
    """A file as it was read. kept: the first of its records or text blocks, as they are shown."""

    facts: dict[str, Any]
    headline: str
    findings: list[Finding]
    kept: list[Any]


@app.callback()
def files() -> None:
    """Work on batch files and reports."""


@app.command("check")
def check(file: _File, *, layout: _Layout = "", mappings: _Mappings = "", json: _Json = False) -> None:
    """Check a batch file or report: every fault with its line, exit code 1 if there is any.

    A file with one fault is refused whole.

    Example: pg-bridge files check si-batch.txt --layout SI-BATCH-INPUT
    """
    read = _read(file, layout, mappings, most=0, is_shown=not json)
    if json:
        say_json({**read.facts, "findings": read.findings})
    else:
        _say(read)
    raise typer.Exit(1 if read.findings else 0)


@app.command("show")
def show(
    file: _File,
    *,
    layout: _Layout = "",
    mappings: _Mappings = "",
    most: Annotated[int, typer.Option(help="Records or text blocks shown; 0: all.", min=0)] = 100,
    json: _Json = False,
) -> None:
    """Show the records of a batch file or report, or its text blocks; its faults too, if it has some.

    Example: pg-bridge files show CCLID01.txt --most 20
    """
    read = _read(file, layout, mappings, most=most or sys.maxsize, is_shown=not json)
    if json:
        say_json({**read.facts, "findings": read.findings, "shown": read.kept})
    else:
        for made in _tables(read.kept):
            console().print(made)
        _say(read)
    raise typer.Exit(1 if read.findings else 0)


def _say(read: Read) -> None:
    if read.findings:
        console().print(findings_table(read.findings))
    print(read.headline)
    for title in ("counts", "totals", "head"):
        values = read.facts.get(title)
        if values:
            print(f"  {title}: {', '.join(f'{name} {value}' for name, value in values.items())}")
    print("The file would be refused whole; correct it." if read.findings else "Nothing to find.")


def _read(file: Path, layout: str, mappings: str, *, most: int, is_shown: bool) -> Read:
    profile = read_legacy_profile(read_mappings(mappings))
    try:
        with file.open("rb") as opened:
            first = opened.readline(_FIRST_LINE)
        form = _form(profile, layout, first)
        if isinstance(form, Layout):
            return _fixed_width(file, form, most, is_shown=is_shown)
    except OSError as error:
        raise ConfigError(f"reading the file: {error}") from error
    if form is None:
        return _unknown(file, profile)
    read = tag_based.read(form, read_file(file, "the file"))
    facts = {"file": str(file), "layout": TAG_BASED, "counts": {"text blocks": len(read.blocks)}, "head": read.head}
    kept: list[Any] = [{"line": block.line, "text": block.body.decode("latin-1")} for block in read.blocks[:most]]
    return Read(facts, f"{file}: tag-based, {len(read.blocks)} text blocks", list(read.findings), kept)


def _form(profile: LegacyProfile, name: str, first: bytes) -> Layout | TagBasedForm | None:
    """The form named, or the one that the first line tells; None: none is like it, or several."""
    if name:
        form = profile.tag_based if name == TAG_BASED else profile.layouts.get(name)
        if form is None:
            known = [*profile.layouts, *([TAG_BASED] if profile.tag_based is not None else [])]
            raise ConfigError(f"there is no layout {name}; there are {', '.join(known)}")
        return form
    forms = profile.forms_of(first)
    return forms[0] if len(forms) == 1 else None


def _unknown(file: Path, profile: LegacyProfile) -> Read:
    known = ", ".join([*profile.layouts, TAG_BASED])
    remedy = f"Correct its first record, or name its layout with --layout: {known}."
    told = "its first line tells no layout, or more than one"
    finding = Finding(NO_LAYOUT, "error", file.name, told, 1, remedy=remedy)
    return Read({"file": str(file), "layout": None}, f"{file}: of no layout that is known", [finding], [])


def _fixed_width(file: Path, layout: Layout, most: int, *, is_shown: bool) -> Read:
    reader = FixedWidthReader(layout)
    kept: list[Record] = []
    for record in reader.records(_pieces(file, is_shown=is_shown)):
        if len(kept) < most:
            kept.append(record)
    facts = {
        "file": str(file),
        "layout": layout.name,
        "meaning": layout.meaning,
        "source": layout.source,
        "counts": reader.counts,
        "totals": reader.totals,
    }
    lines = sum(reader.counts.values())
    headline = f"{file}: {layout.name}, {layout.meaning}; {lines:,} records of {layout.length} characters"
    shown: list[Any] = [{"record": each.name, "line": each.line, "values": each.values} for each in kept]
    return Read(facts, headline, reader.findings, shown)


def _pieces(file: Path, *, is_shown: bool) -> Iterator[bytes]:
    """The bytes of a file, a long one with a bar for who looks at it."""
    size = file.stat().st_size
    with (
        file.open("rb") as opened,
        Progress(console=console(), transient=True, disable=not (is_shown and size > _LONG)) as bar,
    ):
        task = bar.add_task("reading", total=size)
        while piece := opened.read(_PIECE_BYTES):
            yield piece
            bar.advance(task, len(piece))


def _tables(kept: list[Any]) -> Iterator[Any]:
    """What is kept as tables: records of each kind in one, without the columns in which nothing stands."""
    kinds: dict[str, list[Any]] = {}
    for each in kept:
        kinds.setdefault(each.get("record", "text block"), []).append(each)
    for name, rows in kinds.items():
        if "text" in rows[0]:
            cells = [(row["line"], row["text"].replace("\r\n", "\n").rstrip("\n")) for row in rows]
            yield table(name, ("line", "text"), cells)
            continue
        columns = [column for column in rows[0]["values"] if any(row["values"][column] is not None for row in rows)]
        if len(columns) > _MOST_COLUMNS:
            cells = [(row["line"], _in_words(row["values"])) for row in rows]
            yield table(name, ("line", "values"), cells)
            continue
        cells = [(row["line"], *(row["values"][column] for column in columns)) for row in rows]
        yield table(name, ("line", *columns), cells)


def _in_words(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


app.command("list")(files_list.list_)
