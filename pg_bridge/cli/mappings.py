"""`pg-bridge mappings`: check the files that say how both sides look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pg_bridge.cli import (
    mappings_calibrate,
    mappings_coverage,
    mappings_diff,
    mappings_explain,
    mappings_learn,
    mappings_load,
    mappings_replay,
)
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.cli.world import mappings_folder, read_mappings
from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.mapping.book import content_hash
from pg_bridge.mapping.checks.check import check as check_files
from pg_bridge.mapping.checks.set_check import in_order
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.simulator.gateway_check import gateway_findings

app = typer.Typer(help="Profiles and rules: the data that describes both sides.", no_args_is_help=True)


@app.callback()
def mappings() -> None:
    """Work on mapping files."""


@app.command("check")
def check(
    folder: Annotated[Path | None, typer.Argument(help="The folder; left out: the shipped one.")] = None,
    *,
    mappings: Annotated[str, typer.Option(help="The same, as an option.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check profiles, rules and cases: every finding, exit code 1 if there is any.

    Example: pg-bridge mappings check ./my-mappings
    """
    given = str(folder) if folder is not None else mappings
    files: dict[str, str] = {}
    try:
        files = read_mappings(given)
    except MappingInvalid as error:
        findings = list(error.findings)
    else:
        findings = in_order([*check_files(files), *_gateway_findings(files)])
    cases = sum(text.count("[[case]]") for path, text in files.items() if path.endswith(".cases.toml"))
    if json:
        say_json(
            {
                "folder": str(mappings_folder(given)),
                "hash": content_hash(files),
                "files": len(files),
                "cases": cases,
                "findings": findings,
            }
        )
    elif findings:
        console().print(findings_table(findings))
        print("Correct these in the files named, then check again.")
    else:
        print(f"{len(files)} files, {cases} cases: nothing to find. Set {content_hash(files)[:12]}")
    raise typer.Exit(1 if findings else 0)


def _gateway_findings(files: dict[str, str]) -> list[Finding]:
    """What is wrong with the words of the pretend gateway, where the set has them and its templates can be read."""
    try:
        return gateway_findings(files, read_legacy_profile(files))
    except MappingInvalid:
        return []


app.command("load")(mappings_load.load)
app.command("coverage")(mappings_coverage.coverage)
app.command("explain")(mappings_explain.explain)
app.command("diff")(mappings_diff.diff)
app.command("replay")(mappings_replay.replay)
app.command("learn")(mappings_learn.learn)
app.command("calibrate")(mappings_calibrate.calibrate)
