"""What differs in the messages that we write: values, blocks and their fields, what is left out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from pg_bridge.mapping.changes.change import Comparison, Effect, became, condition, is_empty, same, shown
from pg_bridge.mapping.changes.pairs import Pair, items, moved, pairs
from pg_bridge.mapping.changes.rule_difference import described, left_out_differs, parts_differ
from pg_bridge.mapping.changes.tree_difference import compare_tree

Json = Mapping[str, Any]

_WRITE = Effect.WE_WRITE
_SECTION = ("template", "message_type", "schema")


def compare_message(c: Comparison, name: str, section: str, old: Any, new: Any) -> None:
    """The `answer` or `message` section of one rule file. name: of the rule file."""
    about = f"rules {name} {section}"
    if not isinstance(old, dict) or not isinstance(new, dict):
        if isinstance(new, dict):
            c.added(_WRITE, section, about, f"it writes the {section} now")
        elif isinstance(old, dict):
            c.removed(_WRITE, section, about, f"it writes no {section} any more")
        return
    for entry in _SECTION:
        if not same(old.get(entry), new.get(entry)):
            text = f"the {section}: {became(entry, old.get(entry), new.get(entry))}"
            c.changed(_WRITE, f"{section}.{entry}", about, text)
    left_out_differs(c, about, f"{section}.left_out", old.get("left_out"), new.get("left_out"))
    compare_blocks(c, about, section, old, new)
    known = {*_SECTION, "left_out", "value", "block"}
    rest = [{key: value for key, value in part.items() if key not in known} for part in (old, new)]
    compare_tree(c, rest[0], rest[1], lambda path: _WRITE, at=section, subject=f"the {section}", about=about)


def compare_blocks(c: Comparison, about: str, section: str, old: Json, new: Json, was: str = "") -> None:
    """The values and blocks of a section, or of a shared file (then `section` is empty). was: where it stood before."""
    above = f"{section}." if section else ""
    before = f"{was}." if was else above
    values = pairs(old.get("value"), new.get("value"), lambda entry: shown(entry.get("name")))
    for pair in values.both:
        subject = f"the value {shown(pair.new.entry.get('name'))}"
        at = f"{above}value[{pair.new.number}]"
        parts_differ(c, _WRITE, at, f"{about} {subject[4:]}", subject, pair.old.entry, pair.new.entry)
    for item in values.removed:
        name = shown(item.entry.get("name"))
        c.removed(_WRITE, f"{before}value[{item.number}]", f"{about} value {name}", f"the value {name} is removed")
    for item in values.added:
        name = shown(item.entry.get("name"))
        text = f"the value {name} is added: {described(item.entry)}"
        c.added(_WRITE, f"{above}value[{item.number}]", f"{about} value {name}", text)
    # A value may use those above it only, so that their order among themselves says nothing.
    blocks = pairs(old.get("block"), new.get("block"), _same_if, _same_constants, _same_place)
    for pair in blocks.both:
        _block(c, about, above, before, pair)
    for item in blocks.removed:
        called = block_called(item.entry)
        c.removed(_WRITE, f"{before}block[{item.number}]", f"{about} {called[4:]}", f"{called} is removed")
    for item in blocks.added:
        called = block_called(item.entry)
        text = f"{called} is added{_fields_told(item.entry)}"
        c.added(_WRITE, f"{above}block[{item.number}]", f"{about} {called[4:]}", text)
    for pair in moved(blocks.both):
        place = blocks.both.index(pair)
        where = f"behind {block_called(blocks.both[place - 1].new.entry)}" if place else "first"
        called = block_called(pair.new.entry)
        text = f"{called}: it is written {where} now"
        c.moved(_WRITE, f"{above}block[{pair.new.number}]", f"{about} {called[4:]}", text)


def block_called(block: Json) -> str:
    """The words for a block."""
    if not is_empty(block.get("include")):
        return f"the include of {shown(block.get('include'))}"
    when = f" (if {condition(block['when'])})" if not is_empty(block.get("when")) else ""
    return f"the block {shown(block.get('at', ''))}{when}"


def _fields_told(block: Json) -> str:
    fields = [item.entry for item in items(block.get("fields"))]
    told = "; ".join(f"{shown(each.get('field'))} {described(each)}" for each in fields)
    return f": {told}" if told else ""


def _same_if(block: Json) -> Hashable:
    return (*_place(block), shown(block.get("when", {})))


def _same_constants(block: Json) -> Hashable | None:
    """Blocks of one place are told apart by what they always say, when their condition changed."""
    constants = [
        (shown(item.entry.get("field")), shown(item.entry.get("constant")))
        for item in items(block.get("fields"))
        if not is_empty(item.entry.get("constant"))
    ]
    return (*_place(block), *constants) if constants else None


def _same_place(block: Json) -> Hashable:
    return _place(block)


def _place(block: Json) -> tuple[str, str, str]:
    return (shown(block.get("at", "")), shown(block.get("include", "")), shown(block.get("each", "")))


def _block(c: Comparison, about: str, above: str, was: str, pair: Pair) -> None:
    old, new = pair.old.entry, pair.new.entry
    at, called = f"{above}block[{pair.new.number}]", block_called(new)
    parts_differ(c, _WRITE, at, f"{about} {called[4:]}", called, old, new, known=("fields",))
    place = shown(new.get("at", ""))
    # Alternatives of one field: the condition tells them apart before the likeness does.
    fields = pairs(old.get("fields"), new.get("fields"), _field_if, _field)
    for one in fields.both:
        name = f"{place}/{shown(one.new.entry.get('field'))}"
        subject = f"the field {name}{_if(one.new.entry)}"
        here = f"{at}.fields[{one.new.number}]"
        parts_differ(c, _WRITE, here, f"{about} field {name}", subject, one.old.entry, one.new.entry)
    for item in fields.removed:
        name = f"{place}/{shown(item.entry.get('field'))}"
        here = f"{was}block[{pair.old.number}].fields[{item.number}]"
        text = f"the field {name} is not written any more: {described(item.entry)}"
        c.removed(_WRITE, here, f"{about} field {name}", text)
    for item in fields.added:
        name = f"{place}/{shown(item.entry.get('field'))}"
        text = f"the field {name} is written now: {described(item.entry)}"
        c.added(_WRITE, f"{at}.fields[{item.number}]", f"{about} field {name}", text)
    for one in moved(fields.both):
        name = f"{place}/{shown(one.new.entry.get('field'))}"
        before = fields.both.index(one)
        where = f"behind {shown(fields.both[before - 1].new.entry.get('field'))}" if before else "first"
        text = f"the field {name}{_if(one.new.entry)}: it stands {where} now"
        c.moved(_WRITE, f"{at}.fields[{one.new.number}]", f"{about} field {name}", text)


def _if(part: Json) -> str:
    return f" (if {condition(part['when'])})" if not is_empty(part.get("when")) else ""


def _field_if(part: Json) -> Hashable:
    return (shown(part.get("field")), shown(part.get("when", {})))


def _field(part: Json) -> Hashable:
    return shown(part.get("field"))
