"""What rules need to know of an OpenAPI schema: its members by path, and an empty document.

Understands `$ref`, `allOf`, `properties`, and null by `type`, `anyOf` or `enum`; the rest is the validator's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: References followed one after another; more is a circle.
MOST_DEPTH = 24
#: Members of one document: more, no person could map.
MOST_MEMBERS = 2000


@dataclass(frozen=True, slots=True)
class Member:
    """One member: whether it must be there with a value, its codes if it is an enum, its most characters (0: any)."""

    path: str
    is_required: bool
    codes: frozenset[str]
    most_characters: int
    is_object: bool


class Members:
    """The members of one schema of `openapi`. Raises KeyError when there is none, ValueError for a circle."""

    def __init__(self, openapi: Mapping[str, Any], schema: str) -> None:
        self._schemas: Mapping[str, Any] = openapi["components"]["schemas"]
        self._found: dict[str, Member] = {}
        self._seen: dict[int, tuple[bool, frozenset[str], int]] = {}
        self._blank: dict[str, Any] = self._walk(self._schemas[schema], "", (), is_required=True)
        self.required = tuple(
            member.path for member in self._found.values() if member.is_required and not member.is_object
        )

    def __contains__(self, path: object) -> bool:
        return path in self._found

    def __iter__(self) -> Iterator[Member]:
        return iter(self._found.values())

    def __getitem__(self, path: str) -> Member:
        return self._found[path]

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
            if "properties" in self._resolved(part) or "allOf" in self._resolved(part):
                blank |= self._walk(part, at, above, is_required=is_required)
        needed = schema.get("required", ())
        for name, raw in (schema.get("properties") or {}).items():
            path = f"{at}.{name}" if at else name
            spec = self._resolved(raw)
            takes_null, codes, most = self._values(spec, 0)
            has_members = "properties" in spec
            is_needed = is_required and name in needed and not takes_null
            self._found[path] = Member(path, is_needed, codes, most, has_members)
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
