"""The check of a message whose shape was found faultless before: only its values are looked at.

Which places stand, how often, in which order and in which sequences follows from the shape alone (tags, qualifiers,
schemes, sequences), and so do all findings but those of values. The plan is made of what the plain check said of a
faultless message of the shape, so that there is one check only to be right. A value that does not pass is left to the
plain check too, which finds everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.shapes import LONGEST_VALUE, MOST_VALUES, MOST_VALUES_OF_ONE_FIELD, Shape

#: whether a value is without any fault, by what is true of it
Passes = Callable[[str], object]
Values = dict[str, list[Field]]
Instances = dict[str, list[tuple[int, int]]]


class CheckPlan:
    """Where in a shape the fields of each place stand, and what their values must pass."""

    __slots__ = ("_again", "_instances", "_most", "_pick", "_places", "_spots")

    def __init__(self, shape: Shape, values: Values, instances: Instances, passes: Mapping[str, Passes]) -> None:
        # A field stands in a line of its own.
        by_line = {field.line: (place, field is fields[0]) for place, fields in values.items() for field in fields}
        stands = [by_line[line] for line in shape.lines]
        self._pick = itemgetter(*shape.numbers)
        self._places = tuple([place for place, is_first in stands if is_first])
        self._again = tuple([(number, place) for number, (place, is_first) in enumerate(stands) if not is_first])
        self._spots: tuple[tuple[set[str], Passes], ...] = tuple([(set(), passes[place]) for place, _ in stands])
        self._instances = tuple([(path, tuple(spans)) for path, spans in instances.items()])
        self._most = min(MOST_VALUES_OF_ONE_FIELD, MOST_VALUES // len(shape.numbers))

    def check(self, fields: tuple[Field, ...]) -> tuple[Values, Instances] | None:
        """The fields by place and where repeating sequences stand, None when a value does not pass."""
        picked = self._pick(fields)
        for (passed, passes), field in zip(self._spots, picked):  # noqa: B905 - of one pick
            value = field[3]
            if value not in passed:
                if not passes(value):
                    return None
                if len(value) <= LONGEST_VALUE:
                    if len(passed) >= self._most:
                        passed.clear()
                    passed.add(value)
        if self._again:
            return self._with_repeats(picked)
        values = dict(zip(self._places, [[field] for field in picked]))  # noqa: B905 - of one pick
        return values, {path: list(spans) for path, spans in self._instances} if self._instances else {}

    def _with_repeats(self, picked: tuple[Field, ...]) -> tuple[Values, Instances]:
        values: Values = {}
        again = dict(self._again)
        places = iter(self._places)
        for number, field in enumerate(picked):
            if number in again:
                values[again[number]].append(field)
            else:
                values[next(places)] = [field]
        return values, {path: list(spans) for path, spans in self._instances}


def passes_of(matches: Passes, values: frozenset[str], checks: Sequence[Passes]) -> Passes:
    """Format, allowed values (none: any) and named checks as one call."""
    if values:
        return frozenset(
            value for value in values if matches(value) and all(passes(value) for passes in checks)
        ).__contains__
    if not checks:
        return matches
    first, rest = checks[0], checks[1:]
    if not rest:
        return lambda value: matches(value) and first(value)
    return lambda value: matches(value) and first(value) and all(passes(value) for passes in rest)
