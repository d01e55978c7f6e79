"""A PSS that exchanges files: what it drops is entered once, and its report comes, whatever happens between."""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.journal.verify import verify
from pg_bridge.pss.drop_folder import DropFolder
from tests.doubles.killable_bridge import DROP_STEPS
from tests.doubles.stack import Stack, deliver, up

EXTRA = "[drop]\nscan_s = 0.05\nsettle_s = 0.2\n\n[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"
JOURNAL_STEPS = (
    "before_received_is_durable",
    "when_received_is_durable",
    "after_the_call",
    "when_answered_is_durable",
)


def batch(reference: str, *blocks: bytes, count: int | None = None) -> bytes:
    """A tag-based file of inputs."""
    today = utc_now().astimezone(HONG_KONG).strftime("%Y%m%d")
    head = f":20:{reference}\r\n:12:SI01\r\n:98A:{today}\r\n".encode()
    texts = b"".join(b"{4:\r\n" + block + b"-}\r\n" for block in blocks)
    return head + texts + f":19:{len(blocks) if count is None else count}\r\n".encode()


class DropStack(Stack):
    """A stack whose participant B01234 has a drop folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, extra=EXTRA)
        self.root = folder / "drop"
        DropFolder(self.root, "none").prepare()

    async def start_ocp(self) -> None:
        await super().start_ocp()
        text = self.config.read_text("utf-8")
        own = f'[participants.B01234]\ndrop_folder = "{self.root}"\n'
        self.config.write_text(text.replace("[participants.B01234]\n", own), "utf-8")

    def put(self, name: str, content: bytes) -> None:
        (self.root / "inbox" / f".{name}").write_bytes(content)
        (self.root / "inbox" / f".{name}").rename(self.root / "inbox" / name)

    async def report(self, name: str) -> str:
        """The report of a file, once it lies in the outbox."""
        found = await self.eventually(lambda: sorted((self.root / "outbox").glob(f"{name}.*.report")), 20.0)
        (path,) = found
        return path.read_bytes().decode("ascii")

    async def lies(self, folder: str, name: str) -> list[Path]:
        """The files of that name below a folder, once there is one."""
        return await self.eventually(lambda: sorted((self.root / folder).rglob(f"*~{name}")))


def drop_stack(folder: Path) -> AbstractAsyncContextManager[DropStack]:
    return up(DropStack(folder))


async def test_files_are_entered_reported_and_put_away(tmp_path: Path) -> None:
    async with drop_stack(tmp_path) as stack:
        stack.put("GOOD.txt", batch("GOOD", deliver("DROP0001"), deliver("DROP0002")))
        good = await stack.report("GOOD.txt")
        assert await stack.lies("archive", "GOOD.txt")
        faulty = batch("BAD", deliver("DROP0003"), deliver("DROP0004", quantity="x,"), count=3)
        stack.put("BAD.txt", faulty)
        bad = await stack.report("BAD.txt")
        assert await stack.lies("rejected", "BAD.txt")
        (stack.root / "inbox/half.part").write_bytes(b":20:HALF\r\n")
        stack.put("LAST.txt", batch("LAST", deliver("DROP0005")))
        await stack.report("LAST.txt")
        entered = [len(await stack.entered(f"DROP000{number}")) for number in range(1, 6)]

    assert "FILE/GOOD.txt\r\n" in good
    assert all(line in good for line in ("STAT/ACCP", "READ/2", "ACCP/2", "REJT/0"))
    assert "STAT/REJT" in bad
    lines = faulty.decode().split("\r\n")
    assert {lines.index(":19:3") + 1, lines.index(":36B::SETT//UNIT/x,") + 1} == set(
        map(int, re.findall(r"line (\d+)", bad))
    )
    assert [1, 1, 0, 0, 1] == entered
    assert (stack.root / "inbox/half.part").exists()
    (beside,) = (stack.root / "rejected").glob("*~BAD.txt.report")
    assert bad == beside.read_bytes().decode("ascii")
    (taken,) = stack.entries(kind="file_taken", reference="GOOD.txt")
    (put_away,) = stack.entries(kind="file_put_away", reference="GOOD.txt")
    assert taken.references["claim"] == put_away.references["claim"]
    assert () == verify(stack.journal).findings


async def test_the_same_file_again_gets_its_report_and_enters_nothing(tmp_path: Path) -> None:
    content = batch("TWICE", deliver("DROP0011"))
    async with drop_stack(tmp_path) as stack:
        stack.put("TWICE.txt", content)
        first = await stack.report("TWICE.txt")
        for path in (stack.root / "outbox").iterdir():
            path.unlink()
        stack.put("TWICE.txt", content)
        second = await stack.report("TWICE.txt")
        entered = await stack.entered("DROP0011")

    assert 1 == len(entered)
    assert first == second


@pytest.mark.parametrize("step", [*JOURNAL_STEPS, *DROP_STEPS])
async def test_a_file_is_entered_once_over_a_kill(step: str, tmp_path: Path) -> None:
    stack = DropStack(tmp_path)
    try:
        await stack.start_ocp()
        await stack.start_killable_bridge(step)
        stack.put("KILL.txt", batch("KILL", deliver("DROP0021"), deliver("DROP0022")))
        assert -9 == await stack.bridge.wait()

        await stack.start_bridge()
        report = await stack.report("KILL.txt")
        assert await stack.lies("archive", "KILL.txt")
        entered = [await stack.entered(reference) for reference in ("DROP0021", "DROP0022")]
    finally:
        await stack.stop()

    assert [1, 1] == [len(lines) for lines in entered]
    assert "STAT/ACCP" in report
    assert not [path for path in (stack.root / "taken").rglob("*") if path.is_file()]
    assert () == verify(stack.journal).findings


async def test_the_bridge_serves_sessions_while_a_drop_folder_is_gone(tmp_path: Path) -> None:
    async with drop_stack(tmp_path) as stack:
        assert await stack.eventually(lambda: len(list((stack.root / "taken").iterdir())) == 2)  # it was prepared
        (stack.root / "inbox").rename(stack.root / "elsewhere")
        assert await stack.eventually(lambda: stack.entries(kind="folder_fault_found"))
        pss = await stack.pss()
        stack.words.send_deliver(pss, "DROP0031")
        await pss.message(stack.words.template["answer"], stack.words.holds("related", "DROP0031"))
        await pss.log_off()
        (stack.root / "elsewhere").rename(stack.root / "inbox")
        assert await stack.eventually(lambda: stack.entries(kind="folder_fault_ended"))

    (fault,) = stack.entries(kind="folder_fault_found")
    assert "Put the folder back" in fault.body()["findings"][0]["remedy"]


async def test_a_name_that_no_report_can_repeat_is_turned_away(tmp_path: Path) -> None:
    async with drop_stack(tmp_path) as stack:
        stack.put("SI_1.txt", batch("NAME", deliver("DROP0041")))
        report = await stack.report("SI_1.txt")
        entered = await stack.entered("DROP0041")

    assert [] == entered
    assert "PGB-DRP-004" in report
    assert ("PGB-DRP-004",) == stack.entries(kind="file_turned_away")[0].findings
