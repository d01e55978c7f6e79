"""Plays a scenario: PSSs on real sockets, orders to the pretend OCP by HTTP, and a judgement of each step."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from pg_bridge.errors import BridgeError, SessionError
from pg_bridge.link.parts import PartsForm
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.pss import Received
from pg_bridge.simulator.scenario import ORDERS, Alteration, Needs, Scenario, Step, deed_of
from pg_bridge.simulator.scenario_fields import filled
from pg_bridge.simulator.scenario_judge import Judge
from pg_bridge.simulator.scenario_record import WireRecord
from pg_bridge.simulator.scenario_side import Side
from pg_bridge.simulator.scenario_stage import Place

FRIDAY = 4
#: numbers of shares that a run chooses from, so that what it enters meets nothing of another run
_LOTS = 89_999
_LEAST_LOT = 10_000
_TICK_S = 1.0
#: messages that go as one piece, which the kernel cuts nowhere, and the pause behind it, seconds
_AT_ONCE, _BREATH_S = 20, 0.001
#: seconds of a clock of our own in which everything has come that will
_SETTLES_S = 2.0


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What happened in one step. number: from 1; line: of the file. wrong: in words, empty when all came."""

    number: int
    line: int
    deed: str
    say: str
    sent: str
    got: tuple[Received, ...]
    wrong: tuple[str, ...]
    took_ms: float


