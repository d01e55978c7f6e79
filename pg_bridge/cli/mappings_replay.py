"""`pg-bridge mappings replay`: recorded traffic through another mapping set."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from pg_bridge.cli.mappings_diff import read_set, set_line, set_told
from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import read_file
from pg_bridge.config import read_config
from pg_bridge.errors import MappingInvalid
from pg_bridge.exchange.entries import Stored
from pg_bridge.exchange.retranslation import Retranslation
from pg_bridge.exchange.retranslation_tally import Cause, Sign, Tally
from pg_bridge.journal.review import AuditReader
from pg_bridge.link.framing import Framing
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.check import check

#: entries read at once
_PAGE = 1000


def replay(
    new: Annotated[str, typer.Argument(help="The folder of the set to try, or `shipped`.")],
    *,
    journal: Annotated[Path, typer.Option("--from", help="The journal file; a bridge may be writing it.")],
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The bridge's configuration: participants' own texts.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=0, help="Examples of each cause.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run what a journal recorded through another mapping set; report only what comes out differently.

    The journal is read only, nothing is sent. Exit code 0: all comes out the same; 1: something differs, or could not
    be run again; 2: the set does not check, or the journal cannot be read.

    Example: pg-bridge mappings replay ./my-mappings --from bridge.sqlite
    """
    files = read_set(new)
    findings = [finding for finding in check(files) if finding.severity == "error"]
    if findings:
        raise MappingInvalid(f"replaying through {new}: the set does not check", findings=findings)
    run = Retranslation(load(files), Framing(read_link_profile(files[LINK_FILE])), _profiles(config))
    tally = Tally(most)
    with AuditReader(journal) as reader:
        newest = reader.newest(most=1)
        last = newest[0].position if newest else 0
        with Progress(disable=json or not sys.stderr.isatty(), console=_progress_console()) as progress:
            task = progress.add_task("replaying", total=last)
            for page in _pages(reader, last):
                for stored in page:
                    for result in run.take(stored):
                        tally.add(result)
                progress.advance(task, len(page))
    for result in run.end():
        tally.add(result)
    if json:
        say_json(_told(new, files, journal, last, tally))
    else:
        _print(new, files, journal, last, tally)
    raise typer.Exit(0 if tally.is_good else 1)


def _profiles(config: Path | None) -> dict[str, dict[str, str]]:
    """The participants' own texts for `profile.*`, as the bridge that wrote the journal has them."""
    if config is None:
        return {}
    settings = read_config(read_file(config, "the configuration").decode("utf-8", "replace"), os.environ)
    return {name: entry.profile for name, entry in settings.participants.items() if entry.profile}


def _progress_console() -> Any:
    out = console()
    out.stderr = True
    return out


def _pages(reader: AuditReader, last: int) -> Iterator[list[Stored]]:
    """The entries up to `last`: what a running bridge adds meanwhile is left to the next replay."""
    position = 0
    while position < last:
        page = reader.behind(position, min(_PAGE, last - position))
        if not page:
            return
        yield page
        position = page[-1].position


def _told(new: str, files: dict[str, str], journal: Path, entries: int, tally: Tally) -> dict[str, Any]:
    return {
        "new": set_told(new, files),
        "journal": str(journal),
        "entries": entries,
        "run": tally.run,
        "same": tally.same,
        "different": tally.different,
        "kinds": dict(tally.ways),
        "not_run": [
            {"way": way, "why": why, "count": count, "first": first}
            for (way, why), (count, first) in tally.not_run.items()
        ],
        "causes": [msgspec.to_builtins(cause) for cause in tally.causes()],
    }


def _print(new: str, files: dict[str, str], journal: Path, entries: int, tally: Tally) -> None:
    print(f"{journal}: {entries} entries through {set_line(set_told(new, files))}")
    kinds = ", ".join(f"{count} {way.value}" for way, count in tally.ways.most_common())
    print(f"{tally.run} translations were run again" + (f" ({kinds})" if kinds else ""))
    out = console()
    for cause in tally.causes():
        out.print(_cause_table(cause))
    for (way, why), (count, first) in tally.not_run.items():
        print(f"NOT RUN: {count} of the kind '{way.value}': {why} (first: entry {first})")
    print(f"{tally.same} come out the same, {tally.different} differently.")


def _cause_table(cause: Cause) -> Any:
    what = "; ".join(_sign(sign) for sign in cause.signs)
    function = f", {cause.function}" if cause.function else ""
    rows = [
        (
            example.position if not number else "",
            " ".join(filter(None, (example.participant, example.reference))) if not number else "",
            difference.what,
            difference.was or "(not there)",
            difference.is_ or "(not there)",
            difference.rule,
        )
        for example in cause.examples
        for number, difference in enumerate(example.differences)
    ]
    return table(
        f"{cause.count} x {cause.way.value}{function}: {what}",
        ("entry", "whose", "what", "was", "is", "rule"),
        rows,
    )


def _sign(sign: Sign) -> str:
    return f"{sign.what} {sign.how}"
