"""Plays a scenario: PSSs on real sockets, orders to the pretend OCP by HTTP, and a judgement of each step.

What has come waits until a step expects it: a message is looked for among all that came and were not expected yet, so
that it does not matter how fast the other side is.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import msgspec

from pg_bridge.errors import BridgeError, SessionError
from pg_bridge.link import events as link
from pg_bridge.link.parts import PartsForm, split, write_part
from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.ocp import CONTROL_PATH
from pg_bridge.simulator.pss import Received, ScriptedPss
from pg_bridge.simulator.scenario import ORDERS, Expected, Scenario, Step, Upload, deed_of
from pg_bridge.simulator.scenario_fields import filled, misfits, read_fields, values_at

FRIDAY = 4
#: numbers of shares that a run chooses from, so that what it enters meets nothing of another run
_LOTS = 89_999
_LEAST_LOT = 10_000


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


class OcpControl:
    """The control of a pretend OCP at `url`. Raises BridgeError for an order that it refuses, or when it is away."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + CONTROL_PATH

    async def order(self, route: str, document: dict[str, Any] | None = None) -> Any:
        """Post an order, or get what is told there."""
        doing = f"asking the pretend OCP: {route}"
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                url = f"{self._url}/{route}"
                answer = await (http.get(url) if document is None else http.post(url, json=document))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BridgeError(f"{doing}: {error}") from error
        if answer.is_error:
            raise BridgeError(f"{doing}: {answer.status_code} {answer.text}")
        return answer.json()


@dataclass(slots=True)
class _Side:
    """One PSS: its connection now, and what came and was not expected yet, over all its connections."""

    participant: str
    pss: ScriptedPss
    waiting: list[Received] = field(default_factory=list)


class _Listening(ScriptedPss):
    """A PSS that keeps what comes in the list of its side, and rings."""

    side: _Side
    came: asyncio.Event

    def happened(self, event: link.Event) -> None:
        """Keep a business message."""
        if isinstance(event, link.AnswerReceived | link.UnsolicitedReceived):
            got = Received(event.frame, self._clock(), isinstance(event, link.AnswerReceived))
            self.side.waiting.append(got)
        self.came.set()


