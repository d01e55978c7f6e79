"""Sixty SIs and all that is done to them, under every fault of the pretend OCP in turn, and under all of them mixed.

The whole figure is `python -m tests.benchmarks.faults --sis 2000`.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.faults import FAULTS, MIXED, orders_of
from tests.doubles.fault_day import play

#: faults after which nobody knows what OCP did
_LOST = [name for name in FAULTS if name.endswith("done") or name in ("late", "slow", "broken JSON", "wrong shape")]
#: those that OCP says of, itself, that nothing was done
_REFUSING = ("denied", "refused whole", "outside hours", "entries refused")


@pytest.mark.parametrize("fault", [*FAULTS, MIXED])
def test_each_is_done_once_told_rightly_and_nothing_is_left_in_doubt(fault: str) -> None:
    figures = play(fault, orders_of(fault, 0.25), sis=60)

    assert [] == figures.wrong
    assert 60 == figures.sis
    assert (0, 0, 0, 0, 0) == (
        figures.in_doubt,
        figures.lost,
        figures.doubled,
        figures.wrong_answers,
        figures.unanswered,
    )
    assert (fault in (*_LOST, MIXED)) == (figures.unknown > 0)
    assert fault in (*_REFUSING, MIXED) or not figures.refused


@pytest.mark.parametrize("fault", ["504, done", "cut, not done", MIXED])
def test_the_same_by_another_ocp_and_another_pg(fault: str) -> None:
    figures = play(fault, orders_of(fault, 0.25), sis=30, set_name="both_b")

    assert [] == figures.wrong
    assert figures.unknown
