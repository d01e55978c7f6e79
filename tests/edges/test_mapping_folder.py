"""A folder of mappings on the disk: what cannot be read as a mapping file is a finding, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.cli.world import mappings_folder, read_mappings
from pg_bridge.errors import ConfigError, Finding, MappingInvalid
from pg_bridge.mapping.book import content_hash, load
from tests.doubles.mapping_files import MAPPINGS, shipped

NOBODY = 65534
MESSAGES = Path(__file__).parents[1] / "messages"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped set."""
    for path, text in shipped().items():
        at = tmp_path / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text, "utf-8")
    return tmp_path


def findings_of(folder: Path) -> tuple[Finding, ...]:
    began = time.process_time()
    with pytest.raises(MappingInvalid) as caught:
        read_mappings(str(folder))
    assert 1 > time.process_time() - began
    assert all(finding.remedy.endswith(".") and finding.severity == "error" for finding in caught.value.findings)
    return caught.value.findings


def test_every_shipped_file_is_read() -> None:
    assert shipped() == read_mappings()
    assert mappings_folder().is_dir()


def test_a_file_that_is_no_text_is_named_with_its_line(folder: Path) -> None:
    (folder / "legacy/codes.toml").write_bytes(b"# Codes\n# caf\xe9\n")
    (folder / "rules/set.toml").write_bytes("name = 'x'".encode("utf-16"))

    found = {finding.path: (finding.line, finding.text) for finding in findings_of(folder)}

    assert {"legacy/codes.toml", "rules/set.toml"} == set(found)
    assert (2, "byte 14 is no UTF-8: invalid continuation byte") == found["legacy/codes.toml"]


def test_a_huge_file_is_named_and_not_read(folder: Path) -> None:
    with (folder / "rules/si-input.toml").open("wb") as file:
        file.truncate(50_000_000)

    (finding,) = findings_of(folder)

    assert "rules/si-input.toml" == finding.path
    assert "50,000,000 bytes" in finding.text


def test_a_folder_a_loop_and_a_device_named_like_a_file(folder: Path) -> None:
    (folder / "rules/x.toml").mkdir()
    (folder / "rules/loop.toml").symlink_to("loop.toml")
    (folder / "legacy/nowhere.toml").symlink_to("/nowhere/at/all")
    (folder / "legacy/around").symlink_to(folder)
    os.mkfifo(folder / "legacy/pipe.toml")

    found = {finding.path: finding.text for finding in findings_of(folder)}

    assert {"rules/x.toml", "rules/loop.toml", "legacy/nowhere.toml", "legacy/pipe.toml"} == set(found)
    assert "this is no file but a folder" == found["rules/x.toml"]


def test_a_name_that_is_no_text(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/rules/\xff.toml")).write_text("x = 1", "utf-8")

    (finding,) = findings_of(folder)

    assert "its name is no UTF-8" == finding.text
    assert finding.path.encode("utf-8")


def test_a_folder_that_holds_everything(tmp_path: Path) -> None:
    for number in range(5_001):
        (tmp_path / f"{number}").touch()

    (finding,) = findings_of(tmp_path)

    assert "more than 5,000 files" in finding.text


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A copy of the shipped folder where every user may look; root is somebody else meanwhile, for it reads all."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        copied = Path(name) / "mappings"
        shutil.copytree(MAPPINGS, copied)
        (copied / "legacy/codes.toml").chmod(0)
        (copied / "legacy/templates").chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield copied
        finally:
            if is_root:
                os.seteuid(0)
            (copied / "legacy/templates").chmod(0o755)


def test_what_may_not_be_read(open_folder: Path) -> None:
    assert {"legacy/codes.toml", "legacy/templates"} == {finding.path for finding in findings_of(open_folder)}


def test_hidden_files_are_left_out_and_line_ends_make_no_difference(folder: Path) -> None:
    due = content_hash(read_mappings(str(folder)))
    (folder / ".git").mkdir()
    (folder / ".git/x.toml").write_bytes(b"\xff")
    (folder / "legacy/.codes.toml").write_bytes(b"\xff")
    codes = folder / "legacy/codes.toml"
    codes.write_bytes(codes.read_bytes().replace(b"\n", b"\r\n"))

    assert due == content_hash(read_mappings(str(folder)))
    assert load(read_mappings(str(folder)))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        read_mappings(str(tmp_path / "nowhere"))


def test_check_prints_what_cannot_be_read_as_findings(folder: Path) -> None:
    (folder / "legacy/framing.toml").write_bytes(b"name = '\xff'")

    done = CliRunner().invoke(app, ["mappings", "check", str(folder), "--json"])

    assert 1 == done.exit_code, done.output
    assert '"path": "legacy/framing.toml"' in done.output
    assert "no UTF-8" in done.output


def test_check_prints_faults_of_the_link_among_the_others(folder: Path) -> None:
    framing = folder / "legacy/framing.toml"
    framing.write_text(framing.read_text("utf-8").replace("window = 16", "window = 0"), "utf-8")
    codes = folder / "legacy/codes.toml"
    codes.write_text(codes.read_text("utf-8").replace('to = "79999"', 'to = "69999"'), "utf-8")

    done = CliRunner().invoke(app, ["mappings", "check", str(folder)])

    assert 1 == done.exit_code, done.output
    assert "2 findings" in done.output
    assert done.output.index("legacy/codes.toml") < done.output.index("legacy/framing.toml")
    assert "Write such a number." in done.output


def test_translate_shows_the_standard_s_code_beside_ours() -> None:
    message = ["translate", str(MESSAGES / "mt541_wrong_optional_dates.fin"), "--template", "SI01"]
    plain, told = (CliRunner().invoke(app, [*message, "--message-type", "541", *more]) for more in ([], ["--json"]))

    assert "PGB-MSG-023 (T50)" in plain.output
    assert ["T50", "T50"] == [finding["standard"] for finding in json.loads(told.output)["findings"]]
