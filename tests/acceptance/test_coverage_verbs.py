"""`mappings coverage` and `mappings explain` as a person types them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pg_bridge.cli.main import main
from pg_bridge.cli.world import mappings_folder

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The program as `pg-bridge mappings ...`, in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["pg-bridge", "mappings", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_the_installed_program_shows_coverage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pg_bridge", "mappings", "coverage", "--function", "enquire_si"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert 0 == done.returncode, done.stderr
    assert "GENL/LINK[20C:PREV]/20C:PREV" in done.stdout


def test_coverage_shows_tables_and_counts(run: Callable[..., Done]) -> None:
    done = run("coverage", "--function", "input_si")

    assert 0 == done.returncode, done.stderr
    assert "SETDET/AMT/19A:SETT (541, 543)" in done.stdout
    assert "OCP stamps a request itself" in done.stdout
    assert "fields   17: 6 mapped, 9 transformed, 2 carried" in done.stdout
    assert "enquire_si" not in done.stdout


def test_coverage_shows_the_columns_of_a_batch_file(run: Callable[..., Done]) -> None:
    done = run("coverage", "--function", "upload_file")

    assert 0 == done.returncode, done.stderr
    assert "SI01 and SI-BATCH-INPUT detail, file-upload.toml" in done.stdout
    assert "counterparty_account" in done.stdout
    assert "columns  21: 6 mapped, 11 transformed, 1 refused, 1 left out, 2 constant by template" in done.stdout


def test_explain_tells_a_column(run: Callable[..., Done]) -> None:
    done = run("explain", "record.hold")

    assert 0 == done.returncode, done.stderr
    assert "hold: column of SI-BATCH-INPUT detail" in done.stdout
    assert "a deletion puts nothing on hold" in done.stdout
    assert "file-upload.cases.toml:" in done.stdout


def test_coverage_writes_a_page_and_json_of_the_folder_given(run: Callable[..., Done], tmp_path: Path) -> None:
    copy = tmp_path / "mappings"
    shutil.copytree(mappings_folder(), copy)
    head = copy / "rules/set.toml"
    head.write_text(head.read_text("utf-8").replace("hk-default", "broker-own"), "utf-8")
    page = tmp_path / "coverage.html"
    done = run("coverage", str(copy), "--html", str(page), "--json")
    told = json.loads(done.stdout)

    assert 0 == done.returncode, done.stderr
    assert "broker-own" == told["name"]
    assert told["hash"] in page.read_text("utf-8")
    assert {"input_si", "enquire_si", "status_change"} <= {each["function"] for each in told["functions"]}


def test_coverage_of_what_is_not_there_is_wrong_use(run: Callable[..., Done], tmp_path: Path) -> None:
    unknown = run("coverage", "--function", "inputs")
    nowhere = run("coverage", "--html", str(tmp_path / "none/coverage.html"))

    assert (2, 2) == (unknown.returncode, nowhere.returncode)
    assert "there is no function inputs; there are" in unknown.stderr
    assert "input_si" in unknown.stderr
    assert "writing the page" in nowhere.stderr


def test_explain_tells_a_place_both_ways(run: Callable[..., Done]) -> None:
    done = run("explain", "FIAC/36B:SETT")

    assert 0 == done.returncode, done.stderr
    for told in (
        "quantity, whole shares above zero",
        "si-input.toml:",
        "shared/si-details.toml:",
        "si-input.cases.toml:",
    ):
        assert told in done.stdout


def test_explain_tells_function_table_and_member_of_one_word(run: Callable[..., Done]) -> None:
    purpose = run("explain", "purpose")
    money = json.loads(run("explain", "money", "--json").stdout)

    assert "purpose: member of OCP's documents" in purpose.stdout
    assert "purpose: code table" in purpose.stdout
    assert "OWNE" in purpose.stdout
    assert ["money"] == [function["name"] for function in money["functions"]]
    assert money["functions"][0]["to_legacy_examples"]


def test_explain_of_an_unknown_word_tells_what_is_near(run: Callable[..., Done]) -> None:
    done = run("explain", "quantty")
    told = run("explain", "quantty", "--json")

    assert (1, 1) == (done.returncode, told.returncode)
    assert "quantity" in done.stderr
    assert "quantity" in json.loads(told.stdout)["near"]
