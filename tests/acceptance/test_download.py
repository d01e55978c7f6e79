"""A PSS downloads reports from the bridge's reports folder: in parts, whole, and again after a break."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.send_reports import report_part
from pg_bridge.journal.verify import verify
from pg_bridge.link.parts import Assembly
from pg_bridge.profiles.legacy import read_legacy_profile
from pg_bridge.simulator.pss import Received, ScriptedPss
from tests.doubles.mapping_files import shipped
from tests.doubles.stack import Stack, stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = read_legacy_profile(shipped()).parts
assert FORM is not None
DAY = "20261123"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    (folder / "reports").mkdir()
    async with stack(folder, extra=f'[reports]\nfolder = "{folder / "reports"}"\n') as up:
        yield up


def content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def put(made: Stack, name: str, whole: bytes, participant: str = "B01234") -> Path:
    """Put a report as its writer must: written elsewhere, then renamed."""
    folder = made.folder / "reports" / participant / DAY
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f".{name}").write_bytes(whole)
    (folder / f".{name}").rename(folder / name)
    return folder / name


def request(reference: str, name: str, day: str = DAY) -> bytes:
    return f":20:{reference}\r\n:12:011\r\n:77E:REPT/{name}\r\nDATE/{day}\r\n".encode("ascii")


def ask(pss: ScriptedPss, reference: str, name: str, day: str = DAY) -> int:
    return pss.send("598", "FL02", request(reference, name, day))


async def until(pss: ScriptedPss, count: int) -> list[Received]:
    """All messages once `count` have come."""
    async with asyncio.timeout(60):
        while len(pss.received) < count:
            await pss.wait_for(lambda _: True, 60, after=len(pss.events))
    return pss.received


def whole_of(received: list[Received]) -> bytes:
    assembly = Assembly(FORM)
    step = None
    for got in received:
        part = report_part(FORM, got.frame.body)
        assert part is not None, got.text[:200]
        step = assembly.take(part)
    assert step is not None
    assert "whole" == step.kind, step
    return step.content


async def test_report_comes_in_parts_in_order_and_its_bytes_stand_in_the_journal_once(made: Stack) -> None:
    report = content(1_200_000)
    put(made, "CCLID01", report)
    pss = await made.pss()
    ask(pss, "DOWN1", "CCLID01")
    first = list(await until(pss, 3))
    ask(pss, "DOWN2", "CCLID01")
    second = (await until(pss, 6))[3:]
    await pss.log_off()
    pieces = made.entries(kind="report_piece", participant="B01234")

    assert report == whole_of(first) == whole_of(second)
    assert [":20:DOWN1", ":20:DOWN2"] == [got.text.split("\r\n")[0] for got in (first[0], second[-1])]
    assert {False} == {got.frame.possible_duplicate for got in first + second}
    assert 3 == len(pieces)
    assert "".join(
        entry.body()["lines"] + "\r\n" for entry in sorted(pieces, key=lambda each: each.body()["number"])
    ) == ("".join(got.text.split("\r\n", 7)[7] for got in first))
    assert verify(made.journal).is_good


async def test_answers_behind_it_keep_their_order(made: Stack) -> None:
    put(made, "BIG01", content(2_000_000))
    pss = await made.pss()
    ask(pss, "ORDER1", "BIG01")
    ask(pss, "ORDER2", "NONE01")
    got = await until(pss, 6)
    await pss.log_off()

    assert ["ORDER1"] * 5 + ["ORDER2"] == [each.text.split("\r\n")[0].removeprefix(":20:") for each in got]
    assert [True] * 6 == [each.is_answer for each in got]


@pytest.mark.parametrize(
    ("name", "day", "told"),
    [
        ("NONE01", DAY, "there is no report NONE01 of 20261123"),
        ("CCLID01", "20261124", "there is no report CCLID01 of 20261124"),
        ("../C00019/X", DAY, "there is no report ../C00019/X of 20261123"),
        ("LINK01", DAY, "there is no report LINK01 of 20261123"),
        ("FOLDER01", DAY, "there is no report FOLDER01 of 20261123"),
        ("CCLID01", "20261131", "20261131 is no day of the calendar"),
        ("OTHERS01", DAY, "there is no report OTHERS01 of 20261123"),
    ],
)
async def test_what_is_not_there_is_refused_in_words(made: Stack, name: str, day: str, told: str) -> None:
    folder = put(made, "CCLID01", content(100)).parent
    put(made, "OTHERS01", content(100), participant="C00019")
    if not (folder / "LINK01").is_symlink():
        (folder / "LINK01").symlink_to(folder / "CCLID01")
        (folder / "FOLDER01").mkdir()
    pss = await made.pss()
    ask(pss, "NOT1", name, day)
    (got,) = await until(pss, 1)
    await pss.log_off()
    lines = got.text.split("\r\n")

    assert [":20:NOT1", ":12:111", ":77E:STAT/REJT"] == lines[:3]
    assert told in " ".join(line.removeprefix("TEXT/") for line in lines[3:])


async def test_empty_report_is_one_part_without_data(made: Stack) -> None:
    put(made, "EMPTY01", b"")
    pss = await made.pss()
    ask(pss, "EMPTY1", "EMPTY01")
    got = await until(pss, 1)
    await pss.log_off()

    assert b"" == whole_of(list(got))


async def test_cut_midway_it_comes_again_whole_and_marked_though_the_file_is_gone(made: Stack) -> None:
    report = content(9_000_000, 3)
    path = put(made, "LONG01", report)
    pss = await made.pss()
    ask(pss, "CUT1", "LONG01")
    await until(pss, 1)
    pss.abort()
    path.unlink()
    again = await made.pss()
    got = await until(again, 21)
    await again.log_off()

    assert 21 > len(pss.received)
    assert report == whole_of(got)
    assert {(True, False)} == {(each.frame.possible_duplicate, each.is_answer) for each in got}
    assert {":20:CUT1"} == {each.text.split("\r\n")[0] for each in got}
    assert await made.eventually(lambda: 21 == len(made.entries(kind="delivery_acknowledged", participant="B01234")))


async def test_killed_midway_the_next_bridge_brings_it_whole(made: Stack) -> None:
    report = content(9_000_000, 4)
    put(made, "KILL01", report, participant="C00019")
    pss = await made.pss("C00019")
    ask(pss, "KILL1", "KILL01")
    await until(pss, 1)
    made.bridge.kill()
    await made.bridge.wait()
    await made.start_bridge()
    again = await made.pss("C00019")
    got = await until(again, 21)
    await again.log_off()

    assert report == whole_of(got)
    assert {True} == {each.frame.possible_duplicate for each in got}
    assert verify(made.journal).is_good


async def test_send_puts_it_together_and_saves_it(made: Stack, tmp_path: Path) -> None:
    report = content(1_000_000, 5)
    put(made, "SAVE01", report)
    (tmp_path / "ask.fin").write_bytes(request("SEND1", "SAVE01"))
    (tmp_path / "none.fin").write_bytes(request("SEND2", "NONE01"))
    arguments = ["--to", f"{made.host}:{made.port}", "--participant", "B01234", "--template", "FL02"]
    arguments += ["--message-type", "598", "--listen", "0", "--wait", "20", "--save", str(tmp_path / "saved")]
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["send", str(tmp_path / "ask.fin"), *arguments])
    told = await asyncio.to_thread(CliRunner().invoke, app, ["send", str(tmp_path / "ask.fin"), *arguments, "--json"])
    none = await asyncio.to_thread(CliRunner().invoke, app, ["send", str(tmp_path / "none.fin"), *arguments, "--json"])

    assert (0, 0, 1) == (shown.exit_code, told.exit_code, none.exit_code), shown.stdout
    assert report == (tmp_path / "saved/SAVE01.20261123").read_bytes()
    assert ["SAVE01.20261123"] == [path.name for path in (tmp_path / "saved").iterdir()]
    assert "more lines of data" in shown.stdout
    assert ["answer", "answer", "answer", "saved", "outcome"] == [fact["what"] for fact in json.loads(told.stdout)]
    assert {"sent": 1, "accepted": 0, "refused": 1, "unanswered": 0}.items() <= json.loads(none.stdout)[-1].items()
