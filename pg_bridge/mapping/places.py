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


def below(places: Places, at: str) -> Places:
    """The places inside a sequence, named from it on."""
    prefix = f"{at}/"
    return {place.removeprefix(prefix): spec for place, spec in places.items() if place.startswith(prefix)}


def find_sequence(spec: SequenceSpec, path: str) -> SequenceSpec | None:
    """The sequence at `path` below `spec`."""
    for item in spec.items:
        if isinstance(item, SequenceSpec):
            if item.path == path:
                return item
            if path.startswith(f"{item.path}/"):
                return find_sequence(item, path)
    return None


def always_there(template: Template, message_type: str) -> frozenset[str]:
    """The places that stand in every message of this type: mandatory, as is every sequence around them."""
    found: set[str] = set()
    _always(template.root, message_type, found)
    return frozenset(found)


def _always(spec: SequenceSpec, message_type: str, found: set[str]) -> None:
    for item in spec.items:
        if not item.mandatory or message_type not in item.types:
            continue
        if isinstance(item, FieldSpec):
            found.add(item.place)
        else:
            _always(item, message_type, found)


def line_start(spec: FieldSpec) -> str:
    """What stands before the value of a field that is newly written: `:95R::REAG/CCAS/`."""
    if not spec.qualifier:
        return f":{spec.tag}:"
    if spec.scheme:
        return f":{spec.tag}::{spec.qualifier}/{spec.scheme}/"
    return f":{spec.tag}::{spec.qualifier}//"
