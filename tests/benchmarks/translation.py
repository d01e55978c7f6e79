"""`python -m tests.benchmarks.translation`: the time to translate, beside npm `swift-parser` on the same file, in one run.

Ours: an MT543 read, checked, mapped with lineage, its entry and its lineage written as JSON; an MT548 from the JSON of
a push event, its lineage written as JSON. Theirs: the same MT543 only parsed. Each side runs in processes of its own,
started anew several times, with rounds in turn, one process at work at a time; the first round of each is not counted.
With `--against CHECKOUT`, ours in another checkout takes the place of swift-parser. Machines are noisy, so trust the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLE = ROOT / "tests/messages/mt543_deliver_against_payment.fin"
PACKAGE = "swift-parser@0.1.2"
MOST_US = 60.0
LEAST_RATIO = 8.0

#: stage = what it is, for a person
STAGES = {
    "parse": "swift-parser: parse the MT543",
    "mt543": "MT543: read, check, map, lineage, JSON of both; the same text each time",
    "mt543_fresh": "MT543: the same, reference, linkage, quantity and amount new each time",
    "mt543_read": "  read",
    "mt543_read_check": "  read and check",
    "mt543_read_check_map": "  read, check and map with lineage",
    "mt543_json": "  JSON of the entry",
    "mt543_lineage_json": "  JSON of the lineage",
    "mt548": "MT548: JSON of an event to the message, JSON of its lineage; the same event each time",
    "mt548_fresh": "MT548: the same, references, quantity and amount new each time",
    "mt548_event": "  event from JSON",
    "mt548_write": "  map with lineage and write",
    "mt548_lineage_json": "  JSON of the lineage",
}

Round = dict[str, dict[str, float]]


class Side:
    """One side of the comparison: how to start its process, and the rounds it gave."""

    def __init__(self, name: str, command: Sequence[str], checkout: Path) -> None:
        self.name = name
        self.rounds: list[Round] = []
        self._command = command
        self._checkout = checkout

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[str]]:
        """A process of this side, warmed up by one round that does not count."""
        environment = {**os.environ, "PYTHONPATH": str(self._checkout)}
        with subprocess.Popen(
            self._command, cwd=self._checkout, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            ask(process)
            yield process
            assert process.stdin is not None
            process.stdin.close()

    def figures(self) -> Round:
        """Over all rounds: the median of medians and of rates, the least of minima."""
        return {
            stage: {
                "median_us": round(statistics.median(each[stage]["median_us"] for each in self.rounds), 2),
                "min_us": round(min(each[stage]["min_us"] for each in self.rounds), 2),
                "per_second": round(statistics.median(each[stage]["per_second"] for each in self.rounds)),
            }
            for stage in self.rounds[0]
        }


def ask(process: subprocess.Popen[str]) -> Round:
    """One round of a process."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a process of the benchmark has ended; its words stand above")
    answer: Round = json.loads(line)
    return answer


def measure(sides: Sequence[Side], *, processes: int, rounds: int) -> None:
    """Rounds in turn; who begins changes."""
    for number in range(processes):
        with ExitStack() as stack:
            running = [(side, stack.enter_context(side.process())) for side in sides]
            for turn in range(rounds):
                for side, process in running if (number + turn) % 2 else reversed(running):
                    side.rounds.append(ask(process))


def ours(name: str, checkout: Path, messages: int) -> Side:
    """Translation as the code of a checkout does it, measured by the script beside this one."""
    script = str(HERE / "translation_rounds.py")
    return Side(name, [sys.executable, "-P", script, str(SAMPLE), str(messages)], checkout)


def swift_parser(folder: str, messages: int) -> Side:
    """npm's swift-parser, installed into `folder`."""
    install = [
        "npm",
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefix",
        folder,
        PACKAGE,
    ]
    subprocess.run(install, check=True, stdout=sys.stderr)
    command = ["node", str(HERE / "swift_parser.js"), folder, str(SAMPLE), str(messages)]
    return Side("swift_parser", command, ROOT)


def judged(figures: dict[str, Round]) -> dict[str, Any]:
    """The figures of a run, with their ratios and whether they keep what the project promises."""
    us = figures["ours"]
    result: dict[str, Any] = {"cpus": len(os.sched_getaffinity(0)), "figures": figures}
    if "swift_parser" in figures:
        # Rates hold all that happened, other programs' use of the cores too; medians leave that out. The lesser counts.
        parsed = figures["swift_parser"]["parse"]
        result["times_swift_parser"] = times = {
            stage: {
                "by_rate": round(us[stage]["per_second"] / parsed["per_second"], 1),
                "by_median": round(parsed["median_us"] / us[stage]["median_us"], 1),
            }
            for stage in ("mt543", "mt543_fresh")
        }
        result["is_kept"] = min(ratio for each in times.values() for ratio in each.values()) >= LEAST_RATIO and all(
            us[stage]["median_us"] <= MOST_US for stage in ("mt543", "mt543_fresh", "mt548", "mt548_fresh")
        )
    if "against" in figures:
        result["times_against"] = {
            stage: round(figures["against"][stage]["median_us"] / us[stage]["median_us"], 3) for stage in us
        }
    return result


def show(result: dict[str, Any]) -> None:
    """Print for a person."""
    table = Table("side", "stage", "median µs", "min µs", "a second")
    for side, stages in result["figures"].items():
        for stage, figures in stages.items():
            numbers = f"{figures['median_us']:.1f}", f"{figures['min_us']:.1f}", f"{figures['per_second']:,.0f}"
            table.add_row(side, STAGES[stage], *numbers)
        table.add_section()
    console = Console()
    console.print(table)
    for stage, times in result.get("times_against", {}).items():
        console.print(f"{times:6.2f} times as fast: {STAGES[stage].strip()}")
    if "times_swift_parser" in result:
        for stage, times in result["times_swift_parser"].items():
            console.print(
                f"{times['by_rate']:6.1f} times swift-parser's rate, {times['by_median']:.1f} by medians: {STAGES[stage]}"
            )
        kept = "kept" if result["is_kept"] else "NOT kept"
        console.print(f"{kept}: at most {MOST_US:.0f} µs each, at least {LEAST_RATIO:.0f} times swift-parser")


def main() -> None:
    """Measure, print; exit code 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000, help="messages a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each process")
    parser.add_argument("--processes", type=int, default=3, help="how often each side is started anew")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="compare with another checkout of pg-bridge")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pg-bridge-benchmark-") as folder:
        sides = [ours("ours", ROOT, arguments.messages)]
        if arguments.against is not None:
            sides.append(ours("against", arguments.against.resolve(), arguments.messages))
        else:
            sides.append(swift_parser(folder, arguments.messages))
        measure(sides, processes=arguments.processes, rounds=arguments.rounds)
    result = judged({side.name: side.figures() for side in sides})
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)
    sys.exit(0 if result.get("is_kept", True) else 1)


if __name__ == "__main__":
    main()
