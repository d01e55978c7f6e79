"""Which places of a template stand in one message type: a field's own types, and those of every sequence around it."""

from __future__ import annotations

from collections.abc import Mapping

from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

Places = Mapping[str, FieldSpec]


def places_of(template: Template, message_type: str) -> Places:
    """Every field that may stand in a message of this type, by place."""
    found: dict[str, FieldSpec] = {}
    _walk(template.root, message_type, found)
    return found


def _walk(spec: SequenceSpec, message_type: str, found: dict[str, FieldSpec]) -> None:
    for item in spec.items:
        if message_type not in item.types:
            continue
        if isinstance(item, FieldSpec):
            found[item.place] = item
        else:
            _walk(item, message_type, found)
