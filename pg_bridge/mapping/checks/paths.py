"""Paths: every combination of what the conditions of a section can tell apart, with a concrete value for each source.

A domain lists the values that a source may have, as far as conditions see a difference: the codes of a closed set,
the values that a condition names, one value of each shape asked for, and one that is none of these. The conditions
themselves are then simply run on each path, so that the check means exactly what the running mapping means.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.formats.iso15022.rules import FormatError, compile_format
from pg_bridge.mapping.conditions import DATE_TESTS, Holds, compile_condition
from pg_bridge.mapping.request import PROFILE
from pg_bridge.mapping.rule_set import OwnTexts

#: paths looked at for one question; what needs more is told as too much to check
MOST_PATHS = 20_000
#: paths looked at for a whole set, less than a second's worth; the shipped set needs a thirtieth of them
MOST_PATHS_OF_A_SET = 200_000
#: stands for any value that no condition names
OTHER = "another value"
#: one day before, on and behind the day that every date is compared with
DATES = ("2026-11-22", "2026-11-23", "2026-11-24")

Path = Mapping[str, Any]

_ELEMENT = re.compile(r"(?:(\d+)\*)?(\d+)!?([nachxd])")
_OPTIONAL = re.compile(r"\[[^\[\]]*\]")
_SAMPLE = {"n": "1", "a": "A", "c": "A", "h": "A", "x": "A"}


@dataclass(frozen=True, slots=True)
class Domain:
    """What a source may be; None: it is absent."""

    source: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """What conditions say of one source: values that they name, shapes, and whether dates are compared."""

    values: frozenset[Any]
    shapes: frozenset[str]
    is_date: bool
    is_flag: bool


def mentions(conditions: Iterable[Mapping[str, Any]]) -> dict[str, Mention]:
    """What the conditions say, by source."""
    values: dict[str, set[Any]] = {}
    shapes: dict[str, set[str]] = {}
    dates: set[str] = set()
    flags: set[str] = set()
    for condition in conditions:
        for source, wanted in condition.items():
            values.setdefault(source, set())
            test, value = next(iter(wanted.items())) if isinstance(wanted, dict) and wanted else ("is", wanted)
            if test in DATE_TESTS:
                dates |= {source, str(value)}
                values.setdefault(str(value), set())
            elif test in ("shape", "other_shape"):
                shapes.setdefault(source, set()).add(str(value))
            elif test in ("is", "not"):
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, bool):
                        flags.add(source)
                    elif isinstance(each, str | int):
                        values[source].add(each)
    return {
        source: Mention(frozenset(named), frozenset(shapes.get(source, ())), source in dates, source in flags)
        for source, named in values.items()
    }


def domain(source: str, mention: Mention | None, *, codes: Iterable[Any] = (), is_optional: bool) -> Domain:
    """The values of one source. codes: all that it may be, where that is a closed set."""
    absent = (None,) if is_optional else ()
    closed = tuple(sorted(codes, key=str))
    if closed:
        return Domain(source, closed + absent)
    if mention is None:
        return Domain(source, (OTHER, *absent))
    if mention.is_flag:
        return Domain(source, (True, False, *absent))
    if mention.is_date:
        return Domain(source, DATES + absent)
    samples = [text for shape in sorted(mention.shapes) if (text := sample(shape)) is not None]
    named = sorted(mention.values, key=str)
    return Domain(source, tuple(dict.fromkeys([*named, *samples, OTHER])) + absent)


def profile_domain(source: str, mention: Mention | None, own: OwnTexts) -> Domain:
    """The texts that a participant may have for `profile.*`: one of its values, or any; none where the set has none."""
    name = source.removeprefix(PROFILE)
    if mention is not None and mention.is_date:
        return Domain(source, (DATES[1],))
    values = own.values.get(name)
    if values:
        return Domain(source, tuple(text or None for text in values))
    return domain(source, mention, is_optional=own.may_be_absent(name))


def sample(notation: str) -> str | None:
    """A text of an ISO 15022 format, its optional parts left out; None where none was found."""
    plain = notation.split("|")[0]
    while _OPTIONAL.search(plain):
        plain = _OPTIONAL.sub("", plain)

    def text(match: re.Match[str]) -> str:
        if match[3] == "d":
            return "1,"
        return _SAMPLE[match[3]] * int(match[2])

    made = _ELEMENT.sub(text, plain).replace("CRLF", "\r\n")
    try:
        return made if compile_format(notation).fullmatch(made) else None
    except FormatError:
        return None


class Budget:
    """How many paths the check may still look at: one for a whole set, so that no set takes for ever."""

    def __init__(self, left: int = MOST_PATHS_OF_A_SET) -> None:
        self.left = left

    def takes(self, domains: Iterable[Domain]) -> bool:
        """Whether all combinations may be looked at; if so, they are counted."""
        needed = count(domains)
        if needed > min(MOST_PATHS, self.left):
            return False
        self.left -= needed
        return True


def paths(domains: Sequence[Domain], is_possible: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Every combination of the domains' values; ask the budget before."""
    names = [each.source for each in domains]
    for values in itertools.product(*(each.values for each in domains)):
        path = dict(zip(names, values, strict=True))
        if is_possible is None or is_possible(path):
            yield path


def count(domains: Iterable[Domain]) -> int:
    """How many combinations there are."""
    total = 1
    for each in domains:
        total *= len(each.values)
    return total


def holds_on(condition: Mapping[str, Any]) -> Holds[Path]:
    """The condition, to be asked of paths; none holds always."""
    compiled: Holds[Path] | None = compile_condition(condition, lambda source: lambda path: path.get(source))
    return compiled or (lambda path: True)


def words(path: Path) -> str:
    """A path for a person: `when A is absent and B is PREA`; empty for the only one there is."""
    parts = []
    for source, value in path.items():
        if value is None:
            parts.append(f"{source} is absent")
        elif value == OTHER:
            parts.append(f"{source} is there")
        elif isinstance(value, bool):
            parts.append(f"{source} is {'true' if value else 'false'}")
        else:
            parts.append(f"{source} is {value}")
    return f"when {' and '.join(parts)}" if parts else ""
