"""Every shipped scenario in a world of its own; the same files against a bridge that runs; what is refused of one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pg_bridge.cli.own_stage import Set
from pg_bridge.cli.scenario_playing import How, Playing, play_here, play_one
from pg_bridge.cli.scenario_report import name_of
from pg_bridge.cli.simulate_pss import FOLDER, read_scenarios
from pg_bridge.cli.world import mappings_folder
from pg_bridge.simulator.faults import FaultKind
from pg_bridge.simulator.scenario import Scenario
from pg_bridge.simulator.scenario_record import WireRecord
from tests.doubles.mapping_files import shipped
from tests.doubles.stack import Stack, stack

SCENARIOS = read_scenarios([str(mappings_folder() / FOLDER)])
SHIPPED = Set(shipped(), str(mappings_folder()))
_QUICK = "[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"
_ROOT = Path(__file__).parents[2]
#: faults of streams and sockets, by which the bridge takes no pushes yet
_OF_STREAMS = {FaultKind.PUSH_CUT}


def wrong_of(playing: Playing) -> list[str]:
    """All that was wrong in all runs."""
    return [
        f"{Path(run['path']).stem} step {step['step']}: {told}"
        for run in playing.runs
        for step in [*run["steps"], {"step": 0, "wrong": run["wrong"]}]
        for told in step["wrong"]
    ] + [f"{run['path']}: not every step was played" for run in playing.runs if not run["good"] and not run["steps"]]


def _named(*names: str) -> list[Scenario]:
    return [one for one in SCENARIOS if name_of(one) in names]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario_goes_as_it_says(scenario: Scenario) -> None:
    playing = play_here([scenario], SHIPPED, How("T1"))

    assert {} == playing.left_out
    assert [] == wrong_of(playing)
    assert [True] == [run["good"] for run in playing.runs]


@pytest.mark.parametrize("name", ["hold-and-release", "fault-no-answer-after-work", "frame-refused", "broadcast"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    """Of all scenarios: python -m tests.benchmarks.scenarios_twice."""
    records = [WireRecord(), WireRecord(), WireRecord()]
    for seed, record in zip((7, 7, 8), records, strict=True):
        play_one(_named(name)[0], SHIPPED, "TWICE", Playing(), seed=seed, record=record)
    first, second, other = (record.channels for record in records)

    assert {"OCP", "PSS B01234 PSS1 1 came", "PSS B01234 PSS1 1 sent"} <= set(first)
    assert first == second
    assert first["OCP"] != other["OCP"]


def test_each_function_refusal_and_fault_has_a_scenario() -> None:
    sent = {step.send for scenario in SCENARIOS for step in scenario.file.step if step.send}
    kinds = {step.fault.kind for scenario in SCENARIOS for step in scenario.file.step if step.fault}
    deeds = {"upload", "broadcast", "report", "cut", "reconnect", "log_off", "wait", "passes", "weather", "run"}
    done = {deed for scenario in SCENARIOS for step in scenario.file.step for deed in deeds if getattr(step, deed)}

    assert {"deliver", "receive", "authorise", "change_delivery", "delete_delivery", "revoke_delivery"} <= sent
    assert {"hold", "release", "enquire", "list_unmatched", "download"} <= sent
    assert set() == set(FaultKind) - kinds - _OF_STREAMS
    assert deeds == done
    assert [] == [scenario.path for scenario in SCENARIOS if not scenario.file.say]


def test_scenarios_beside_each_other_and_again_disturb_each_other_nowhere() -> None:
    given = _named("input-and-match", "change", "fault-broken-json")
    playing = play_here(given, SHIPPED, How("MANY", repeat=3, lanes=4))

    assert [] == wrong_of(playing)
    assert 6 == len(playing.runs)
    assert ["fault-broken-json"] == [Path(path).stem for path in playing.left_out]


def test_a_scenario_whose_function_the_set_lacks_is_left_out_by_name(tmp_path: Path) -> None:
    file = tmp_path / "needs.toml"
    text = (mappings_folder() / FOLDER / "enquire.toml").read_text("utf-8")
    text = text.replace("messages.toml", str(mappings_folder() / FOLDER / "messages.toml"))
    file.write_text('needs = ["SI01", "si_add", "ZZ99"]\n' + text)
    playing = play_here(read_scenarios([str(file)]), SHIPPED, How("T1"))

    assert [] == playing.runs
    assert {str(file): "the mapping set has no ZZ99"} == playing.left_out


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("scenarios")
    options = folder / "options.json"
    options.write_text(json.dumps({"clock": "stands"}))
    (folder / "reports").mkdir()
    extra = f'{_QUICK}[reports]\nfolder = "{folder / "reports"}"\n'
    async with stack(folder, extra=extra, ocp_options=("--options", str(options))) as made:
        yield made


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_bridge", "simulate", "pss", *arguments],
        cwd=_ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def _there(made: Stack) -> tuple[str, ...]:
    return "--to", f"{made.host}:{made.port}", "--ocp", made.ocp_url


@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_files_play_against_a_bridge_that_runs(standing: Stack) -> None:
    more = ("--control", str(standing.folder / "control.sock"), "--reports", str(standing.folder / "reports"))
    names = ["input-and-match", "fault-cut-after-work", "pss-cut", "broadcast", "download", "half-day", "second-node"]
    done = _run(*names, *_there(standing), *more, "--json")
    told = json.loads(done.stdout)

    assert 0 == done.returncode, done.stdout
    assert told["good"]
    assert 5 == told["figures"]["runs"] == told["figures"]["good"]
    assert {
        "half-day": "it needs a bridge and a pretend OCP started for it",
        "second-node": "it needs the bridge's second node",
    } == {Path(one["path"]).stem: one["why"] for one in told["left_out"]}


@pytest.mark.asyncio(loop_scope="module")
async def test_the_verb_plays_many_beside_each_other_there(standing: Stack) -> None:
    done = _run("input-and-match", "delete", *_there(standing), "--repeat", "3", "--parallel", "3")

    assert 0 == done.returncode, done.stdout
    assert "6 of 6 scenarios are as they should be." in done.stdout
    assert "scenarios a second" in done.stdout


@pytest.mark.asyncio(loop_scope="module")
async def test_the_verb_tells_people_and_programs_and_fails_what_does_not_come(standing: Stack, tmp_path: Path) -> None:
    here = mappings_folder() / FOLDER
    wrong = tmp_path / "wrong.toml"
    text = (here / "input-and-match.toml").read_text().replace('"25D:IPRC" = "PACK"', '"25D:IPRC" = "REJT"', 1)
    wrong.write_text(
        text.replace("messages.toml", str(here / "messages.toml")).replace(
            "[[step]]\n", "[[step]]\nwithin_s = 0.3\n", 1
        )
    )
    good = _run("enquire", *_there(standing))
    bad = _run(str(wrong), *_there(standing))

    assert (0, 1) == (good.returncode, bad.returncode), bad.stderr
    assert "1 of 1 scenarios are as they should be." in good.stdout
    assert "missing: SI51 to B01234" in bad.stdout
    assert "25D:IPRC is PACK, not REJT" in bad.stdout
    assert f"{wrong}:5: " in bad.stdout


def test_what_comes_and_no_step_expects_is_told(tmp_path: Path) -> None:
    here = mappings_folder() / FOLDER
    file = tmp_path / "unexpected.toml"
    text = (here / "delete.toml").read_text("utf-8").replace("messages.toml", str(here / "messages.toml"))
    steps = text.split("[[step]]")
    file.write_text(
        "[[step]]".join(steps[:2] + steps[-1:]).replace("expect = [", "expect = []\nlater = [").split("later")[0]
        + '\n\n[[step]]\nby = "seller"\nlog_off = true\nnothing_more = true\n'
    )
    playing = play_here(read_scenarios([str(file)]), SHIPPED, How("T1"))

    assert ["not expected: MT548 SI51 to B01234"] == [
        told.partition("\n")[0].partition(": ")[2] for told in wrong_of(playing)
    ]


def test_the_list_says_what_each_shows_and_needs() -> None:
    people, programs = _run("--list"), _run("--list", "--json")
    told: list[dict[str, Any]] = json.loads(programs.stdout)["scenarios"]

    assert (0, 0) == (people.returncode, programs.returncode)
    assert len(SCENARIOS) == len(told)
    assert {"broadcast", "half-day"} <= {one["name"] for one in told if one["needs"]}
    assert f"{len(SCENARIOS)} scenarios" in people.stdout


def test_a_misspelt_scenario_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        'say = "x"\nparticipants = { seller = "B01234" }\n\n[[step]]\nsay = "y"\nfualt = { kind = "closed" }\n'
    )
    done = _run(str(wrong), "--to", "127.0.0.1:1", "--ocp", "http://127.0.0.1:1")

    assert 2 == done.returncode
    assert "wrong.toml line 6: step[0].fualt: Object contains unknown field `fualt`" in done.stderr
    assert "Write `fault` if that was meant." in done.stderr
