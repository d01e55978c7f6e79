"""Ten thousand mutated frames, messages and pushes: nothing crashes, hangs or goes unnamed.

A million: `python -m tests.benchmarks.mutations`.
"""

from __future__ import annotations

import random
import tracemalloc

from tests.fuzz.mutations import KINDS, frames_to_pg, run, run_many

_COUNT = 10_000


def test_no_law_is_broken_and_each_end_is_reached() -> None:
    ends, _, _, broken = run_many(0, _COUNT)
    kinds = {end.partition(":")[0] for end in ends}

    assert [] == broken[:10]
    assert {kind.__name__ for kind, _ in KINDS} == kinds
    assert _COUNT == sum(ends.values())
    for end in (
        "frames_to_pg: frame", "frames_to_pg: sequence", "frames_to_pg: length", "frames_to_pg: checksum",
        "frames_to_pss: frame", "messages: message_refused", "messages: instruction_received", "pushes: 400",
        "pushes: 401", "pushes: taken",
    ):  # fmt: skip
        assert 0 < ends[end], end


def test_case_is_the_same_each_time() -> None:
    assert [run(number)[:2] for number in range(50)] == [run(number)[:2] for number in range(50)]


def test_memory_does_not_grow_with_mutated_frames() -> None:
    for number in range(100):
        frames_to_pg(random.Random(number))
    tracemalloc.start()
    for number in range(100, 200):
        frames_to_pg(random.Random(number))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 200_000 > kept
