"""The whole stack as processes, and messages to send through it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from pg_bridge.cli.processes import start, stop, write_config, write_keys
from pg_bridge.cli.world import read_mappings, utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.journal.review import AuditReader
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.simulator.pss import ScriptedPss

LINK = read_link_profile(read_mappings()[LINK_FILE])
PARTICIPANTS = ["B01234", "C00019"]


def weekday_after(days: int) -> date:
    """The weekday at least `days` behind today in Hong Kong: SIs settle on weekdays only."""
    day = utc_now().astimezone(HONG_KONG).date() + timedelta(days=days)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def deliver(
    reference: str,
    *,
    counterparty: str = "C00019",
    stock: str = "00005",
    quantity: str = "1000,",
    function: str = "NEWM",
) -> bytes:
    """The text block of an MT543 that settles two days on."""
    return _instruction(reference, "REAG", counterparty, stock, quantity, function)


def receive(
    reference: str,
    *,
    counterparty: str = "B01234",
    stock: str = "00005",
    quantity: str = "1000,",
    function: str = "NEWM",
) -> bytes:
    """The text block of an MT541 that settles two days on."""
    return _instruction(reference, "DEAG", counterparty, stock, quantity, function)


def _instruction(reference: str, party: str, counterparty: str, stock: str, quantity: str, function: str) -> bytes:
    day = weekday_after(2).strftime("%Y%m%d")
    text = f""":16R:GENL
:20C::SEME//{reference}
:23G:{function}
:16S:GENL
:16R:TRADDET
:98A::SETT//{day}
:35B:/HK/{stock}
:16S:TRADDET
:16R:FIAC
:36B::SETT//UNIT/{quantity}
:97A::SAFE//00000001
:16S:FIAC
:16R:SETDET
:22F::SETR//TRAD
:16R:SETPRTY
:95R::{party}/CCAS/{counterparty}
:16S:SETPRTY
:16R:SETPRTY
:95P::PSET//XHKCHKH1XXX
:16S:SETPRTY
:16R:AMT
:19A::SETT//HKD5000,
:16S:AMT
:16S:SETDET
"""
    return text.replace("\n", "\r\n").encode("ascii")


def enquiry(reference: str, *, number: str = "", related: str = "") -> bytes:
    """The text block of an MT549."""
    asked = f":20C::PREV//{number}" if number else f":20C::RELA//{related}"
    text = f""":16R:GENL
:20C::SEME//{reference}
:23G:NEWM
:13A::REQU//548
:97A::SAFE//00000001
:16S:GENL
:16R:REF
{asked}
:16S:REF
"""
    return text.replace("\n", "\r\n").encode("ascii")


class Stack:
    """A pretend OCP and a bridge in a folder; the bridge may be killed and started again."""

    def __init__(self, folder: Path, *, extra: str = "", ocp_options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.extra = extra
        self.ocp_options = ocp_options
        self.ocp_url = ""
        self.host = ""
        self.port = 0
        self.push_url = ""
        self.journal = folder / "journal.sqlite"
        self.config = folder / "bridge.toml"
        self._ocp: Any = None
        self.bridge: Any = None

    async def start_ocp(self) -> None:
        registrations = write_keys(self.folder, PARTICIPANTS)
        self._ocp, where = await start(
            "simulate", "ocp", "--port", "0", "--json", "--calls", "0", "--registrations", str(registrations),
            *self.ocp_options, log=self.folder / "ocp.log",
        )  # fmt: skip
        self.ocp_url = where["listening"]
        write_config(self.folder, self.ocp_url, PARTICIPANTS, extra=self.extra)

    async def start_bridge(self) -> None:
        self.bridge, where = await start("serve", "-c", str(self.config), "--json", log=self.folder / "bridge.log")
        self._where(where)

    async def start_killable_bridge(self, step: str) -> None:
        with (self.folder / "bridge.log").open("ab") as errors:
            self.bridge = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.doubles.killable_bridge", step, str(self.config),
                stdout=asyncio.subprocess.PIPE, stderr=errors, cwd=Path(__file__).parents[2],
            )  # fmt: skip
        self._where(msgspec.json.decode(await self.bridge.stdout.readline()))

    def _where(self, where: dict[str, Any]) -> None:
        self.host, _, port = where["pss"].rpartition(":")
        self.port = int(port)
        self.push_url = where["push"]

    async def stop(self) -> None:
        for process in (self.bridge, self._ocp):
            if process is not None and process.returncode is None:
                await stop(process)

    async def pss(self, participant: str = "B01234", terminal: str = "PSS1", **options: Any) -> ScriptedPss:
        pss = ScriptedPss(LINK, participant=participant, terminal=terminal, clock=utc_now, **options)
        await pss.connect(self.host, self.port)
        await pss.log_on()
        return pss

    async def control(self, path: str, document: dict[str, Any] | None = None) -> Any:
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"{self.ocp_url}/_simulator/{path}"
            answer = await (http.get(url) if document is None else http.post(url, json=document))
            answer.raise_for_status()
            return answer.json()

    async def fault(self, operation: str, kind: str, **more: Any) -> None:
        await self.control("faults", {"operation": operation, "kind": kind, **more})

    async def entered(self, reference: str) -> list[dict[str, Any]]:
        """The ledger's lines of a reference."""
        done = (await self.control("ledger"))["done"]
        return [line for line in done if line["request_reference"] == reference]

    async def eventually(self, look: Any, timeout_s: float = 10.0) -> Any:
        """What `look` gives once it gives something; what it gives at last after `timeout_s`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while not (found := look()) and loop.time() < end:  # noqa: ASYNC110
            # Other processes must act: only real time passing lets them.
            await asyncio.sleep(0.05)
        return found

    def entries(self, **filters: Any) -> list[Any]:
        """The journal's entries that fit."""
        with AuditReader(self.journal) as reader:
            return [stored.entry for stored in reader.newest(most=10_000, **filters)]


@contextlib.asynccontextmanager
async def stack(folder: Path, **options: Any) -> AsyncIterator[Stack]:
    """A stack with both processes up; ended in order."""
    made = Stack(folder, **options)
    try:
        await made.start_ocp()
        await made.start_bridge()
        yield made
    finally:
        await made.stop()
