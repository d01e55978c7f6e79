"""The pretend OCP answers nothing that its OpenAPI document does not describe: a short try of tests/fuzz/simulator.py."""

from __future__ import annotations

from tests.fuzz.simulator import fuzz


def test_no_answer_is_outside_the_document() -> None:
    found = fuzz(8.0, calls=3)

    assert 10 <= sum(found.values())
