"""Mutated mapping sets are findings within a second, never a traceback: the laws of tests/fuzz, with a small budget."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mapping_files import faults, mutated


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_whatever_is_edited_is_told_as_findings(files: dict[str, str], seed: int) -> None:
    assert [] == faults(mutated(random.Random(seed), files))


def test_the_shipped_set_holds(files: dict[str, str]) -> None:
    assert [] == faults(files)
