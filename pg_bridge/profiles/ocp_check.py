"""What the OCP profile must bind and does not, or binds in vain: profile.toml held against concepts and schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from pg_bridge.errors import Finding
from pg_bridge.profiles.concepts import CODE_TABLES, GROUPS, KINDS, SI_INPUT, STREAMS, Kind, Operation
from pg_bridge.profiles.market_concepts import (
    MARKET_CODE_TABLES,
    MARKET_GROUPS,
    OPTIONAL_OPERATIONS,
    OPTIONAL_TABLES,
)
from pg_bridge.profiles.ocp_file import PROFILE_FILE, Binding, OperationSpec, ProfileFile
from pg_bridge.profiles.openapi import (
    MOST_DEPTH,
    OPENAPI_FILE,
    SCHEMAS,
    UNREADABLE,
    Document,
    YamlLines,
    answer_name,
    delivery_name,
    make_validator,
    resolve,
)
from pg_bridge.profiles.representation import REPRESENTATIONS
from pg_bridge.typed_toml import Lines

INCOMPLETE = "PGB-PRF-004"
#: what the client and the pretend OCP can do
GRANTS = ("jwt_bearer", "client_credentials", "self_signed")
ALGORITHMS = ("RS256", "PS256", "ES256")
DRIVERS = ("webhook",)

#: (place in profile.toml, what is wrong, what to do)
Fault = tuple[str, str, str]

#: the binding groups of an operation's request and of its answer's entries
_ENTRY_GROUPS = {
    Operation.SI_QUERY: ("query", "si"),
    Operation.STATUS_EVENTS: ("events_query", "event"),
    Operation.SUBSCRIPTION_QUERY: ("", "subscription"),
    Operation.SUBSCRIPTION_ADD: ("subscription", "subscription"),
    Operation.SUBSCRIPTION_CHANGE: ("subscription", "subscription"),
    Operation.SUBSCRIPTION_INVALIDATE: ("subscription", "subscription"),
    Operation.SI_ADD: ("", "answer"),
    Operation.PARTICIPANTS: ("list_query", "participant"),
    Operation.STOCKS: ("stocks_query", "stock"),
    Operation.CALENDAR: ("calendar_query", "calendar_day"),
    Operation.NCP_GCP_MAPPING: ("list_query", "ncp_mapping"),
    Operation.TRADES: ("trades_query", "trade"),
    Operation.TRADE_RANGE: ("trade_range_query", "trade"),
    Operation.STATUS_STREAM: ("stream_query", ""),
    Operation.STATUS_SOCKET: ("stream_query", ""),
}
#: operations of which every concept that they ask for must stand in the request's schema
_ASKS = frozenset({Operation.SI_QUERY, Operation.STATUS_EVENTS} | {Operation(name) for name in OPTIONAL_OPERATIONS})


def profile_faults(file: ProfileFile, lines: Lines, openapi: Document, yaml_lines: YamlLines) -> list[Finding]:
    """Everything wrong with the profile, each finding with its line and what to do."""
    faults = [*_settings(file), *_operations(file, openapi), *_bindings(file), *_codes(file)]
    findings = [
        Finding(INCOMPLETE, "error", PROFILE_FILE, f"{place}: {text}", lines.of(place), remedy=remedy)
        for place, text, remedy in sorted(faults)
    ]
    if findings:
        return findings
    names = {name for spec in file.operations.values() for name in (spec.entry, spec.answer) if name}
    names |= {
        answer_name(openapi, spec.path, spec.method)
        for operation, spec in file.operations.items()
        if operation not in STREAMS
    }
    findings = [*_no_schemas(sorted({*names, delivery_name(openapi)}), openapi, yaml_lines)]
    if not findings:
        findings = [
            Finding(INCOMPLETE, "error", PROFILE_FILE, f"{place}: {text}", lines.of(place), remedy=remedy)
            for place, text, remedy in dict.fromkeys(_places(file, openapi))
        ]
    return findings


def _no_schemas(names: list[str], openapi: Document, yaml_lines: YamlLines) -> Iterator[Finding]:
    """Schemas that no validator can be made of."""
    if _schema_fault(openapi, names) is None:
        return
    for name in names:
        text = _schema_fault(openapi, [name])
        if text is not None:
            at = f"components.schemas.{name}"
            remedy = "correct the schema, or one that it refers to"
            yield Finding(UNREADABLE, "error", OPENAPI_FILE, f"{at}: {text}", yaml_lines.of(at), remedy=remedy)


def _schema_fault(openapi: Document, names: list[str]) -> str | None:
    try:
        make_validator(openapi, *names)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, TypeError) as error:
        return " ".join(str(error).split())[:200]
    return None


def _settings(file: ProfileFile) -> Iterator[Fault]:
    for place, value, known in (
        ("token.grant", file.token.grant, GRANTS),
        ("token.algorithm", file.token.algorithm, ALGORITHMS),
        ("push.driver", file.push.driver, DRIVERS),
        ("push.algorithm", file.push.algorithm, ALGORITHMS),
    ):
        if value not in known:
            yield place, f"{value!r} is not supported", f"there are {', '.join(known)}"


def _operations(file: ProfileFile, openapi: Document) -> Iterator[Fault]:
    known = {operation.value for operation in Operation}
    for name in sorted(set(file.operations) - known):
        yield f"operations.{name}", "no such operation is known", f"take it out; there are {', '.join(sorted(known))}"
    for name in sorted(known - set(file.operations) - set(OPTIONAL_OPERATIONS)):
        yield f"operations.{name}", "the operation is not bound", "add it under [operations] with its method and path"
    schemas = openapi["components"]["schemas"]
    for name, spec in file.operations.items():
        place = f"operations.{name}"
        for schema in (spec.entry, spec.answer):
            if schema and schema not in schemas:
                yield place, f"the OpenAPI document has no schema {schema}", "name one of components.schemas"
        described = openapi.get("paths", {}).get(spec.path, {}).get(spec.method.lower())
        if not isinstance(described, dict):
            yield (
                place,
                f"the OpenAPI document has no {spec.method} {spec.path}",
                "describe it there, or correct the path",
            )
        if spec.most < 1 or (not spec.bulk and spec.most != 1):
            yield place, f"{spec.most} entries cannot travel in one call", "say bulk = true, or most = 1"
        if spec.bulk and not spec.writes:
            yield place, "only what writes takes many entries", "say writes = true, or leave bulk out"
        if spec.bulk and spec.answers == "object":
            yield place, "a call of many entries is answered by a list", 'say answers = "list", or bulk = false'
        if spec.method == "GET" and spec.writes:
            yield place, "a GET cannot write", "give the operation's own method"
    if not delivery_name(openapi):
        text = "the OpenAPI document has no webhook whose body names a schema"
        yield "push", text, "describe the pushed body under `webhooks`: one hook, `post`, its requestBody a $ref"


def _bindings(file: ProfileFile) -> Iterator[Fault]:
    for group in sorted(set(file.binding) - set(GROUPS)):
        yield f"binding.{group}", "no such group is known", f"take it out; there are {', '.join(GROUPS)}"
    for group, concepts in GROUPS.items():
        bound = file.binding.get(group, {})
        if not bound and group in MARKET_GROUPS and group not in _needed(file, OPTIONAL_OPERATIONS):
            continue
        for name in sorted(set(bound) - set(concepts)):
            yield f"binding.{group}.{name}", "no such concept is known", f"there are {', '.join(concepts)}"
        for name in sorted(set(concepts) - set(bound)):
            yield f"binding.{group}.{name}", "the concept is not bound", "say in which member of the document it stands"
        for name, binding in bound.items():
            for text, remedy in _representation(name, binding):
                yield f"binding.{group}.{name}", text, remedy


def _needed(file: ProfileFile, of: Mapping[str, tuple[str, ...]]) -> set[str]:
    """What the operations that the profile has need of these."""
    return {name for operation, names in of.items() if operation in file.operations for name in names}


def _representation(concept: str, binding: Binding) -> Iterator[tuple[str, str]]:
    if isinstance(binding, str):
        if "" in binding.split(".") and binding:
            yield f"{binding!r} is no path", "join the members by dots"
        return
    if not isinstance(binding.get("path"), str):
        yield "the path is missing", 'say path = "..."'
    name = binding.get("type")
    if name is None:
        return
    kind = KINDS.get(concept, Kind.TEXT)
    fitting = [known for known, each in REPRESENTATIONS.items() if kind in each.kinds]
    if name not in fitting:
        there = ", ".join(fitting) or "none: it stands as it is"
        yield f"a {kind.value} cannot be written as {name}", f"the types for it: {there}"
        return
    options = REPRESENTATIONS[name].options
    for option, value in binding.items():
        if option in ("path", "type"):
            continue
        if option not in options:
            yield f"{name} has no option {option}", f"its options: {', '.join(options) or 'none'}"
        elif type(value) is not type(options[option]) or (isinstance(value, int) and not 0 <= value <= _MOST_OPTION):
            yield f"the option {option} does not fit", f"write it like {options[option]!r}"


_MOST_OPTION = 1_000_000


def _codes(file: ProfileFile) -> Iterator[Fault]:
    for table, kind in CODE_TABLES.items():
        codes = file.codes.get(table, {})
        if not codes and table in MARKET_CODE_TABLES and table not in _needed(file, OPTIONAL_TABLES):
            continue
        meanings = {member.value for member in kind}
        for code, meaning in codes.items():
            if meaning not in meanings:
                there = f"there are {', '.join(sorted(meanings))}"
                yield f"codes.{table}.{code}", f"no such meaning: {meaning}", there
        for name in sorted(meanings - set(codes.values())):
            yield f"codes.{table}", f"no code means {name}", "add OCP's code for it, or one that OCP never gives"


def _places(file: ProfileFile, openapi: Document) -> Iterator[Fault]:
    """Bound places that no schema has, and representations that a schema does not take."""
    for name, spec in file.operations.items():
        operation = Operation(name)
        asked, answered = _ENTRY_GROUPS.get(operation, ("", "answer" if name.startswith("si_") else ""))
        if spec.method == "GET" and asked:
            for concept, binding in file.binding[asked].items():
                if "." in _path(binding):
                    yield f"binding.{asked}.{concept}", "a parameter of a GET is not nested", "name one parameter"
        if operation is Operation.SI_ADD and spec.entry:
            yield from _group(file, openapi, "si", spec.entry, concepts=SI_INPUT)
        if spec.answer and answered:
            yield from _group(file, openapi, answered, spec.answer)
        if operation in _ASKS and spec.entry:
            yield from _group(file, openapi, asked, spec.entry)
        yield from _answer(file, openapi, name, spec)


def _group(
    file: ProfileFile, openapi: Document, group: str, schema: str, *, concepts: tuple[str, ...] = ()
) -> Iterator[Fault]:
    for concept, binding in file.binding[group].items():
        path = _path(binding)
        if not path or (concepts and concept not in concepts):
            continue
        types = _types(openapi, {"$ref": f"{SCHEMAS}{schema}"}, path.split("."))
        place = f"binding.{group}.{concept}"
        if types is None:
            yield place, f"the schema {schema} has no member {path}", "correct the path, or the schema"
            continue
        wanted = _json_type(concept, binding)
        if types and wanted and not types & wanted:
            text = f"{path} is {' or '.join(sorted(types - {'null'}))} in {schema}, not {' or '.join(sorted(wanted))}"
            yield place, text, "say how it is written: { path = ..., type = ... }, or correct the schema"


def _answer(file: ProfileFile, openapi: Document, name: str, spec: OperationSpec) -> Iterator[Fault]:
    """The envelope's places in the schema of the operation's answer."""
    if not spec.answer:
        return
    found = {"$ref": f"{SCHEMAS}{answer_name(openapi, spec.path, spec.method)}"}
    for concept in ("code", "entries", "errors", "next_cursor"):
        binding = file.binding["envelope"][concept]
        path = _path(binding)
        types = _types(openapi, found, path.split("."))
        if types is None:
            yield (
                f"binding.envelope.{concept}",
                f"the answer of {name} has no member {path}",
                "correct the path, or the schema",
            )
        elif concept == "entries" and types and not types & {"array" if spec.answers == "list" else "object"}:
            yield f"operations.{name}", f"{path} is no {spec.answers} in its answer", "correct `answers`, or the schema"
        elif concept == "code" and types and not types & _json_type(concept, binding):
            text = f"{path} is {' or '.join(sorted(types))} in the answer of {name}"
            yield f"binding.envelope.{concept}", text, "say how it is written: { path = ..., type = ... }"


def _path(binding: Binding) -> str:
    return binding if isinstance(binding, str) else str(binding.get("path", ""))


#: kind of a concept -> the types of JSON Schema in which Python's own value stands; objects may be either
_PLAIN = {
    Kind.TEXT: {"string"},
    Kind.NUMBER: {"integer", "number"},
    Kind.AMOUNT: {"string"},
    Kind.DATE: {"string"},
    Kind.TIME: {"string"},
    Kind.FLAG: {"boolean"},
    Kind.CODE: {"string"},
}


def _json_type(concept: str, binding: Binding) -> set[str]:
    """The JSON types in which the bound concept is written; empty where any will do."""
    if concept == "subscription_events":
        return set()
    if isinstance(binding, dict) and "type" in binding:
        return {REPRESENTATIONS[binding["type"]].json_type}
    return _PLAIN.get(KINDS.get(concept, Kind.TEXT), set())


def _types(openapi: Document, schema: Any, members: list[str], depth: int = 0) -> set[str] | None:
    """The types that a schema allows at a path, empty where it does not say; None: it has no such member."""
    if depth > MOST_DEPTH or not isinstance(schema, dict):
        return None
    found: set[str] | None = None
    if "$ref" in schema:
        found = _types(openapi, resolve(openapi, schema["$ref"]), members, depth + 1)
    if members:
        properties = schema.get("properties")
        if isinstance(properties, dict) and members[0] in properties:
            found = _more(found, _types(openapi, properties[members[0]], members[1:], depth + 1))
    elif "type" in schema or "enum" in schema:
        said = schema.get("type", [])
        found = _more(found, set(said) if isinstance(said, list) else {said})
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(keyword)
        for part in parts if isinstance(parts, list) else ():
            found = _more(found, _types(openapi, part, members, depth + 1))
    return set() if found is None and not members else found


def _more(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other
