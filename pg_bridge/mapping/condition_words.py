"""Conditions and sources in words, for people who sign a mapping off or compare two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pg_bridge.mapping.conditions import DATE_TESTS
from pg_bridge.mapping.request import MESSAGE_TYPE

OCP = "ocp."
RECORD = "record."
VALUE = "value."

#: roots whose parts have plain names
_ROOTS = ("context", "request", "answer", "item", "page", "broadcast", "report", "file")


def source_words(source: str) -> str:
    """A source as people name it: a member, a column, a place, `the context's business date`."""
    if source.startswith((OCP, RECORD)):
        return source.partition(".")[2]
    if source == MESSAGE_TYPE:
        return "the message type"
    root, dot, name = source.partition(".")
    if not dot or root not in _ROOTS:
        return source
    return f"the {root}'s {name.replace('_', ' ').replace('.', ' ')}"


def condition_words(*conditions: Mapping[str, Any]) -> str:
    """Conditions that must all hold, as one sentence; empty where there is none."""
    parts = [clause(source, wanted) for source, wanted in _merged(conditions)]
    return " and ".join(dict.fromkeys(parts))


def can_hold(*conditions: Mapping[str, Any]) -> bool:
    """Whether conditions can hold together, as far as the codes that they name tell."""
    return all(wanted != [] for _, wanted in _merged(conditions))


def _merged(conditions: Iterable[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Every test of the conditions; the codes allowed for one source become those that all of them allow."""
    allowed: dict[str, list[Any]] = {}
    others: list[tuple[str, Any]] = []
    for source, wanted in ((source, wanted) for each in conditions for source, wanted in each.items()):
        if isinstance(wanted, dict | bool):
            others.append((source, wanted))
            continue
        codes = wanted if isinstance(wanted, list) else [wanted]
        allowed[source] = [code for code in allowed.get(source, codes) if code in codes]
    # What has one of some codes is there: to say so would say nothing.
    others = [(source, wanted) for source, wanted in others if source not in allowed or wanted != {"present": True}]
    return [*allowed.items(), *others]


def clause(source: str, wanted: Any, name: Callable[[str], str] = source_words) -> str:
    """One entry of a condition, also one that no check would take. name: how a source is called."""
    named = name(source)
    if not isinstance(wanted, Mapping):
        return f"{named} is {_values(wanted)}"
    return " and ".join(_test(named, test, value, name) for test, value in wanted.items())


def _test(named: str, test: str, value: Any, name: Callable[[str], str]) -> str:
    if test in ("is", "not"):
        return f"{named} is {'not ' if test == 'not' else ''}{_values(value)}"
    if test == "present":
        return f"{named} is {'there' if value else 'absent'}"
    if test in DATE_TESTS:
        return f"{named} is {test.replace('_', ' ')} {name(str(value))}"
    if test == "same":
        return f"{named} is {name(str(value))} where that is there"
    if test in ("shape", "other_shape"):
        return f"{named} {'has' if test == 'shape' else 'has not'} the format {value}"
    return f"{named} {test} {_values(value)}"


def _values(wanted: Any) -> str:
    if isinstance(wanted, list):
        return " or ".join(_value(each) for each in wanted)
    return _value(wanted)


def _value(wanted: Any) -> str:
    if isinstance(wanted, bool):
        return "true" if wanted else "false or absent"
    return "empty" if wanted == "" else str(wanted)
