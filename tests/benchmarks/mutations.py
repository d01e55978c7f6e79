"""`python -m tests.benchmarks.mutations --count 1000000`: mutated frames, messages and pushes against the laws.

Prints how many a second, the slowest, the peak memory of a process and how much of it came after its first tenth, and
how the cases ended. Exit code 1 when a law is broken: each such case is named by its number, and `--only NUMBER` runs
it again, with its traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from tests.fuzz.mutations import run, run_many

_CHUNK = 2_000
#: MiB that a process may grow by once everything was used once
_MOST_GROWTH = 64.0


def _peak_mib() -> float:
    """The most memory that this process has held so far, MiB (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _chunk(first: int, count: int) -> tuple[Counter[str], float, int, list[str], int, float]:
    return *run_many(first, count), os.getpid(), _peak_mib()


def measure(first: int, count: int, processes: int) -> dict[str, Any]:
    """Run cases `first` and the `count` from it on, spread over processes."""
    ends: Counter[str] = Counter()
    slowest, slowest_number = 0.0, first
    broken: list[str] = []
    peaks: dict[int, list[float]] = {}
    began = time.perf_counter()
    shown = Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with ProcessPoolExecutor(processes) as pool, shown as progress:
        task = progress.add_task("mutations", total=count)
        starts = range(first, first + count, _CHUNK)
        work = [pool.submit(_chunk, start, min(_CHUNK, first + count - start)) for start in starts]
        for done in as_completed(work):
            some_ends, slow, number, some_broken, process, peak = done.result()
            ends += some_ends
            broken += some_broken
            peaks.setdefault(process, []).append(peak)
            if slow > slowest:
                slowest, slowest_number = slow, number
            progress.advance(task, sum(some_ends.values()) + len(some_broken))
    took = time.perf_counter() - began
    growth = max(sorted(each)[-1] - sorted(each)[len(each) // 10] for each in peaks.values())
    return {
        "count": count,
        "processes": processes,
        "per_s": round(count / took),
        "slowest_ms": round(slowest * 1e3, 1),
        "slowest_number": slowest_number,
        "peak_mib": round(max(peak for each in peaks.values() for peak in each), 1),
        "growth_mib": round(growth, 1),
        "ends": dict(ends.most_common()),
        "broken": len(broken),
        "broken_first": sorted(broken)[:20],
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", type=int, help="run this case alone")
    arguments = parser.parse_args()
    if arguments.only is not None:
        print(run(arguments.only))
        return
    figures = measure(arguments.first, arguments.count, arguments.processes)
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["broken"] or figures["growth_mib"] > _MOST_GROWTH else 0)


if __name__ == "__main__":
    main()
