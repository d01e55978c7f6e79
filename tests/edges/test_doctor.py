"""`pg-bridge doctor`: what is good, warned of and wrong, with the pretend OCP and with what is not there."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from tests.doubles.stack import Stack


def examine(config: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit code, and what was found: the worst verdict of each thing, with its text."""
    done = CliRunner().invoke(app, ["doctor", "-c", str(config), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    document = json.loads(done.stdout)
    found: dict[str, tuple[str, str]] = {}
    for line in document["lines"]:
        assert line["remedy"] or line["verdict"] == "good"
        if line["what"] not in found or line["verdict"] != "good":
            found[line["what"]] = (line["verdict"], line["text"])
    return done.exit_code, found


@pytest.fixture
async def ocp(tmp_path: Path) -> Any:
    """A pretend OCP and a configuration for it; no bridge."""
    stack = Stack(tmp_path)
    await stack.start_ocp()
    yield stack
    await stack.stop()


@contextmanager
def changed(config: Path, old: str, new: str) -> Iterator[None]:
    text = config.read_text("utf-8")
    assert old in text
    config.write_text(text.replace(old, new, 1), "utf-8")
    yield
    config.write_text(text, "utf-8")


async def in_thread(config: Path) -> tuple[int, dict[str, tuple[str, str]]]:
    """The verb has a loop of its own."""
    return await asyncio.to_thread(examine, config)


async def test_an_installation_that_works_is_good_in_all_and_a_running_bridge_is_seen(ocp: Stack) -> None:
    code, found = await in_thread(ocp.config)
    await ocp.start_bridge()
    _, running = await in_thread(ocp.config)

    assert (0, {"good"}) == (code, {verdict for verdict, _ in found.values()}), found
    assert "does not run" in found["bridge"][1]
    assert "it runs" in running["bridge"][1]
    assert {
        "configuration",
        "mapping set",
        "company's key",
        "machine's key",
        "OCP",
        "token",
        "clock",
        "disk",
        "fsync",
    } <= set(found)


async def test_each_thing_that_is_wrong_is_told(ocp: Stack, tmp_path: Path) -> None:
    config = ocp.config
    (tmp_path / "machine.pem").chmod(0o640)
    _, open_key = await in_thread(config)
    (tmp_path / "machine.pem").chmod(0o600)
    with changed(config, "DEMOCOMPANY-M1", "SOMEBODY"):
        code, nobody = await in_thread(config)
    with changed(config, "[pss]\nport = 0", "[pss]\nport = 1"), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config.write_text(config.read_text("utf-8").replace("port = 1", f"port = {taken.getsockname()[1]}"), "utf-8")
        _, port = await in_thread(config)
    with changed(config, "[pss]", f'[reports]\nfolder = "{tmp_path}/none"\n[pss]'):
        _, reports = await in_thread(config)
    with changed(config, "[participants.B01234]", f'[participants.B01234]\ndrop_folder = "{tmp_path}/drop"'):
        warned, drop = await in_thread(config)

    assert ("wrong", True) == (open_key["machine's key"][0], "0640" in open_key["machine's key"][1])
    assert "not asked" in open_key["OCP"][1]
    assert (2, "wrong") == (code, nobody["token"][0])
    assert "good" == nobody["OCP"][0]
    assert "wrong" == port["[pss] port"][0]
    assert "wrong" == reports["reports"][0]
    assert (1, "warning") == (warned, drop["drop folder B01234"][0])


async def test_without_an_ocp_the_rest_is_still_looked_at(ocp: Stack) -> None:
    await ocp.stop()
    code, found = await in_thread(ocp.config)

    assert 2 == code
    assert ["wrong", "wrong", "warning"] == [found[what][0] for what in ("OCP", "token", "clock")]
    assert "good" == found["disk"][0]


async def test_a_configuration_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text("[ocp", "utf-8")

    code, found = await in_thread(config)

    assert (2, ["configuration"]) == (code, list(found))
