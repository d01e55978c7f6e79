"""The reports folder on a real disk, and the fake that stands for it in tests: one contract. Then what a disk can do."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pg_bridge.errors import ReportError, ReportMissing
from pg_bridge.exchange.ports import Reports
from pg_bridge.pss.reports import ReportFolder
from tests.doubles.fake_reports import FakeReports

DAY = "20261123"
CONTENT = bytes(range(256)) * 9_000
Put = Callable[[str, str, str, bytes], None]


@pytest.fixture(params=["fake", "folder"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Reports, Put]:
    if request.param == "fake":
        fake = FakeReports()
        return fake, fake.put

    def put(participant: str, day: str, name: str, content: bytes) -> None:
        folder = tmp_path / participant / day
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    return ReportFolder(tmp_path), put


@pytest.mark.parametrize("content", [CONTENT, b"", b"x"])
async def test_report_is_read_piece_by_piece(made: tuple[Reports, Put], content: bytes) -> None:
    reports, put = made
    put("B01234", DAY, "CCLID01", content)
    report = await reports.open("B01234", DAY, "CCLID01", 10_000_000)
    pieces = [await report.read(offset, 1_000_000) for offset in range(0, max(1, len(content)), 1_000_000)]
    behind = await report.read(len(content), 10)
    await report.close()

    assert (len(content), hashlib.sha256(content).hexdigest()) == (report.size, report.hash)
    assert content == b"".join(pieces)
    assert b"" == behind


@pytest.mark.parametrize(
    ("participant", "day", "name"),
    [("C00019", DAY, "CCLID01"), ("B01234", "20261124", "CCLID01"), ("B01234", DAY, "CCLID02")],
)
async def test_another_participant_day_or_name_is_another_report(
    made: tuple[Reports, Put], participant: str, day: str, name: str
) -> None:
    reports, put = made
    put("B01234", DAY, "CCLID01", CONTENT)
    with pytest.raises(ReportMissing, match=f"there is no report {name} of {day}"):
        await reports.open(participant, day, name, 10_000_000)


async def test_report_of_too_many_bytes_is_none(made: tuple[Reports, Put]) -> None:
    reports, put = made
    put("B01234", DAY, "CCLID01", CONTENT)
    with pytest.raises(ReportError, match="2304000 bytes, 1000 are the most"):
        await reports.open("B01234", DAY, "CCLID01", 1_000)


# --- the folder alone ----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reports/B01234" / DAY).mkdir(parents=True)
    (tmp_path / "reports/secret").write_bytes(b"of nobody")
    (tmp_path / "secret").write_bytes(b"of nobody")
    return tmp_path / "reports"


@pytest.mark.parametrize(
    "name",
    ["../../secret", "../../../secret", "/etc/passwd", ".", "..", "", ".CCLID01", "A/B", "A\0B", "A" * 65, "CCLID01\n"],
)
async def test_name_that_is_a_path_or_none_is_never_looked_up(folder: Path, name: str) -> None:
    with pytest.raises(ReportMissing):
        await ReportFolder(folder).open("B01234", DAY, name, 1_000)
    with pytest.raises(ReportMissing):
        await ReportFolder(folder).open("B01234", name, "CCLID01", 1_000)


async def test_links_folders_and_pipes_are_no_reports(folder: Path) -> None:
    day = folder / "B01234" / DAY
    (day / "LINK").symlink_to(folder / "secret")
    (day / "NOWHERE").symlink_to(day / "GONE")
    (day / "FOLDER").mkdir()
    os.mkfifo(day / "PIPE")
    for name in ("LINK", "NOWHERE", "FOLDER", "PIPE"):
        with pytest.raises(ReportMissing):
            await ReportFolder(folder).open("B01234", DAY, name, 1_000)


async def test_open_report_stays_what_it_was_when_another_takes_its_place(folder: Path) -> None:
    path = folder / "B01234" / DAY / "CCLID01"
    path.write_bytes(b"first")
    report = await ReportFolder(folder).open("B01234", DAY, "CCLID01", 1_000)
    (folder / "new").write_bytes(b"other")
    (folder / "new").rename(path)
    read = await report.read(0, 100)
    await report.close()

    assert b"first" == read


async def test_report_that_grows_while_it_is_read_is_not_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "B01234" / DAY / "CCLID01"
    path.write_bytes(CONTENT)
    read = os.read

    def grows(handle: int, size: int) -> bytes:
        with path.open("ab") as out:
            out.write(b"more")
        return read(handle, size)

    monkeypatch.setattr(os, "read", grows)
    with pytest.raises(ReportError, match="is being written"):
        await ReportFolder(folder).open("B01234", DAY, "CCLID01", 10_000_000)
