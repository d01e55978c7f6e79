"""A person finds an instruction in doubt, sees what was asked about it, and says what became of it."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError
from pg_bridge.journal.verify import verify
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.mapping_sets import set_files
from tests.doubles.stack import Stack, up

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = "[exchange]\nretry_first_s = 0.05\nretry_most_s = 0.1\nanswer_within_s = 0.3\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doubtful(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack whose three looks take one second in place of sixty."""
    folder = tmp_path_factory.mktemp("stack")
    made = Stack(folder, extra=SETTINGS)
    for path, text in set_files("shipped").items():
        file = folder / "set" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("in_doubt_window_s = 60", "in_doubt_window_s = 1"), "utf-8")
    (folder / "set" / "messages.toml").unlink()
    made.mappings = str(folder / "set")
    async with up(made):
        yield made


async def run(*arguments: str, said: str = "") -> tuple[int, str]:
    """A verb of `pg-bridge exchanges`: its exit code and what it printed. said: what the person types."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["exchanges", *arguments], input=said)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


async def run_json(*arguments: str) -> tuple[int, Any]:
    code, text = await run(*arguments, "--json")
    return code, json.loads(text)


async def into_doubt(stack: Stack, pss: ScriptedPss, reference: str) -> None:
    """OCP refuses an entry and the answer is lost: its request id is used, and no SI is there to be found."""
    words = stack.words
    body = words.deliver(reference)
    day = body.split(b":98A::SETT//")[1][:8]
    await stack.fault("si_add", "timed_out")
    pss.send(
        words.input["deliver"], words.input["template"], body.replace(b":98A::SETT//" + day, b":98A::SETT//20200103")
    )
    assert await stack.eventually(lambda: stack.entries(kind="exchange_in_doubt", reference=reference))


async def test_doubt_is_listed_shown_refused_confirmed_and_told(doubtful: Stack) -> None:
    words, config = doubtful.words, str(doubtful.config)
    pss = await doubtful.pss()
    words.send_deliver(pss, "GOOD1")
    good = await pss.message(words.template["answer"], words.holds("related", "GOOD1"))
    other = good.text.split(":20C::PREV//")[1].split("\r\n")[0]
    await into_doubt(doubtful, pss, "DOUBT1")
    waits = await pss.message(words.template["answer"], words.holds("related", "DOUBT1"))
    code, listed = await run_json("list", "--in-doubt", "-c", config)
    (one,) = listed["listing"]["exchanges"]
    _, steps = await run_json("show", "DOUBT1", "-c", config)
    why = ("--reason", "OCP's desk confirms", "--by", "A. Chan", "-c", config)
    unknown = await run_json("resolve", "DOUBT1", "--done", "I99999999", "--yes", *why)
    anothers = await run_json("resolve", "DOUBT1", "--done", other, "--yes", *why)
    preview = await run_json("resolve", "DOUBT1", "--not-done", *why)
    declined = await run("resolve", "DOUBT1", "--not-done", *why, said="n\n")
    still = doubtful.entries(kind="doubt_resolved")
    done = await run("resolve", "DOUBT1", "--not-done", *why, said="y\n")
    late = await pss.message("SI60", words.holds("related", "DOUBT1"), "IPRC//REJT")
    again = await run_json("resolve", one["exchange"], "--not-done", "--yes", *why)
    after = await run_json("list", "-c", config)
    await pss.log_off()
    (resolved,) = doubtful.entries(kind="doubt_resolved")
    who = resolved.body()["who"]

    assert "IPRC//PPRC" in waits.text
    assert (1, "DOUBT1", "in_doubt", True) == (code, one["reference"], one["stage"], one["is_told"])
    expected = ["received", "called", "outcome unknown", "looked", "id used", "looked", "looked", "in doubt"]
    assert expected == [step["what"] for step in steps if step["what"] not in ("left", "told to wait")]
    assert {one["request_id"]} == {step["request_id"] for step in steps if step["what"] in ("called", "looked")}
    assert (1, "refused", "PGB-XCH-034") == (unknown[0], unknown[1]["verdict"], unknown[1]["findings"][0]["code"])
    assert "OCP knows no I99999999 of B01234" == unknown[1]["findings"][0]["text"]
    assert (1, "PGB-XCH-034") == (anothers[0], anothers[1]["findings"][0]["code"])
    assert f"{other} was entered by GOOD1" in anothers[1]["findings"][0]["text"]
    assert (0, "would_resolve", 0) == (preview[0], preview[1]["verdict"], preview[1]["position"])
    assert 1 == declined[0]
    assert [] == still
    assert (0, True) == (done[0], "Its PSS is told: refused, as a status change" in done[1])
    assert not late.is_answer
    assert (1, "PGB-XCH-031") == (again[0], again[1]["findings"][0]["code"])
    assert (0, 0) == (after[0], after[1]["listing"]["in_doubt"])
    assert ("A. Chan", getpass.getuser(), "OCP's desk confirms") == (who["by"], who["user"], who["reason"])
    assert 3 == len(doubtful.entries(kind="resolution_refused"))


async def test_doubt_outlives_the_bridge_and_is_listed_from_its_journal(doubtful: Stack) -> None:
    pss = await doubtful.pss()
    await into_doubt(doubtful, pss, "DOUBT2")
    await pss.log_off()
    await doubtful.stop_bridge()
    code, listed = await run_json("list", "--in-doubt", "--undelivered", "--journal", str(doubtful.journal))
    text = await run("list", "--in-doubt", "--open", "--parked", "--journal", str(doubtful.journal))
    shown = await run("show", "DOUBT2", "--journal", str(doubtful.journal))
    with pytest.raises(ConfigError, match="does the bridge run"):
        await run("list", "-c", str(doubtful.config))
    await doubtful.start_bridge()
    pss = await doubtful.pss()
    resolved = await run_json(
        "resolve", "DOUBT2", "--not-done", "--yes", "--reason", "asked", "-c", str(doubtful.config)
    )
    await pss.message("SI60", doubtful.words.holds("related", "DOUBT2"), "IPRC//REJT")
    await pss.log_off()

    assert (1, ["DOUBT2"]) == (code, [one["reference"] for one in listed["listing"]["exchanges"]])
    assert "1 in doubt" in text[1]
    assert "0 parked" in text[1]
    assert (0, True) == (shown[0], "3 looks did not find it" in shown[1])
    assert (0, "resolved") == (resolved[0], resolved[1]["verdict"])
    assert verify(doubtful.journal).is_good


async def test_what_cannot_be_used_is_said(doubtful: Stack, tmp_path: Path) -> None:
    config = str(doubtful.config)
    for arguments, text in (
        (["resolve", "X", "--reason", "x"], "say --done with the number of the SI, or --not-done"),
        (["resolve", "X", "--done", "I1", "--not-done", "--reason", "x"], "say --done with"),
        (["resolve", "X", "--not-done", "--reason", " "], "--reason says why"),
        (["resolve", "X", "--not-done", "--reason", "a\nb"], "printable"),
        (["list", "--parked"], "name the journal"),
        (["show", "X"], "name it with --journal"),
    ):
        with pytest.raises(ConfigError, match=text):
            await run(*arguments)
    nobody = await run_json("resolve", "NOBODY", "--not-done", "--reason", "x", "-c", config)

    assert (1, "PGB-XCH-032") == (nobody[0], nobody[1]["findings"][0]["code"])
    assert 1 == (await run("show", "NOBODY", "-c", config))[0]
