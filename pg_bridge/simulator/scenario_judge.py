"""Judges the steps of a scenario: what must come, what must not, and what OCP's ledger must have.

What has come waits until a step expects it: a message is looked for among all that came and were not expected yet, so
that it does not matter how fast the other side is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

from pg_bridge.link.profile import LinkProfile
from pg_bridge.simulator.pss import Received
from pg_bridge.simulator.scenario import Expected, Step
from pg_bridge.simulator.scenario_fields import filled, misfits, read_fields, values_at
from pg_bridge.simulator.scenario_side import Side
from pg_bridge.simulator.scenario_stage import OcpControl

#: seconds between two looks at what nobody tells of
_LOOK_S = 0.05


class Judge:
    """Judges by `fill`, to which it adds what is kept. own: the text that stands in all messages of the run, empty
    where everything that comes is the run's."""

    def __init__(
        self,
        sides: Mapping[str, Side],
        profile: LinkProfile,
        control: OcpControl,
        fill: dict[str, str],
        came: asyncio.Event,
        own: str,
    ) -> None:
        self._sides = sides
        self._profile = profile
        self._control = control
        self._fill = fill
        self._came = came
        self._own = own

    async def messages(self, step: Step, got: list[Received], end: float) -> list[str]:
        """What is wrong with the messages that the step expects; those that came go into `got`."""
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
        return wrong

    async def beside(self, step: Step, end: float) -> list[str]:
        """What is wrong with all else that the step expects: of the session, of OCP's ledger, and nothing more."""
        wrong: list[str] = []
        if step.entered is not None:
            wrong += await self._miscounted(step.entered, end)
        side = self._sides.get(step.by)
        if side is None:
            return wrong
        for meaning in step.frames_refused:
            wrong += await self._not_refused(side, meaning, end)
        for name in step.heard:
            template = self._profile.control.templates[name].template
            if not await self._until(partial(_stands_in, template, side), end):
                wrong.append(f"missing: {template} to {side.participant}")
        if step.is_on is not None and not await self._until(lambda: side.is_on is step.is_on, end):
            wrong.append(f"the connection of {side.participant} {'stands' if side.is_on else 'is closed'}")
        for template, count in step.waiting.items():
            waiting = Counter(one.frame.template for one in side.waiting)[template]
            if waiting != count:
                wrong.append(f"{waiting} {template} wait at {side.participant}, not {count}")
        if step.nothing_more:
            own = [one for one in side.waiting if self._own in one.text]
            wrong += [f"not expected: {_named(one, side)}\n{one.text}" for one in own]
            wrong += [f"not expected: {one.code} to {side.participant}: {one.text}" for one in side.refused]
        return wrong

    async def _until(self, holds: Callable[[], bool], end: float) -> bool:
        loop = asyncio.get_running_loop()
        while not (done := holds()) and loop.time() < end:  # noqa: ASYNC110
            # a connection that ends rings nowhere
            await asyncio.sleep(_LOOK_S)
        return done

    async def _not_refused(self, side: Side, meaning: str, end: float) -> list[str]:
        code = self._profile.code(meaning)
        if not await self._until(lambda: any(one.code == code for one in side.refused), end):
            told = ", ".join(one.code for one in side.refused) or "nothing"
            return [f"missing: the refusal {code} of a frame of {side.participant} ({told} came)"]
        side.refused.remove(next(one for one in side.refused if one.code == code))
        return []

    async def _await(self, side: Side, expected: Expected, end: float, *, is_strict: bool) -> Received | str:
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

    def _told_missing(self, side: Side, expected: Expected, looked: list[Received]) -> str:
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
            await asyncio.sleep(_LOOK_S)


def _stands_in(template: str, side: Side) -> bool:
    return template.encode() in bytes(side.heard)


def _named(one: Received, side: Side) -> str:
    return f"MT{one.frame.message_type} {one.frame.template} to {side.participant}"
