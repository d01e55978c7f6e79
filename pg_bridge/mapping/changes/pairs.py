"""Which entry of an old list is which of a new one, and which of them changed places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pg_bridge.mapping.changes.change import same

#: beyond this many candidates the nearest one is not looked for: the first is taken
MOST_COMPARED = 200


class Item(NamedTuple):
    """An entry and its number in its list."""

    number: int
    entry: Mapping[str, Any]


class Pair(NamedTuple):
    """One entry, as it was and as it is."""

    old: Item
    new: Item


@dataclass(slots=True)
class Pairs:
    """both: in the new order; removed: only in the old list; added: only in the new one."""

    both: list[Pair]
    removed: list[Item]
    added: list[Item]


Key = Callable[[Mapping[str, Any]], Hashable | None]


def items(entries: Any) -> list[Item]:
    """The entries of a list that are tables; whatever else stands there is left out."""
    return [
        Item(n, each) for n, each in enumerate(entries if isinstance(entries, list) else []) if isinstance(each, dict)
    ]


def pairs(old: Any, new: Any, *keys: Key) -> Pairs:
    """Pair by the first key, what is left by the second ... ; among several of one key the most alike go together.

    A key of None pairs nothing; last, what is the very same goes together, whatever it is.
    """
    left, right = items(old), items(new)
    both: list[Pair] = []
    for key in (*keys, repr):
        groups: dict[Hashable, list[Item]] = {}
        for item in left:
            name = key(item.entry)
            if name is not None:
                groups.setdefault(name, []).append(item)
        wanted: dict[Hashable, list[Item]] = {}
        for item in right:
            name = key(item.entry)
            if name is not None and name in groups:
                wanted.setdefault(name, []).append(item)
        for name, news in wanted.items():
            both += _nearest(groups[name], news)
        taken_old, taken_new = {pair.old.number for pair in both}, {pair.new.number for pair in both}
        left = [item for item in left if item.number not in taken_old]
        right = [item for item in right if item.number not in taken_new]
    both.sort(key=lambda pair: pair.new.number)
    return Pairs(both, left, right)


def _nearest(olds: Sequence[Item], news: Sequence[Item]) -> list[Pair]:
    if len(olds) == len(news) == 1:
        return [Pair(olds[0], news[0])]
    found: list[Pair] = []
    olds, news = list(olds), list(news)
    for new in list(news):  # those that did not change find each other first, in order
        for old in olds:
            if alike(old.entry, new.entry) == 1.0:
                found.append(Pair(old, new))
                olds.remove(old)
                news.remove(new)
                break
    if len(olds) > MOST_COMPARED or len(news) > MOST_COMPARED:
        return found + [Pair(old, new) for old, new in zip(olds, news, strict=False)]
    scores = sorted(
        ((-alike(old.entry, new.entry), abs(old.number - new.number), old.number, new.number, old, new)
         for old in olds for new in news),
        key=lambda score: score[:4],
    )  # fmt: skip
    done_old: set[int] = set()
    done_new: set[int] = set()
    for _, _, old_number, new_number, old, new in scores:
        if old_number not in done_old and new_number not in done_new:
            done_old.add(old_number)
            done_new.add(new_number)
            found.append(Pair(old, new))
    return found


def alike(old: Mapping[str, Any], new: Mapping[str, Any]) -> float:
    """The share of entries on which both agree: 1.0, they are the same."""
    names = old.keys() | new.keys()
    if not names:
        return 1.0
    return sum(same(old.get(name), new.get(name)) for name in names) / len(names)


def moved(both: Sequence[Pair]) -> list[Pair]:
    """The fewest pairs that must have changed places to give the new order. both: in the new order."""
    tails: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for index, pair in enumerate(both):
        place = bisect_left(tails, pair.old.number)
        before.append(at[place - 1] if place else -1)
        tails[place : place + 1] = [pair.old.number]
        at[place : place + 1] = [index]
    stay: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        stay.add(index)
        index = before[index]
    return [pair for index, pair in enumerate(both) if index not in stay]
