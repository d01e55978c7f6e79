"""`pg-bridge mappings load` before any bridge is reached: what cannot be used is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError
from pg_bridge.example_config import EXAMPLE


def said(*arguments: str) -> str:
    """The text of the ConfigError that the verb ends in (exit code 2)."""
    with pytest.raises(ConfigError) as raised:
        CliRunner().invoke(app, ["mappings", "load", *arguments], catch_exceptions=False)
    return str(raised.value)


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no folder" in said(str(tmp_path / "nowhere"), "--control", str(tmp_path / "door.sock"))


def test_name_or_reason_that_no_journal_should_hold(tmp_path: Path) -> None:
    assert "--by takes at most 100 printable characters" in said(str(tmp_path), "--by", "a\nb")
    assert "--reason takes at most 1000 printable characters" in said(str(tmp_path), "--reason", "x" * 1001)


def test_configuration_without_a_door(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(EXAMPLE.replace('socket = "pg-bridge.control.sock"', 'socket = ""'), "utf-8")

    assert "opens no control door" in said("-c", str(config))


def test_nobody_listens(tmp_path: Path) -> None:
    assert "does the bridge run?" in said("--control", str(tmp_path / "door.sock"))


def test_findings_are_shown_also_where_nobody_listens(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["mappings", "load", str(tmp_path), "--control", str(tmp_path / "door.sock")])

    assert isinstance(result.exception, ConfigError)
    assert "PGB-" in result.stdout
    assert "The bridge was not told of it." in result.stdout


def test_file_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "set.toml").write_bytes(b"\xff")
    result = CliRunner().invoke(app, ["mappings", "load", str(tmp_path), "--control", str(tmp_path / "door.sock")])

    assert 1 == result.exit_code
    assert "no UTF-8" in result.stdout
