"""`pg-bridge mappings diff`: what changed between two mapping sets, in words."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import mappings_folder, read_mappings
from pg_bridge.mapping.book import content_hash
from pg_bridge.mapping.changes.change import EFFECTS, Change, Effect, Kind
from pg_bridge.mapping.changes.difference import differences
from pg_bridge.mapping.document import SET_FILE

#: what to say for the set that came with the program
SHIPPED = "shipped"


def diff(
    old: Annotated[str, typer.Argument(help="The folder of the old set, or `shipped`.")],
    new: Annotated[str, typer.Argument(help="The folder of the new set, or `shipped`.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell in words what changed between two mapping sets, grouped by what it touches.

    Comments, cases, texts and samples are told too, as of no effect. Exit code 0: nothing of effect changed;
    1: something did; 2: a folder cannot be read.

    Example: pg-bridge mappings diff shipped ./my-mappings
    """
    old_files, new_files = read_set(old), read_set(new)
    changes = differences(old_files, new_files)
    has_effect = any(change.effect is not Effect.NONE for change in changes)
    if json:
        say_json({"old": set_told(old, old_files), "new": set_told(new, new_files), "changes": changes})
    else:
        _print(old, old_files, new, new_files, changes)
    raise typer.Exit(1 if has_effect else 0)


def read_set(given: str) -> dict[str, str]:
    """The files of a set by its folder, or of the shipped one. Raises ConfigError."""
    return read_mappings("" if given == SHIPPED else given)


def set_told(given: str, files: dict[str, str]) -> dict[str, str]:
    """A set's folder, name, version and content hash; name and version are empty where they cannot be read."""
    try:
        head: dict[str, Any] = tomllib.loads(files.get(SET_FILE, ""))
    except tomllib.TOMLDecodeError:
        head = {}
    return {
        "folder": str(mappings_folder("" if given == SHIPPED else given)),
        "name": str(head.get("name", "")),
        "version": str(head.get("version", "")),
        "hash": content_hash(files),
    }


def set_line(told: dict[str, str]) -> str:
    """The set in a few words."""
    return f"{told['name'] or 'a set without a name'} {told['version']} ({told['hash'][:12]})"


def _print(old: str, old_files: dict[str, str], new: str, new_files: dict[str, str], changes: list[Change]) -> None:
    was, now = set_told(old, old_files), set_told(new, new_files)
    print(f"old: {set_line(was)}  {was['folder']}")
    print(f"new: {set_line(now)}  {now['folder']}")
    if not changes:
        print("Nothing differs.")
        return
    out = console()
    for effect in EFFECTS:
        told = [change for change in changes if change.effect is effect]
        if told:
            rows = [(_place(change), change.about, _sentence(change)) for change in told]
            out.print(table(f"{effect.value}: {len(told)}", ("file", "of", "what changed"), rows))
    counts = [(effect.value, sum(change.effect is effect for change in changes)) for effect in EFFECTS]
    print(f"{len(changes)} changes: " + ", ".join(f"{count} {name}" for name, count in counts if count))


def _place(change: Change) -> str:
    at = f"{change.file}:{change.line}" if change.line else change.file
    return f"{at} (old)" if change.kind is Kind.REMOVED else at


def _sentence(change: Change) -> str:
    return change.text + (f" (also: {', '.join(effect.value for effect in change.also)})" if change.also else "")
