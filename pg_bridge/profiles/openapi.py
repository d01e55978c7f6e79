"""The OpenAPI document of OCP, read so that nothing in it can hang, crash or surprise: every fault is a finding.

The text is looked at event by event first (its nodes counted, what aliases stand for included), and only then loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs
import yaml

from pg_bridge.errors import Finding

OPENAPI_FILE = "ocp/openapi.yaml"
UNREADABLE = "PGB-PRF-003"
SCHEMAS = "#/components/schemas/"

#: characters of the file; a larger one would take longer than a second, and no person could check it
MOST_CHARACTERS = 2_000_000
#: nodes of the document, an alias counting as all that it stands for
MOST_NODES = 100_000
#: levels of nesting
MOST_DEPTH = 100
#: findings of one document; what is beyond is told by the next check
MOST_FINDINGS = 50

Document = dict[str, Any]


class YamlLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader for which dates, `no`, `0012` and `16:30` are texts, as in JSON and in YAML 1.2."""


_BOOL, _INT, _TIMESTAMP = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp"
YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOL, _INT, _TIMESTAMP)]
    for first, resolvers in YamlLoader.yaml_implicit_resolvers.items()
}
YamlLoader.add_implicit_resolver(_BOOL, re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
YamlLoader.add_implicit_resolver(_INT, re.compile("-?(?:0|[1-9][0-9]{0,30})$"), list("-0123456789"))


#: patterns are matched in time that grows with the text only: no lookaround, no references back, bounded size
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1_000_000)


