"""What differs in the legacy profile: templates, code tables, the framing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pg_bridge.mapping.change import EFFECTS, Comparison, Effect, became, is_empty, listed, same, shown
from pg_bridge.mapping.pairs import Item, Pair, moved, pairs
from pg_bridge.mapping.tree_difference import TEXTS, Path, compare_tree

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
    if name == "repeats":
        return "it may stand more than once" if new else "it may stand only once"
    if name == "values" and is_empty(old):
        return f"only {listed(map(shown, new))} are allowed, any value was"
    if name == "values" and is_empty(new):
        return f"any value is allowed, only {listed(map(shown, old))} were"
    if name == "types" and is_empty(old):
        return f"it stands in {listed(f'MT{each}' for each in new)} only, it stood in every message type"
    if name == "types" and is_empty(new):
        return f"it stands in every message type, it stood in {listed(f'MT{each}' for each in old)} only"
    if name in TEXTS - {"source", "reason"}:
        return f"its {name} is changed"
    return became(name, old, new)


# --- codes -----------------------------------------------------------------------------------------------------


def compare_codes(c: Comparison, users: Mapping[str, frozenset[Effect]]) -> None:
    """Every code table. users: what becomes of a table's codes, by its name; a table that no rule uses has no effect."""
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
            text = f"{called(pair.new.entry)} is number {pair.new.number + 1} now: of several that hold a key the first counts"
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


# --- framing ---------------------------------------------------------------------------------------------------


def compare_framing(c: Comparison) -> None:
    """The frame, control messages, refusals and limits of the link."""

    def effect_of(path: Path) -> Effect:
        return Effect.NONE if path in (("name",), ("version",)) else Effect.WE_CONNECT

    compare_tree(c, c.old, c.new, effect_of, subject="the link's", about="framing")


def _rest(c: Comparison, known: set[str], effect: Effect, subject: str) -> None:
    """What a file has besides what is known to it."""
    old = {name: value for name, value in c.old.items() if name not in known}
    new = {name: value for name, value in c.new.items() if name not in known}
    compare_tree(c, old, new, lambda path: effect, subject=subject)
