"""`pg-bridge doctor`: can this installation work?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from pg_bridge.cli.doctor_lines import Line, Verdict, wrong
from pg_bridge.cli.doctor_machine import folder_lines, journal_lines, port_lines, running_bridge
from pg_bridge.cli.doctor_ocp import ocp_lines
from pg_bridge.cli.keys_set import ConfigArgument
from pg_bridge.cli.output import console, say_json
from pg_bridge.cli.world import read_file, read_mappings
from pg_bridge.config import Config, read_config
from pg_bridge.errors import BridgeError, ConfigError
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.check import check
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.settings import listener_options

_COLOUR: dict[Verdict, str] = {"good": "green", "warning": "yellow", "wrong": "bold red"}


def doctor(
    *,
    config: ConfigArgument,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at all that the bridge needs: files, keys, clocks, OCP, ports, disk. It may run meanwhile, or be down.

    Exit codes: 0 all is good, 1 something is warned of, 2 something is wrong: the bridge cannot work so.

    Example: pg-bridge doctor -c bridge.toml
    """
    lines = []
    for line in _lines(read_file(config, "the configuration").decode("utf-8", "replace")):
        lines.append(line)
        if not json:
            colour = _COLOUR[line.verdict]
            console().print(f"[{colour}]{line.verdict:8}[/] {escape(line.what)}: {escape(line.text)}", soft_wrap=True)
            if line.remedy:
                console().print(f"         {escape(line.remedy)}", soft_wrap=True)
    verdicts = {line.verdict for line in lines}
    verdict: Verdict = "wrong" if "wrong" in verdicts else "warning" if "warning" in verdicts else "good"
    if json:
        say_json({"verdict": verdict, "lines": lines})
    raise typer.Exit({"good": 0, "warning": 1, "wrong": 2}[verdict])


def _lines(text: str) -> Iterator[Line]:
    try:
        config = read_config(text, os.environ)
    except ConfigError as error:
        yield from wrong("configuration", error, "Correct it; pg-bridge serve --example-config explains every key.")
        return
    yield Line("configuration", "good", f"{len(config.participants)} participants may log on")
    is_running, line = running_bridge(config)
    yield line
    profile, lines = _set_lines(config)
    yield from lines
    if profile is not None:
        yield from ocp_lines(config, profile)
    yield from _pss_tls_lines(config)
    yield from port_lines(config, is_running=is_running)
    yield from journal_lines(config)
    yield from folder_lines(config)


def _set_lines(config: Config) -> tuple[OcpProfile | None, list[Line]]:
    """What OCP's profile is, where the mapping set has one that can be used, and what is wrong with the set."""
    what = "mapping set"
    try:
        files = read_mappings(config.mappings)
        findings = check(files)
        errors = [one for one in findings if one.severity == "error"]
        if errors:
            text = f"it does not check: {len(errors)} errors, the first: {errors[0]}"
            return None, [Line(what, "wrong", text, "pg-bridge mappings check shows them all, with what to do.")]
        book = load(files)
    except BridgeError as error:
        return None, wrong(what, error, "Correct [mappings], or the files named.")
    lines = [
        Line(what, "warning", f"it checks, with {len(findings)} warnings", "pg-bridge mappings check shows them.")
        if findings
        else Line(what, "good", f"{book.ocp.name} checks")
    ]
    for name, entry in config.participants.items():
        for one in profile_findings(book, name, entry.profile):
            lines.append(Line(f"participant {name}", "wrong", f"{one.path}: {one.text}", one.remedy))  # noqa: PERF401
    return book.ocp, lines


def _pss_tls_lines(config: Config) -> Iterator[Line]:
    try:
        options = listener_options(config)
    except ConfigError as error:
        yield from wrong("TLS for PSSs", error, "Correct tls_certificate, tls_key and tls_client_ca in [pss].")
        return
    if options.tls is not None:
        yield Line("TLS for PSSs", "good", f"{config.pss.tls_certificate} and its key can be used")
