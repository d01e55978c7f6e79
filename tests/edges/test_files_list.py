"""`pg-bridge files list`: what a person and a program see of the drop folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pg_bridge.cli.main import app
from pg_bridge.cli.processes import write_config
from pg_bridge.errors import ConfigError
from pg_bridge.pss.drop_folder import DropFolder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    DropFolder(tmp_path / "drop", "node1").prepare()
    return tmp_path / "drop"


def config(root: Path) -> Path:
    path = write_config(root.parent, "http://127.0.0.1:1", ["B01234", "C00019"])
    text = path.read_text().replace("[participants.B01234]\n", f'[participants.B01234]\ndrop_folder = "{root}"\n')
    path.write_text(text)
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["files", "list", *map(str, words)])


def told(*words: str | Path) -> Any:
    return json.loads(run(*words, "--json").output)


def test_what_lies_where_is_told(root: Path) -> None:
    for path in ("inbox/SI3.txt", "taken/node1/F2~SI2.txt", "outbox/SI1.txt.F1.report", "archive/20261123/F1~SI1.txt"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(b"1234")
    found = told("-c", config(root))
    lies = [(file["folder"], file["file"], file["claim"], file["what"]) for file in found["files"]]

    assert [
        ("inbox", "SI3.txt", "", "file"),
        ("taken", "SI2.txt", "F2", "file"),
        ("outbox", "SI1.txt.F1.report", "", "report"),
    ] == lies
    assert ({"B01234": 1}, []) == (found["archived"], found["findings"])
    assert 4 == len(told("-c", config(root), "--archive")["files"])
    done = run("-c", config(root))
    assert (0, True) == (done.exit_code, "SI2.txt" in done.output)


def test_what_is_wrong_is_told_with_exit_code_1(root: Path) -> None:
    (root / "inbox/folder").mkdir()
    assert ["PGB-DRP-003"] == [finding["code"] for finding in told("-c", config(root))["findings"]]
    (root / "outbox").rmdir()

    assert [str(root / "outbox")] == [finding["path"] for finding in told("-c", config(root))["findings"]]
    assert 1 == run("-c", config(root)).exit_code


def test_a_participant_without_a_folder_is_wrong_use(root: Path) -> None:
    assert isinstance(run("-c", config(root), "--participant", "C00019").exception, ConfigError)
