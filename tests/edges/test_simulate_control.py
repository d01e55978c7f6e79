"""`pg-bridge simulate control` against a running pretend OCP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pg_bridge.cli.main import app
from pg_bridge.errors import ConfigError
from tests.doubles.ocp_caller import OcpCaller, si_entry
from tests.doubles.running_ocp import running

Typed = Callable[..., Coroutine[Any, Any, str]]


@asynccontextmanager
async def control() -> AsyncIterator[tuple[OcpCaller, Typed]]:
    """The pretend OCP, and a person who types `pg-bridge simulate control ...`."""
    async with running() as (one, _):

        async def typed(*words: str) -> str:
            words = ("simulate", "control", *words, "--url", str(one.http.base_url))
            result = await asyncio.to_thread(CliRunner().invoke, app, words)
            if result.exception is not None and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert 0 == result.exit_code, result.output
            return result.output

        yield one, typed


async def test_every_verb_prints_for_people_and_programs() -> None:
    async with control() as (one, typed):
        await one.add(si_entry("R1"))
        for words, name, value in (
            (("state",), "statuses", {"unmatched": 1}),
            (("clock", "--advance", "60"), "now", "2026-11-23T09:31:00+08:00"),
            (("clock", "--rate", "60"), "mode", "runs"),
            (("clock", "--stand"), "mode", "stands"),
            (("run", "day_end"), "moved", 0),
            (("faults", "broken", "--operation", "echo", "--count", "3"), "faults", None),
            (("faults", "--clear"), "faults", []),
            (("counterparties", "C00019", "--mismatch-one-in", "3", "--late", "5"), "counterparties", None),
            (("counterparties", "others"), "counterparties", None),
            (("counterparties", "--clear"), "counterparties", []),
            (("rules", "--no-match-at-once", "--maker-checker", "B01234"), "maker_checker", ["B01234"]),
            (("rules", "--maker-checker", ""), "maker_checker", []),
            (("limits",), "machine_calls", 0),
            (
                ("limits", "--calls", "9", "--transaction-limit", "B01234=5.50"),
                "transaction_limits",
                {"B01234": "5.50"},
            ),
            (("limits", "--calls", "0", "--transaction-limit", ""), "transaction_limits", {}),
            (("entitlements",), "entitlements", {"CP00001": None, "CP00002": None}),
            (("entitlements", "CP00002", "echo"), "entitlements", {"CP00001": None, "CP00002": ["echo"]}),
            (("entitlements", "CP00002", "none"), "entitlements", {"CP00001": None, "CP00002": []}),
            (("entitlements", "CP00002"), "entitlements", {"CP00001": None, "CP00002": None}),
            (("expire-tokens",), "good", 0),
            (("hours", "off"), "keeps_hours", False),
            (("weather", "typhoon", "--until", "2026-11-23T12:00:00+08:00"), "weather", "typhoon"),
            (("weather",), "weather", "typhoon"),
            (("ledger",), "done", None),
            (("reset",), "sis", 0),
        ):
            told = json.loads(await typed(*words, "--json"))

            assert name in told, words
            assert value in (None, told[name]), words
        await one.log_in()
        await one.control("weather", {"weather": "fair"})
        await one.add(si_entry("R2"))
        for words, text in (
            (("state",), "unmatched: 1"),
            (("clock",), "stands"),
            (("faults", "late", "--delay", "2"), "kind late"),
            (("counterparties", "C00019", "--late", "5"), "late_s 5.0"),
            (("rules",), "revoke_by_both"),
            (("hours",), "business_day"),
            (("ledger",), "I00000001"),
        ):
            assert text in await typed(*words), words


async def test_a_snapshot_is_written_and_restored(tmp_path: Path) -> None:
    async with control() as (one, typed):
        file = str(tmp_path / "snapshot.json")
        await one.add(si_entry("R1"))
        await typed("snapshot", file)
        await typed("reset")
        restored = json.loads(await typed("restore", file, "--json"))

        assert 1 == restored["sis"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("clock", "--jump", "2026-11-22T00:00:00+08:00"), "is past on this clock"),
        (("clock", "--jump", "today"), "jump: "),
        (("clock", "--advance", "-1"), "advance_s: "),
        (("clock", "--stand", "--rate", "2"), "exclude each other"),
        (("run", "lunch"), "run: "),
        (("faults", "melted"), "kind: "),
        (("faults", "broken", "--operation", "si_melt"), "no operation si_melt"),
        (("faults", "broken", "--share", "0"), "share: "),
        (("limits", "--calls", "-1"), "company_calls: "),
        (("limits", "--transaction-limit", "B01234"), "write it as B01234=5000000"),
        (("limits", "--transaction-limit", "B01234=NaN"), "transaction_limits.B01234: "),
        (("entitlements", "CP77777"), "CP77777 is not registered"),
        (("entitlements", "CP00001", "si_melt"), "functions.0: "),
        (("faults", "refused", "--refusal", "rain"), "refusal: "),
        (("counterparties", "C00019", "--late", "-1"), "late_s: "),
        (("weather", "snow"), "weather: "),
        (("hours", "on"), "keep: "),
        (("restore", __file__), "restore: the snapshot: Expected"),
        (("restore", "/nowhere/at/all"), "reading the snapshot"),
        (("snapshot", "/nowhere/at/all"), "writing the snapshot"),
    ],
)
async def test_a_bad_order_is_refused_by_name(words: tuple[str, ...], told: str) -> None:
    async with control() as (_, typed):
        with pytest.raises(ConfigError) as refused:
            await typed(*words)

        assert told in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "nowhere"])
def test_where_no_pretend_ocp_listens_it_says_so(url: str) -> None:
    result = CliRunner().invoke(app, ["simulate", "control", "state", "--url", url])

    assert isinstance(result.exception, ConfigError)
    assert url in str(result.exception)
