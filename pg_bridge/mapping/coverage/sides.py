"""Both sides of a section as a person reads them: the fields of its template, the members of its schema (or columns).

In the OpenAPI document a member is public where it, or the schema it refers to, says `x-source: public`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pg_bridge.mapping.places import places_of
from pg_bridge.mapping.schema import MOST_DEPTH, Members
from pg_bridge.profiles.template import Template

PUBLIC = "public"
ASSUMED = "assumed"
_SOURCE_MARK = "x-source"


class LegacyField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a template. message_types: those in which it stands, empty where it stands in all.

    status: M or O. values: the codes allowed, sorted; empty where any value of the format is.
    """

    place: str
    message_types: tuple[str, ...]
    status: str
    repeats: bool
    format: str
    values: tuple[str, ...]
    meaning: str
    sample: str
    source: str


class OcpMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a schema; of a batch file, a column of a record or a line of a part.

    kind: its JSON type and format in words; codes: of an enum, in the document's order.
    """

    path: str
    is_required: bool
    kind: str
    codes: tuple[str, ...]
    meaning: str
    sample: str
    source: str


def legacy_fields(template: Template) -> tuple[LegacyField, ...]:
    """Every field of a template, in its order; one whose shape depends on the message type comes once a shape."""
    standing = {type_: places_of(template, type_) for type_ in template.message_types}
    found = []
    for spec in template.root.fields():
        types = tuple(type_ for type_, places in standing.items() if places.get(spec.place) is spec)
        found.append(
            LegacyField(
                place=spec.place,
                message_types=() if types == template.message_types else types,
                status="M" if spec.mandatory else "O",
                repeats=spec.repeats,
                format=spec.format,
                values=tuple(sorted(spec.values)),
                meaning=spec.meaning,
                sample=spec.sample,
                source=spec.source,
            )
        )
    return tuple(found)


def ocp_members(openapi: Mapping[str, Any], schema: str | Mapping[str, Any]) -> tuple[OcpMember, ...]:
    """Every member of a schema that holds a value, in its order; objects are told by their own members. Unnamed: none.

    Raises KeyError when there is no such schema, ValueError when it goes round in a circle.
    """
    schemas: Mapping[str, Any] = openapi["components"]["schemas"]
    top: Mapping[str, Any] = schema if not isinstance(schema, str) else schemas[schema] if schema else {}
    raw = dict(_properties(schemas, top, "", 0))
    return tuple(
        OcpMember(
            path=member.path,
            is_required=member.is_required,
            kind=_kind(schemas, raw[member.path]),
            codes=tuple(str(code) for code in _known(schemas, raw[member.path], "enum") or () if code is not None),
            meaning=str(_known(schemas, raw[member.path], "description") or ""),
            sample=_sample(_known(schemas, raw[member.path], "examples")),
            source=_source(schemas, raw[member.path], 0),
        )
        for member in Members(openapi, schema)
        if not member.is_object
    )


def _properties(
    schemas: Mapping[str, Any], spec: Mapping[str, Any], at: str, depth: int
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Path and schema, as written, of everything below a schema."""
    if depth > MOST_DEPTH:
        return
    spec = _resolved(schemas, spec)
    for part in spec.get("allOf", ()):
        yield from _properties(schemas, part, at, depth + 1)
    for name, raw in (spec.get("properties") or {}).items():
        path = f"{at}.{name}" if at else name
        yield path, raw
        yield from _properties(schemas, raw, path, depth + 1)


def _resolved(schemas: Mapping[str, Any], spec: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(MOST_DEPTH):
        if "$ref" not in spec:
            break
        spec = schemas[str(spec["$ref"]).rpartition("/")[2]]
    return spec


def _choices(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The alternatives of a schema that are not null."""
    return [part for part in (*spec.get("anyOf", ()), *spec.get("oneOf", ())) if part.get("type") != "null"]


def _known(schemas: Mapping[str, Any], spec: Mapping[str, Any], keyword: str) -> Any:
    """What a keyword says of a member: its own schema's, or that of the one alternative that is not null."""
    for _ in range(MOST_DEPTH):
        if keyword in spec:
            return spec[keyword]
        if "$ref" in spec:
            spec = _resolved(schemas, spec)
            continue
        choices = _choices(spec)
        if len(choices) != 1:
            return None
        spec = choices[0]
    return None


def _source(schemas: Mapping[str, Any], spec: Mapping[str, Any], depth: int) -> str:
    if depth > MOST_DEPTH:
        return ASSUMED
    if _SOURCE_MARK in spec:
        return PUBLIC if spec[_SOURCE_MARK] == PUBLIC else ASSUMED
    if "$ref" in spec:
        return _source(schemas, _resolved(schemas, spec), depth + 1)
    sources = {_source(schemas, part, depth + 1) for part in _choices(spec)}
    return PUBLIC if sources == {PUBLIC} else ASSUMED


def _kind(schemas: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """`string (date)`, `string, at most 16`, `integer or null`."""
    kind = _known(schemas, spec, "type")
    kinds = [str(each) for each in (kind if isinstance(kind, list) else [kind]) if each is not None]
    takes_null = any(part.get("type") == "null" for part in (*spec.get("anyOf", ()), *spec.get("oneOf", ())))
    text = " or ".join([*kinds, *(["null"] if takes_null else [])])
    shape = _known(schemas, spec, "format")
    most = _known(schemas, spec, "maxLength")
    if shape:
        return f"{text} ({shape})"
    return f"{text}, at most {most}" if most else text


def _sample(examples: Any) -> str:
    return str(examples[0]) if isinstance(examples, list) and examples else ""
