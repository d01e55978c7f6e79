"""Messages made from templates, documents made from OpenAPI schemas: what the laws of the mapping are held against."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pg_bridge.formats.iso15022.rules import CHECKS, compile_format
from pg_bridge.mapping.places import line_start
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

Places = Mapping[str, st.SearchStrategy[str]]
X = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ "

SETS = {"x": X, "n": "0123456789", "a": X[:26], "c": X[:26] + "0123456789"}

_dates = st.dates(datetime.date(1990, 1, 1), datetime.date(2099, 12, 31))


def _isin(base: str) -> str:
    return next(f"{base}{digit}" for digit in range(10) if CHECKS["isin"][0](f"ISIN {base}{digit}"))


isins = st.tuples(
    st.text(st.sampled_from(SETS["a"]), min_size=2, max_size=2),
    st.text(st.sampled_from(SETS["c"]), min_size=9, max_size=9),
).map(lambda made: _isin("".join(made)))


@cache
def texts(spec: FieldSpec) -> st.SearchStrategy[str]:
    """Values that fit the field. Made once: to make a strategy takes as long as to draw from it ten times."""
    if spec.values:
        return st.sampled_from(sorted(spec.values))
    if "date" in spec.checks:
        return _dates.map(lambda day: day.strftime("%Y%m%d"))
    if spec.format.endswith("15d"):
        before = st.from_regex(compile_format(spec.format.removesuffix("15d")), fullmatch=True)
        number = st.tuples(st.integers(1, 10**9), st.sampled_from(["", "0", "00"]), st.sampled_from(["", "00"]))
        return st.tuples(before, number).map(lambda made: f"{made[0]}{made[1][2]}{made[1][0]},{made[1][1]}")
    if "isin" in spec.checks:
        country = next(iter(re.findall("/[A-Z]+/", spec.format)))
        local = st.text(st.sampled_from(SETS["n"]), min_size=5, max_size=5).map(lambda code: f"{country}{code}")
        named = isins.map(lambda isin: f"ISIN {isin}")
        return local | named | st.tuples(named, local).map("\r\n".join)
    return _of_format(spec.format).filter(lambda text: all(CHECKS[name][0](text) for name in spec.checks))


def _of_format(notation: str) -> st.SearchStrategy[str]:
    """Texts of a format; those of one element are made directly, which is much quicker than by its pattern."""
    element = re.fullmatch(r"(?:(\d+)\*)?(\d+)(!?)([naxc])", notation)
    if element is None:
        return st.from_regex(compile_format(notation), fullmatch=True)
    size = int(element[2])
    one = st.text(st.sampled_from(SETS[element[4]]), min_size=size if element[3] else 1, max_size=size)
    if element[1] is None:
        return one
    line = one.filter(lambda text: text[0] not in ":-")
    return st.lists(line, min_size=1, max_size=int(element[1])).map("\r\n".join)


@st.composite
def messages(draw: st.DrawFn, template: Template, type_: str, places: Places | None = None) -> bytes:
    """A text block that fits the template. places: other values for some of its fields."""
    lines: list[str] = []
    _sequence(draw, template.root, type_, places or {}, lines)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _sequence(draw: st.DrawFn, spec: SequenceSpec, type_: str, places: Places, lines: list[str]) -> None:
    for item in spec.items:
        if type_ not in item.types or not (item.mandatory or draw(st.booleans())):
            continue
        for _ in range(draw(st.integers(1, 3)) if item.repeats else 1):
            if isinstance(item, FieldSpec):
                lines.append(line_start(item) + draw(places[item.place] if item.place in places else texts(item)))
            else:
                lines.append(f":16R:{item.name}")
                _sequence(draw, item, type_, places, lines)
                lines.append(f":16S:{item.name}")


def documents(
    openapi: Mapping[str, Any], schema: str, members: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    """Documents of a schema, `$ref`, `allOf` of objects, enums, patterns and nulls understood.

    members: other values for members of these names.
    """
    return _values(openapi["components"]["schemas"], {"$ref": f"/{schema}"}, members)


def _values(
    schemas: Mapping[str, Any], spec: Mapping[str, Any], members: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    while "$ref" in spec:
        spec = schemas[spec["$ref"].rpartition("/")[2]]
    ways = spec.get("anyOf") or spec.get("oneOf")
    if ways and "type" not in spec:
        return st.one_of([_values(schemas, way, members) for way in ways])
    if "enum" in spec:
        return st.sampled_from(spec["enum"])
    if "properties" in spec or "allOf" in spec:
        return _objects(schemas, spec, members)
    kinds = spec["type"] if isinstance(spec["type"], list) else [spec["type"]]
    return st.one_of([_of_kind(schemas, kind, spec, members) for kind in kinds])


def _objects(
    schemas: Mapping[str, Any], spec: Mapping[str, Any], members: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    found: dict[str, st.SearchStrategy[Any]] = {}
    for part in (spec, *spec.get("allOf", ())):
        while "$ref" in part:
            part = schemas[part["$ref"].rpartition("/")[2]]
        for name, inner in part.get("properties", {}).items():
            if "then" not in part and "required" in part:
                found[name] = members[name] if name in members else _values(schemas, inner, members)
    return st.fixed_dictionaries(found)


def _of_kind(
    schemas: Mapping[str, Any], kind: str, spec: Mapping[str, Any], members: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Any]:
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(spec.get("minimum", 0), spec.get("maximum", 10**9))
    if kind == "array":
        return st.lists(_values(schemas, spec["items"], members), max_size=3)
    if spec.get("format") == "date":
        return _dates.map(datetime.date.isoformat)
    if "pattern" in spec:
        return st.from_regex(
            re.compile(spec["pattern"].removesuffix("$") + r"\Z", re.ASCII),
            fullmatch=True,
            alphabet=st.characters(max_codepoint=127),
        )
    return st.text(st.sampled_from(X), min_size=spec.get("minLength", 0), max_size=spec.get("maxLength", 40))
