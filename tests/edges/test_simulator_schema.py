"""The pretend OCP answers nothing that its documents do not describe: a short try of tests/fuzz/simulator.py."""

from __future__ import annotations

import pytest

from tests.fuzz.simulator import fuzz


@pytest.mark.parametrize("first", [0, 7, 15])
def test_no_answer_is_outside_the_document(first) -> None:
    found = fuzz(60.0, first, calls=4, turns=2)

    assert {"api", "control"} <= {"control" if "_simulator" in name else "api" for name in found}
