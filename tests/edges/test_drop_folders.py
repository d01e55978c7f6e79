"""Drop folders on a real disk: taken once, left alone while unfinished, nothing lost when the disk or we fail."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pg_bridge.errors import DiskFault, MappingFailed
from pg_bridge.pss import drop_folder
from pg_bridge.pss.drop_folder import DropFolder
from tests.doubles.drop_desk import REPORT, DropWorld


@pytest.fixture
async def world(tmp_path: Path) -> DropWorld:
    made = DropWorld(tmp_path / "drop")
    await made.look()
    return made


async def test_a_file_is_taken_reported_and_archived(world: DropWorld) -> None:
    world.put("SI1.txt", b"instructions")
    await world.settle()
    assert [("F1", "SI1.txt", b"instructions", False)] == world.desk.came
    assert {"taken": ["node1/F1~SI1.txt"]} == world.lies()
    world.end("F1", "SI1.txt")
    await world.look()

    assert {"archive": ["20261123/F1~SI1.txt"], "outbox": ["SI1.txt.F1.report"]} == world.lies()
    assert REPORT.encode() == (world.root / "outbox/SI1.txt.F1.report").read_bytes()
    ((ended, report, moved_to),) = world.desk.put_away
    assert ("X-F1", world.root / "outbox/SI1.txt.F1.report") == (ended.exchange, report)
    assert world.root / "archive/20261123/F1~SI1.txt" == moved_to
    assert [] == world.desk.found


async def test_a_file_refused_whole_is_rejected_with_its_report_beside_it(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    world.end("F1", "SI1.txt", "refused", "STAT/REJT\r\n")
    await world.look()

    beside = ["F1~SI1.txt", "F1~SI1.txt.report"]
    assert {"outbox": ["SI1.txt.F1.report"], "rejected": beside} == world.lies()
    assert b"STAT/REJT\r\n" == (world.root / "rejected/F1~SI1.txt.report").read_bytes()


async def test_a_report_of_several_messages_is_one_file(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    world.end("F1", "SI1.txt", "accepted", "ONE\r\n", "TWO\r\n")
    await world.look()

    assert b"ONE\r\nTWO\r\n" == (world.root / "outbox/SI1.txt.F1.report").read_bytes()


@pytest.mark.parametrize("name", [".hidden", "SI1.tmp", "SI1.PART", "SI1.filepart"])
async def test_a_name_that_says_unfinished_is_left_alone(world: DropWorld, name: str) -> None:
    world.put(name)
    await world.settle()
    assert {"inbox": [name]} == world.lies()
    (world.root / "inbox" / name).rename(world.root / "inbox/SI1.txt")
    await world.settle()

    assert ["SI1.txt"] == [name for _, name, _, _ in world.desk.came]


async def test_a_file_that_still_grows_is_left_alone(world: DropWorld) -> None:
    path = world.put("SI1.txt", b"half")
    await world.look()
    world.now_s += 1.9
    with path.open("ab") as more:
        more.write(b" and half")
    await world.look()
    await world.look(after_s=1.9)
    assert [] == world.desk.came
    await world.look(after_s=0.2)

    assert [b"half and half"] == [content for _, _, content, _ in world.desk.came]


async def test_a_writer_that_goes_on_after_the_taking_is_waited_for(world: DropWorld) -> None:
    path = world.put("SI1.txt", b"half")
    await world.look()
    world.now_s += 2.0
    take = world.drop._folder.take

    def late(*arguments: Any) -> Any:
        with path.open("ab") as writer:
            taken = take(*arguments)
            writer.write(b" and half")
        return taken

    world.drop._folder.take = late  # type: ignore[method-assign]
    await world.look()
    assert [] == world.desk.came
    await world.settle()

    assert [("F1", "SI1.txt", b"half and half", False)] == world.desk.came


async def test_the_next_file_waits_until_the_first_has_ended(world: DropWorld) -> None:
    world.put("B.txt", b"first")
    os.utime(world.put("A.txt", b"second"), (2e9, 2e9))
    await world.settle()
    assert ["B.txt"] == [name for _, name, _, _ in world.desk.came]
    world.end("F1", "B.txt")
    await world.look()

    assert ["B.txt", "A.txt"] == [name for _, name, _, _ in world.desk.came]


async def test_what_is_no_file_is_left_alone_and_told_once(world: DropWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = world.root / "inbox"
    (inbox / "folder").mkdir()
    (inbox / "link").symlink_to("/etc/passwd")
    os.mkfifo(inbox / "pipe")
    world.put("empty", b"")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(inbox)  # a path of a socket has 108 bytes at most
        listening.bind("socket")
    for _ in range(3):
        await world.settle()

    assert [] == world.desk.came
    codes = [drop_folder.EMPTY, *[drop_folder.NO_FILE] * 4]
    assert sorted(codes) == sorted(finding.code for finding in world.desk.found)
    (inbox / "folder").rmdir()
    await world.look()
    assert [str(inbox / "folder")] == [finding.path for finding in world.desk.well]


@pytest.mark.parametrize(
    ("name", "size", "codes"),
    [
        ("SI_1.txt", 1, [drop_folder.NO_NAME]),
        ("longer-than-15-it-is", 1, [drop_folder.NO_NAME]),
        ("\u00e9\n.txt", 1, [drop_folder.NO_NAME]),
        (os.fsdecode(b"\xff\xfe"), 1, [drop_folder.NO_NAME]),
        ("x" * 255, 1, [drop_folder.NO_NAME]),
        ("SI1.txt", 1_001, [drop_folder.TOO_LARGE]),
        ("SI_1.txt", 1_001, [drop_folder.NO_NAME, drop_folder.TOO_LARGE]),
    ],
)
async def test_a_file_that_cannot_be_taken_is_turned_away_with_every_fault(
    world: DropWorld, name: str, size: int, codes: list[str]
) -> None:
    world.put(name, b"x" * size)
    await world.settle()

    assert [] == world.desk.came
    ((_, moved_to, findings),) = world.desk.away
    assert codes == [finding.code for finding in findings]
    lies = world.lies()
    assert ["outbox", "rejected"] == sorted(lies)
    assert [moved_to.name, f"{moved_to.name}.report"] == lies["rejected"]
    text = moved_to.with_name(f"{moved_to.name}.report").read_text("utf-8")
    assert all(finding.code in text and finding.remedy in text for finding in findings)
    assert text == (world.root / "outbox" / lies["outbox"][0]).read_text("utf-8")


async def test_a_file_turned_away_does_not_hold_up_others(world: DropWorld) -> None:
    world.put("SI_1.txt")
    world.put("SI2.txt")
    await world.settle()

    assert ["SI2.txt"] == [name for _, name, _, _ in world.desk.came]


# --- crashes -------------------------------------------------------------------------------------------------


async def test_a_taken_file_is_offered_again_under_its_claim(world: DropWorld) -> None:
    world.put("SI1.txt", b"one")
    world.put("SI2.txt", b"two")
    await world.settle()
    world.drop = world.started()
    await world.settle()

    again = [(claim, name, is_again) for claim, name, _, is_again in world.desk.came]
    assert [("F1", "SI1.txt", False), ("F1", "SI1.txt", True)] == again


class Crash(Exception):
    """The process is gone."""


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("step", ["take", "read", "report", "reject", "archive"])
async def test_a_crash_at_any_step_ends_the_same(world: DropWorld, step: str, is_after: bool) -> None:
    outcome = "refused" if step == "reject" else "accepted"
    world.put("SI1.txt", b"one")
    crash_at(world, step, is_after)
    with pytest.raises(Crash):
        await go_whole_way(world, outcome)
    world.drop = world.started()
    await go_whole_way(world, outcome)

    (claim,) = {claim for claim, *_ in world.desk.came}
    away = [f"20261123/{claim}~SI1.txt"] if step != "reject" else [f"{claim}~SI1.txt", f"{claim}~SI1.txt.report"]
    where = "archive" if step != "reject" else "rejected"
    assert {where: away, "outbox": [f"SI1.txt.{claim}.report"]} == world.lies()
    assert 1 == len(world.desk.put_away)
    assert world.desk.put_away[0][2] == world.root / where / away[0]


async def go_whole_way(world: DropWorld, outcome: str) -> None:
    """What exchange does: a file that is offered ends; one that has not been told ends again."""
    await world.settle()
    told = {ended.claim for ended, _, _ in world.desk.put_away}
    for claim, name in {claim: name for claim, name, _, _ in world.desk.came if claim not in told}.items():
        world.end(claim, name, outcome)
    await world.look()


def crash_at(world: DropWorld, step: str, is_after: bool) -> None:
    folder = world.drop._folder
    real: Callable[..., Any] = getattr(folder, step)

    def crashing(*arguments: Any, **more: Any) -> Any:
        if is_after:
            real(*arguments, **more)
        raise Crash

    setattr(folder, step, crashing)


async def test_a_report_half_written_before_a_crash_is_written_anew(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    world.put(".F1.tmp", b"STAT/AC", folder="outbox")
    world.end("F1", "SI1.txt")
    await world.look()

    assert ["SI1.txt.F1.report"] == world.lies()["outbox"]
    assert REPORT.encode() == (world.root / "outbox/SI1.txt.F1.report").read_bytes()


async def test_what_ended_yesterday_is_found_in_its_archive(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    world.end("F1", "SI1.txt")
    await world.look()
    world.desk.today = "2026-11-24"
    world.drop = world.started()
    world.end("F1", "SI1.txt")
    await world.look()

    assert [world.root / "archive/20261123/F1~SI1.txt"] * 2 == [moved_to for _, _, moved_to in world.desk.put_away]


async def test_a_file_that_a_person_took_away_is_told_all_the_same(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    (world.root / "taken/node1/F1~SI1.txt").unlink()
    world.end("F1", "SI1.txt")
    await world.look()

    assert [None] == [moved_to for _, _, moved_to in world.desk.put_away]
    assert {"outbox": ["SI1.txt.F1.report"]} == world.lies()


async def test_nothing_is_written_over(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    (world.root / "archive/20261123").mkdir()
    there = world.put("20261123/F1~SI1.txt", b"another", folder="archive")
    world.end("F1", "SI1.txt")
    await world.look()
    assert (b"another", []) == (there.read_bytes(), world.desk.put_away)
    assert ["there already"] == [finding.text[-13:] for finding in world.desk.found]
    there.unlink()
    await world.look()

    assert [there] == [moved_to for _, _, moved_to in world.desk.put_away]
    assert world.desk.found == world.desk.well


# --- two bridges -----------------------------------------------------------------------------------------------


async def test_two_bridges_on_one_folder_take_a_file_once(world: DropWorld) -> None:
    other = DropWorld(world.root, owner="node2", letter="G")
    await other.look()
    world.put("SI1.txt")
    await world.look()
    await other.look()
    other.now_s += 2.0
    take = other.drop._folder.take

    def slower(*arguments: Any) -> Any:
        for path in (world.root / "inbox").iterdir():
            path.rename(world.root / "taken/node1/F1~SI1.txt")
        return take(*arguments)

    other.drop._folder.take = slower  # type: ignore[method-assign]
    await other.look()
    await world.settle()

    assert ["F1"] == [claim for claim, *_ in world.desk.came]
    assert [] == other.desk.came


async def test_what_another_journal_took_is_left_alone_and_told(world: DropWorld) -> None:
    world.put("SI1.txt")
    await world.settle()
    other = DropWorld(world.root, owner="node2", letter="G")
    await other.settle()

    assert [] == other.desk.came
    assert [drop_folder.OF_ANOTHER] == [finding.code for finding in other.desk.found]


# --- faults of the disk ----------------------------------------------------------------------------------------


async def test_a_full_disk_is_told_once_and_nothing_is_lost(world: DropWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("SI1.txt")
    await world.settle()
    world.end("F1", "SI1.txt")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for _ in range(3):
            await world.look()
    assert ["writing the file: No space left on device"] == [finding.text for finding in world.desk.found]
    assert "Free space" in world.desk.found[0].remedy
    assert ["node1/F1~SI1.txt"] == world.lies()["taken"]
    await world.look()

    assert ["SI1.txt.F1.report"] == world.lies()["outbox"]
    assert world.desk.found == world.desk.well
    assert 1 == len(world.desk.put_away)


def full(handle: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("name", ["inbox", "outbox", "taken", "archive", "rejected"])
async def test_a_folder_that_is_gone_is_told_and_waited_for(world: DropWorld, name: str) -> None:
    world.put("SI1.txt")
    (world.root / name).rename(world.root / "elsewhere")
    await world.settle()
    assert [str(world.root / name)] == [finding.path for finding in world.desk.found]
    assert "Put the folder back" in world.desk.found[0].remedy
    assert not (world.root / name).exists()
    (world.root / "elsewhere").rename(world.root / name)
    await world.settle()

    assert ["SI1.txt"] == [name for _, name, _, _ in world.desk.came]
    assert world.desk.found == world.desk.well


async def test_a_drop_folder_that_cannot_be_made_is_told_and_tried_again(tmp_path: Path) -> None:
    world = DropWorld(tmp_path / "absent/drop")
    await world.look()
    await world.look()
    assert ["making the drop folder: No such file or directory"] == [finding.text for finding in world.desk.found]
    (tmp_path / "absent").mkdir()
    await world.look()

    assert world.desk.found == world.desk.well
    assert (world.root / "inbox").is_dir()


def test_folders_on_two_file_systems_are_told(tmp_path: Path) -> None:
    other = Path("/dev/shm")  # noqa: S108 - nothing is written there
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    (tmp_path / "archive").symlink_to(other)
    with pytest.raises(DiskFault) as told:
        DropFolder(tmp_path, "node1").prepare()

    assert drop_folder.NOT_ONE_DISK == told.value.finding.code


async def test_a_busy_journal_is_waited_for(world: DropWorld) -> None:
    world.desk.is_full = True
    world.put("SI1.txt")
    await world.settle()
    assert {"inbox": ["SI1.txt"]} == world.lies()
    world.desk.is_full = False
    await world.look()

    assert 1 == len(world.desk.came)


async def test_a_file_that_exchange_cannot_take_is_told_once_and_waits(world: DropWorld) -> None:
    world.desk.fault = MappingFailed("no rule")
    world.put("SI1.txt")
    for _ in range(3):
        await world.settle()
    assert [MappingFailed.code] == [finding.code for finding in world.desk.found]
    world.desk.fault = None
    await world.settle()

    assert ["F1"] == [claim for claim, *_ in world.desk.came]
    assert world.desk.found == world.desk.well