def make_validator(openapi: Document, *schemas: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of a named schema, or of all of several.

    Raises jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, TypeError or ValueError for what is no schema.
    """
    references = [{"$ref": f"{SCHEMAS}{schema}"} for schema in schemas]
    root = references[0] if len(references) == 1 else {"allOf": references}
    return jsonschema_rs.Draft202012Validator(
        {**root, "components": openapi["components"]},
        validate_formats=True,
        pattern_options=_PATTERNS,
    )


class YamlLines:
    """In which line of the document an entry stands: `components.schemas.Quantity.maximum`, `servers[0].url`."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def of(self, path: str) -> int:
        """The line of an entry, or of the nearest one that holds it; 0 where none is known."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
        return 0


def read_openapi(text: str, findings: list[Finding]) -> tuple[Document | None, YamlLines]:
    """The document with its lines, None and findings when it cannot be used."""
    lines = YamlLines()
    known = len(findings)

    def add(why: str, path: str = "", line: int = 0, remedy: str = "") -> None:
        if len(findings) - known < MOST_FINDINGS:
            at = f"{path}: {why}" if path else why
            findings.append(Finding(UNREADABLE, "error", OPENAPI_FILE, at, line or lines.of(path), "", remedy))

    if len(text) > MOST_CHARACTERS:
        why = f"the file has {len(text)} characters, {MOST_CHARACTERS} are the most"
        add(why, remedy="keep the paths and schemas that profile.toml names, leave the others out")
        return None, lines
    try:
        fault = _measure(text, lines)
        if fault is not None:
            add(fault[0], line=fault[1], remedy="write the part out once and refer to it by $ref")
            return None, lines
        document = yaml.load(text, Loader=YamlLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        add(
            f"this is not YAML: {' '.join(str(error).split())[:300]}",
            line=mark.line + 1 if mark is not None else 0,
            remedy="correct the line, or write the document as JSON",
        )
        return None, lines
    except (ValueError, RecursionError, TypeError) as error:
        add(f"this cannot be read: {error}", remedy="put texts that look like numbers or dates in quotes")
        return None, lines
    if not _is_openapi(document):
        add(
            "this is no OpenAPI document with schemas",
            remedy="it needs the objects `paths` and `components.schemas`, with an object under every path",
        )
        return None, lines
    document = _with_text_keys(document, {})
    for path, why, remedy in _faults(document):
        add(why, path, remedy=remedy)
    return (document if len(findings) == known else None), lines


def _measure(text: str, lines: YamlLines) -> tuple[str, int] | None:
    """What makes the document too large or endless, and its line. Notes the lines of members on the way."""
    sizes: dict[str, int] = {}
    open_anchors: list[str] = []
    # of each open collection: its anchor, its size so far, whether it is a mapping, the key that waits, its path
    stack: list[list[Any]] = []
    for event in yaml.parse(text, Loader=YamlLoader):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            path = _path(stack)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            stack.append([event.anchor, 1, is_mapping, None, path])
            open_anchors.append(event.anchor or "")
            if len(stack) > MOST_DEPTH:
                return f"it is nested deeper than {MOST_DEPTH} levels", line
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            anchor, size, *_ = stack.pop()
            open_anchors.pop()
            if anchor:
                sizes[anchor] = size
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                return f"the alias *{event.anchor} stands inside of what it stands for", line
            size = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            size = 1
            if event.anchor:
                sizes[event.anchor] = 1
            if stack and stack[-1][2] and stack[-1][3] is None:
                stack[-1][3] = event.value
                if len(stack) <= _MOST_LEVELS:
                    lines.lines.setdefault(_path(stack), line)
                stack[-1][1] += 1
                continue
        else:
            continue
        if stack:
            stack[-1][1] += size
            stack[-1][3] = None
            if stack[-1][1] > MOST_NODES:
                return f"it has more than {MOST_NODES} nodes, what aliases stand for counted", line
    return None


#: how deep the lines of members are noted
_MOST_LEVELS = 7


def _path(stack: list[list[Any]]) -> str:
    """The path of the entry that is being read."""
    if not stack:
        return ""
    above, key = stack[-1][4], stack[-1][3]
    return above if key is None else f"{above}.{key}".lstrip(".")


def _is_openapi(document: Any) -> bool:
    """The document is objects where schemas and operations are looked for."""
    if not isinstance(document, dict):
        return False
    components, paths, hooks = document.get("components"), document.get("paths", {}), document.get("webhooks", {})
    return (
        isinstance(components, dict)
        and isinstance(components.get("schemas"), dict)
        and all(
            isinstance(group, dict) and all(isinstance(methods, dict) for methods in group.values())
            for group in (paths, hooks)
        )
    )


def _with_text_keys(node: Any, seen: dict[int, Any]) -> Any:
    """The node with every key as text: a status code is a whole number to YAML. Shared parts stay shared."""
    if not isinstance(node, dict | list):
        return node
    if id(node) not in seen:
        if isinstance(node, dict):
            seen[id(node)] = {_key(key): _with_text_keys(below, seen) for key, below in node.items()}
        else:
            seen[id(node)] = [_with_text_keys(below, seen) for below in node]
    return seen[id(node)]


def _key(key: Any) -> str:
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    return str(key)


def _faults(document: Document) -> Iterator[tuple[str, str, str]]:
    """(path, text, remedy) of schemas that are none, references to nowhere or in a circle, and bad patterns."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if not isinstance(schema, dict | bool):
            yield f"components.schemas.{name}", "this is no schema", "write an object with `type` or `$ref`"
    for path, node in _objects(document):
        if "$ref" in node and not _is_member(path, "$ref") and resolve(document, node["$ref"]) is None:
            yield path, f"{node['$ref']!r} refers to nothing", "name a component of this document: #/components/..."
    for name, way in _circles(document, schemas):
        text = f"it refers to itself without end: {' > '.join(way)}"
        yield f"components.schemas.{name}", text, "take one of these references out"
    yield from _pattern_faults(document)


def _objects(document: Document) -> Iterator[tuple[str, Document]]:
    """Every object of the document, once, with its path."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, dict | list) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, dict):
            yield path, node
            below = [(f"{path}.{key}".lstrip("."), each) for key, each in node.items() if not _is_data(path, key)]
        else:
            below = [(f"{path}.{number}", each) for number, each in enumerate(node)]
        waiting += reversed(below)


#: members whose value is data, not schema
_DATA = frozenset({"example", "examples", "default", "enum", "const"})


def _is_data(path: str, key: str) -> bool:
    return key in _DATA and not _is_member(path, key)


def _is_member(path: str, key: str) -> bool:
    """`key` is a name that the document gives (a property is called so), no keyword."""
    return path.rpartition(".")[2] in ("properties", "schemas", "parameters", "responses")


def _pattern_faults(document: Document) -> Iterator[tuple[str, str, str]]:
    told: dict[str, bool] = {}
    for path, node in _objects(document):
        pattern = node.get("pattern")
        if pattern is None or _is_member(path, "pattern"):
            continue
        if isinstance(pattern, str) and pattern not in told:
            try:
                jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
            except (jsonschema_rs.ValidationError, ValueError):
                told[pattern] = False
            else:
                told[pattern] = True
        if not isinstance(pattern, str) or not told[pattern]:
            yield (
                path,
                f"the pattern {str(pattern)[:80]!r} is no regular expression that can be checked in bounded time",
                "write it without lookaround, references back and large repetitions of repetitions",
            )


def resolve(document: Mapping[str, Any], reference: Any) -> Any:
    """What a reference inside the document names, None when it names nothing. References of references are kept."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found: Any = document
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found


def resolved(document: Mapping[str, Any], node: Any) -> Any:
    """The node itself, or what it refers to in the end; None for a reference to nowhere or in a circle."""
    for _ in range(MOST_DEPTH):
        if not isinstance(node, dict) or "$ref" not in node:
            return node
        node = resolve(document, node["$ref"])
    return None


def json_schema(document: Mapping[str, Any], body: Any) -> str:
    """The name of the schema of a request or response body in JSON; empty when the document names none."""
    found = resolved(document, body)
    for part in ("content", "application/json", "schema", "$ref"):
        found = found.get(part) if isinstance(found, dict) else None
    name = found.removeprefix(SCHEMAS) if isinstance(found, str) and found.startswith(SCHEMAS) else ""
    return name if name in document["components"]["schemas"] else ""


def answer_name(document: Mapping[str, Any], path: str, method: str) -> str:
    """The name of the schema of an operation's answer (200); empty when the document names none."""
    described = document.get("paths", {}).get(path, {}).get(method.lower())
    responses = described.get("responses") if isinstance(described, dict) else None
    return json_schema(document, responses.get("200")) if isinstance(responses, dict) else ""


def delivery_name(document: Mapping[str, Any]) -> str:
    """The name of the schema of a pushed body: of the document's one webhook; empty when it names none."""
    hooks = [hook["post"] for hook in document.get("webhooks", {}).values() if isinstance(hook.get("post"), dict)]
    return json_schema(document, hooks[0].get("requestBody")) if len(hooks) == 1 else ""


def _circles(document: Document, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Schemas whose references lead back to where they began without entering a member, with the way."""
    sound: set[str] = set()
    for name in names:
        way: list[str] = []
        waiting: list[Iterator[str]] = [iter((f"{SCHEMAS}{name}",))]
        while waiting:
            reference = next(waiting[-1], None)
            if reference is None:
                waiting.pop()
                if way:
                    sound.add(way.pop())
            elif reference in way:
                start = way.index(reference)
                yield name, [each.rpartition("/")[2] for each in (*way[start:], reference)]
                sound.update(way)
                break
            elif reference not in sound:
                way.append(reference)
                waiting.append(_same_level(resolve(document, reference), 0))


def _same_level(schema: Any, depth: int) -> Iterator[str]:
    """The references that a schema takes in at its own level."""
    if not isinstance(schema, dict) or depth > MOST_DEPTH:
        return
    if isinstance(schema.get("$ref"), str):
        yield schema["$ref"]
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(keyword)
        for part in parts if isinstance(parts, list) else ():
            yield from _same_level(part, depth + 1)
    for keyword in ("if", "then", "else", "not"):
        yield from _same_level(schema.get(keyword), depth + 1)
