"""Scenarios as people and programs are told of them: what there is, each step, and the figures at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pg_bridge.cli.output import console, table
from pg_bridge.simulator.scenario import Scenario, needs_of
from pg_bridge.simulator.scenario_player import StepOutcome

if TYPE_CHECKING:
    from pg_bridge.cli.scenario_playing import Playing


def name_of(scenario: Scenario) -> str:
    """The name by which a scenario is called."""
    return Path(scenario.path).stem


def listed(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """What each scenario shows and needs, as plain values."""
    return [
        {
            "name": name_of(one),
            "path": one.path,
            "say": one.file.say,
            "steps": len(one.file.step),
            "moves_day": one.file.moves_day,
            "needs": sorted([*one.file.needs, *needs_of(one.file)]),
        }
        for one in scenarios
    ]


def tell_list(scenarios: Sequence[Scenario]) -> None:
    """Print what there is."""
    rows = [
        (one["name"], one["say"], "; ".join(one["needs"] + (["OCP's day moves"] if one["moves_day"] else [])))
        for one in listed(scenarios)
    ]
    console().print(table(f"{len(rows)} scenarios", ("scenario", "what it shows", "what it needs"), rows))


def as_document(scenario: Scenario, steps: Sequence[StepOutcome], wrong: Sequence[str]) -> dict[str, Any]:
    """One run as plain values."""
    good = not wrong and len(steps) == len(scenario.file.step) and not any(step.wrong for step in steps)
    plain = [_plain(step) for step in steps]
    return {"path": scenario.path, "say": scenario.file.say, "good": good, "wrong": list(wrong), "steps": plain}


def _plain(outcome: StepOutcome) -> dict[str, Any]:
    return {
        "step": outcome.number,
        "line": outcome.line,
        "deed": outcome.deed,
        "say": outcome.say,
        "sent": outcome.sent,
        "got": [
            {
                "to": one.frame.participant,
                "template": one.frame.template,
                "message_type": one.frame.message_type,
                "possible_duplicate": one.frame.possible_duplicate,
                "text": one.text,
            }
            for one in outcome.got
        ],
        "wrong": list(outcome.wrong),
        "took_ms": round(outcome.took_ms, 1),
    }


#: of messages alike, how many are told one by one
_FEW = 5


def tell_step(scenario: Scenario, outcome: StepOutcome) -> None:
    """Print one step."""
    head = "WRONG" if outcome.wrong else "ok"
    print(f"  {head:<5} {outcome.number:>2} {outcome.say or outcome.deed or 'expects'} ({outcome.took_ms:.0f} ms)")
    if outcome.sent:
        print(f"           {outcome.sent}")
    for one in outcome.got[:_FEW]:
        again = ", a possible duplicate" if one.frame.possible_duplicate else ""
        print(f"           MT{one.frame.message_type} {one.frame.template} to {one.frame.participant}{again}")
    if len(outcome.got) > _FEW:
        print(f"           and {len(outcome.got) - _FEW} more")
    for told in outcome.wrong:
        print(f"           {scenario.path}:{outcome.line}: {told}")


def figures(playing: Playing) -> dict[str, Any]:
    """Counts and rates of all runs. took_s: of the processor's own clock, also where time is simulated."""
    runs = playing.runs
    took_s = max(playing.took_s, 1e-9)
    return {
        "runs": len(runs),
        "good": sum(one["good"] for one in runs),
        "sent": playing.sent,
        "got": playing.got,
        "took_s": round(playing.took_s, 2),
        "runs_a_second": round(len(runs) / took_s, 1),
        "messages_a_second": round((playing.sent + playing.got) / took_s, 1),
    }


def tell_end(playing: Playing) -> None:
    """Print how it went."""
    found = figures(playing)
    print(f"\n{found['good']} of {found['runs']} scenarios are as they should be.")
    print(
        f"{found['sent']} messages sent and {found['got']} expected ones got in {found['took_s']} s: "
        f"{found['messages_a_second']} messages, {found['runs_a_second']} scenarios a second."
    )
    for one in playing.runs:
        if not one["good"]:
            print(f"  not so: {one['path']}")
    for path, why in playing.left_out.items():
        print(f"  left out: {path}: {why}")
