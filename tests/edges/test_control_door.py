"""The control door on a real Unix domain socket: who may open it, who opened it, and whose it is."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from pg_bridge.console.control import MOST_BODY, InForce, Load, NextStart, control_door
from pg_bridge.errors import ConfigError, JournalFull
from pg_bridge.exchange.records import MappingSet, Who

START = NextStart(folder="/etc/mappings", hash="ab")


class Port:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], Who]] = []
        self.verdict: Any = "loaded"
        self.is_full = False

    async def in_force(self) -> InForce:
        return InForce(in_force=MappingSet("set", "1", "ab"), position=7, ending=[], next_start=START)

    async def load(self, files: Mapping[str, str], who: Who) -> Load:
        if self.is_full:
            raise JournalFull("the journal is busy")
        self.told.append((dict(files), who))
        return Load(
            verdict=self.verdict,
            loaded=MappingSet("set", "2", "cd"),
            before=MappingSet("set", "1", "ab"),
            position=8,
            in_flight=0,
            findings=[],
            next_start=START,
        )


async def ask(path: Path, document: Any = None, *, content: bytes = b"") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path))) as http:
        if document is not None:
            return await http.post("http://bridge/mappings", json=document)
        if content:
            return await http.post("http://bridge/mappings", content=content)
        return await http.get("http://bridge/mappings")


async def test_only_the_owner_may_open_it_and_it_is_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    async with control_door(str(path), Port()):
        mode = path.lstat().st_mode

    assert stat.S_ISSOCK(mode)
    assert 0o600 == stat.S_IMODE(mode)
    assert not path.exists()


async def test_umask_is_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        async with control_door(str(tmp_path / "door.sock"), Port()):
            after = os.umask(0o022)
    finally:
        os.umask(before)

    assert 0o022 == after


async def _told(tmp_path: Path) -> Who:
    port = Port()
    async with control_door(str(tmp_path / "door.sock"), port):
        answer = await ask(tmp_path / "door.sock", {"files": {"a": "b"}, "by": "A. Chan", "reason": "why"})
    assert 200 == answer.status_code
    return port.told[0][1]


async def test_who_did_it_is_the_word_of_the_kernel_beside_what_is_stated(tmp_path: Path) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name

    assert Who(user=user, uid=os.geteuid(), pid=os.getpid(), by="A. Chan", reason="why") == await _told(tmp_path)


def test_the_kernel_is_heard_on_the_loop_of_the_real_bridge_too(tmp_path: Path) -> None:
    assert os.getpid() == uvloop.run(_told(tmp_path)).pid


async def test_caller_cannot_say_who_the_kernel_says_it_is(tmp_path: Path) -> None:
    port = Port()
    async with control_door(str(tmp_path / "door.sock"), port):
        answer = await ask(tmp_path / "door.sock", {"files": {}, "user": "somebody", "uid": 0})

    assert 400 == answer.status_code
    assert [] == port.told


async def test_set_in_force_is_shown(tmp_path: Path) -> None:
    async with control_door(str(tmp_path / "door.sock"), Port()):
        answer = await ask(tmp_path / "door.sock")

    assert {"name": "set", "version": "1", "hash": "ab"} == answer.json()["in_force"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"files": {"a": 1}}', 400),
        (b'{"files": {}, "by": "a\\nb"}', 400),
        (b'{"files": {}, "reason": "' + b"x" * 1001 + b'"}', 400),
        (b"\xff", 400),
        (b" " * (MOST_BODY + 1), 413),
    ],
)
async def test_what_is_no_command_is_refused_and_told_to_nobody(content: bytes, status: int, tmp_path: Path) -> None:
    port = Port()
    async with control_door(str(tmp_path / "door.sock"), port):
        answer = await ask(tmp_path / "door.sock", content=content)

    assert status == answer.status_code
    assert answer.json()["message"]
    assert [] == port.told


async def test_refused_load_and_busy_journal_have_their_statuses(tmp_path: Path) -> None:
    port = Port()
    port.verdict = "refused"
    async with control_door(str(tmp_path / "door.sock"), port):
        refused = await ask(tmp_path / "door.sock", {"files": {}})
        port.is_full = True
        busy = await ask(tmp_path / "door.sock", {"files": {}})

    assert (422, 503) == (refused.status_code, busy.status_code)
    assert "the journal is busy" == busy.json()["message"]


async def test_stale_socket_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    assert path.exists()
    async with control_door(str(path), Port()):
        answer = await ask(path)

    assert 200 == answer.status_code


async def test_second_bridge_does_not_start_and_the_first_keeps_its_door(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    async with control_door(str(path), Port()):
        with pytest.raises(ConfigError, match="another bridge listens there"):
            async with control_door(str(path), Port()):
                pass
        answer = await ask(path)

    assert 200 == answer.status_code


async def test_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text("precious", "utf-8")
    with pytest.raises(ConfigError, match="is no socket"):
        async with control_door(str(path), Port()):
            pass

    assert "precious" == path.read_text("utf-8")


async def test_door_of_another_bridge_is_not_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "door.sock"
    async with control_door(str(path), Port()):
        path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
            other.bind(str(path))

    assert path.exists()


@pytest.mark.parametrize("name", ["x" * 200, "nowhere/door.sock"])
async def test_path_that_cannot_be_used_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"opening the control door .*\[control\] socket"):
        async with control_door(str(tmp_path / name), Port()):
            pass


async def test_door_answers_while_a_command_takes_its_time(tmp_path: Path) -> None:
    gate = asyncio.Event()

    class Slow(Port):
        async def load(self, files: Mapping[str, str], who: Who) -> Load:
            await gate.wait()
            return await super().load(files, who)

    path = tmp_path / "door.sock"
    async with control_door(str(path), Slow()):
        load = asyncio.ensure_future(ask(path, {"files": {}}))
        shown = await ask(path)
        gate.set()
        loaded = await load

    assert (200, 200) == (shown.status_code, loaded.status_code)
