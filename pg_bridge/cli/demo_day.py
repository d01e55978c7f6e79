"""The demo's trading day: a scenario, played, with what the journal says of each step. Prints nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.records import (
    BatchCalled,
    ExchangeAnswered,
    MessageRefused,
    RequestReceived,
    UpdateReceived,
    read_entry,
)
from pg_bridge.journal.review import AuditReader
from pg_bridge.simulator.scenario import OF_A_PSS, ORDERS
from pg_bridge.simulator.scenario_player import Player


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
    """The PSSs of a scenario, with the journal at hand."""

    def __init__(self, player: Player, journal: Path) -> None:
        self._player = player
        self._journal = journal
        self._position = 0

    async def log_on(self) -> Fact:
        """All log on."""
        began = time.perf_counter()
        await self._player.log_on()
        took_ms = (time.perf_counter() - began) * 1000
        names = " and ".join(self._player.participants)
        return Fact("the PSSs log on", f"log-on of {names}", "", "", "accepted", took_ms, ())

    async def log_off(self) -> Fact:
        """All log off."""
        began = time.perf_counter()
        await self._player.log_off()
        took_ms = (time.perf_counter() - began) * 1000
        return Fact("the PSSs log off", "log-off", "", "", "answered, closed", took_ms, ())

    async def play(self) -> AsyncIterator[Fact]:
        """Every step of the day."""
        async for outcome in self._player.play():
            call, answer = self._at_ocp(outcome.deed)
            out = "\n".join(
                f"MT{one.frame.message_type} {one.frame.template} to {one.frame.participant}" for one in outcome.got
            )
            legacy_in = outcome.sent if outcome.deed in OF_A_PSS else ""
            yield Fact(outcome.say, legacy_in, call, answer, out, outcome.took_ms, outcome.wrong)

    def _at_ocp(self, deed: str) -> tuple[str, str]:
        """What the journal says of this step: calls, and answers or pushes."""
        calls = [f"(at OCP: {deed})"] if deed in ORDERS else []
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
