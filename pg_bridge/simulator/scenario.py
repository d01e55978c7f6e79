"""Scenario files: what PSSs send, what is done at OCP, and what must come back, as typed TOML.

A misspelt key or step, a hole that nothing fills, a message or participant that is not there: each is a finding with
its line. Read by scenario_file.py,
played by scenario_player.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import msgspec

from pg_bridge.simulator.clock import Run
from pg_bridge.simulator.day import Weather
from pg_bridge.simulator.faults import Fault

#: real seconds in which an expected message must come, where the file says nothing
WITHIN_S = 10.0
FrameFault = Literal["frame", "size", "sequence", "session", "length", "checksum", "character", "template", "busy"]
ControlName = Literal["logon", "logoff", "heartbeat", "acknowledge", "refusal"]


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to send: holes `{name}` in its body are filled by the step that sends it, else by `values`."""

    template: str
    message_type: str
    body: str
    values: dict[str, str] = {}


class Messages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of messages that scenarios include."""

    message: dict[str, Message]


class Upload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file to send in messages; `{part}` in `head` is the number of each. part: characters of base64."""

    name: str
    template: str
    message_type: str
    head: str
    content: str
    part: int = 0


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message that must come.

    by: to whom (empty: to the step's own). fields: place -> value, or several that must all be there; `*` stands for
    any characters. A place is `tag`, `tag:qualifier`, or these behind the sequences they lie in
    (`GENL/LINK/20C:PREV`). lacks: places that must not be there. holds: texts that it holds. keep: a name -> the
    place whose value later steps may use as `{name}`. copy: whether it is marked as a possible duplicate.
    """

    by: str = ""
    template: str
    message_type: str = ""
    fields: dict[str, str | list[str]] = {}
    lacks: list[str] = []
    holds: list[str] = []
    keep: dict[str, str] = {}
    copy: bool | None = None


class Alteration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bytes of a frame that are changed when it is ready to go: the first `find` becomes `put`."""

    find: str
    put: str


class Telling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broadcast of the bridge's operator. to: participants, none for all."""

    head: str
    text: str
    to: list[str] = []


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report for a participant to download today: `content`, so many times."""

    participant: str
    name: str
    content: str
    times: int = 1


class ClockOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Set the pretend OCP's clock. jump: RFC 3339."""

    jump: str | None = None
    advance_s: float | None = None
    mode: Literal["stands", "runs"] | None = None
    rate: float | None = None


class RunOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Have the pretend OCP do a run now."""

    run: Run
    si_number: str | None = None


class HoldOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Hold or release an SI at OCP's own terminal."""

    si_number: str
    hold: bool


class LackOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have runs leave an SI unsettled for a reason; without one: no longer."""

    si_number: str
    reason: Literal["lack_securities", "lack_money"] | None = None


class WeatherOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A warning is in force from now on; until: RFC 3339."""

    weather: Weather
    until: str | None = None


class RulesOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Change rules of the pretend OCP's book."""

    match_at_once: bool | None = None
    revoke_by_both: bool | None = None
    dvp_shares_on_hold: bool | None = None
    maker_checker: list[str] | None = None


class LimitsOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Change the call limits of the pretend OCP."""

    company_calls: int | None = None
    machine_calls: int | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: one thing done (or none), then what must come.

    by: which PSS does it. send: a message by name, `values` fill its holes, `copy` marks it as a possible duplicate,
    `alter` changes its frame; upload: a file. times: all of it so often, `{n}` counts from 001. cut, reconnect,
    log_off: of the PSS `by`; acknowledges: whether it answers what must be acknowledged, from its next log-on; node:
    which of the bridge's it dials. wait: seconds; passes: so many seconds pass for all, the bridge and OCP. broadcast,
    report: by the bridge's operator. clock, run, weather, hold, lack, rules, limits, fault, control with document:
    orders to the pretend OCP. entered: request reference -> how many instructions OCP's ledger must have of it.
    order: `strict`: the messages expected come in this order with none between them to the same PSS. frames_refused:
    what the frames refused have wrong. heard: control messages that came since the step began. waiting: template ->
    how many have come that no step expected yet. is_on: whether its connection stands. nothing_more: with log_off:
    nothing came that was not expected.
    """

    say: str = ""
    by: str = ""
    times: int = 1
    send: str | None = None
    values: dict[str, str] = {}
    copy: bool = False
    alter: Alteration | None = None
    upload: Upload | None = None
    cut: bool | None = None
    reconnect: bool | None = None
    acknowledges: bool = True
    node: int = 0
    log_off: bool | None = None
    nothing_more: bool = False
    wait: float | None = None
    passes: float | None = None
    broadcast: Telling | None = None
    report: Report | None = None
    clock: ClockOrder | None = None
    run: RunOrder | None = None
    weather: WeatherOrder | None = None
    hold: HoldOrder | None = None
    lack: LackOrder | None = None
    rules: RulesOrder | None = None
    limits: LimitsOrder | None = None
    fault: Fault | None = None
    control: str | None = None
    document: dict[str, Any] = {}
    entered: dict[str, int] | None = None
    expect: list[Expected] = []
    order: Literal["any", "strict"] = "any"
    frames_refused: list[FrameFault] = []
    heard: list[ControlName] = []
    waiting: dict[str, int] = {}
    is_on: bool | None = None
    within_s: float = WITHIN_S


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is special about where it is played.

    ocp: options of the pretend OCP (options.py), and `not_granted`: operations that the company may not call. bridge:
    sections of its configuration.
    """

    ocp: dict[str, Any] = {}
    bridge: dict[str, dict[str, Any]] = {}


class ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole file. participants: role -> participant.

    settlement_days: weekdays from today to `{settlement}`. include: files of messages, named from this file on.
    moves_day: it moves the pretend OCP's day, or changes what is not put back, so that it needs one of its own.
    terminals: role -> terminal. later: roles that do not log on before the first step. needs: templates and operations
    that a mapping set may lack; then it is left out. stage: options of a pretend OCP and lines of a bridge's
    configuration, both started for it.
    """

    say: str
    participants: dict[str, str]
    settlement_days: int = 2
    include: list[str] = []
    moves_day: bool = False
    terminals: dict[str, str] = {}
    later: list[str] = []
    needs: list[str] = []
    stage: Stage | None = None
    message: dict[str, Message] = {}
    step: list[Step]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario ready to be played. lines: of each step, from 1."""

    path: str
    file: ScenarioFile
    messages: dict[str, Message]
    lines: tuple[int, ...]


#: what a step can do at OCP -> the route of its control
ORDERS = {
    "clock": "clock",
    "run": "run",
    "weather": "weather",
    "hold": "hold",
    "lack": "lack",
    "rules": "rules",
    "limits": "limits",
    "fault": "faults",
}
#: what a step can do, of which it does one at most
DEEDS = (
    "send", "upload", "cut", "reconnect", "log_off", "wait", "passes", "broadcast", "report", *ORDERS, "control",
)  # fmt: skip
#: of these, what a PSS does
OF_A_PSS = ("send", "upload", "cut", "reconnect", "log_off")
#: what is expected of one PSS
AT_A_PSS = ("frames_refused", "heard", "waiting", "is_on")


class Needs(StrEnum):
    """What a stage may lack."""

    OWN = "a bridge and a pretend OCP started for it"
    BROADCAST = "the bridge's control door"
    REPORTS = "the bridge's reports folder"
    SECONDARY = "the bridge's second node"


def needs_of(file: ScenarioFile) -> frozenset[Needs]:
    """What a scenario needs of its stage."""
    found = set()
    if file.stage is not None or any(step.passes is not None for step in file.step):
        found.add(Needs.OWN)
    if any(step.broadcast is not None for step in file.step):
        found.add(Needs.BROADCAST)
    if any(step.report is not None for step in file.step):
        found.add(Needs.REPORTS)
    if any(step.node for step in file.step):
        found.add(Needs.SECONDARY)
    return frozenset(found)


def deed_of(step: Step) -> str:
    """What the step does, empty when it only expects."""
    return next((deed for deed in DEEDS if getattr(step, deed) is not None), "")
