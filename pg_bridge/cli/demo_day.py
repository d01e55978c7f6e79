"""The demo's trading day: reads the script, plays both PSSs, compares what comes back. Prints nothing."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.records import (
    BatchCalled,
    ExchangeAnswered,
    MessageRefused,
    RequestReceived,
    UpdateReceived,
    read_entry,
)
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.journal.review import AuditReader
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.ocp import CONTROL_PATH
from pg_bridge.simulator.pss import Received, ScriptedPss

FRIDAY = 4


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message that must come."""

    by: str
    template: str
    message_type: str = ""
    holds: list[str] = []


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: a request of a PSS, or something done at OCP."""

    say: str
    by: str = ""
    name: str = ""
    template: str = ""
    message_type: str = ""
    body: str = ""
    control: str = ""
    document: dict[str, Any] = {}
    expect: list[Expected] = []


class Day(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole script. si_number: a regular expression whose group is the SI number in an answer."""

    participants: dict[str, str]
    settlement_days: int
    si_number: str
    step: list[Step]


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened in one step."""

    step: str
    legacy_in: str
    ocp_call: str
    ocp_answer: str
    legacy_out: str
    took_ms: float
    missing: tuple[str, ...]


class Players:
    """Both PSSs, on real sockets, with the journal at hand."""

    def __init__(self, day: Day, link: LinkProfile, journal: Path, ocp_url: str) -> None:
        self._day = day
        self._journal = journal
        self._ocp_url = ocp_url
        self.pss = {
            role: ScriptedPss(link, participant=participant, clock=utc_now)
            for role, participant in day.participants.items()
        }
        self._numbers: dict[str, str] = {}
        self._position = 0
        today = utc_now().astimezone(HONG_KONG).date()
        settlement = today
        for _ in range(day.settlement_days):
            settlement += timedelta(
                days=3 if settlement.weekday() == FRIDAY else 2 if settlement.weekday() > FRIDAY else 1
            )
        self._dates = {
            "today": today.strftime("%Y%m%d"),
            "settlement": settlement.strftime("%Y%m%d"),
            "settlement_run": f"{settlement.isoformat()}T10:30:01+08:00",
        }

    async def log_on(self, host: str, port: int) -> Fact:
        """Both log on."""
        began = time.perf_counter()
        for pss in self.pss.values():
            await pss.connect(host, port)
            await pss.log_on()
        took_ms = (time.perf_counter() - began) * 1000
        names = " and ".join(pss.participant for pss in self.pss.values())
        return Fact("both PSSs log on", f"log-on of {names}", "", "", "accepted", took_ms, ())

    async def log_off(self) -> Fact:
        """Both log off."""
        began = time.perf_counter()
        for pss in self.pss.values():
            await pss.log_off()
        took_ms = (time.perf_counter() - began) * 1000
        return Fact("both PSSs log off", "log-off", "", "", "answered, closed", took_ms, ())

    async def play(self) -> AsyncIterator[Fact]:
        """Every step of the day."""
        for step in self._day.step:
            yield await self._step(step)

    async def _step(self, step: Step) -> Fact:
        began = time.perf_counter()
        after = {role: len(pss.received) for role, pss in self.pss.items()}
        if step.by:
            body = self._fill(step.body.lstrip("\n")).replace("\n", "\r\n").encode("ascii")
            pss = self.pss[step.by]
            pss.send(step.message_type, step.template, body)
            legacy_in = f"MT{step.message_type} {step.template} of {pss.participant}"
        else:
            async with httpx.AsyncClient(trust_env=False) as http:
                document = msgspec.json.decode(self._fill(msgspec.json.encode(step.document).decode()))
                answer = await http.post(f"{self._ocp_url}{CONTROL_PATH}/{step.control}", json=document)
                answer.raise_for_status()
            legacy_in = ""
        got: list[Received] = []
        missing: list[str] = []
        for expected in step.expect:
            holds = [self._fill(text) for text in expected.holds]
            pss = self.pss[expected.by]
            try:
                found = await pss.message(expected.template, *holds, after=after[expected.by])
            except TimeoutError:
                missing.append(f"{expected.template} with {' '.join(holds)} for {pss.participant}")
                continue
            if expected.message_type and found.frame.message_type != expected.message_type:
                missing.append(f"MT{expected.message_type} for {pss.participant}")
            got.append(found)
        took_ms = (time.perf_counter() - began) * 1000
        if step.name and got:
            number = re.search(self._day.si_number, got[0].text)
            self._numbers[step.name] = number.group(1) if number else ""
        call, answer_text = self._at_ocp(step)
        out = "\n".join(f"MT{one.frame.message_type} {one.frame.template} to {one.frame.participant}" for one in got)
        return Fact(step.say, legacy_in, call, answer_text, out, took_ms, tuple(missing))

    def _fill(self, text: str) -> str:
        for name, value in self._dates.items():
            text = text.replace("{" + name + "}", value)
        for name, value in self._numbers.items():
            text = text.replace("{si:" + name + "}", value)
        return text

    def _at_ocp(self, step: Step) -> tuple[str, str]:
        """What the journal says of this step: calls, and answers or pushes."""
        calls = [f"(at OCP: {step.control})"] if step.control else []
        answers: list[str] = []
        with AuditReader(self._journal) as reader:
            entries = reader.behind(self._position)
        for stored in entries:
            self._position = stored.position
            if stored.entry.kind in (Kind.ANSWERS_LEFT, Kind.DELIVERY_ACKNOWLEDGED):
                continue
            match read_entry(stored.entry):
                case BatchCalled() as called:
                    calls.append(f"{called.operation} {called.request_id[:8]}")
                case RequestReceived(effect="enquire") as received:
                    calls.append(received.operation)
                case ExchangeAnswered() as answered:
                    answers.append(f"{answered.outcome} {answered.si_number}".strip())
                case UpdateReceived() as update:
                    answers.append(f"push {update.event_id} {update.si_number}")
                case MessageRefused() as refused:
                    answers.append(f"refused by us: {len(refused.findings)} faults")
        return "\n".join(calls), "\n".join(answers)
