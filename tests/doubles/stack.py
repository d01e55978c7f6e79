"""The whole stack as processes, and messages to send through it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from pg_bridge.cli.processes import start, stop, write_config, write_keys
from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.journal.review import AuditReader
from pg_bridge.link.profile import LINK_FILE, read_link_profile
from pg_bridge.simulator.pss import ScriptedPss
from tests.doubles.mapping_sets import messages, set_files, write_set

LINK = read_link_profile(set_files("shipped")[LINK_FILE])
PARTICIPANTS = ["B01234", "C00019"]


def weekday_after(days: int) -> date:
    """The weekday at least `days` behind today in Hong Kong: SIs settle on weekdays only."""
    day = utc_now().astimezone(HONG_KONG).date() + timedelta(days=days)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


class Words:
    """What the tests send and look for, in the words of a mapping set's legacy side (tests/profiles/messages)."""

    def __init__(self, set_name: str) -> None:
        self._texts = messages(set_name)
        #: answer, standing, told, done: the templates of what comes back
        self.template = self._texts["templates"]
        self.input = self._texts["input"]
        self.asking = self._texts["enquiry"]

    def deliver(
        self,
        reference: str,
        *,
        counterparty: str = "C00019",
        stock: str = "00005",
        quantity: str = "1000,",
        function: str = "",
    ) -> bytes:
        """The text block of a delivery against payment that settles two days on."""
        return self._instruction(reference, self.input["delivers_to"], counterparty, stock, quantity, function)

    def receive(
        self,
        reference: str,
        *,
        counterparty: str = "B01234",
        stock: str = "00005",
        quantity: str = "1000,",
        function: str = "",
    ) -> bytes:
        """The text block of a receipt against payment that settles two days on."""
        return self._instruction(reference, self.input["receives_from"], counterparty, stock, quantity, function)

    def _instruction(
        self, reference: str, party: str, counterparty: str, stock: str, quantity: str, function: str
    ) -> bytes:
        return _filled(
            self.input["body"],
            reference=reference,
            party=party,
            counterparty=counterparty,
            stock=stock,
            quantity=quantity,
            function=function or self.input["new"],
            day=weekday_after(2).strftime("%Y%m%d"),
        )

    def about(self, body: bytes, named: str) -> bytes:
        """The text block of an input as one of a change, deletion or revocation of the SI named."""
        about = self._texts["about"]
        link = _filled(about["named"], named=named)
        end = _filled(about["at"])
        return body.replace(end, link + end, 1)

    def send_about(self, pss: ScriptedPss, what: str, reference: str, named: str, *, is_receive: bool = False) -> int:
        """Have a PSS change, delete or revoke (`change`, `deletion`, `revocation`) the SI named."""
        function = self.input["new"] if what == "change" else self._texts["about"]["cancel"]
        make = self.receive if is_receive else self.deliver
        body = self.about(make(reference, function=function), named)
        kind = self.input["receive" if is_receive else "deliver"]
        return pss.send(kind, self._texts[what]["template"], body)

    def blocks(self, what: str, reference: str, *named: str) -> bytes:
        """The text block of an authorisation, hold or release of the SIs named."""
        texts = self._texts["blocks"]
        blocks = [
            texts["block"].replace("@named@", name).replace("@asked@", self._texts[what]["asked"]) for name in named
        ]
        return _filled(texts["body"].lstrip("\n"), reference=reference, blocks="".join(blocks))

    def send_blocks(self, pss: ScriptedPss, what: str, reference: str, *named: str) -> int:
        """Have a PSS authorise, hold or release (`authorisation`, `hold`, `release`) the SIs named."""
        own = self._texts[what]
        return pss.send(own["message_type"], own["template"], self.blocks(what, reference, *named))

    def answer_to(self, what: str) -> str:
        """The template that answers a change, deletion, revocation, authorisation, hold or release."""
        return self._texts[what]["answer"]

    def enquiry(self, reference: str, *, number: str = "", related: str = "") -> bytes:
        """The text block of an enquiry by SI number or by reference."""
        asked = self.asking["by_number"] if number else self.asking["by_reference"]
        asked = asked.replace("@number@", number).replace("@reference@", related)
        return _filled(self.asking["body"], reference=reference, asked=asked)

    def send_list(
        self, pss: ScriptedPss, reference: str, *asked: str, stock: str = "", narrowed: str = "", day: str = ""
    ) -> int:
        """Have a PSS ask for its SIs: of the statuses named, of a stock, narrowed (`deleted_today`), as of a day."""
        texts = self._texts["list"]
        of_stock = texts["stock"].replace("@stock@", stock) if stock else ""
        body = _filled(
            texts["body"].lstrip("\n"),
            reference=reference,
            day=texts["on_day"].replace("@day@", day) if day else "",
            narrowed=texts[narrowed] if narrowed else "",
            asked="".join(texts[name] for name in asked) + of_stock,
        )
        return pss.send(texts["message_type"], texts["template"], body)

    @property
    def listed(self) -> str:
        """The template of a list."""
        return self._texts["list"]["answer"]

    def holds(self, name: str, reference: str = "") -> str:
        """A piece of text that a message holds: related, accepted, refused, matched ..."""
        return self._texts["holds"][name].replace("@reference@", reference)

    def send_deliver(self, pss: ScriptedPss, reference: str, *, possible_duplicate: bool = False, **more: str) -> int:
        """Have a PSS send a delivery."""
        body = self.deliver(reference, **more)
        types = self.input["deliver"], self.input["template"]
        return pss.send(*types, body, possible_duplicate=possible_duplicate)

    def send_receive(self, pss: ScriptedPss, reference: str, **more: str) -> int:
        """Have a PSS send a receipt."""
        return pss.send(self.input["receive"], self.input["template"], self.receive(reference, **more))

    def send_enquiry(self, pss: ScriptedPss, reference: str, *, number: str = "", related: str = "") -> int:
        """Have a PSS ask."""
        body = self.enquiry(reference, number=number, related=related)
        return pss.send(self.asking["message_type"], self.asking["template"], body)


