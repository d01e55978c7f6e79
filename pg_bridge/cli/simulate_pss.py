"""`pg-bridge simulate pss`: PSSs that play scenario files against a bridge and a pretend OCP, and judge what comes."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli.output import say_json
from pg_bridge.cli.processes import both
from pg_bridge.cli.world import RandomIds, mappings_folder, read_mappings, utc_now
from pg_bridge.errors import BridgeError, ConfigError, Finding
from pg_bridge.link.profile import link_profile_of
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.simulator.scenario import Scenario
from pg_bridge.simulator.scenario_file import read_scenario
from pg_bridge.simulator.scenario_player import OcpControl, Player, StepOutcome

#: where the shipped scenarios lie below the mappings, and what in it is none
FOLDER = "samples/scenarios"
_MESSAGES = "messages.toml"
#: characters of time and chance that tell one run from another
_RUN_ID = 6
_QUICK = "[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where scenarios are played."""

    host: str
    port: int
    ocp_url: str


def pss(
    scenarios: Annotated[
        list[str], typer.Argument(help="Files, folders of them, or names of shipped ones (`input-and-match`).")
    ],
    *,
    to: Annotated[str, typer.Option(help="HOST:PORT of the bridge; empty: start one, and a pretend OCP.")] = "",
    ocp: Annotated[str, typer.Option(help="URL of the pretend OCP behind it.")] = "",
    run_id: Annotated[str, typer.Option(help="Part of every reference, at most 10 characters; empty: new.")] = "",
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play scenarios: PSSs that send, expect, are cut and come back, and what is done at OCP meanwhile.

    Without --to each is played against a bridge and a pretend OCP started for it, whose clock stands.

    Example: pg-bridge simulate pss input-and-match fault-timed-out-after-work
    """
    if bool(to) != bool(ocp):
        raise ConfigError("playing scenarios: --to and --ocp go together")
    if len(run_id) > 10 or not (run_id or "A").isalnum() or not run_id.isascii():
        raise ConfigError("playing scenarios: --run-id has at most 10 letters and digits")
    read = read_scenarios(scenarios, mappings)
    found = asyncio.run(_play_all(read, to, ocp, run_id, mappings, as_json=json))
    good = all(one["good"] for one in found)
    if json:
        say_json({"good": good, "scenarios": found})
    else:
        failed = [one["path"] for one in found if not one["good"]]
        print(f"\n{len(found) - len(failed)} of {len(found)} scenarios are as they should be.")
        for path in failed:
            print(f"  not so: {path}")
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


async def _play_all(
    scenarios: list[Scenario], to: str, ocp: str, run_id: str, mappings: str, *, as_json: bool
) -> list[dict[str, Any]]:
    files = read_mappings(mappings)
    profile, parts = link_profile_of(files), read_legacy_profile(files).parts
    shared_id = run_id or RandomIds().session_id()[:_RUN_ID]
    found: list[dict[str, Any]] = []
    # what moves the day comes last, each on a stage of its own where the stage is ours
    given = [one for one in scenarios if not one.file.moves_day] + [one for one in scenarios if one.file.moves_day]
    participants = sorted({name for one in given for name in one.file.participants.values()})
    async with contextlib.AsyncExitStack() as stages:
        stage = _stage_at(to, ocp) if to else None
        for number, scenario in enumerate(given, 1):
            if stage is None or (not to and scenario.file.moves_day):
                await stages.aclose()
                stage = await stages.enter_async_context(_own_stage(participants, mappings))
            player = Player(
                scenario,
                profile,
                OcpControl(stage.ocp_url),
                host=stage.host,
                port=stage.port,
                # one that is named is kept as it is where it is alone, so that a run can be repeated to the letter
                run_id=shared_id if len(given) == 1 else f"{shared_id}{number:02d}",
                clock=utc_now,
                parts=parts,
            )
            found.append(await play(scenario, player, as_json=as_json))
    return found


def _stage_at(to: str, ocp: str) -> _Stage:
    host, _, port = to.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"playing scenarios: {to} is no HOST:PORT")
    return _Stage(host.strip("[]"), int(port), ocp)


@contextlib.asynccontextmanager
async def _own_stage(participants: list[str], mappings: str) -> AsyncIterator[_Stage]:
    """A bridge and a pretend OCP whose clock stands, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="pg-bridge-scenario-") as name:
        folder = Path(name)
        options = folder / "options.json"
        options.write_bytes(msgspec.json.encode({"clock": "stands"}))
        more = ("--options", str(options), "--calls", "0")
        async with both(folder, participants, mappings, ocp_options=more, extra=_QUICK) as places:
            yield _Stage(places.host, places.port, places.ocp_url)


async def play(scenario: Scenario, player: Player, *, as_json: bool) -> dict[str, Any]:
    """Play one scenario to its end; tell it step by step to people, and give it as plain values."""
    steps: list[dict[str, Any]] = []
    wrong: list[str] = []
    if not as_json:
        print(f"\n{scenario.path}: {scenario.file.say}")
    try:
        await player.log_on()
        async for outcome in player.play():
            steps.append(_plain(outcome))
            if not as_json:
                _say(scenario, outcome)
        await player.log_off()
    except (BridgeError, TimeoutError) as error:
        wrong.append(str(error) or "logging off: no answer")
        if not as_json:
            print(f"  WRONG {wrong[-1]}")
    finally:
        player.close()
    good = not wrong and len(steps) == len(scenario.file.step) and not any(step["wrong"] for step in steps)
    return {"path": scenario.path, "say": scenario.file.say, "good": good, "wrong": wrong, "steps": steps}


def _plain(outcome: StepOutcome) -> dict[str, Any]:
    return {
        "step": outcome.number,
        "line": outcome.line,
        "deed": outcome.deed,
        "say": outcome.say,
        "sent": outcome.sent,
        "got": [
            {
                "to": one.frame.participant,
                "template": one.frame.template,
                "message_type": one.frame.message_type,
                "possible_duplicate": one.frame.possible_duplicate,
                "text": one.text,
            }
            for one in outcome.got
        ],
        "wrong": list(outcome.wrong),
        "took_ms": round(outcome.took_ms, 1),
    }


def _say(scenario: Scenario, outcome: StepOutcome) -> None:
    head = "WRONG" if outcome.wrong else "ok"
    print(f"  {head:<5} {outcome.number:>2} {outcome.say or outcome.deed or 'expects'} ({outcome.took_ms:.0f} ms)")
    if outcome.sent:
        print(f"           {outcome.sent}")
    for one in outcome.got:
        again = ", a possible duplicate" if one.frame.possible_duplicate else ""
        print(f"           MT{one.frame.message_type} {one.frame.template} to {one.frame.participant}{again}")
    for told in outcome.wrong:
        print(f"           {scenario.path}:{outcome.line}: {told}")
