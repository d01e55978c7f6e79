"""What is wrong with a scenario that is well-formed: deeds, names and holes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.simulator.scenario import AT_A_PSS, DEEDS, OF_A_PSS, Message, Scenario, Step, deed_of
from pg_bridge.typed_toml import Lines, nearest, shown

WRONG_STEP = "PGB-SCN-003"
#: how often a step may be done; `{n}` has three digits
MOST_TIMES = 999

#: what the player fills without being told (scenario_player.py)
BUILT_IN = (
    "run_id",
    "today",
    "settlement",
    "today_iso",
    "settlement_iso",
    "settlement_run",
    "later",
    "sunday_iso",
    "purged_iso",
    "lot",
    "part",
    "n",
)
HOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PLACE = re.compile(r"(?:[A-Z0-9]+/)*[0-9]{2}[A-Z]?(?::[A-Z0-9]{4})?")

Fault = tuple[str, str, str]


def check_scenario(scenario: Scenario, lines: Lines) -> list[Finding]:
    """Every fault of the scenario, with its line."""
    return [
        Finding(WRONG_STEP, "error", scenario.path, f"{at}: {told}", lines.of(at), remedy=remedy)
        for at, told, remedy in _faults(scenario)
    ]


def _faults(scenario: Scenario) -> Iterator[Fault]:
    file = scenario.file
    if not file.participants:
        yield "participants", "there is no participant", 'Write one, as `participants = { seller = "B01234" }`.'
    roles = list(file.participants)
    for role in (*file.later, *file.terminals):
        if role not in roles:
            yield "participants", f"there is no participant `{shown(role)}`", nearest(role, roles)
    known = {*BUILT_IN, *roles}
    for number, step in enumerate(file.step):
        at = f"step[{number}]"
        yield from _deed(step, at)
        yield from _roles(step, at, roles)
        if step.send is not None and step.send not in scenario.messages:
            told = f"there is no message `{shown(step.send)}`"
            yield f"{at}.send", told, nearest(step.send, sorted(scenario.messages))
        message = scenario.messages.get(step.send or "")
        yield from _holes(step, message, at, known)
        yield from _places(step, at)
        for expected in step.expect:
            known |= set(expected.keep)


def _deed(step: Step, at: str) -> Iterator[Fault]:
    deeds = [deed for deed in DEEDS if getattr(step, deed) is not None]
    expects = [name for name in ("expect", "entered", *AT_A_PSS) if getattr(step, name) not in (None, [], {})]
    if not deeds and not expects:
        yield at, "nothing is done and nothing expected", f"Write one of {', '.join(f'`{deed}`' for deed in DEEDS)}."
    if len(deeds) > 1:
        yield at, f"it does several things: {', '.join(deeds)}", "Write a step for each."
    if step.nothing_more and not step.log_off:
        yield f"{at}.nothing_more", "this is told at a log-off only", "Write `log_off = true` beside it."
    if step.document and step.control is None:
        yield f"{at}.document", "there is no control that takes it", "Write `control` beside it, or take it out."
    if not step.acknowledges and step.reconnect is None:
        yield f"{at}.acknowledges", "this is said at a log-on only", "Write `reconnect = true` beside it."
    if step.node and step.reconnect is None:
        yield f"{at}.node", "this is said at a log-on only", "Write `reconnect = true` beside it."
    if (step.values or step.copy or step.alter) and step.send is None:
        told = "values, copy and alter are of a message that is sent"
        yield f"{at}", told, "Write `send` beside it, or take them out."
    if step.within_s <= 0 or (step.wait or 0) < 0 or (step.passes or 0) < 0:
        yield at, "a time must be above 0", "Write seconds."
    if not 1 <= step.times <= MOST_TIMES:
        yield f"{at}.times", f"it is done 1 to {MOST_TIMES} times", "Write a number between."


def _roles(step: Step, at: str, roles: list[str]) -> Iterator[Fault]:
    if step.by and step.by not in roles:
        yield f"{at}.by", f"there is no participant `{shown(step.by)}`", nearest(step.by, roles)
    of_a_pss = [deed_of(step)] if deed_of(step) in OF_A_PSS else []
    of_a_pss += [name for name in AT_A_PSS if getattr(step, name) not in (None, [], {})]
    if not step.by and of_a_pss:
        yield at, f"it does not say which PSS does `{of_a_pss[0]}`", f"Write `by`: {' or '.join(roles)}."
    for number, expected in enumerate(step.expect):
        to = expected.by or step.by
        if to not in roles:
            told = f"there is no participant `{shown(to)}`" if to else "it does not say to whom it must come"
            yield f"{at}.expect[{number}]", told, nearest(to, roles)


def _holes(step: Step, message: Message | None, at: str, known: set[str]) -> Iterator[Fault]:
    named = set(known)
    if message is not None:
        named |= {*message.values, *step.values}
        wanted = HOLE.findall(message.body)
        for name in sorted(set(step.values) - set(wanted)):
            yield f"{at}.values.{name}", f"`{step.send}` has no hole `{name}`", nearest(name, sorted(set(wanted)))
        for name in dict.fromkeys(wanted):
            if name not in named:
                told = f"nothing fills the hole `{name}` of `{step.send}`"
                yield f"{at}.send", told, f'Write `values = {{ {name} = "..." }}`.'
    for name in dict.fromkeys(HOLE.findall(_texts(step))):
        if name not in known:
            yield at, f"nothing fills the hole `{name}`", nearest(name, sorted(known))


def _texts(step: Step) -> str:
    """All texts of a step in which there may be holes."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for name, each in value.items():
                found.append(name)
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk({name: value for name, value in msgspec.to_builtins(step).items() if name != "say"})
    return "\n".join(found)


def _places(step: Step, at: str) -> Iterator[Fault]:
    for number, expected in enumerate(step.expect):
        named = [*expected.fields, *expected.lacks, *expected.keep.values()]
        for place in named:
            if not _PLACE.fullmatch(place):
                yield (
                    f"{at}.expect[{number}]",
                    f"`{shown(place)}` is no place",
                    "Write tag and qualifier, if wanted behind sequences: `GENL/LINK/20C:PREV`.",
                )
