"""What came out differently, by cause. Holds counts and a few examples, never the translations themselves."""

from __future__ import annotations

from collections import Counter

import msgspec

from pg_bridge.exchange.retranslated import MESSAGE_TYPE, TEMPLATE, WHOLE, Difference, Retranslated, Way

#: causes told apart; what differs in still other ways is counted together
MOST_CAUSES = 500
#: a value as an example shows it
MOST_CHARACTERS = 200

#: of these the values themselves are the cause, not examples of it
_FATES = frozenset({WHOLE, TEMPLATE, MESSAGE_TYPE})


class Sign(msgspec.Struct, frozen=True, order=True):
    """How one thing differs, whatever its values: how is `changed`, `added`, `removed`, or `X -> Y` of a whole."""

    what: str
    how: str
    rule: str


class Cause(msgspec.Struct, kw_only=True):
    """Translations of one function that differ in the same things in the same way."""

    way: Way
    function: str
    signs: tuple[Sign, ...]
    count: int = 0
    examples: list[Retranslated] = []


class Tally:
    """most: how many examples are kept of a cause, those with values not seen before first."""

    def __init__(self, most: int = 3) -> None:
        self._most = most
        self.run = 0
        self.same = 0
        self.ways: Counter[Way] = Counter()
        #: (kind, why) -> how many translations could not be run again, and the position of the first
        self.not_run: dict[tuple[Way, str], tuple[int, int]] = {}
        self._causes: dict[tuple[Way, str, tuple[Sign, ...]], Cause] = {}
        self._seen: dict[int, set[tuple[tuple[str, str], ...]]] = {}

    @property
    def different(self) -> int:
        """How many came out differently."""
        return self.run - self.same

    @property
    def is_good(self) -> bool:
        """Everything was run and nothing differs."""
        return not self.different and not self.not_run

    def causes(self) -> list[Cause]:
        """The most frequent first."""
        return sorted(self._causes.values(), key=lambda cause: (-cause.count, cause.way, cause.function, cause.signs))

    def add(self, result: Retranslated) -> None:
        """Count one translation."""
        if result.not_run:
            key = (result.way, result.not_run)
            if key not in self.not_run and len(self.not_run) >= MOST_CAUSES:
                key = (Way.UNREADABLE, "other reasons")
            count, first = self.not_run.get(key, (0, result.position))
            self.not_run[key] = (count + 1, first)
            return
        self.run += 1
        self.ways[result.way] += 1
        if not result.differences:
            self.same += 1
            return
        signs = tuple(_sign(difference) for difference in result.differences)
        name = (result.way, result.function, signs)
        if name not in self._causes and len(self._causes) >= MOST_CAUSES:
            name = (result.way, result.function, (Sign("other things", "changed", ""),))
        cause = self._causes.get(name)
        if cause is None:
            cause = self._causes[name] = Cause(way=name[0], function=name[1], signs=name[2], examples=[])
        cause.count += 1
        values = tuple((difference.was, difference.is_) for difference in result.differences)
        seen = self._seen.setdefault(id(cause), set())
        if len(cause.examples) < self._most and values not in seen:
            seen.add(values)
            cause.examples.append(_cut(result))


def _sign(difference: Difference) -> Sign:
    if difference.what in _FATES:
        return Sign(difference.what, f"{_begin(difference.was)} -> {_begin(difference.is_)}", difference.rule)
    how = "added" if not difference.was else "removed" if not difference.is_ else "changed"
    return Sign(difference.what, how, difference.rule)


def _begin(text: str) -> str:
    """A fate without its particulars: `parked: writing ...` is `parked`."""
    return text.partition(":")[0]


def _cut(result: Retranslated) -> Retranslated:
    """An example, its values cut: a narrative may be long."""
    differences = tuple(
        msgspec.structs.replace(each, was=_short(each.was), is_=_short(each.is_)) for each in result.differences
    )
    return msgspec.structs.replace(result, differences=differences)


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
