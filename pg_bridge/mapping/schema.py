"""What rules need to know of an OpenAPI schema: its members by path, and an empty document.

Understands `$ref`, `allOf`, `properties`, `items`, and null by `type`, `anyOf` or `enum`; the rest is the validator's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: References followed one after another; more is a circle.
MOST_DEPTH = 24
#: `anyOf` and `oneOf` within one another, as far as types and codes are looked for.
MOST_ALIKE = 6
#: Members of one document: more, no person could map.
MOST_MEMBERS = 2000


@dataclass(frozen=True, slots=True)
class Member:
    """One member: whether it must be there with a value, its codes if it is an enum, its most characters (0: any).

    types: the JSON types allowed, null left out; empty: any. is_array: of objects, each with members of its own.
    enum: the codes as they stand in a document, texts or whole numbers.
    """

    path: str
    is_required: bool
    codes: frozenset[str]
    most_characters: int
    is_object: bool
    types: frozenset[str] = frozenset()
    takes_null: bool = False
    is_array: bool = False
    source: str = "assumed"
    enum: frozenset[Any] = frozenset()

    def written(self, code: str) -> Any:
        """A code as it stands in a document: a whole number where the enum has it so."""
        return next((each for each in self.enum if str(each) == code), code)


class Members:
    """The members of one schema of `openapi`, named or given; an empty name: of nothing.

    `one_of`: sets of members of which at least one must have a value; `implied`: (member, its codes, members that must
    then have a value). Raises KeyError when there is no such schema,
    ValueError for a circle.
    """

    def __init__(self, openapi: Mapping[str, Any], schema: str | Mapping[str, Any]) -> None:
        self._openapi = openapi
        self._schemas: Mapping[str, Any] = openapi["components"]["schemas"]
        self._found: dict[str, Member] = {}
        self._seen: dict[int, tuple[bool, frozenset[str], int]] = {}
        self._items: dict[str, Mapping[str, Any]] = {}
        self.one_of: list[frozenset[str]] = []
        self.implied: list[tuple[str, frozenset[str], frozenset[str]]] = []
        named: Mapping[str, Any] = self._schemas[schema] if isinstance(schema, str) and schema else {}
        top = named if isinstance(schema, str) else schema
        self._blank: dict[str, Any] = self._walk(top, "", (), is_required=True)
        self.required = tuple(
            member.path for member in self._found.values() if member.is_required and not member.is_object
        )

    def __contains__(self, path: object) -> bool:
        return path in self._found

    def __iter__(self) -> Iterator[Member]:
        return iter(self._found.values())

    def __getitem__(self, path: str) -> Member:
        return self._found[path]

    def items(self, path: str) -> Members:
        """The members of one item of an array. Raises KeyError when `path` is no array of objects."""
        return Members(self._openapi, self._items[path])

    def blank(self) -> Callable[[], dict[str, Any]]:
        """Makes documents with every member, all null."""
        if any(isinstance(value, dict) for value in self._blank.values()):
            return lambda: copy.deepcopy(self._blank)
        return self._blank.copy

    def _walk(self, schema: Mapping[str, Any], at: str, above: tuple[int, ...], *, is_required: bool) -> dict[str, Any]:
        """The blank of an object; above: the schemas that it lies in, by identity."""
        blank: dict[str, Any] = {}
        schema = self._resolved(schema)
        if id(schema) in above or len(above) > MOST_DEPTH:
            raise ValueError(f"the schema goes round in a circle at {at or 'its beginning'}")
        above = (*above, id(schema))
        for part in schema.get("allOf", ()):
            if group := _one_of(self._resolved(part)):
                self.one_of.append(frozenset(f"{at}.{name}" if at else name for name in group))
            self.implied += [
                (f"{at}.{name}" if at else name, codes, frozenset(f"{at}.{each}" if at else each for each in due))
                for name, codes, due in _implied(self._resolved(part))
            ]
            if "properties" in self._resolved(part) or "allOf" in self._resolved(part):
                blank |= self._walk(part, at, above, is_required=is_required)
        needed = schema.get("required", ())
        for name, raw in (schema.get("properties") or {}).items():
            path = f"{at}.{name}" if at else name
            spec = self._resolved(raw)
            takes_null, codes, most = self._values(spec, 0)
            has_members = "properties" in spec
            is_needed = is_required and name in needed and not takes_null
            items = self._resolved(spec["items"]) if isinstance(spec.get("items"), Mapping) else {}
            if is_array := "properties" in items or "allOf" in items:
                self._items[path] = items
            self._found[path] = Member(
                path,
                is_needed,
                codes,
                most,
                has_members,
                self._types(spec, 0),
                takes_null,
                is_array,
                str(raw.get("x-source") or spec.get("x-source") or "assumed"),
                self._enum(spec, 0),
            )
            if len(self._found) > MOST_MEMBERS:
                raise ValueError(f"the schema has more than {MOST_MEMBERS} members")
            blank[name] = self._walk(spec, path, above, is_required=is_needed) if has_members else None
        return blank

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(MOST_DEPTH):
            if "$ref" not in schema:
                return schema
            schema = self._schemas[str(schema["$ref"]).rpartition("/")[2]]
        raise ValueError("the schema's references go round in a circle")

    def _values(self, spec: Mapping[str, Any], depth: int) -> tuple[bool, frozenset[str], int]:
        """Whether null is allowed, the codes, and the most characters."""
        if id(spec) in self._seen:
            return self._seen[id(spec)]
        kind = spec.get("type")
        takes_null = kind == "null" or (isinstance(kind, list) and "null" in kind) or bool(spec.get("nullable"))
        codes = frozenset(str(code) for code in spec.get("enum", ()) if code is not None)
        most = int(spec.get("maxLength", 0))
        for part in (*spec.get("anyOf", ()), *spec.get("oneOf", ())) if depth < MOST_DEPTH else ():
            part_null, part_codes, part_most = self._values(self._resolved(part), depth + 1)
            takes_null |= part_null
            codes |= part_codes
            most = max(most, part_most)
        self._seen[id(spec)] = takes_null, codes, most
        return takes_null, codes, most

    def _enum(self, spec: Mapping[str, Any], depth: int) -> frozenset[Any]:
        enum = {code for code in spec.get("enum", ()) if isinstance(code, str | int)}
        for part in (*spec.get("anyOf", ()), *spec.get("oneOf", ())) if depth < MOST_ALIKE else ():
            enum |= self._enum(self._resolved(part), depth + 1)
        return frozenset(enum)

    def _types(self, spec: Mapping[str, Any], depth: int) -> frozenset[str]:
        kind = spec.get("type")
        types = {kind} if isinstance(kind, str) else set(kind or ())
        for part in (*spec.get("anyOf", ()), *spec.get("oneOf", ())) if depth < MOST_ALIKE else ():
            types |= self._types(self._resolved(part), depth + 1)
        return frozenset(types - {"null"})


def _one_of(part: Mapping[str, Any]) -> list[str]:
    """The members of which `anyOf` requires one, each with a value; empty for any other part."""
    ways = part.get("anyOf", ())
    named = [way["required"][0] for way in ways if isinstance(way, Mapping) and len(way.get("required", ())) == 1]
    has_values = all("type" in way.get("properties", {}).get(name, {}) for way, name in zip(ways, named, strict=False))
    return named if len(named) == len(ways) and has_values else []


def _implied(part: Mapping[str, Any]) -> list[tuple[str, frozenset[str], list[str]]]:
    """What `if` one member has one of some codes `then` requires, each with a value; empty for any other part."""
    asked = part.get("if", {}).get("properties", {})
    then = part.get("then", {})
    due = [name for name in then.get("required", ()) if "type" in then.get("properties", {}).get(name, {})]
    return [(name, frozenset(spec["enum"]), due) for name, spec in asked.items() if "enum" in spec and len(asked) == 1]


def value_below(document: Any, members: Iterable[str]) -> Any:
    """The value that the members lead to, one inside the other; None where any is absent."""
    for member in members:
        if not isinstance(document, Mapping):
            return None
        document = document.get(member)
    return document


def value_at(document: Any, path: str) -> Any:
    """The value at a path of members joined by dots, None where any is absent."""
    return value_below(document, path.split("."))
