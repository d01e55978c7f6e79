"""Conditions: what each test holds for, and what is told of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pg_bridge.mapping.conditions import compile_condition, condition_faults, condition_sources


def get(source: str) -> Callable[[dict[str, Any]], Any]:
    return lambda sources: sources.get(source)


@pytest.mark.parametrize(
    ("condition", "sources", "holds"),
    [
        ({"a": "x"}, {"a": "x"}, True),
        ({"a": "x"}, {"a": "y"}, False),
        ({"a": "x"}, {}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x", "y"]}, {"a": "z"}, False),
        ({"a": True}, {"a": True}, True),
        ({"a": False}, {}, True),
        ({"a": True}, {}, False),
        ({"a": {"is": "x"}}, {"a": "x"}, True),
        ({"a": {"not": "x"}}, {"a": "y"}, True),
        ({"a": {"not": ["x", "y"]}}, {"a": "y"}, False),
        ({"a": {"present": True}}, {"a": ""}, True),
        ({"a": {"present": False}}, {"a": None}, True),
        ({"a": {"after": "b"}}, {"a": "2026-11-25", "b": "2026-11-24"}, True),
        ({"a": {"after": "b"}}, {"a": "20261125", "b": "2026-11-25"}, False),
        ({"a": {"after": "b"}}, {"a": "2026-11-25"}, False),
        ({"a": {"not_after": "b"}}, {"a": "2026-11-25", "b": "2026-11-25"}, True),
        ({"a": {"not_after": "b"}}, {}, True),
        ({"a": {"before": "b"}}, {"a": "20261124", "b": "2026-11-25"}, True),
        ({"a": {"before": "b"}}, {"a": "2026-11-25", "b": "2026-11-25T00:00:00+08:00"}, False),
        ({"a": {"shape": "1!a8!n"}}, {"a": "I12345678"}, True),
        ({"a": {"shape": "1!a8!n"}}, {"a": "I1234567"}, False),
        ({"a": {"other_shape": "1!a8!n"}}, {"a": "I1234567"}, True),
        ({"a": {"other_shape": "1!a8!n"}}, {}, False),
        ({"a": "x", "b": "y"}, {"a": "x", "b": "y"}, True),
        ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, False),
        ({"a": "x", "b": "y", "c": True}, {"a": "x", "b": "y", "c": True}, True),
    ],
)
def test_condition(condition: dict[str, Any], sources: dict[str, Any], holds: bool) -> None:
    compiled = compile_condition(condition, get)

    assert [] == condition_faults(condition)
    assert compiled is not None
    assert holds is compiled(sources)


def test_no_condition_is_none() -> None:
    assert compile_condition({}, get) is None


@pytest.mark.parametrize(
    "condition",
    [
        {"a": {"is": "x", "not": "y"}},
        {"a": {}},
        {"a": {"resembles": "x"}},
        {"a": {"after": 3}},
        {"a": {"present": "yes"}},
        {"a": {"shape": "]["}},
        {"a": [["x"]]},
        {"a": {"not": {"x": 1}}},
        {"a": 1.5},
    ],
)
def test_wrong_conditions_are_told(condition: dict[str, Any]) -> None:
    assert condition_faults(condition)


def test_sources_of_a_condition_include_those_compared_with() -> None:
    assert ["a", "b", "c"] == condition_sources({"a": {"after": "c"}, "b": "x"})
