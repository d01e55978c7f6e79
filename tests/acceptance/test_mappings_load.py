"""The running bridge takes another mapping set: what a person types, and what the PSSs see."""

from __future__ import annotations

import asyncio
import getpass
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.processes import stop
from pg_bridge.journal.verify import verify
from pg_bridge.mapping.book import content_hash
from tests.doubles.mapping_files import shipped
from tests.doubles.sets import EDITED_STOCK, broken, edited, versioned
from tests.doubles.stack import Stack, deliver, receive

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = "ocp/profile.toml"


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pg_bridge", "mappings", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )


async def load(stack: Stack, *arguments: str) -> tuple[int, Any]:
    """The verb, without the second that a process of its own takes to start."""
    done = await asyncio.to_thread(
        CliRunner().invoke, app, ["mappings", "load", *arguments, "-c", str(stack.config), "--json"]
    )
    return done.exit_code, json.loads(done.stdout)


def set_of(stack: Stack, kind: str, reference: str) -> list[str]:
    return [entry.mapping.rpartition("/")[2] for entry in stack.entries(kind=kind, reference=reference)]


async def test_message_in_flight_ends_by_the_old_set_the_next_goes_by_the_new(
    shared_stack: Stack, tmp_path: Path
) -> None:
    _, before = await load(shared_stack)
    pss = await shared_stack.pss()
    await shared_stack.fault("si_add", "late", delay_s=8)
    pss.send("543", "SI01", deliver("OLD1", stock=EDITED_STOCK))
    for _ in range(400):
        if await shared_stack.entered("OLD1"):
            break
        await asyncio.sleep(0.02)
    code, loaded = await load(
        shared_stack, str(written(tmp_path, edited())), "--by", "A. Chan", "--reason", "stock 07001 has moved"
    )
    answered_then = shared_stack.entries(kind="exchange_answered", reference="OLD1")
    pss.send("543", "SI01", deliver("NEW1", stock=EDITED_STOCK))
    await pss.message("SI51", ":20C::RELA//OLD1\r\n", ":25D::IPRC//PACK")
    await pss.message("SI51", ":20C::RELA//NEW1\r\n", ":25D::IPRC//PACK")
    await pss.log_off()
    _, after = await load(shared_stack)
    old, new = before["in_force"]["hash"][:12], content_hash(edited())[:12]
    documents = [
        entry.body()["document"]
        for reference in ("OLD1", "NEW1")
        for entry in shared_stack.entries(kind="instruction_received", reference=reference)
    ]
    (entry,) = shared_stack.entries(kind="mappings_loaded", reference=new)
    who = entry.body()["who"]

    assert (0, "loaded", 1) == (code, loaded["verdict"], loaded["in_flight"])
    assert [] == answered_then
    assert ["HKMK", "MAMK"] == [document["market"] for document in documents]
    for reference, expected in (("OLD1", old), ("NEW1", new)):
        assert [expected] == set_of(shared_stack, "instruction_received", reference)
        assert [expected] == set_of(shared_stack, "exchange_answered", reference)
        assert 1 == len(await shared_stack.entered(reference))
    assert (getpass.getuser(), "A. Chan", "stock 07001 has moved") == (who["user"], who["by"], who["reason"])
    assert (content_hash(edited()), loaded["position"], []) == (
        after["in_force"]["hash"],
        after["position"],
        after["ending"],
    )
    assert verify(shared_stack.journal).is_good


async def test_broken_set_is_refused_with_its_findings_and_changes_nothing(shared_stack: Stack, tmp_path: Path) -> None:
    folder = str(written(tmp_path, broken()))
    _, before = await load(shared_stack)
    code, refused = await load(shared_stack, folder, "--by", "A. Chan")
    told = await run("load", folder, "-c", str(shared_stack.config))
    checked = CliRunner().invoke(app, ["mappings", "check", folder, "--json"])
    _, after = await load(shared_stack)
    pss = await shared_stack.pss()
    pss.send("543", "SI01", deliver("STILL1"))
    await pss.message("SI51", ":20C::RELA//STILL1\r\n", ":25D::IPRC//PACK")
    await pss.log_off()
    entry = shared_stack.entries(kind="mappings_refused", reference=content_hash(broken())[:12])[0]

    assert (1, 1, "refused") == (code, told.returncode, refused["verdict"])
    assert json.loads(checked.stdout)["findings"] == refused["findings"]
    assert "FIAC/36B:SEET" in told.stdout
    assert "Nothing changed" in told.stdout
    assert before == after
    assert [before["in_force"]["hash"][:12]] == set_of(shared_stack, "instruction_received", "STILL1")
    assert "A. Chan" == entry.body()["who"]["by"]
    assert len(refused["findings"]) == len(entry.findings)
    assert verify(shared_stack.journal).is_good


async def test_set_with_another_ocp_profile_calls_subscribes_and_takes_pushes_anew(
    shared_stack: Stack, tmp_path: Path
) -> None:
    files = versioned("other profile")
    assert "silence_s = 60" in files[PROFILE]
    files[PROFILE] = files[PROFILE].replace("silence_s = 60", "silence_s = 61")
    seller, buyer = await shared_stack.pss("B01234"), await shared_stack.pss("C00019")
    code, _ = await load(shared_stack, str(written(tmp_path, files)))
    seller.send("543", "SI01", deliver("OCPS1", stock="00021"))
    await seller.message("SI51", ":20C::RELA//OCPS1\r\n", ":25D::IPRC//PACK")
    buyer.send("541", "SI01", receive("OCPB1", stock="00021"))
    await buyer.message("SI51", ":20C::RELA//OCPB1\r\n", ":25D::IPRC//PACK")
    await seller.message("SI60", ":20C::RELA//OCPS1\r\n", ":25D::MTCH//MACH")
    await seller.log_off()
    await buyer.log_off()

    assert 0 == code
    assert {content_hash(files)[:12]} == set(set_of(shared_stack, "delivery_queued", "OCPS1"))


async def test_next_start_uses_the_configured_folder_and_the_verb_says_so(shared_stack: Stack, tmp_path: Path) -> None:
    folder = str(written(tmp_path, versioned("trial")))
    told = await run("load", folder, "-c", str(shared_stack.config))
    await stop(shared_stack.bridge)
    nobody = await run("load", "-c", str(shared_stack.config))
    await shared_stack.start_bridge()
    shown = await run("load", "--control", str(shared_stack.folder / "control.sock"))
    started = shared_stack.entries(kind="node_started")[-1].body()

    assert (0, 2, 0) == (told.returncode, nobody.returncode, shown.returncode)
    assert "NOTE: the next start uses" in told.stdout
    assert "does the bridge run?" in nobody.stderr
    assert "NOTE" not in shown.stdout
    assert content_hash(shipped())[:12] in shown.stdout
    assert ("hk-default", "2026.11", content_hash(shipped())) == (
        started["set_name"],
        started["set_version"],
        started["mapping"],
    )
