"""`python -m tests.benchmarks.faults --sis 2000`: SIs and all that is done to them, under each fault of the pretend OCP.

One line a fault: SIs, requests, calls, calls whose outcome was unknown, looks that did not find all; refused, in doubt at the
end, lost, done twice, answered wrongly, not answered; seconds. Each fault strikes a part of all calls (`--share`), the
last line has all of them, each 5 in 100. Exit code 1 when anything is not as OCP's ledger has it, or is in doubt.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pg_bridge import telemetry
from tests.doubles.fault_day import Figures, play

Json = dict[str, Any]
MIXED = "all mixed"
MIXED_SHARE = 0.05
#: later than the bridge waits for any answer
_LATE_S = 40.0
#: how calls and pushes go wrong; each without its share
FAULTS: dict[str, Json] = {
    "none": {},
    "no answer, not done": {"kind": "no_answer"},
    "no answer, done": {"kind": "no_answer", "work": True},
    "late": {"kind": "late", "delay_s": _LATE_S},
    "slow": {"kind": "slow", "delay_s": _LATE_S},
    "denied": {"kind": "denied"},
    "throttled": {"kind": "throttled"},
    "500, not done": {"kind": "broken"},
    "500, done": {"kind": "broken", "work": True},
    "closed": {"kind": "closed"},
    "504, done": {"kind": "timed_out"},
    "504, not done": {"kind": "timed_out", "work": False},
    "cut, not done": {"kind": "cut_before"},
    "cut, done": {"kind": "cut_after"},
    "broken JSON": {"kind": "broken_json"},
    "wrong shape": {"kind": "wrong_shape"},
    "refused whole": {"kind": "refused", "refusal": "too_many_entries"},
    "outside hours": {"kind": "refused", "refusal": "outside_hours"},
    "entries refused": {"kind": "entries_refused", "refusal": "unknown_stock"},
    "push repeated": {"kind": "push_repeat"},
    "push badly signed": {"kind": "push_bad_signature"},
    "push dated back": {"kind": "push_old_timestamp", "delay_s": 3600.0},
    "push left out": {"kind": "push_gap"},
    "push out of order": {"kind": "push_reorder"},
    "push late": {"kind": "push_late", "delay_s": 20.0},
    "push silent": {"kind": "push_silence", "delay_s": 90.0},
}


def orders_of(name: str, share: float) -> list[Json]:
    """What the pretend OCP is told: one fault, none, or all of them in turns, none right behind another."""
    if name != MIXED:
        fault = FAULTS[name]
        return [_order(fault, share, 0)] if fault else []
    return [_order(fault, MIXED_SHARE, place) for place, fault in enumerate(filter(None, FAULTS.values()))]


def _order(fault: Json, share: float, skip: int) -> Json:
    operation = "push" if fault["kind"].startswith("push_") else ""
    return {"operation": operation, "count": 0, "share": share, "skip": skip, **fault}


_HEADS = (
    "sis", "requests", "calls", "unknown", "looks", "refused", "in_doubt", "lost", "doubled", "wrong_answers",
    "unanswered",
)  # fmt: skip


def _line(figures: Figures) -> str:
    counts = "".join(f"{getattr(figures, name):>14}" for name in _HEADS)
    return f"{figures.fault:<22}{counts}{figures.seconds:>9.1f}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sis", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.25, help="of all calls, while there is one fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", default="shipped", help="the mapping set: shipped, ocp_b, legacy_b, both_b")
    parser.add_argument("--only", action="append", choices=[*FAULTS, MIXED], help="this fault; once or more")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    telemetry.set_up(level="critical")
    # a pretend OCP that ends is cut off in the middle of answers that were to be late
    logging.disable(logging.CRITICAL)
    names = arguments.only or [*FAULTS, MIXED]
    if not arguments.json:
        print(f"{'fault':<22}" + "".join(f"{name.replace('_', ' '):>14}" for name in _HEADS) + f"{'seconds':>9}")
    shown = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), disable=arguments.json or not sys.stderr.isatty(), transient=True,
    )  # fmt: skip
    found = []
    with shown as progress:
        for name in names:
            task = progress.add_task(name, total=arguments.sis)
            found.append(
                play(
                    name,
                    orders_of(name, arguments.share),
                    sis=arguments.sis,
                    seed=arguments.seed,
                    set_name=arguments.set,
                    on_done=lambda count, task=task: progress.advance(task, count),
                )
            )
            progress.remove_task(task)
            if not arguments.json:
                print(_line(found[-1]), flush=True)
                for wrong in found[-1].wrong[:10]:
                    print(f"    {wrong}")
    if arguments.json:
        print(json.dumps([dataclasses.asdict(figures) for figures in found], indent=2))
    sys.exit(0 if all(figures.is_good for figures in found) else 1)


if __name__ == "__main__":
    main()
