"""Two documents of any shape, entry by entry: what serves every part of the files that needs no words of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pg_bridge.mapping.changes.change import Comparison, Effect, became, is_empty, same, shown, worded
from pg_bridge.mapping.changes.pairs import moved, pairs

#: entries of a list are known by the first of these that all of them have, each its own
_IDENTITIES = ("name", "block", "to", "carried", "field", "at", "path", "from")
#: entries that explain and decide nothing
TEXTS = frozenset({"source", "meaning", "sample", "reason", "description", "summary", "title", "example", "examples"})

Path = tuple[str, ...]


class Leaf(NamedTuple):
    """One disagreement. path: names that lead there; old_at, new_at: where, for lines; None: not there."""

    path: Path
    old_at: str
    new_at: str
    old: Any
    new: Any
    is_moved: bool = False


def leaves(old: Any, new: Any, path: Path = (), old_at: str = "", new_at: str = "") -> Iterator[Leaf]:
    """Every disagreement of two documents, the deepest entries that differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            text = str(name)
            yield from leaves(
                old.get(name),
                new.get(name),
                (*path, text),
                f"{old_at}.{text}".lstrip("."),
                f"{new_at}.{text}".lstrip("."),
            )
    elif _is_tables(old) and _is_tables(new):
        yield from _lists(old, new, path, old_at, new_at)
    elif not same(old, new):
        yield Leaf(path, old_at, new_at, old, new)


def _lists(old: Any, new: Any, path: Path, old_at: str, new_at: str) -> Iterator[Leaf]:
    name = next((name for name in _IDENTITIES if _tells_apart(old, name) and _tells_apart(new, name)), "")
    if name:
        found = pairs(old, new, lambda entry: shown(entry[name]))
    else:
        if len(old) == len(new):
            for number, (one, other) in enumerate(zip(old, new, strict=True)):
                spot = f"[{number}]"
                yield from leaves(one, other, (*path, str(number + 1)), old_at + spot, new_at + spot)
            return
        found = pairs(old, new, lambda entry: "", lambda entry: None)

    def label(entry: Mapping[str, Any], number: int) -> str:
        return shown(entry[name]) if name else str(number + 1)

    for pair in found.both:
        yield from leaves(
            pair.old.entry,
            pair.new.entry,
            (*path, label(pair.new.entry, pair.new.number)),
            f"{old_at}[{pair.old.number}]",
            f"{new_at}[{pair.new.number}]",
        )
    for item in found.removed:
        yield Leaf((*path, label(item.entry, item.number)), f"{old_at}[{item.number}]", "", item.entry, None)
    for item in found.added:
        yield Leaf((*path, label(item.entry, item.number)), "", f"{new_at}[{item.number}]", None, item.entry)
    for pair in moved(found.both):
        at = (*path, label(pair.new.entry, pair.new.number))
        spots = f"{old_at}[{pair.old.number}]", f"{new_at}[{pair.new.number}]"
        yield Leaf(at, *spots, pair.old.number + 1, pair.new.number + 1, is_moved=True)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _tells_apart(entries: list[dict[str, Any]], name: str) -> bool:
    values = [shown(entry.get(name)) for entry in entries if not is_empty(entry.get(name))]
    return len(values) == len(entries) == len(set(values))


def compare_tree(
    c: Comparison,
    old: Any,
    new: Any,
    effect_of: Callable[[Path], Effect],
    *,
    at: str = "",
    subject: str = "",
    new_at: str | None = None,
    about: str = "",
    joint: str = "'s ",
) -> None:
    """Tell every disagreement of `old` and `new`, which stand at `at` of their files (`new_at`, if elsewhere).

    effect_of: by the names below `at`; entries that only explain have none. subject: what the whole is called;
    joint: what stands between it and what is below.
    """
    for leaf in leaves(old, new, (), at, at if new_at is None else new_at):
        effect = Effect.NONE if leaf.path and leaf.path[-1] in TEXTS else effect_of(leaf.path)
        below = [worded(each) for each in leaf.path]
        above = joint.join(filter(None, [subject, " ".join(below[:-1])]))
        name = leaf.path[-1] if leaf.path else ""
        whole = joint.join(filter(None, [subject, " ".join(below)]))
        topic = f"{about or subject} {' '.join(leaf.path)}".strip()
        if leaf.is_moved:
            text = f"{whole}: it was number {leaf.old} and is number {leaf.new}"
            c.moved(effect, leaf.new_at, topic, text)
        elif leaf.new is None and isinstance(leaf.old, dict):
            c.removed(effect, leaf.old_at, topic, f"{whole} is removed: {shown(leaf.old)}")
        elif leaf.old is None and isinstance(leaf.new, dict):
            c.added(effect, leaf.new_at, topic, f"{whole} is added: {shown(leaf.new)}")
        else:
            clause = "its text is changed" if name in TEXTS - {"source"} else became(name, leaf.old, leaf.new)
            c.changed(effect, leaf.new_at, topic, f"{above}: {clause}" if above else clause)