def _filled(text: str, **values: str) -> bytes:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.replace("\n", "\r\n").encode("ascii")


_SHIPPED = Words("shipped")
deliver = _SHIPPED.deliver
receive = _SHIPPED.receive
enquiry = _SHIPPED.enquiry


class Stack:
    """A pretend OCP and a bridge in a folder, by a mapping set; the bridge may be killed and started again."""

    def __init__(
        self, folder: Path, *, set_name: str = "shipped", extra: str = "", ocp_options: tuple[str, ...] = ()
    ) -> None:
        self.mappings = write_set(set_name, folder)
        self.words = Words(set_name)
        self.link = read_link_profile(set_files(set_name)[LINK_FILE])
        self.folder = folder
        self.extra = extra
        #: lines of the configuration's [pss]
        self.pss_settings = ""
        #: the same of [ocp]
        self.ocp_settings = ""
        self.participants = PARTICIPANTS
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
        registrations = write_keys(self.folder, self.participants, self.mappings)
        self._ocp, where = await start(
            "simulate", "ocp", "--port", "0", "--json", "--calls", "0", "--registrations", str(registrations),
            *(("--mappings", self.mappings) if self.mappings else ()), *self.ocp_options, log=self.folder / "ocp.log",
        )  # fmt: skip
        self.ocp_url = where["listening"]
        write_config(self.folder, self.ocp_url, self.participants, mappings=self.mappings, extra=self.extra)
        text = self.config.read_text("utf-8").replace("[pss]\n", f"[pss]\n{self.pss_settings}")
        text = text.replace("[ocp]\n", f"[ocp]\n{self.ocp_settings}")
        self.config.write_text(text, "utf-8")

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
        #: of each node that a PSS may dial
        self.ports = [int(each.rpartition(":")[2]) for each in (where["pss"], where.get("secondary")) if each]
        self.push_url = where["push"]

    async def stop_bridge(self) -> None:
        """End the bridge in order; the pretend OCP stays."""
        await stop(self.bridge)

    async def stop(self) -> None:
        for process in (self.bridge, self._ocp):
            if process is not None and process.returncode is None:
                await stop(process)

    async def pss(
        self, participant: str = "B01234", terminal: str = "PSS1", *, node: int = 0, **options: Any
    ) -> ScriptedPss:
        pss = ScriptedPss(self.link, participant=participant, terminal=terminal, clock=utc_now, **options)
        await pss.connect(self.host, self.ports[node])
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

    async def eventually_entered(self, reference: str) -> list[dict[str, Any]]:
        """The ledger's lines of a reference once there is one."""
        async with asyncio.timeout(10):
            while not (lines := await self.entered(reference)):
                pass
        return lines

    def entries(self, **filters: Any) -> list[Any]:
        """The journal's entries that fit."""
        with AuditReader(self.journal) as reader:
            return [stored.entry for stored in reader.newest(most=10_000, **filters)]


#: of a configuration: quick to try again
QUICK = "[exchange]\nretry_first_s = 0.2\nretry_most_s = 0.5\n"

AnyStack = TypeVar("AnyStack", bound=Stack)


@contextlib.asynccontextmanager
async def up(made: AnyStack) -> AsyncIterator[AnyStack]:
    """Both processes are up for as long as this is open; ended in order."""
    try:
        await made.start_ocp()
        await made.start_bridge()
        yield made
    finally:
        await made.stop()


def stack(folder: Path, **options: Any) -> AbstractAsyncContextManager[Stack]:
    """A stack with both processes up."""
    return up(Stack(folder, **options))
