"""What differs in how batch files come and in what their records become. What a record becomes, OCP gets."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from pg_bridge.mapping.changes.change import Change, Comparison, Effect, condition, shown
from pg_bridge.mapping.changes.message_difference import compare_blocks
from pg_bridge.mapping.changes.pairs import Item, items, pairs
from pg_bridge.mapping.changes.rule_difference import left_out_differs, parts_differ
from pg_bridge.mapping.changes.tree_difference import compare_tree

Json = Mapping[str, Any]

_LISTS = ("refused", "left_out", "value", "block")


def compare_upload(c: Comparison, name: str, old: Any, new: Any) -> None:
    """The upload section of one rule file. name: of the rule file."""
    about = f"rules {name} upload"
    if isinstance(old, dict) and isinstance(new, dict):
        compare_tree(c, old, new, lambda path: Effect.WE_TAKE, at="upload", subject="the upload", about=about)
    elif isinstance(new, dict):
        c.added(Effect.WE_TAKE, "upload", about, "it takes batch files now")
    elif isinstance(old, dict):
        c.removed(Effect.WE_TAKE, "upload", about, "it takes no batch files any more")


def compare_records(c: Comparison, name: str, old: Any, new: Any) -> None:
    """The record sections of one rule file, known by template, layout and record; the order says nothing."""
    found = pairs(old, new, _same_if, _same_record, _same_template)
    for pair in found.both:
        called = _called(pair.new.entry)
        about = f"rules {name} {called[4:]}"
        was, at = f"record[{pair.old.number}]", f"record[{pair.new.number}]"
        parts_differ(c, Effect.OCP_GETS, at, about, called, pair.old.entry, pair.new.entry, known=_LISTS)
        _refusals(c, about, was, at, pair.old.entry, pair.new.entry)
        old_reasons, new_reasons = pair.old.entry.get("left_out"), pair.new.entry.get("left_out")
        left_out_differs(c, about, f"{at}.left_out", old_reasons, new_reasons)
        inner: list[Change] = []
        compare_blocks(replace(c, changes=inner), about, at, pair.old.entry, pair.new.entry, was)
        c.changes += as_input(inner)
    for item in found.removed:
        called = _called(item.entry)
        text = f"{called}{_if(item.entry)} is removed: such a record is refused"
        c.removed(Effect.OCP_GETS, f"record[{item.number}]", f"rules {name} {called[4:]}", text)
    for item in found.added:
        called = _called(item.entry)
        text = f"{called}{_if(item.entry)} is added"
        c.added(Effect.OCP_GETS, f"record[{item.number}]", f"rules {name} {called[4:]}", text)


def as_input(changes: list[Change]) -> list[Change]:
    """Changes of blocks that are written as a message of the PSS: they touch what OCP gets."""
    return [
        structs.replace(each, effect=Effect.OCP_GETS) if each.effect is Effect.WE_WRITE else each for each in changes
    ]


def included(document: Json) -> set[str]:
    """The names of the shared files that the record sections of a rule file include."""
    blocks = [block.entry for record in items(document.get("record")) for block in items(record.entry.get("block"))]
    return {str(block["include"]) for block in blocks if block.get("include")}


def _refusals(c: Comparison, about: str, was: str, at: str, old: Json, new: Json) -> None:
    found = pairs(old.get("refused"), new.get("refused"), _condition, _text)
    for pair in found.both:
        here = f"{at}.refused[{pair.new.number}]"
        parts_differ(c, Effect.WE_TAKE, here, about, _refusal(pair.new), pair.old.entry, pair.new.entry)
    for item in found.removed:
        c.removed(Effect.WE_TAKE, f"{was}.refused[{item.number}]", about, f"{_refusal(item)} is removed")
    for item in found.added:
        text = f"{_refusal(item)} is added{_if(item.entry)}"
        c.added(Effect.WE_TAKE, f"{at}.refused[{item.number}]", about, text)


def _refusal(item: Item) -> str:
    return f"the refusal '{shown(item.entry.get('text'))}'"


def _called(record: Json) -> str:
    names = [shown(record.get(name, "")) for name in ("layout", "record", "template")]
    return f"the record {names[0]} {names[1]} as {names[2]}"


def _if(part: Json) -> str:
    return f" (if {condition(part['when'])})" if part.get("when") else ""


def _same_if(record: Json) -> Hashable:
    return (*_names(record), shown(record.get("when", {})))


def _same_record(record: Json) -> Hashable:
    return _names(record)


def _same_template(record: Json) -> Hashable:
    return shown(record.get("template", ""))


def _names(record: Json) -> tuple[str, ...]:
    return tuple(shown(record.get(name, "")) for name in ("template", "layout", "record"))


def _condition(refusal: Json) -> Hashable:
    return shown(refusal.get("when", {}))


def _text(refusal: Json) -> Hashable:
    return shown(refusal.get("text", ""))
