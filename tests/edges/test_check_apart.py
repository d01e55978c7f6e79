"""A set checked in a process of its own: the same findings, and no end of that process is the bridge's."""

from __future__ import annotations

import pytest

from pg_bridge.bridge.loading import load_set
from pg_bridge.cli import check_apart as apart
from pg_bridge.formats.iso15022 import reader
from pg_bridge.mapping.checks.check import check
from tests.doubles.mapping_files import shipped
from tests.doubles.sets import broken


async def test_findings_are_those_of_a_check_in_this_process() -> None:
    assert check(broken()) == await apart.check_apart(broken())


async def test_faultless_set_has_none() -> None:
    assert [] == await apart.check_apart(shipped())


async def test_check_that_does_not_end_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LONGEST_S", 0.01)
    (finding,) = await apart.check_apart(shipped())

    assert "error" == finding.severity
    assert "failed or took more than" in finding.text


def test_loading_a_set_reads_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It happens in a thread beside the traffic, and what the reader remembers is for one thread."""

    class Untouched:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    monkeypatch.setattr(reader, "_shapes", Untouched())

    assert "hk-default" == load_set(shipped()).book.name
