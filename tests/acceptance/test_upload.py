"""Batch files on the wire: parts, records as instructions, and the control report."""

from __future__ import annotations

from pathlib import Path

from pg_bridge.journal.verify import verify
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.batch import parts, tag_based
from tests.doubles.stack import Stack, deliver, receive, stack


def upload(pss: ScriptedPss, name: str, content: bytes, *, part: int = 0) -> list[int]:
    """Send a file; gives the sequence numbers of its parts."""
    return [pss.send("598", "FL01", body) for body in parts(name, content, part=part)]


async def times_entered(stack: Stack, *references: str) -> list[int]:
    return [len(await stack.entered(reference)) for reference in references]


async def test_a_good_file_is_entered_and_reported(tmp_path: Path) -> None:
    async with stack(tmp_path) as made:
        pss = await made.pss()
        upload(pss, "GOOD", tag_based(deliver("UPL00001"), receive("UPL00002", counterparty="C00019")))
        report = await pss.message("FL51")
        await pss.log_off()
        entered = await times_entered(made, "UPL00001", "UPL00002")
        answers = [got for got in pss.received if got.frame.template == "SI51"]

    assert ":20:PART000001\r\n:12:110\r\n:77E:FILE/GOOD\r\nSTAT/ACCP\r\nREAD/2\r\nACCP/2\r\nREJT/0\r\n" == report.text
    assert [1, 1] == entered
    assert [] == answers
    assert () == verify(made.journal).findings
