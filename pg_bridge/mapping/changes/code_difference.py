"""What differs in the code tables: rows, ranges, and what every other key gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pg_bridge.mapping.changes.change import EFFECTS, Comparison, Effect, became, same, shown
from pg_bridge.mapping.changes.pairs import moved, pairs
from pg_bridge.mapping.changes.tree_difference import TEXTS, compare_tree

Json = Mapping[str, Any]


def compare_codes(c: Comparison, users: Mapping[str, frozenset[Effect]]) -> None:
    """Every code table. users: what becomes of a table's codes; one that no rule uses has no effect."""
    for name in dict.fromkeys([*c.old, *c.new]):
        old, new = c.old.get(name), c.new.get(name)
        about = f"code table {name}"
        effect, *also = sorted(users.get(name, (Effect.NONE,)), key=EFFECTS.index)
        c.also = tuple(also)
        if not isinstance(old, dict) or not isinstance(new, dict):
            if old is None:
                c.added(effect, name, about, f"the code table {name} is added")
            elif new is None:
                c.removed(effect, name, about, f"the code table {name} is removed")
            else:
                compare_tree(c, old, new, lambda path: Effect.NONE, at=name, subject=f"the code table {name}")
            continue
        _rows(c, effect, name, about, old, new)
        _ranges(c, effect, name, about, old, new)
        _default(c, effect, name, about, old, new)
        for other in dict.fromkeys([*old, *new]):
            if other in ("entries", "ranges", "default") or same(_or_usual(old, other), _or_usual(new, other)):
                continue
            clause = (
                "its meaning is told otherwise"
                if other == "meaning"
                else became(other, _or_usual(old, other), _or_usual(new, other))
            )
            quiet = Effect.NONE if other in TEXTS else effect
            c.changed(quiet, f"{name}.{other}", about, f"the code table {name}: {clause}")


def _or_usual(table: Json, name: str) -> Any:
    return table.get(name, "legacy") if name == "keys" else table.get(name)


def _table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _rows(c: Comparison, effect: Effect, name: str, about: str, old: Json, new: Json) -> None:
    was, now = _table(old.get("entries")), _table(new.get("entries"))
    for key in dict.fromkeys([*was, *now]):
        at = f"{name}.entries.{key}"
        if key not in now:
            c.removed(
                effect,
                at,
                f"{about} row {key}",
                f"the code table {name}: the row {key} is removed, it gave {shown(was[key])}",
            )
        elif key not in was:
            c.added(
                effect,
                at,
                f"{about} row {key}",
                f"the code table {name}: the row {key} is added, it gives {shown(now[key])}",
            )
        elif was[key] != now[key]:
            text = f"the code table {name}: the row {key} gave {shown(was[key])} and gives {shown(now[key])}"
            c.changed(effect, at, f"{about} row {key}", text)


def _ranges(c: Comparison, effect: Effect, name: str, about: str, old: Json, new: Json) -> None:
    found = pairs(
        old.get("ranges"), new.get("ranges"), lambda entry: (shown(entry.get("from")), shown(entry.get("to")))
    )

    def called(entry: Json) -> str:
        return f"the code table {name}: the range {shown(entry.get('from'))} to {shown(entry.get('to'))}"

    for pair in found.both:
        was, now = shown(pair.old.entry.get("code")), shown(pair.new.entry.get("code"))
        if was != now:
            at = f"{name}.ranges[{pair.new.number}]"
            c.changed(effect, at, about, f"{called(pair.new.entry)} gave {was} and gives {now}")
    for item in found.removed:
        text = f"{called(item.entry)} is removed, it gave {shown(item.entry.get('code'))}"
        c.removed(effect, f"{name}.ranges[{item.number}]", about, text)
    for item in found.added:
        text = f"{called(item.entry)} is added, it gives {shown(item.entry.get('code'))}"
        c.added(effect, f"{name}.ranges[{item.number}]", about, text)
    for pair in moved(found.both):
        if _overlaps(pair.new.entry, (other.new.entry for other in found.both if other is not pair)):
            number = pair.new.number + 1
            text = f"{called(pair.new.entry)} is number {number} now: of several that hold a key the first counts"
            c.moved(effect, f"{name}.ranges[{pair.new.number}]", about, text)


def _overlaps(entry: Json, others: Iterable[Json]) -> bool:
    low, high = str(entry.get("from")), str(entry.get("to"))
    return any(low <= str(other.get("to")) and str(other.get("from")) <= high for other in others)


def _default(c: Comparison, effect: Effect, name: str, about: str, old: Json, new: Json) -> None:
    was, now = old.get("default"), new.get("default")
    if was == now:
        return
    if was is None:
        clause = f"every other key gives {shown(now)} now, it was refused"
    elif now is None:
        clause = f"every other key is refused now, it gave {shown(was)}"
    else:
        clause = f"every other key gave {shown(was)} and gives {shown(now)}"
    c.changed(effect, f"{name}.default", about, f"the code table {name}: {clause}")