class Player:
    """Plays one scenario against the bridge at host:port. run_id: part of every reference, new in each run."""

    def __init__(
        self,
        scenario: Scenario,
        profile: LinkProfile,
        control: OcpControl,
        *,
        host: str,
        port: int,
        run_id: str,
        clock: Callable[[], datetime],
        parts: PartsForm | None = None,
    ) -> None:
        self._scenario = scenario
        self._profile = profile
        self._control = control
        self._host = host
        self._port = port
        self._clock = clock
        self._parts = parts
        self._came = asyncio.Event()
        self._sides = {role: self._side(name) for role, name in scenario.file.participants.items()}
        self._fill = self._known_at_start(run_id)

    @property
    def participants(self) -> list[str]:
        """Who plays."""
        return [side.participant for side in self._sides.values()]

    def _side(self, participant: str) -> _Side:
        side = _Side(participant, self._listening(participant, acknowledges=True))
        side.pss.side = side  # type: ignore[attr-defined]
        return side

    def _listening(self, participant: str, *, acknowledges: bool) -> _Listening:
        pss = _Listening(self._profile, participant=participant, clock=self._clock, acknowledges=acknowledges)
        pss.came = self._came
        return pss

    def _known_at_start(self, run_id: str) -> dict[str, str]:
        today = self._clock().astimezone(HONG_KONG).date()
        settlement = _weekday_after(today, self._scenario.file.settlement_days)
        lot = _LEAST_LOT + zlib.crc32(f"{run_id} {self._scenario.path}".encode()) % _LOTS
        return {
            "run_id": run_id,
            "today": _digits(today),
            "today_iso": today.isoformat(),
            "settlement": _digits(settlement),
            "settlement_iso": settlement.isoformat(),
            "settlement_run": f"{settlement.isoformat()}T10:30:01+08:00",
            "lot": str(lot),
        } | self._scenario.file.participants

    # --- the whole

    async def log_on(self) -> None:
        """All PSSs log on. Raises SessionError when one cannot."""
        for side in self._sides.values():
            await side.pss.connect(self._host, self._port)
            await side.pss.log_on()

    async def log_off(self) -> None:
        """All that are still on log off."""
        for side in self._sides.values():
            if side.pss.is_connected:
                await side.pss.log_off()

    def close(self) -> None:
        """Close every connection, without a word."""
        for side in self._sides.values():
            side.pss.close()

    async def play(self) -> AsyncIterator[StepOutcome]:
        """Every step, until one is wrong: what comes behind that says nothing."""
        for number, step in enumerate(self._scenario.file.step, 1):
            began = time.perf_counter()
            sent, wrong = "", []
            got: list[Received] = []
            try:
                sent = await self._do(step)
                wrong += await self._judge(step, got)
            except (BridgeError, TimeoutError) as error:
                wrong.append(str(error) or "it took too long")
            took_ms = (time.perf_counter() - began) * 1000
            line = self._scenario.lines[number - 1]
            deed = deed_of(step)
            yield StepOutcome(number, line, deed, filled(step.say, self._fill), sent, tuple(got), tuple(wrong), took_ms)
            if wrong:
                return

    # --- what is done

    async def _do(self, step: Step) -> str:
        """Do the step's deed; gives it in words."""
        deed = deed_of(step)
        if not deed:
            return ""
        side = self._sides.get(step.by)
        if deed in ORDERS:
            return await self._order(ORDERS[deed], msgspec.to_builtins(getattr(step, deed)))
        if step.control is not None:
            return await self._order(step.control, step.document)
        if step.wait is not None:
            await asyncio.sleep(step.wait)
            return f"{step.wait:g} s pass"
        if side is None:
            return ""
        if step.send is not None:
            return self._send(side, step)
        if step.upload is not None:
            return self._upload(side, step.upload)
        if step.cut:
            side.pss.abort()
            return f"the connection of {side.participant} is cut"
        if step.reconnect:
            await self._reconnect(side, acknowledges=step.acknowledges)
            return f"{side.participant} logs on again"
        await side.pss.log_off()
        return f"{side.participant} logs off"

    async def _order(self, route: str, document: dict[str, Any]) -> str:
        text = filled(msgspec.json.encode(document).decode(), self._fill)
        await self._control.order(route, msgspec.json.decode(text))
        return f"at OCP: {route} {text}"

    def _send(self, side: _Side, step: Step) -> str:
        message = self._scenario.messages[step.send or ""]
        fill = self._fill | {name: filled(value, self._fill) for name, value in (message.values | step.values).items()}
        body = _wire(message.body, fill)
        side.pss.send(message.message_type, message.template, body, possible_duplicate=step.copy)
        again = ", as a possible duplicate" if step.copy else ""
        return f"MT{message.message_type} {message.template} of {side.participant}{again}"

    def _upload(self, side: _Side, upload: Upload) -> str:
        if self._parts is None:
            raise SessionError("sending a file: the mappings know no files in parts")
        form = self._parts
        if upload.part:
            form = PartsForm(form.keys, form.line, upload.part, form.largest, form.name_width)
        content = _wire(upload.content, self._fill)
        day = self._clock().astimezone(HONG_KONG).date()
        sent = split(form, filled(upload.name, self._fill), day, content)
        for part in sent:
            head = filled(upload.head, self._fill | {"part": f"{part.number:06d}"}).strip("\n")
            body = head + "\n".join(write_part(form, part)) + "\n"
            side.pss.send(upload.message_type, upload.template, _wire(body, {}))
        count = f"{len(sent)} parts" if len(sent) > 1 else "one part"
        return f"a file of {len(content)} bytes in {count} of {side.participant}"

    async def _reconnect(self, side: _Side, *, acknowledges: bool) -> None:
        side.pss.close()
        pss = self._listening(side.participant, acknowledges=acknowledges)
        pss.side = side
        side.pss = pss
        await pss.connect(self._host, self._port)
        await pss.log_on()

    # --- what must come

    async def _judge(self, step: Step, got: list[Received]) -> list[str]:
        end = asyncio.get_running_loop().time() + step.within_s
        wrong: list[str] = []
        for expected in step.expect:
            side = self._sides[expected.by or step.by]
            found = await self._await(side, expected, end, is_strict=step.order == "strict")
            if isinstance(found, str):
                wrong.append(found)
                continue
            got.append(found)
            fields = read_fields(found.text)
            for name, place in expected.keep.items():
                values = values_at(fields, place)
                if not values:
                    wrong.append(f"{found.frame.template} to {side.participant}: nothing stands at {place}")
                self._fill[name] = values[0] if values else ""
        if step.entered is not None:
            wrong += await self._miscounted(step.entered, end)
        if step.nothing_more:
            side = self._sides[step.by]
            # what an earlier run left behind may come at any log-on
            own = [one for one in side.waiting if self._fill["run_id"] in one.text]
            wrong += [f"not expected: {_named(one, side)}\n{one.text}" for one in own]
        return wrong

    async def _await(self, side: _Side, expected: Expected, end: float, *, is_strict: bool) -> Received | str:
        """The message expected, taken out of those that wait; or what is wrong."""
        loop = asyncio.get_running_loop()
        while True:
            self._came.clear()
            looked = side.waiting[:1] if is_strict else side.waiting
            for one in looked:
                if not self._differences(expected, one):
                    side.waiting.remove(one)
                    return one
            left = end - loop.time()
            if (is_strict and looked) or left <= 0:
                return self._told_missing(side, expected, looked)
            try:
                async with asyncio.timeout(left):
                    await self._came.wait()
            except TimeoutError:
                continue

    def _differences(self, expected: Expected, one: Received) -> list[str]:
        frame = one.frame
        if frame.template != expected.template:
            return [f"it is {frame.template}"]
        found = misfits(expected, one.text, self._fill)
        if expected.message_type not in ("", frame.message_type):
            found.append(f"it is MT{frame.message_type}, not MT{expected.message_type}")
        if expected.copy not in (None, frame.possible_duplicate):
            found.append(f"it is {'' if frame.possible_duplicate else 'not '}marked as a possible duplicate")
        return found

    def _told_missing(self, side: _Side, expected: Expected, looked: list[Received]) -> str:
        due = "; ".join(
            [
                f"{place} {value if isinstance(value, str) else ', '.join(value)}"
                for place, value in expected.fields.items()
            ]
            + [filled(text, self._fill) for text in expected.holds]
        )
        told = f"missing: {expected.template} to {side.participant}{' with ' if due else ''}{filled(due, self._fill)}"
        near = [one for one in looked if one.frame.template == expected.template] or looked
        if not near:
            return f"{told} (nothing came)"
        nearest = min(near, key=lambda one: len(self._differences(expected, one)))
        return f"{told}; of {_named(nearest, side)}: {'; '.join(self._differences(expected, nearest))}"

    async def _miscounted(self, entered: dict[str, int], end: float) -> list[str]:
        """Of which references the ledger has another number, once it has enough or time is up."""
        loop = asyncio.get_running_loop()
        wanted = {filled(name, self._fill): count for name, count in entered.items()}
        while True:
            done = (await self._control.order("ledger"))["done"]
            counts = dict.fromkeys(wanted, 0)
            for line in done:
                if line["request_reference"] in counts:
                    counts[line["request_reference"]] += 1
            is_short = any(counts[name] < count for name, count in wanted.items())
            if not is_short or loop.time() >= end:
                return [
                    f"OCP's ledger has {counts[name]} of {name}, not {count}"
                    for name, count in wanted.items()
                    if counts[name] != count
                ]


def _named(one: Received, side: _Side) -> str:
    return f"MT{one.frame.message_type} {one.frame.template} to {side.participant}"


def _wire(text: str, fill: dict[str, str]) -> bytes:
    """The text with holes filled and lines ended as on the wire. Raises SessionError for what is not ASCII."""
    try:
        return filled(text.lstrip("\n"), fill).replace("\n", "\r\n").encode("ascii")
    except UnicodeEncodeError as error:
        raise SessionError(f"sending a message: {error.reason}") from error


def _digits(day: date) -> str:
    return day.strftime("%Y%m%d")


def _weekday_after(day: date, days: int) -> date:
    """The `days`-th weekday behind a day."""
    for _ in range(days):
        day += timedelta(days=3 if day.weekday() == FRIDAY else 2 if day.weekday() > FRIDAY else 1)
    return day
