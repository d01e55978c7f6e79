"""`pg-bridge demo`: all of it on this machine: a pretend OCP, the bridge, two PSSs, a trading day."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from pg_bridge.cli.audit import entries_table, verdict_text
from pg_bridge.cli.backstage import Elsewhere
from pg_bridge.cli.demo_day import Fact, Players
from pg_bridge.cli.output import console, findings_table, say_json
from pg_bridge.cli.processes import Places, both
from pg_bridge.cli.world import read_mappings, utc_now
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.journal.review import AuditReader
from pg_bridge.journal.verify import AuditVerdict, verify
from pg_bridge.link.profile import link_profile_of
from pg_bridge.simulator.scenario import Scenario
from pg_bridge.simulator.scenario_file import read_scenario
from pg_bridge.simulator.scenario_player import Player
from pg_bridge.simulator.scenario_stage import OcpControl, Place

_COLUMNS = ("step", "legacy in", "OCP call", "OCP answer or push", "legacy out", "ms")


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End by itself; exit code 0 only if all came back.")] = False,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play a scripted trading day through the whole bridge, on loopback, in a temporary folder.

    Example: pg-bridge demo --once
    """
    files = read_mappings(mappings)
    findings: list[Finding] = []
    day = read_scenario("samples/demo.toml", files.get, findings)
    if day is None:
        raise ConfigError("reading samples/demo.toml of the mappings", findings=findings)
    raise typer.Exit(asyncio.run(_demo(files, day, mappings, once=once, as_json=json)))


async def _demo(files: dict[str, str], day: Scenario, mappings: str, *, once: bool, as_json: bool) -> int:
    link = link_profile_of(files)
    participants = list(day.file.participants.values())
    with tempfile.TemporaryDirectory(prefix="pg-bridge-demo-") as name:
        folder = Path(name)
        async with both(folder, participants, mappings) as places:
            at = Place(((places.host, places.port),), OcpControl(places.ocp_url), Elsewhere(), utc_now)
            player = Player(day, link, at, run_id="DEMO0000")
            players = Players(player, places.journal)
            facts = await _play(players, as_json=as_json)
            if not once:
                is_good = _say(facts, places, as_json=as_json)
                stop = _on_interrupt()
                _say_how_to_connect(places, participants[0])
                await stop.wait()
                return 0 if is_good else 1
        # Both processes have ended in order: the journal is closed and signed to its end.
        return 0 if _say(facts, places, as_json=as_json) else 1


def _say(facts: list[Fact], places: Places, *, as_json: bool) -> bool:
    """Print what happened, the audit list and the verdict; gives whether all is well."""
    verdict = verify(places.journal)
    is_good = verdict.is_good and not any(fact.missing for fact in facts)
    with AuditReader(places.journal) as reader:
        entries = reader.newest(most=80)
    if as_json:
        say_json(
            {
                "good": is_good,
                "steps": [asdict(fact) for fact in facts],
                "audit": _without_payloads(entries),
                "verdict": {"good": verdict.is_good, **msgspec.to_builtins(verdict)},
            }
        )
    else:
        _say_end(facts, entries, verdict, is_good=is_good)
    return is_good


def _without_payloads(entries: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "position": stored.position,
            "kind": stored.entry.kind,
            "participant": stored.entry.participant,
            "references": stored.entry.references,
            "findings": stored.entry.findings,
        }
        for stored in entries
    ]


async def _play(players: Players, *, as_json: bool) -> list[Fact]:
    table = Table(title="A trading day", title_justify="left", header_style="bold", show_lines=True)
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", justify="right" if column == "ms" else "left")
    facts: list[Fact] = []
    show = Live(table, console=console(), refresh_per_second=4) if not as_json else contextlib.nullcontext()

    def add(fact: Fact) -> None:
        facts.append(fact)
        out = fact.legacy_out + "".join(f"\nMISSING: {text}" for text in fact.missing)
        cells = (fact.step, fact.legacy_in, fact.ocp_call, fact.ocp_answer, out, f"{fact.took_ms:.0f}")
        table.add_row(*(escape(cell) for cell in cells))

    with show:
        add(await players.log_on())
        async for fact in players.play():
            add(fact)
        add(await players.log_off())
    return facts


def _say_how_to_connect(places: Places, participant: str) -> None:
    print(
        f"\nThe bridge still runs. A PSS of {participant} may dial {places.host}:{places.port}; for example:\n"
        f"  pg-bridge send FILE --to {places.host}:{places.port} --participant {participant}\n"
        f"The pretend OCP's state: {places.ocp_url}/_simulator/state\n"
        f"The journal: pg-bridge audit list -j {places.journal}\n"
        "Press Ctrl-C to end.",
        file=sys.stderr,
        flush=True,
    )


def _on_interrupt() -> asyncio.Event:
    """Set when a person ends the demo."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _say_end(facts: list[Fact], entries: list[Any], verdict: AuditVerdict, *, is_good: bool) -> None:
    out = console()
    out.print(entries_table(entries))
    if verdict.findings:
        out.print(findings_table(verdict.findings))
    print(verdict_text(verdict))
    missing = [text for fact in facts for text in fact.missing]
    if is_good:
        print(f"Every expected message came back, in {sum(fact.took_ms for fact in facts) / 1000:.1f} s.")
    for text in missing:
        print(f"MISSING: {text}")
