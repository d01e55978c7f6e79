"""`pg-bridge mappings load`: a running bridge takes another mapping set, or says which one it uses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pg_bridge.bridge.loading import name_of
from pg_bridge.cli.control_client import ask, check_who, door_of
from pg_bridge.cli.control_options import ByOption, ConfigOption, ControlOption, ReasonOption
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.cli.world import read_mappings
from pg_bridge.console.control import MAPPINGS_PATH, InForce, Load, LoadAsked, NextStart
from pg_bridge.errors import ConfigError, Finding, MappingInvalid
from pg_bridge.exchange.kinds.node import MappingSet
from pg_bridge.mapping.checks.check import check


def load(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder of the set; left out: say which set is in force.")
    ] = None,
    *,
    config: ConfigOption = None,
    control: ControlOption = "",
    by: ByOption = "",
    reason: ReasonOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Have the running bridge take the set of FOLDER, if it checks; without FOLDER, show the set in force.

    Messages that were received before the change end by the set before. The journal keeps who did it, also of a set
    that was refused (exit code 1: the findings).

    Example: pg-bridge mappings load ./my-mappings -c bridge.toml --by "A. Chan" --reason "new stock codes"
    """
    door = door_of(config, control)
    if folder is None:
        found = ask(door, "GET", MAPPINGS_PATH, InForce)
        if json:
            say_json(found)
        else:
            _show(found)
        return
    check_who("loading mappings", by, reason)
    try:
        files = read_mappings(str(folder))
    except MappingInvalid as error:
        _print_findings(name_of({}), list(error.findings), as_json=json)
        raise typer.Exit(1) from error
    findings = check(files)
    try:
        # Also a set that does not check goes over: the bridge refuses it, and its journal keeps that.
        answer = ask(door, "POST", MAPPINGS_PATH, Load, LoadAsked(files=files, by=by, reason=reason))
    except ConfigError:
        if findings:
            _print_findings(name_of(files), findings, as_json=json)
        raise
    if json:
        say_json(answer)
    else:
        _print(answer, folder)
    raise typer.Exit(1 if answer.verdict == "refused" else 0)


# --- printing ------------------------------------------------------------------------------------------------------


def _said(one: MappingSet) -> str:
    return f"{one.name or '(no name)'} {one.version or '(no version)'} {one.hash[:12]}"


def _print_findings(name: MappingSet, findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        say_json({"verdict": "not_sent", "loaded": name, "findings": findings})
    else:
        console().print(findings_table(findings))
        print("Correct these in the files named, then load again. The bridge was not told of it.")


def _print(answer: Load, folder: Path) -> None:
    if answer.findings:
        console().print(findings_table(answer.findings))
    match answer.verdict:
        case "refused":
            print(f"Refused: {_said(answer.loaded)}. Nothing changed: {_said(answer.before)} stays in force.")
            print(f"Correct the files named, then load again. Journaled at position {answer.position}.")
            return
        case "in_force_already":
            print(f"{_said(answer.loaded)} is in force already; nothing changed.")
        case "loaded":
            print(f"In force from journal position {answer.position} on: {_said(answer.loaded)}")
            print(f"Before it: {_said(answer.before)}. Messages in flight that end by it: {answer.in_flight}")
    _print_next_start(answer.loaded, answer.next_start, f"put the files of {folder} there to keep them")


def _print_next_start(now: MappingSet, start: NextStart, remedy: str) -> None:
    if start.error:
        print(f"NOTE: what the next start would use is not known: {start.error}")
    elif start.hash != now.hash:
        print(f"NOTE: the next start uses {start.folder}, which holds another set ({start.hash[:12]}); {remedy}.")


def _show(found: InForce) -> None:
    since = f"from journal position {found.position} on" if found.position else "from now on"
    print(f"In force {since}: {_said(found.in_force)}")
    for one in found.ending:
        print(f"Messages in flight still end by: {_said(one)}")
    _print_next_start(found.in_force, found.next_start, "put the files of the set in force there to keep it")
