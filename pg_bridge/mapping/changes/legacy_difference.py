"""What differs in the legacy profile: templates and the framing. Code tables stand in code_difference.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pg_bridge.mapping.changes.change import Comparison, Effect, became, is_empty, listed, same, shown
from pg_bridge.mapping.changes.pairs import Item, Pair, moved, pairs
from pg_bridge.mapping.changes.tree_difference import TEXTS, Path, compare_tree

Json = Mapping[str, Any]

_MEANING_ENDS = re.compile(r"[,:;(]")
_STATUS = {"M": "mandatory", "O": "optional"}


# --- templates -------------------------------------------------------------------------------------------------


def template_effect(file: Json) -> Effect:
    """What the messages of a template file are to us."""
    head = file.get("template")
    return Effect.WE_WRITE if isinstance(head, dict) and head.get("direction") == "O" else Effect.WE_TAKE


def compare_template(c: Comparison) -> None:
    """The head, the sequences and the fields of one template."""
    effect = template_effect(c.new)
    head = c.new.get("template")
    name = shown(head.get("name")) if isinstance(head, dict) else c.file
    compare_tree(
        c,
        c.old.get("template"),
        c.new.get("template"),
        lambda path: effect,
        at="template",
        subject=f"the template {name}",
        about=f"template {name}",
    )
    sequences = pairs(c.old.get("sequence"), c.new.get("sequence"), lambda entry: shown(entry.get("path")))
    _entries(c, effect, name, "sequence", sequences.both, sequences.removed, sequences.added)
    # A place may be declared for one message type so and for another so: then the types tell them apart.
    fields = pairs(c.old.get("field"), c.new.get("field"), _place_and_types, _place)
    _entries(c, effect, name, "field", fields.both, fields.removed, fields.added)
    rest = {"template", "sequence", "field"}
    _rest(c, rest, effect, f"the template {name}")


def _entries(
    c: Comparison, effect: Effect, template: str, what: str, both: list[Pair], removed: list[Item], added: list[Item]
) -> None:
    for pair in both:
        old, new = pair.old.entry, pair.new.entry
        about = f"template {template} {what} {_place(new)}"
        for name in dict.fromkeys([*old, *new]):
            if same(old.get(name), new.get(name)):
                continue
            is_quiet = name in TEXTS - {"reason"}
            at = f"{what}[{pair.new.number}].{name}"
            clause = _clause(name, old.get(name), new.get(name))
            c.changed(Effect.NONE if is_quiet else effect, at, about, f"{_called(what, new)}: {clause}")
    for item in removed:
        about = f"template {template} {what} {_place(item.entry)}"
        c.removed(effect, f"{what}[{item.number}]", about, f"{_called(what, item.entry)} is removed")
    for item in added:
        about = f"template {template} {what} {_place(item.entry)}"
        text = f"{_called(what, item.entry)} is added: {_described(item.entry)}"
        c.added(effect, f"{what}[{item.number}]", about, text)
    groups: dict[str, list[Pair]] = {}
    for pair in both:
        path = str(pair.new.entry.get("path"))
        groups.setdefault(path if what == "field" else path.rpartition("/")[0], []).append(pair)
    for group in groups.values():
        for pair in moved(group):
            place = group.index(pair)
            where = f"behind {_place(group[place - 1].new.entry)}" if place else "first in its sequence"
            about = f"template {template} {what} {_place(pair.new.entry)}"
            text = f"{_called(what, pair.new.entry)}: it stands {where} now"
            c.moved(effect, f"{what}[{pair.new.number}]", about, text)


def _place(entry: Json) -> str:
    tag, qualifier = entry.get("tag"), entry.get("qualifier")
    if tag is None:
        return str(entry.get("path"))
    return f"{entry.get('path')}/{tag}" + (f":{qualifier}" if qualifier else "")


def _place_and_types(entry: Json) -> str:
    types = entry.get("types")
    return f"{_place(entry)} {' '.join(map(str, types)) if isinstance(types, list) else ''}"


def _called(what: str, entry: Json) -> str:
    """The words of a field: what it means, up to the first comma, and its place."""
    meaning = _MEANING_ENDS.split(str(entry.get("meaning") or ""))[0].strip().removeprefix("the ")
    if what == "sequence":
        return f"the sequence {_place(entry)}"
    return f"the {meaning or 'field'} {_place(entry)}"


def _described(entry: Json) -> str:
    parts = [_STATUS.get(str(entry.get("status")), shown(entry.get("status")))]
    parts += [f"of the format {entry['format']}"] if "format" in entry else []
    parts += [f"one of {listed(map(shown, entry['values']))}"] if isinstance(entry.get("values"), list) else []
    parts += [f"in {listed(f'MT{each}' for each in entry['types'])}"] if isinstance(entry.get("types"), list) else []
    return ", ".join(parts)


def _clause(name: str, old: Any, new: Any) -> str:
    if name == "status":
        return f"it was {_STATUS.get(str(old), shown(old))} and is {_STATUS.get(str(new), shown(new))}"
    if name in TEXTS - {"source", "reason"}:
        return f"its {name} is changed"
    if name == "repeats":
        return "it may stand more than once" if new else "it may stand only once"
    if not all(is_empty(each) or isinstance(each, list) for each in (old, new)):
        return became(name, old, new)
    if name == "values" and is_empty(old):
        return f"only {listed(map(shown, new))} are allowed, any value was"
    if name == "values" and is_empty(new):
        return f"any value is allowed, only {listed(map(shown, old))} were"
    if name == "types" and is_empty(old):
        return f"it stands in {listed(f'MT{each}' for each in new)} only, it stood in every message type"
    if name == "types" and is_empty(new):
        return f"it stands in every message type, it stood in {listed(f'MT{each}' for each in old)} only"
    return became(name, old, new)


# --- framing ---------------------------------------------------------------------------------------------------


def compare_framing(c: Comparison) -> None:
    """The frame, control messages, refusals and limits of the link."""

    def effect_of(path: Path) -> Effect:
        return Effect.NONE if path in (("name",), ("version",)) else Effect.WE_CONNECT

    compare_tree(c, c.old, c.new, effect_of, subject="the link", about="framing")


def _rest(c: Comparison, known: set[str], effect: Effect, subject: str) -> None:
    """What a file has besides what is known to it."""
    old = {name: value for name, value in c.old.items() if name not in known}
    new = {name: value for name, value in c.new.items() if name not in known}
    compare_tree(c, old, new, lambda path: effect, subject=subject)
