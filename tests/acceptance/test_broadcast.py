"""The operator tells all participants something: those that are on now, the others at their next log-on."""

from __future__ import annotations

import asyncio
import getpass
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.processes import stop
from pg_bridge.journal.verify import verify
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "The second session is cancelled. Instructions for today may be put in again tomorrow.\nSee the web site."


async def broadcast(stack: Stack, *arguments: str) -> tuple[int, Any]:
    done = await asyncio.to_thread(
        CliRunner().invoke, app, ["broadcast", *arguments, "-c", str(stack.config), "--json"]
    )
    return done.exit_code, json.loads(done.stdout)


async def test_one_is_on_and_one_is_off_over_a_restart(shared_stack: Stack, tmp_path: Path) -> None:
    on = await shared_stack.pss("B01234")
    code, sent = await broadcast(
        shared_stack, "--head", "TYPHOON SIGNAL NO. 8", "--text", TEXT, "--by", "A. Chan", "--reason", "typhoon"
    )
    now = await on.message("BC60", "HEAD/TYPHOON SIGNAL NO. 8")
    await on.log_off()
    await stop(shared_stack.bridge)
    await shared_stack.start_bridge()
    late = await shared_stack.pss("C00019")
    then = await late.message("BC60", "HEAD/TYPHOON SIGNAL NO. 8")
    await late.log_off()
    again = await shared_stack.pss("B01234")
    await again.log_off()
    await shared_stack.eventually(
        lambda: 2 == len(shared_stack.entries(kind="delivery_acknowledged", exchange=sent["broadcast"]))
    )
    entries = shared_stack.entries(exchange=sent["broadcast"])
    (ordered,) = [entry for entry in entries if entry.kind == "broadcast_ordered"]
    lines = [
        "TEXT/The second session is cancelled. Instructions for today may be",
        "TEXT/put in again tomorrow.",
        "TEXT/See the web site.",
    ]

    assert (0, "sent") == (code, sent["verdict"])
    assert [("B01234", True), ("C00019", False)] == [(told["participant"], told["is_on"]) for told in sent["told"]]
    assert (False, True) == (now.frame.possible_duplicate, then.frame.possible_duplicate)
    for got in (now, then):
        assert lines == got.text.split("\r\n")[3:-1]
    assert [] == again.received
    assert ("A. Chan", "typhoon", getpass.getuser()) == tuple(
        ordered.body()["who"][name] for name in ("by", "reason", "user")
    )
    assert 2 == len([entry for entry in entries if entry.kind == "delivery_queued"])
    assert 2 == len([entry for entry in entries if entry.kind == "delivery_acknowledged"])
    assert verify(shared_stack.journal).is_good


async def test_named_ones_only(shared_stack: Stack) -> None:
    one, other = await shared_stack.pss("B01234"), await shared_stack.pss("C00019")
    await broadcast(shared_stack, "--head", "FOR ONE", "--text", "A", "--to", "C00019")
    await broadcast(shared_stack, "--head", "FOR BOTH", "--text", "B")
    await one.message("BC60", "HEAD/FOR BOTH")
    await other.message("BC60", "HEAD/FOR BOTH")
    await one.log_off()
    await other.log_off()

    assert ["FOR BOTH"] == [got.text.split("HEAD/")[1].split("\r\n")[0] for got in one.received]
    assert ["FOR ONE", "FOR BOTH"] == [got.text.split("HEAD/")[1].split("\r\n")[0] for got in other.received]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--head", "A", "--text", "one\ntwo; three"], "semicolon"),
        (["--head", "A HEAD OF MORE THAN THIRTY-FIVE CHARACTERS", "--text", "B"], "does not fit"),
        (["--head", "A", "--text", "B", "--to", "B99999"], "no configured participant"),
        (["--head", "A", "--text", "\n".join("B" * 101)], "101 lines"),
    ],
)
async def test_what_cannot_be_sent_is_told_and_goes_to_nobody(
    shared_stack: Stack, arguments: list[str], told: str
) -> None:
    pss = await shared_stack.pss("B01234")
    code, refused = await broadcast(shared_stack, *arguments)
    await pss.log_off()
    (entry,) = shared_stack.entries(exchange=refused["broadcast"])

    assert (1, "refused") == (code, refused["verdict"])
    assert told in refused["findings"][0]["text"]
    assert [] == pss.received
    assert "broadcast_refused" == entry.kind


async def test_send_prints_it(shared_stack: Stack) -> None:
    """As people call both verbs."""
    arguments = [
        "send",
        "tests/messages/mt549_enquire_by_related_reference.fin",
        "--to",
        f"{shared_stack.host}:{shared_stack.port}",
    ]
    arguments += [
        "--participant",
        "C00019",
        "--template",
        "SI07",
        "--message-type",
        "549",
        "--wait",
        "5",
        "--listen",
        "1",
    ]
    said = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pg_bridge", "broadcast", "--head", "FOR PEOPLE", "--text", "-", "-c", str(shared_stack.config)],
        input="Read this.", capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments)

    assert 0 == said.returncode, said.stderr
    assert "waits for its log-on" in said.stdout
    assert "unasked" in done.stdout
    assert "HEAD/FOR PEOPLE" in done.stdout
    assert "TEXT/Read this." in done.stdout
