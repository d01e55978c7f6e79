"""Which cases of a rule file went, came and changed. They decide nothing; they tell what was thought of."""

from __future__ import annotations

from typing import Any

from pg_bridge.mapping.changes.change import Comparison, Effect, listed, same, shown
from pg_bridge.mapping.changes.pairs import Item, items, pairs


def compare_cases(c: Comparison) -> None:
    """One sentence for all that came, one for all that went, one for all that changed."""
    old, new = c.old.get("case"), c.new.get("case")
    found = pairs(old, new, lambda entry: shown(entry.get("name")))
    changed = [pair.new for pair in found.both if not _alike(pair.old, pair.new)]
    counted = f"{len(items(new))} cases, there were {len(items(old))}"
    if found.added:
        at = f"case[{found.added[0].number}]"
        c.added(Effect.NONE, at, "cases", f"{_cases(found.added)} added: {_names(found.added)} ({counted})")
    if found.removed:
        at = f"case[{found.removed[0].number}]"
        c.removed(Effect.NONE, at, "cases", f"{_cases(found.removed)} removed: {_names(found.removed)} ({counted})")
    if changed:
        told = f"{len(changed)} case{'s' if len(changed) > 1 else ''} changed: {_names(changed)}"
        c.changed(Effect.NONE, f"case[{changed[0].number}]", "cases", told)


def _alike(old: Item, new: Item) -> bool:
    return all(_says_the_same(name, old.entry, new.entry) for name in {*old.entry, *new.entry})


def _says_the_same(name: str, old: Any, new: Any) -> bool:
    return same(old.get(name), new.get(name))


def _cases(found: list[Item]) -> str:
    return f"{len(found)} case is" if len(found) == 1 else f"{len(found)} cases are"


def _names(found: list[Item]) -> str:
    return listed(f"'{shown(item.entry.get('name'))}'" for item in found)
