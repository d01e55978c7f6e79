"""A process that looks after a drop folder is killed before and after each of its calls to the disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("kills")
    done = subprocess.run(
        [sys.executable, "-m", "tests.doubles.killable_drop", str(folder)],
        cwd=Path(__file__).parents[2], capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    found: list[dict[str, Any]] = msgspec.json.decode(done.stdout)
    return found


def test_every_call_is_one_to_be_killed_at(runs: list[dict[str, Any]]) -> None:
    assert 80 < len(runs)
    assert ["accepted", "refused"] == [run["outcome"] for run in runs if not run["signal"]]
    assert {0, 9} == {run["signal"] for run in runs}


def test_a_file_is_entered_once_and_told_once(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        words = [line.split()[0] for line in run["lines"]]
        (claim,) = {line.split()[1] for line in run["lines"]}

        assert ["entered", "told"] == words, run
        assert f"entered {claim} content" == run["lines"][0]


def test_everything_lies_in_its_place_at_the_end(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        claim = run["lines"][0].split()[1]
        is_good = run["outcome"] == "accepted"
        away = f"{claim}~SI1.txt"
        expected: dict[str, list[str]] = {"inbox": [], "taken": [], "outbox": [f"SI1.txt.{claim}.report"]}
        expected["archive"] = [f"20261123/{away}"] if is_good else []
        expected["rejected"] = [] if is_good else [away, f"{away}.report"]

        assert expected == run["lies"], run
