"""What a running bridge has journaled, run again through the set that it runs on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.stack import Stack, deliver, enquiry, receive

ROOT = Path(__file__).parents[2]


def replay(journal: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_bridge", "mappings", "replay", "shipped", "--from", str(journal), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_the_journal_of_a_running_bridge_gives_the_same_again(shared_stack: Stack) -> None:
    seller, buyer = await shared_stack.pss("B01234"), await shared_stack.pss("C00019")
    seller.send("543", "SI01", deliver("REPLAY1"))
    await seller.message("SI51", ":20C::RELA//REPLAY1\r\n", "PACK")
    buyer.send("541", "SI01", receive("REPLAY2"))
    for pss, reference in ((seller, "REPLAY1"), (buyer, "REPLAY2")):
        await pss.message("SI60", f":20C::RELA//{reference}\r\n", ":25D::MTCH//MACH")
    seller.send("543", "SI01", deliver("REPLAY3", quantity="0,"))
    await seller.message("SI51", ":20C::RELA//REPLAY3\r\n", "REJT")
    seller.send("543", "SI01", deliver("REPLAY1", quantity="7,"))
    await seller.message("SI51", ":20C::RELA//REPLAY1\r\n", "REJT")
    seller.send("549", "SI07", enquiry("REPLAY4", related="REPLAY1"))
    await seller.message("T03A", ":20C::RELA//REPLAY1\r\n")
    done = replay(shared_stack.journal)
    day = json.loads(done.stdout)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert ([], []) == (day["causes"], day["not_run"])
    assert {"request taken", "request refused", "answer", "update"} <= set(day["kinds"])