class Player:
    """Plays one scenario at `place`. run_id: part of every reference, new in each run.

    lane: of several that play beside each other, from 0. stands_for: participant of the file -> who plays it.
    """

    def __init__(
        self,
        scenario: Scenario,
        profile: LinkProfile,
        place: Place,
        *,
        run_id: str,
        parts: PartsForm | None = None,
        record: WireRecord | None = None,
        lane: int = 0,
        stands_for: Mapping[str, str] | None = None,
    ) -> None:
        self._scenario = scenario
        self._place = place
        self._parts = parts
        came = asyncio.Event()
        file = scenario.file
        played = {role: (stands_for or {}).get(name, name) for role, name in file.participants.items()}
        self._sides = {
            role: Side(name, _terminal(file.terminals.get(role, ""), lane), profile, place.clock, came, record)
            for role, name in played.items()
        }
        self._fill = self._known_at_start(run_id, played)
        own = run_id if place.is_shared else ""
        self._judge = Judge(self._sides, profile, place.control, self._fill, came, own)

    @property
    def participants(self) -> list[str]:
        """Who plays."""
        return [side.participant for side in self._sides.values()]

    def _known_at_start(self, run_id: str, played: dict[str, str]) -> dict[str, str]:
        today = self._place.clock().astimezone(HONG_KONG).date()
        settlement = _weekday_after(today, self._scenario.file.settlement_days)
        lot = _LEAST_LOT + zlib.crc32(f"{run_id} {self._scenario.path.rpartition('/')[2]}".encode()) % _LOTS
        return {
            "run_id": run_id,
            "today": _digits(today),
            "today_iso": today.isoformat(),
            "settlement": _digits(settlement),
            "settlement_iso": settlement.isoformat(),
            "later": _digits(_weekday_after(settlement, 8)),
            "sunday_iso": (today + timedelta(days=(6 - today.weekday()) % 7 or 7)).isoformat(),
            "purged_iso": _weekday_after(settlement, 14).isoformat(),
            "settlement_run": f"{settlement.isoformat()}T10:30:01+08:00",
            "lot": str(lot),
        } | played

    # --- the whole

    async def log_on(self) -> None:
        """All PSSs log on but those that come later. Raises SessionError when one cannot."""
        for role, side in self._sides.items():
            if role not in self._scenario.file.later:
                await side.log_on(*self._place.nodes[0])

    async def log_off(self) -> None:
        """All that are still on log off."""
        for side in self._sides.values():
            await side.log_off()

    def close(self) -> None:
        """Close every connection, without a word."""
        for side in self._sides.values():
            side.close()

    async def play(self) -> AsyncIterator[StepOutcome]:
        """Every step, until one is wrong: what comes behind that says nothing."""
        for number, step in enumerate(self._scenario.file.step, 1):
            began = time.perf_counter()
            sent, wrong = "", []
            got: list[Received] = []
            for side in self._sides.values():
                side.heard.clear()
            try:
                sent = await self._do_all(step)
                wrong += await self._judged(step, got)
            except (BridgeError, TimeoutError) as error:
                wrong.append(str(error) or "it took too long")
            took_ms = (time.perf_counter() - began) * 1000
            line = self._scenario.lines[number - 1]
            deed = deed_of(step)
            yield StepOutcome(number, line, deed, filled(step.say, self._fill), sent, tuple(got), tuple(wrong), took_ms)
            if wrong:
                return

    async def _judged(self, step: Step, got: list[Received]) -> list[str]:
        end = asyncio.get_running_loop().time() + step.within_s
        wrong: list[str] = []
        for _ in self._counted(step):
            wrong += await self._judge.messages(step, got, end)
            if wrong:
                return wrong
        return await self._judge.beside(step, end)

    def _counted(self, step: Step) -> Iterator[int]:
        """As often as the step is done, with its number filled in."""
        for count in range(1, step.times + 1):
            self._fill["n"] = f"{count:03d}"
            yield count

    # --- what is done

    async def _do_all(self, step: Step) -> str:
        """Do the step's deed as often as it says; gives it in words."""
        sent = ""
        side = self._sides.get(step.by)
        for count in self._counted(step):
            if side is not None:
                side.gather(is_last=count % _AT_ONCE == 0 or count == step.times)
            sent = await self._do(step)
            if count % _AT_ONCE == 0:
                await asyncio.sleep(_BREATH_S)
        return f"{sent}, {step.times} times" if step.times > 1 else sent

    async def _do(self, step: Step) -> str:
        deed = deed_of(step)
        backstage = self._place.backstage
        if deed in ORDERS:
            return await self._order(ORDERS[deed], msgspec.to_builtins(getattr(step, deed)))
        if step.control is not None:
            return await self._order(step.control, step.document)
        if step.wait is not None:
            await self._wait(step.wait)
            return f"{step.wait:g} s pass"
        if step.passes is not None:
            backstage.pass_time(step.passes)
            await self._order("clock", {"advance_s": step.passes})
            await self._wait(_SETTLES_S)
            return f"{step.passes:g} s pass at the bridge and at OCP"
        if step.broadcast is not None:
            telling = msgspec.convert(self._filled(msgspec.to_builtins(step.broadcast)), type(step.broadcast))
            await backstage.broadcast(telling)
            return f"a broadcast to {', '.join(telling.to) or 'all'}: {telling.head}"
        if step.report is not None:
            report = msgspec.convert(self._filled(msgspec.to_builtins(step.report)), type(step.report))
            backstage.put_report(report, self._fill["today"])
            return f"the report {report.name} lies ready for {report.participant}"
        return await self._done_by(self._sides[step.by], step) if deed else ""

    async def _done_by(self, side: Side, step: Step) -> str:
        """What a PSS does."""
        if step.send is not None:
            message = self._scenario.messages[step.send]
            own = {name: filled(value, self._fill) for name, value in (message.values | step.values).items()}
            alter = step.alter
            if alter is not None:
                alter = Alteration(find=filled(alter.find, self._fill), put=filled(alter.put, self._fill))
            side.send(message, self._fill | own, copy=step.copy, alter=alter)
            again = ", as a possible duplicate" if step.copy else ""
            return f"MT{message.message_type} {message.template} of {side.participant}{again}"
        if step.upload is not None:
            if self._parts is None:
                raise SessionError("sending a file: the mappings know no files in parts")
            size, parts = side.upload(self._parts, step.upload, self._fill)
            count = f"{parts} parts" if parts > 1 else "one part"
            return f"a file of {size} bytes in {count} of {side.participant}"
        if step.cut:
            side.cut()
            return f"the connection of {side.participant} is cut"
        if step.reconnect:
            await side.log_on(*self._place.nodes[step.node], acknowledges=step.acknowledges)
            where = " at the second node" if step.node else ""
            return f"{side.participant} logs on{where}"
        if step.nothing_more and Needs.OWN in self._place.has:
            await self._wait(_SETTLES_S)
        await side.log_off()
        return f"{side.participant} logs off"

    async def _wait(self, seconds: float) -> None:
        """Wait; the PSSs do what time asks of them meanwhile."""
        left = seconds
        while left > 0:
            await asyncio.sleep(min(left, _TICK_S))
            left -= _TICK_S
            for side in self._sides.values():
                side.tick()

    async def _order(self, route: str, document: dict[str, Any]) -> str:
        document = self._filled(document)
        await self._place.control.order(route, document)
        return f"at OCP: {route} {msgspec.json.encode(document).decode()}"

    def _filled(self, document: dict[str, Any]) -> dict[str, Any]:
        """A document with the holes of its texts filled."""
        text = filled(msgspec.json.encode(document).decode(), self._fill)
        found: dict[str, Any] = msgspec.json.decode(text)
        return found


def _terminal(given: str, lane: int) -> str:
    """The terminal that a role uses; those that play beside each other have terminals of their own."""
    return given or (f"P{lane + 1:03d}" if lane else "PSS1")


def _digits(day: date) -> str:
    return day.strftime("%Y%m%d")


def _weekday_after(day: date, days: int) -> date:
    """The `days`-th weekday behind a day."""
    for _ in range(days):
        day += timedelta(days=3 if day.weekday() == FRIDAY else 2 if day.weekday() > FRIDAY else 1)
    return day
