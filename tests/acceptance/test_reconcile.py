"""`pg-bridge reconcile`, given to the running bridge."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from tests.doubles.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def reconcile(stack: Stack, *arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(CliRunner().invoke, app, ["reconcile", *arguments, "-c", str(stack.config)])
    return done.exit_code, done.stdout


async def test_open_sis_agree_with_ocp(each_stack: Stack) -> None:
    words, pss = each_stack.words, await each_stack.pss()
    words.send_deliver(pss, "RC1", stock="00021")
    await pss.message(words.template["answer"], words.holds("related", "RC1"))
    code, told = await reconcile(each_stack, "--json", "--by", "A. Chan", "--reason", "early close")
    found: list[dict[str, Any]] = json.loads(told)
    await pss.log_off()
    entry = each_stack.entries(kind="reconciled", participant="B01234")[0].body()

    assert 0 == code
    assert [("B01234", 1, 1, 0), ("C00019", 0, 0, 0)] == [
        (one["participant"], one["open"], one["agreed"], one["disagreed"]) for one in found
    ]
    assert ("A. Chan", "early close") == (entry["who"]["by"], entry["who"]["reason"])


async def test_table_names_each_participant(each_stack: Stack) -> None:
    code, told = await reconcile(each_stack, "--participant", "C00019")

    assert 0 == code
    assert "C00019" in told
    assert "B01234" not in told


async def test_unknown_participant_is_refused(each_stack: Stack) -> None:
    code, _ = await reconcile(each_stack, "--participant", "NOBODY")

    assert 1 == code
