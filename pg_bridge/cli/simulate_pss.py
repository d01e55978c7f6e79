"""`pg-bridge simulate pss`: PSSs that play scenario files against a bridge and a pretend OCP, and judge what comes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pg_bridge import telemetry
from pg_bridge.cli.backstage import Elsewhere
from pg_bridge.cli.output import say_json
from pg_bridge.cli.own_stage import Set
from pg_bridge.cli.scenario_playing import How, Playing, play_here, play_there
from pg_bridge.cli.scenario_report import figures, listed, tell_end, tell_list
from pg_bridge.cli.world import RandomIds, mappings_folder, read_mappings, utc_now
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.simulator.scenario import Needs, Scenario
from pg_bridge.simulator.scenario_file import read_scenario
from pg_bridge.simulator.scenario_stage import OcpControl, Place

#: where the shipped scenarios lie below the mappings, and what in it is none
FOLDER = "samples/scenarios"
_MESSAGES = "messages.toml"
#: characters of time and chance that tell one run from another
_RUN_ID = 6
#: more runs have no numbers, more lanes no terminals
_MOST_RUNS, _MOST_LANES = 40_000, 400


def pss(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders of them, or names of shipped ones (`input-and-match`); none: all of these."
        ),
    ] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="Say what each shows and needs, and play none.")] = False,
    to: Annotated[str, typer.Option(help="HOST:PORT of the bridge; empty: start one, and a pretend OCP.")] = "",
    ocp: Annotated[str, typer.Option(help="URL of the pretend OCP behind it, or of a pretend PG's control.")] = "",
    second: Annotated[str, typer.Option(help="HOST:PORT of the bridge's second node.")] = "",
    control: Annotated[str, typer.Option(help="The bridge's control socket, for broadcasts.")] = "",
    reports: Annotated[str, typer.Option(help="The bridge's reports folder, for downloads.")] = "",
    run_id: Annotated[str, typer.Option(help="Part of every reference, at most 6 characters; empty: new.")] = "",
    seed: Annotated[int, typer.Option(help="Of the bridge and pretend OCP that are started: all follows from it.")] = 0,
    repeat: Annotated[int, typer.Option(help="How often each is played.")] = 1,
    parallel: Annotated[int, typer.Option(help="How many are played beside each other.")] = 1,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play scenarios: PSSs that send, expect, are cut and come back, and what is done at OCP meanwhile.

    Without --to each is played against a bridge and a pretend OCP started for it, with simulated time: the same seed
    gives the same bytes. What cannot be played there is left out, and named. With --parallel each of these has
    participants of its own; with --to too, they share participants by terminals of their own (`P002`, `P003` ...).

    Example: pg-bridge simulate pss input-and-match fault-timed-out-after-work
    """
    if bool(to) != bool(ocp):
        raise ConfigError("playing scenarios: --to and --ocp go together")
    if len(run_id) > _RUN_ID or not (run_id or "A").isalnum() or not run_id.isascii():
        raise ConfigError(f"playing scenarios: --run-id has at most {_RUN_ID} letters and digits")
    names = scenarios or [str(mappings_folder(mappings) / FOLDER)]
    read = read_scenarios(names, mappings)
    if not (repeat >= 1 and len(read) * repeat <= _MOST_RUNS and 1 <= parallel <= _MOST_LANES):
        told = f"--repeat gives at most {_MOST_RUNS} runs, --parallel at most {_MOST_LANES}"
        raise ConfigError(f"playing scenarios: {told}, both from 1")
    if list_:
        if json:
            say_json({"scenarios": listed(read)})
        else:
            tell_list(read)
        return
    chosen = Set(read_mappings(mappings), str(mappings_folder(mappings).absolute()))
    tells = not json and repeat == parallel == 1
    if to:
        place = _place(to, ocp, second, control, reports, is_shared=parallel > 1)
        how = How(run_id or RandomIds().session_id()[:_RUN_ID], repeat, parallel, tells=tells)
        playing = asyncio.run(play_there(read, chosen, place, how))
    else:
        telemetry.set_up(level="critical")
        playing = play_here(read, chosen, How(run_id or "RUN001", repeat, parallel, seed, tells))
    _say(playing, as_json=json)


def _say(playing: Playing, *, as_json: bool) -> None:
    good = all(one["good"] for one in playing.runs)
    if as_json:
        left_out = [{"path": path, "why": why} for path, why in playing.left_out.items()]
        found = {"good": good, "figures": figures(playing), "scenarios": playing.runs, "left_out": left_out}
        say_json(found)
    else:
        tell_end(playing)
    raise typer.Exit(0 if good else 1)


def read_scenarios(names: list[str], mappings: str = "") -> list[Scenario]:
    """The scenarios named: files, folders, names of shipped ones. Raises ConfigError with every fault."""
    findings: list[Finding] = []
    paths: list[Path] = []
    for name in names:
        path = Path(name)
        shipped = mappings_folder(mappings) / FOLDER / f"{name}.toml"
        if path.is_dir():
            paths += sorted(one for one in path.glob("*.toml") if one.name != _MESSAGES)
        elif not path.is_file() and shipped.is_file():
            paths.append(shipped)
        else:
            paths.append(path)
    read = [read_scenario(str(path), _text, findings) for path in paths]
    if findings:
        raise ConfigError("reading the scenarios", findings=findings)
    if not read:
        raise ConfigError(f"reading the scenarios: none lies in {', '.join(names)}")
    return [one for one in read if one is not None]


def _text(path: str) -> str | None:
    file = Path(path)
    if not file.is_file():
        return None
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"reading the scenario {path}: {error}") from error


def _place(to: str, ocp: str, second: str, control: str, reports: str, *, is_shared: bool) -> Place:
    given = {Needs.BROADCAST: control, Needs.REPORTS: reports, Needs.SECONDARY: second}
    nodes = tuple(_host_and_port(one) for one in (to, second) if one)
    has = frozenset(need for need, value in given.items() if value)
    return Place(nodes, OcpControl(ocp), Elsewhere(control, reports), utc_now, has, is_shared)


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"playing scenarios: {text} is no HOST:PORT")
    return host.strip("[]"), int(port)
