"""Conditions: `when` of a rule, a field, a value or a block, compiled to one call.

A condition is a table of source to what it must be; all must hold. A plain value: equal; a list: one of it; a
table: one of the tests below. An absent flag is not set: `false` holds for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pg_bridge.formats.iso15022.rules import compile_format

Place = TypeVar("Place")
#: a getter of one source from whatever holds the sources
Get = Callable[[Place], Any]
Holds = Callable[[Place], bool]

#: test = what it asks for
TESTS = {
    "is": "equal to the value",
    "not": "not equal to the value, nor in the list",
    "present": "there (true) or absent (false)",
    "after": "a date after that of another source",
    "not_after": "a date not after that of another source, or either unknown",
    "before": "a date before that of another source",
    "same": "equal to that of another source, or that one absent",
    "shape": "of the ISO 15022 format",
    "other_shape": "there, and not of the ISO 15022 format",
}
DATE_TESTS = frozenset({"after", "not_after", "before"})
#: those that look at another source
SOURCE_TESTS = DATE_TESTS | {"same"}


def condition_faults(condition: Mapping[str, Any]) -> list[str]:
    """What is wrong with the tests of a condition; its sources are another's to check."""
    faults = []
    for source, wanted in condition.items():
        if not isinstance(wanted, dict):
            if not _is_plain(wanted):
                faults.append(f"{source}: a text, a whole number, true or false, or a list of them is expected")
            continue
        if len(wanted) != 1:
            faults.append(f"{source}: say one of {', '.join(TESTS)}")
        for test, value in wanted.items():
            if test not in TESTS:
                faults.append(f"{source}: there is no test {test}; there are {', '.join(TESTS)}")
            elif test in SOURCE_TESTS and not isinstance(value, str):
                faults.append(f"{source}: {test} needs another source")
            elif test in ("is", "not") and not _is_plain(value):
                faults.append(f"{source}: {test} needs a text, a whole number, true or false, or a list of them")
            elif test == "present" and not isinstance(value, bool):
                faults.append(f"{source}: present is true or false")
            elif test in ("shape", "other_shape"):
                try:
                    compile_format(str(value))
                except ValueError as error:
                    faults.append(f"{source}: {error}")
    return faults


def _is_plain(wanted: Any) -> bool:
    return all(isinstance(value, str | int) for value in (wanted if isinstance(wanted, list) else [wanted]))


def condition_sources(condition: Mapping[str, Any]) -> list[str]:
    """Every source that a condition looks at."""
    found = list(condition)
    for wanted in condition.values():
        if isinstance(wanted, dict):
            found += [str(value) for test, value in wanted.items() if test in SOURCE_TESTS]
    return found


def choosing_sources(*conditions: Mapping[str, Any]) -> list[str]:
    """The sources whose value decides, not only whether they have one."""
    found: list[str] = []
    for source, wanted in ((source, wanted) for each in conditions for source, wanted in each.items()):
        tests = wanted if isinstance(wanted, dict) else {}
        if "present" in tests:
            continue
        found.append(source)
        found += [str(value) for test, value in tests.items() if test in SOURCE_TESTS]
    return list(dict.fromkeys(found))


def compile_condition(condition: Mapping[str, Any], get: Callable[[str], Get[Place]]) -> Holds[Place] | None:
    """The condition as one call; None when there is none. `get` makes the getter of a source."""
    parts: list[Holds[Place]] = [_part(get(source), wanted, get) for source, wanted in condition.items()]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda at: first(at) and second(at)
    return lambda at: all(part(at) for part in parts)


def _part(get: Get[Place], wanted: Any, source: Callable[[str], Get[Place]]) -> Holds[Place]:
    if isinstance(wanted, list):
        allowed = frozenset(wanted)
        return lambda at: get(at) in allowed
    if isinstance(wanted, bool):
        return lambda at: bool(get(at)) is wanted
    if not isinstance(wanted, dict):
        return lambda at: bool(get(at) == wanted)
    ((test, value),) = wanted.items()
    if test in DATE_TESTS:
        return _date_part(get, test, source(value))
    if test == "same":
        other = source(value)
        return lambda at: (than := other(at)) is None or bool(get(at) == than)
    if test == "is":
        return _part(get, value, source)
    if test == "not":
        holds = _part(get, value, source)
        return lambda at: not holds(at)
    if test == "present":
        return (lambda at: get(at) is not None) if value else (lambda at: get(at) is None)
    fits = compile_format(value).fullmatch
    if test == "shape":
        return lambda at: (text := get(at)) is not None and fits(str(text)) is not None
    return lambda at: (text := get(at)) is not None and fits(str(text)) is None


def _date_part(get: Get[Place], test: str, other: Get[Place]) -> Holds[Place]:
    def compare(at: Place) -> bool:
        value, than = get(at), other(at)
        if value is None or than is None:
            return test == "not_after"
        first, second = str(value)[:10].replace("-", "")[:8], str(than)[:10].replace("-", "")[:8]
        if test == "after":
            return first > second
        return first <= second if test == "not_after" else first < second

    return compare
