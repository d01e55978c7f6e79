"""Every scenario with another OCP and another PG: the files of the set, and no line of Python, say otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.cli.own_stage import Set
from pg_bridge.cli.scenario_playing import How, play_here
from pg_bridge.cli.simulate_pss import FOLDER, read_scenarios
from pg_bridge.cli.world import mappings_folder, read_mappings
from tests.acceptance.test_scenarios import wrong_of
from tests.doubles.mapping_sets import write_set

NAMES = sorted(path.stem for path in (mappings_folder() / FOLDER).glob("*.toml") if path.stem != "messages")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Set:
    folder = write_set("both_b", tmp_path_factory.mktemp("sets"))
    return Set(read_mappings(folder), folder)


@pytest.mark.parametrize("name", NAMES)
def test_scenario_goes_as_it_says_with_both_sides_swapped(name: str, other: Set) -> None:
    """Of each side alone: python -m tests.benchmarks.scenarios_twice --set legacy_b, and ocp_b."""
    playing = play_here(read_scenarios([str(Path(other.folder) / FOLDER / f"{name}.toml")]), other, How("T1"))

    assert {} == playing.left_out
    assert [] == wrong_of(playing)
    assert [True] == [run["good"] for run in playing.runs]
