"""Plays scenarios: each in a fresh world of its own, or all of them, beside each other if wanted, in one place."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pg_bridge.cli.own_stage import Set, own_stage
from pg_bridge.cli.scenario_report import as_document, tell_step
from pg_bridge.errors import BridgeError
from pg_bridge.simulator.scenario import Scenario, deed_of, needs_of
from pg_bridge.simulator.scenario_player import Player, StepOutcome
from pg_bridge.simulator.scenario_record import WireRecord
from pg_bridge.simulator.scenario_stage import Place
from pg_bridge.simulator.simulated_loop import SimulatedLoop, run_simulated

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Playing:
    """What was played: a document for each run; left_out: path -> why."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    got: int = 0
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class How:
    """How often and in how many lanes; run_id: of the first run, or the beginning of all; tells: step by step."""

    run_id: str
    repeat: int = 1
    lanes: int = 1
    seed: int = 0
    tells: bool = False


def lacking(scenario: Scenario, chosen: Set) -> str:
    """What a mapping set lacks of what the scenario needs; empty when nothing."""
    known = {*chosen.legacy.templates, *(one.value for one in chosen.ocp.operations)}
    missing = [name for name in scenario.file.needs if name not in known]
    return f"the mapping set has no {' and no '.join(missing)}" if missing else ""


def why_left_out(scenario: Scenario, chosen: Set, place: Place | None, lanes: int) -> str:
    """Why a scenario cannot be played; empty when it can. place: None for one of our own."""
    if why := lacking(scenario, chosen):
        return why
    if place is not None and (missing := needs_of(scenario.file) - place.has):
        return f"it needs {' and '.join(sorted(missing))}"
    if lanes > 1 and (scenario.file.moves_day or scenario.file.stage or any(map(_concerns_all, scenario.file.step))):
        return "it does something to all that are there, so that it cannot be played beside others"
    return ""


def _concerns_all(step: Any) -> bool:
    deed = deed_of(step)
    at_ocp = deed in ("clock", "run", "weather", "rules", "limits", "fault", "control", "passes", "broadcast")
    return at_ocp and not (deed == "run" and step.run.si_number)


def play_here(scenarios: Sequence[Scenario], chosen: Set, how: How) -> Playing:
    """Play in worlds of our own: a fresh one for each run, or one for all lanes."""
    playing = Playing()
    began = time.perf_counter()
    given = _fit(scenarios, chosen, None, how, playing)
    if how.lanes == 1:
        for number, scenario in enumerate(given * how.repeat):
            run_id = how.run_id if how.repeat == 1 else _numbered(how.run_id, number)
            play_one(scenario, chosen, run_id, playing, seed=how.seed, tells=how.tells)
    elif given:
        names = sorted({name for one in given for name in one.file.participants.values()})
        stands_for = [{name: _beside(name, lane) for name in names} for lane in range(how.lanes)]
        everybody = sorted({name for lane in stands_for for name in lane.values()})

        async def main(loop: SimulatedLoop) -> None:
            with tempfile.TemporaryDirectory(prefix="pg-bridge-scenario-") as folder:
                async with own_stage(loop, chosen, everybody, Path(folder), seed=how.seed) as place:
                    await _play_lanes(given, chosen, place, how, playing, stands_for)

        run_simulated(main)
    playing.took_s = time.perf_counter() - began
    return playing


def play_one(
    scenario: Scenario,
    chosen: Set,
    run_id: str,
    playing: Playing,
    *,
    seed: int = 0,
    record: WireRecord | None = None,
    tells: bool = False,
) -> None:
    """Play one scenario in a fresh world."""

    async def main(loop: SimulatedLoop) -> None:
        with tempfile.TemporaryDirectory(prefix="pg-bridge-scenario-") as folder:
            participants = sorted(set(scenario.file.participants.values()))
            more = scenario.file.stage
            async with own_stage(
                loop, chosen, participants, Path(folder), seed=seed, stage=more, record=record
            ) as place:
                player = _player(scenario, chosen, place, run_id, record=record)
                await play(scenario, player, playing, tells=tells)

    run_simulated(main)


async def play_there(scenarios: Sequence[Scenario], chosen: Set, place: Place, how: How) -> Playing:
    """Play against a bridge and a pretend OCP that run elsewhere; what moves the day comes last."""
    playing = Playing()
    began = time.perf_counter()
    given = _fit(scenarios, chosen, place, how, playing)
    given = [one for one in given if not one.file.moves_day] + [one for one in given if one.file.moves_day]
    await _play_lanes(given, chosen, place, how, playing, [{}] * how.lanes)
    playing.took_s = time.perf_counter() - began
    return playing


def _fit(scenarios: Iterable[Scenario], chosen: Set, place: Place | None, how: How, playing: Playing) -> list[Scenario]:
    fit = []
    for scenario in scenarios:
        if why := why_left_out(scenario, chosen, place, how.lanes):
            playing.left_out[scenario.path] = why
        else:
            fit.append(scenario)
    return fit


async def _play_lanes(
    given: list[Scenario],
    chosen: Set,
    place: Place,
    how: How,
    playing: Playing,
    stands_for: Sequence[dict[str, str]],
) -> None:
    """Each lane takes the next run that nobody has taken."""
    runs = iter(list(enumerate(given * how.repeat)))
    is_alone = len(given) * how.repeat == 1

    async def lane(number: int) -> None:
        for count, scenario in runs:
            # one that is named is kept as it is where it is alone, so that a run can be repeated to the letter
            run_id = how.run_id if is_alone else _numbered(how.run_id, count)
            player = _player(scenario, chosen, place, run_id, lane=number, stands_for=stands_for[number])
            await play(scenario, player, playing, tells=how.tells)

    async with asyncio.TaskGroup() as lanes:
        for number in range(how.lanes):
            lanes.create_task(lane(number))


def _player(
    scenario: Scenario,
    chosen: Set,
    place: Place,
    run_id: str,
    **more: Any,
) -> Player:
    parts = chosen.legacy.parts
    return Player(scenario, chosen.link, place, run_id=run_id, parts=parts, **more)


async def play(scenario: Scenario, player: Player, playing: Playing, *, tells: bool) -> None:
    """Play one scenario to its end, and add what came of it."""
    steps: list[StepOutcome] = []
    wrong: list[str] = []
    if tells:
        print(f"\n{scenario.path}: {scenario.file.say}")
    try:
        await player.log_on()
        async for outcome in player.play():
            steps.append(outcome)
            if tells:
                tell_step(scenario, outcome)
        await player.log_off()
    except (BridgeError, TimeoutError) as error:
        wrong.append(str(error) or "logging off: no answer")
        if tells:
            print(f"  WRONG {wrong[-1]}")
    finally:
        player.close()
    playing.runs.append(as_document(scenario, steps, wrong))
    playing.sent += sum(scenario.file.step[one.number - 1].times for one in steps if one.deed == "send")
    playing.got += sum(len(one.got) for one in steps)


def _numbered(run_id: str, number: int) -> str:
    """A run id of its own: three characters behind the one given."""
    text = ""
    for _ in range(3):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return run_id + text


def _beside(participant: str, lane: int) -> str:
    """The participant who plays this one in a lane: the same letter, the number so many further on."""
    return f"{participant[0]}{(int(participant[1:]) + lane) % 100_000:05d}" if lane else participant
