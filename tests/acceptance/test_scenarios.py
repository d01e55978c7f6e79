"""Every shipped scenario against the real bridge and the pretend OCP, whose clock stands; and what is refused of one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pg_bridge.cli.simulate_pss import FOLDER, play, read_scenarios
from pg_bridge.cli.world import mappings_folder, utc_now
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.simulator.scenario import Scenario
from pg_bridge.simulator.scenario_player import OcpControl, Player
from tests.doubles.mapping_sets import set_files
from tests.doubles.stack import Stack, stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCENARIOS = read_scenarios([str(mappings_folder() / FOLDER)])
_QUICK = "[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"
_ROOT = Path(__file__).parents[2]


def _name(scenario: Scenario) -> str:
    return Path(scenario.path).stem


def _standing(folder: Path) -> tuple[str, ...]:
    options = folder / "options.json"
    options.write_text(json.dumps({"clock": "stands"}))
    return "--options", str(options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("scenarios")
    async with stack(folder, extra=_QUICK, ocp_options=_standing(folder)) as made:
        yield made


async def _played(made: Stack, scenario: Scenario, run_id: str) -> list[str]:
    """What was wrong."""
    player = Player(
        scenario,
        made.link,
        OcpControl(made.ocp_url),
        host=made.host,
        port=made.port,
        run_id=run_id,
        clock=utc_now,
        parts=read_legacy_profile(set_files("shipped")).parts,
    )
    found = await play(scenario, player, as_json=True)
    wrong = [*found["wrong"], *(f"step {step['step']}: {told}" for step in found["steps"] for told in step["wrong"])]
    return wrong if wrong or found["good"] else ["not every step was played"]


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if not one.file.moves_day], ids=_name)
async def test_scenario_goes_as_it_says(scenario: Scenario, standing: Stack) -> None:
    assert [] == await _played(standing, scenario, f"T{SCENARIOS.index(scenario):02d}")


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.file.moves_day], ids=_name)
async def test_scenario_that_moves_the_day_goes_as_it_says(scenario: Scenario, tmp_path: Path) -> None:
    async with stack(tmp_path, extra=_QUICK, ocp_options=_standing(tmp_path)) as made:
        assert [] == await _played(made, scenario, "DAY")


async def test_each_function_refusal_and_fault_has_a_scenario() -> None:
    names = {_name(scenario) for scenario in SCENARIOS}
    sent = {step.send for scenario in SCENARIOS for step in scenario.file.step if step.send}
    kinds = {step.fault.kind.value for scenario in SCENARIOS for step in scenario.file.step if step.fault}

    assert 25 <= len(names)
    assert {"deliver", "receive", "authorise", "change_delivery", "delete_delivery", "revoke_delivery"} <= sent
    assert {"hold", "release", "enquire", "list_unmatched"} <= sent
    assert {"throttled", "broken", "closed", "timed_out", "cut_before", "cut_after", "broken_json"} <= kinds
    assert {"push_repeat", "push_gap", "push_reorder"} <= kinds


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_bridge", "simulate", "pss", *arguments],
        cwd=_ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


async def test_the_verb_tells_people_and_programs_and_fails_what_does_not_come(standing: Stack, tmp_path: Path) -> None:
    there = ("--to", f"{standing.host}:{standing.port}", "--ocp", standing.ocp_url)
    shipped = mappings_folder() / FOLDER
    wrong = tmp_path / "wrong.toml"
    text = (shipped / "input-and-match.toml").read_text().replace('"25D:IPRC" = "PACK"', '"25D:IPRC" = "REJT"', 1)
    wrong.write_text(
        text.replace("messages.toml", str(shipped / "messages.toml")).replace(
            "[[step]]\n", "[[step]]\nwithin_s = 0.3\n", 1
        )
    )
    good = _run("enquire", *there)
    told = _run("enquire", "--json", *there)
    bad = _run(str(wrong), *there)

    assert (0, 0, 1) == (good.returncode, told.returncode, bad.returncode), bad.stderr
    assert "1 of 1 scenarios are as they should be." in good.stdout
    assert json.loads(told.stdout)["good"]
    assert "missing: SI51 to B01234" in bad.stdout
    assert "25D:IPRC is PACK, not REJT" in bad.stdout
    assert f"{wrong}:5: " in bad.stdout


async def test_a_misspelt_scenario_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        'say = "x"\nparticipants = { seller = "B01234" }\n\n[[step]]\nsay = "y"\nfualt = { kind = "closed" }\n'
    )
    done = _run(str(wrong), "--to", "127.0.0.1:1", "--ocp", "http://127.0.0.1:1")

    assert 2 == done.returncode
    assert "wrong.toml line 6: step[0].fualt: Object contains unknown field `fualt`" in done.stderr
    assert "Write `fault` if that was meant." in done.stderr
