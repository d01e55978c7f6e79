"""Texts by place laid out as the lines of a message, in the template's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pg_bridge.mapping.places import line_start
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

Texts = Mapping[str, str]
#: sequence that repeats -> the texts of each time it stands, by place of the template
Items = Mapping[str, Sequence[Texts]]


def lay_out(template: Template, message_type: str, texts: Texts, items: Items) -> list[str]:
    """The lines of a message that holds `texts` (place -> value). A mandatory field of one value needs no text."""
    lines: list[str] = []
    _fields(template.root, message_type, texts, items, lines)
    return lines


def constant(spec: FieldSpec) -> str | None:
    """The one value of a mandatory field that allows no other; of several spellings of one, none."""
    return next(iter(spec.values)) if spec.mandatory and len(spec.values) == 1 else None


def _fields(spec: SequenceSpec, type_: str, texts: Texts, items: Items, lines: list[str]) -> None:
    for item in spec.items:
        if type_ not in item.types:
            continue
        if isinstance(item, FieldSpec):
            text = texts.get(item.place, constant(item))
            if text is not None:
                lines.append(line_start(item) + text)
        elif item.path in items:
            for own in items[item.path]:
                _sequence(item, type_, own, items, lines)
        elif _has_any(item, type_, texts, items):
            _sequence(item, type_, texts, items, lines)


def _sequence(spec: SequenceSpec, type_: str, texts: Texts, items: Items, lines: list[str]) -> None:
    lines.append(f":16R:{spec.name}")
    _fields(spec, type_, texts, items, lines)
    lines.append(f":16S:{spec.name}")


def _has_any(spec: SequenceSpec, type_: str, texts: Texts, items: Items) -> bool:
    """Whether a sequence is to stand: with a text below it, or, where it is mandatory, a constant or nothing due."""
    inside = f"{spec.path}/"
    if any(place.startswith(inside) for place in (*texts, *items)):
        return True
    if not spec.mandatory:
        return False
    due = [each for each in spec.fields() if type_ in each.types and each.mandatory]
    return not due or any(constant(each) is not None for each in due)
