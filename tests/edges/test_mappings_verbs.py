"""`mappings diff` and `mappings replay` in this process: what they print, and their exit codes."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pg_bridge.cli.main import app
from pg_bridge.cli.world import mappings_folder
from pg_bridge.errors import BridgeError
from tests.doubles.core_day import whole_day
from tests.doubles.journal_samples import make_journal


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["mappings", *arguments])


def facts(done: Result) -> Any:
    return json.loads(done.stdout)


def edited(folder: Path, path: str, old: str, new: str) -> str:
    """A copy of the shipped set with one text of one file changed."""
    copy = folder / "edited"
    shutil.copytree(mappings_folder(), copy)
    text = (copy / path).read_text("utf-8")
    assert old in text
    (copy / path).write_text(text.replace(old, new, 1), "utf-8")
    return str(copy)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A day in a journal, without what cannot be run again."""
    path = tmp_path_factory.mktemp("replay") / "day.sqlite"
    entries = [entry for entry in whole_day().entries if entry.kind != "request_parked"]
    asyncio.run(make_journal(path, entries, batch=20))
    return str(path)


def test_diff_tells_what_changed_by_what_it_touches(tmp_path: Path) -> None:
    other = edited(tmp_path, "legacy/codes.toml", 'default = "HKMK"', 'default = "MAMK"')
    told, shown, back = (
        run("diff", "shipped", other, "--json"),
        run("diff", "shipped", other),
        run("diff", other, "shipped"),
    )
    (change,) = facts(told)["changes"]

    assert (1, 1, 1) == (told.exit_code, shown.exit_code, back.exit_code)
    assert "what OCP gets" == change["effect"]
    assert change["text"] in shown.stdout
    assert facts(told)["old"]["hash"] != facts(told)["new"]["hash"]
    assert facts(told)["old"]["hash"][:12] in shown.stdout
    assert "1 what OCP gets" in shown.stdout


def test_diff_of_no_effect_is_good(tmp_path: Path) -> None:
    same = run("diff", "shipped", "shipped")
    comment = edited(tmp_path, "rules/si-input.toml", "# Input SI", "# The input of an SI")
    quiet = run("diff", "shipped", comment)

    assert (0, "Nothing differs.") == (same.exit_code, same.stdout.splitlines()[-1])
    assert 0 == quiet.exit_code
    assert "only comments" in quiet.stdout


def test_diff_of_a_set_that_cannot_be_read(tmp_path: Path) -> None:
    broken = edited(tmp_path, "rules/set.toml", "name = ", "name = = ")
    told = run("diff", "shipped", broken)
    nowhere = run("diff", "shipped", str(tmp_path / "nowhere"))

    assert "cannot be read" in told.stdout
    assert "a set without a name" in told.stdout
    assert isinstance(nowhere.exception, BridgeError)


def test_replay_through_the_same_set(journal: str) -> None:
    told, shown = run("replay", "shipped", "--from", journal, "--json"), run("replay", "shipped", "--from", journal)
    day = facts(told)

    assert (0, 0) == (told.exit_code, shown.exit_code), shown.stdout
    assert ([], [], 0) == (day["causes"], day["not_run"], day["different"])
    assert 20 < day["same"] == day["run"] == sum(day["kinds"].values())
    assert f"{day['same']} come out the same, 0 differently." in shown.stdout


def test_replay_reports_causes_with_counts_and_examples(journal: str, tmp_path: Path) -> None:
    other = edited(tmp_path, "legacy/codes.toml", 'default = "HKMK"', 'default = "MAMK"')
    for cases in (tmp_path / "edited/rules").glob("*.cases.toml"):  # a set is replayed only if its cases hold
        cases.write_text(cases.read_text("utf-8").replace('market = "HKMK"', 'market = "MAMK"'), "utf-8")
    told = run("replay", other, "--from", journal, "--most", "1", "--json")
    shown = run("replay", other, "--from", journal)
    (cause,) = facts(told)["causes"]

    assert (1, 1) == (told.exit_code, shown.exit_code)
    assert [{"what": "member market", "how": "changed"}] == [
        {"what": sign["what"], "how": sign["how"]} for sign in cause["signs"]
    ]
    assert cause["count"] == facts(told)["different"]
    (example,) = cause["examples"]
    assert ("HKMK", "MAMK") == (example["differences"][0]["was"], example["differences"][0]["is"])
    assert f"{cause['count']} x request taken, input_si: member market changed" in shown.stdout


def test_replay_through_a_set_that_does_not_check_is_wrong_use(journal: str, tmp_path: Path) -> None:
    broken = edited(tmp_path, "rules/si-input.toml", 'to = "quantity"', 'to = "quantiti"')
    done = run("replay", broken, "--from", journal)

    assert isinstance(done.exception, BridgeError)
    assert any("quantiti" in finding.text for finding in done.exception.findings)


def test_replay_of_a_journal_that_is_not_there(tmp_path: Path) -> None:
    done = run("replay", "shipped", "--from", str(tmp_path / "none.sqlite"))

    assert isinstance(done.exception, BridgeError)
    assert "none.sqlite" in str(done.exception)


def test_replay_counts_what_cannot_be_run_again(tmp_path: Path) -> None:
    path = tmp_path / "cut.sqlite"
    asyncio.run(make_journal(path, whole_day().entries[12:], batch=20))
    told, shown = run("replay", "shipped", "--from", str(path), "--json"), run("replay", "shipped", "--from", str(path))

    assert (1, 1) == (told.exit_code, shown.exit_code)
    assert facts(told)["not_run"]
    assert "NOT RUN: " in shown.stdout


def test_replay_of_an_empty_journal(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    asyncio.run(make_journal(path, [], batch=20))
    done = run("replay", "shipped", "--from", str(path))

    assert 0 == done.exit_code
    assert "0 come out the same, 0 differently." in done.stdout
