"""`pg-bridge files`: what a person and a program are told of a batch file or report, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError, MappingInvalid
from tests.doubles.layouts import FILES, file_of
from tests.doubles.mapping_files import crlf, shipped

SI = "SI-BATCH-INPUT"
TAGGED = crlf(":20:FILE1\n:12:SI01\n:98A:20261123\n{4:\n:16R:GENL\n:20C::SEME//B0123400001\n:16S:GENL\n-}\n:19:1")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["files", *map(str, words)])


def told(*words: str | Path) -> Any:
    return json.loads(run(*words, "--json").output)


def put(folder: Path, content: bytes) -> Path:
    file = folder / "file.txt"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("name", FILES)
def test_a_good_file_is_known_by_its_first_line(tmp_path: Path, name: str) -> None:
    file = put(tmp_path, file_of(name))
    found = told("check", file)

    assert (name, [], 1) == (found["layout"], found["findings"], found["counts"]["header"])
    done = run("check", file)
    assert 0 == done.exit_code
    assert "Nothing to find." in done.output


def test_counts_and_totals_are_told(tmp_path: Path) -> None:
    found = told("check", put(tmp_path, file_of(SI)))

    assert {"header": 1, "detail": 3, "trailer": 1} == found["counts"]
    assert 2000 == found["totals"]["quantities"]


def test_a_bad_file_is_refused_with_every_fault_and_exit_code_1(tmp_path: Path) -> None:
    file = put(tmp_path, file_of(SI).replace(b"DVP", b"XVP").replace(b"20003", b"20009"))
    done = run("check", file)

    assert 1 == done.exit_code
    assert "The file would be refused whole" in done.output
    assert [("detail/payment", 2), ("trailer/details", 5)] == [
        (finding["path"], finding["line"]) for finding in told("check", file)["findings"]
    ]


def test_a_broken_header_is_checked_by_the_layout_of_its_length(tmp_path: Path) -> None:
    found = told("check", put(tmp_path, file_of(SI).replace(b"SI BATCH", b"IS BATCH")))

    assert (SI, ["header/file_name"]) == (found["layout"], [finding["path"] for finding in found["findings"]])


@pytest.mark.parametrize("content", [b"", b"hello\r\n", b"0" + b" " * 126 + b"\r\n"], ids=["empty", "none", "of two"])
def test_a_file_of_no_layout_is_told_with_those_there_are(tmp_path: Path, content: bytes) -> None:
    file = put(tmp_path, content)
    (finding,) = told("check", file)["findings"]

    assert ("PGB-FIL-010", 1) == (finding["code"], run("check", file).exit_code)
    assert all(name in finding["remedy"] for name in FILES)


def test_the_layout_may_be_named(tmp_path: Path) -> None:
    file = put(tmp_path, file_of("CCLTN04"))

    assert 1 == run("check", file, "--layout", "CCLID01").exit_code
    assert {"header/report", "header/file_name"} == {
        finding["path"] for finding in told("check", file, "--layout", "CCLID01")["findings"]
    }


def test_a_tag_based_file_is_checked(tmp_path: Path) -> None:
    found = told("check", put(tmp_path, TAGGED))

    assert ("tag-based", {"text blocks": 1}, []) == (found["layout"], found["counts"], found["findings"])
    assert "FILE1" == found["head"]["reference"]
    assert 1 == run("check", put(tmp_path, TAGGED.replace(b":19:1", b":19:2"))).exit_code


def test_records_are_shown(tmp_path: Path) -> None:
    file = put(tmp_path, file_of(SI))
    done = run("show", file)
    found = told("show", file, "--most", "2")

    assert 0 == done.exit_code
    assert "B0123400001" in done.output
    assert ["header", "detail"] == [each["record"] for each in found["shown"]]
    assert ("12345.67", "2026-11-25") == tuple(
        found["shown"][1]["values"][name] for name in ("amount", "settlement_date")
    )
    assert 5 == len(told("show", file, "--most", "0")["shown"])


def test_text_blocks_are_shown(tmp_path: Path) -> None:
    file = put(tmp_path, TAGGED)

    assert "SEME//B0123400001" in run("show", file).output
    assert [5] == [each["line"] for each in told("show", file)["shown"]]


def test_what_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    file = put(tmp_path, file_of(SI))

    for words in (["check", tmp_path / "none"], ["check", tmp_path], ["check", file, "--layout", "CCLID02"]):
        assert isinstance(run(*words).exception, ConfigError)


def test_mappings_of_ones_own_are_used_and_must_be_good(tmp_path: Path) -> None:
    file = put(tmp_path, file_of(SI).replace(b"DVP", b"XVP"))
    for path, text in shipped().items():
        (tmp_path / "own" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / path).write_text(text)
    layout = tmp_path / "own/legacy/files/si-batch-input.toml"
    layout.write_text(layout.read_text().replace('"DVP"', '"XVP"'))

    assert 0 == run("check", file, "--mappings", tmp_path / "own").exit_code
    layout.write_text("x = 1")
    assert isinstance(run("check", file, "--mappings", tmp_path / "own").exception, MappingInvalid)
