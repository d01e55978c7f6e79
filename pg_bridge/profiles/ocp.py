"""The OCP profile: operations, limits, and the binding of concepts to places and codes of OCP's documents.

Shape of the files: mappings/ocp/profile.toml and mappings/ocp/openapi.yaml (source: assumed throughout).
Paths of the binding are member names joined by dots; the empty path is the document itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import jsonschema_rs
import msgspec
import yaml

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.concepts import CODE_TABLES, GROUPS, Operation

PROFILE_FILE = "ocp/profile.toml"
OPENAPI_FILE = "ocp/openapi.yaml"

Document = dict[str, Any]
Meaning = TypeVar("Meaning", bound=StrEnum)


class OperationSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One OCP operation: where it is called, whether it writes, and how many entries it takes at once."""

    method: str
    path: str
    writes: bool = False
    bulk: bool = False
    most: int = 1
    entry: str = ""
    answer: str = ""


class TokenProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a token is asked for; lives in seconds. `refusals`: why one is refused -> OCP's own words for it."""

    path: str
    grant: str
    algorithm: str
    kid: str
    assertion_life_s: int
    longest_assertion_life_s: int
    refresh_before_s: int
    refusals: dict[str, str] = {}


class HeaderNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names of OCP's own HTTP headers."""

    request_id: str
    timestamp: str
    signature: str
    delivery_id: str
    sign_writes: bool
    freshness_s: int


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Call limits of a company and a machine (0 calls: off) and the rules about request ids."""

    company_calls: int
    company_period_s: int
    machine_calls: int
    machine_period_s: int
    request_id_life_s: int
    in_doubt_looks: int
    in_doubt_window_s: int
    push_answer_s: int


class PushProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How updates come."""

    driver: str
    silence_s: int
    events_page: int


class EnvelopeCodes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The constants of the envelope."""

    code_ok: str
    first_cursor: str


class _ProfileFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    version: str
    source: str
    token: TokenProfile
    headers: HeaderNames
    limits: Limits
    push: PushProfile
    envelope: EnvelopeCodes
    operations: dict[str, OperationSpec]
    binding: dict[str, dict[str, str]]
    codes: dict[str, dict[str, str]]


class SchemaFault(NamedTuple):
    """One disagreement of a document with its schema.

    path: the members that lead to it, joined by dots (empty: the document itself); keyword: the keyword of
    JSON Schema that it offends (`required`, `pattern`); value: what stands there.
    """

    path: str
    keyword: str
    text: str
    value: Any


@dataclass(frozen=True, slots=True)
class Place:
    """One bound place: the members that lead to it from the document's root."""

    members: tuple[str, ...]

    def read(self, document: Any) -> Any:
        """The value there, None where any member is absent."""
        for member in self.members:
            if not isinstance(document, dict):
                return None
            document = document.get(member)
        return document

    def write(self, document: Document, value: Any) -> None:
        """Put `value` there, making the objects on the way."""
        if not self.members:
            document.update(value)
            return
        for member in self.members[:-1]:
            document = document.setdefault(member, {})
        document[self.members[-1]] = value


class OcpProfile:
    """Everything pg-bridge knows of OCP, read from data."""

    def __init__(self, file: _ProfileFile, openapi: Document) -> None:
        self.name = file.name
        self.version = file.version
        self.token = file.token
        self.headers = file.headers
        self.limits = file.limits
        self.push = file.push
        self.envelope = file.envelope
        self.openapi = openapi
        self.operations = {Operation(name): spec for name, spec in file.operations.items()}
        self._places = {
            group: {concept: _place(path) for concept, path in paths.items()} for group, paths in file.binding.items()
        }
        self._meanings = {
            table: {code: kind(meaning) for code, meaning in file.codes[table].items()}
            for table, kind in CODE_TABLES.items()
        }
        self._codes = {
            table: {meaning: code for code, meaning in meanings.items()} for table, meanings in self._meanings.items()
        }
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def place(self, group: str, concept: str) -> Place:
        """Where `concept` of `group` stands."""
        return self._places[group][concept]

    def get(self, group: str, concept: str, document: Any) -> Any:
        """The value of one concept in `document`, None where absent."""
        return self._places[group][concept].read(document)

    def read(self, group: str, document: Any) -> dict[str, Any]:
        """All concepts of `group` found in `document`; absent ones are None. Codes stay OCP's own."""
        return {concept: place.read(document) for concept, place in self._places[group].items()}

    def write(self, group: str, values: Mapping[str, Any]) -> Document:
        """The document that holds `values` (concept to value) of `group`. Codes must be OCP's own."""
        document: Document = {}
        places = self._places[group]
        for concept, value in values.items():
            places[concept].write(document, value)
        return document

    def meaning(self, table: str, code: object) -> StrEnum | None:
        """What OCP's `code` means (a member of the table's enum), None for a code not in the profile."""
        return self._meanings[table].get(code)  # type: ignore[call-overload,no-any-return]

    def code(self, table: str, meaning: StrEnum) -> str:
        """OCP's code for `meaning`."""
        return self._codes[table][meaning]

    def faults(self, schema: str, document: Any) -> list[str]:
        """What is wrong with `document` by the OpenAPI schema named; empty when it fits."""
        return [f"{fault.path or 'document'}: {fault.text}" for fault in self.schema_faults(schema, document)]

    def schema_faults(self, schema: str, document: Any) -> list[SchemaFault]:
        """As `faults`, each with its place and keyword; a missing or unknown member is its own place."""
        validator = self._validators.get(schema)
        if validator is None:
            validator = jsonschema_rs.Draft202012Validator(
                {"$ref": f"#/components/schemas/{schema}", "components": self.openapi["components"]},
                validate_formats=True,
            )
            self._validators[schema] = validator
        if validator.is_valid(document):
            return []
        return [fault for error in validator.iter_errors(document) for fault in _schema_faults(error)]

    def schema(self, name: str) -> Document:
        """The named OpenAPI schema. Raises KeyError."""
        schema: Document = self.openapi["components"]["schemas"][name]
        return schema


def _schema_faults(error: jsonschema_rs.ValidationError) -> list[SchemaFault]:
    keyword = str(error.schema_path[-1])
    path = [str(part) for part in error.instance_path]
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [SchemaFault(".".join([*path, kind.property]), keyword, "it is required", None)]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [SchemaFault(".".join([*path, name]), keyword, "it is not known", None) for name in kind.unexpected]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AnyOf):
        return [SchemaFault(".".join(path), keyword, "none of the combinations allowed is given", error.instance)]
    return [SchemaFault(".".join(path), keyword, error.message, error.instance)]


def _place(path: str) -> Place:
    return Place(tuple(path.split(".")) if path else ())


def read_ocp_profile(files: Mapping[str, str]) -> OcpProfile:
    """Read the OCP profile from `files` (path below mappings/ to text).

    Raises MappingInvalid with every finding when it is not well-formed.
    """
    findings = [
        _finding(name, "the file is missing", "PGB-PRF-001")
        for name in (PROFILE_FILE, OPENAPI_FILE)
        if name not in files
    ]
    if findings:
        raise MappingInvalid("reading the OCP profile", findings=findings)
    try:
        file = msgspec.convert(tomllib.loads(files[PROFILE_FILE]), _ProfileFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        findings.append(_finding(PROFILE_FILE, str(error), "PGB-PRF-002"))
    try:
        openapi = yaml.load(files[OPENAPI_FILE], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
        if not _is_openapi(openapi):
            findings.append(_finding(OPENAPI_FILE, "this is no OpenAPI document with schemas", "PGB-PRF-003"))
    except yaml.YAMLError as error:
        findings.append(_finding(OPENAPI_FILE, " ".join(str(error).split()), "PGB-PRF-003"))
    if not findings:
        findings = _incomplete(file, openapi)
    if findings:
        raise MappingInvalid("reading the OCP profile", findings=findings)
    return OcpProfile(file, openapi)


def _is_openapi(document: Any) -> bool:
    """The document is objects where schemas and operations are looked for."""
    if not isinstance(document, dict):
        return False
    components, paths = document.get("components"), document.get("paths", {})
    return (
        isinstance(components, dict)
        and isinstance(components.get("schemas"), dict)
        and isinstance(paths, dict)
        and all(isinstance(methods, dict) for methods in paths.values())
    )


def _incomplete(file: _ProfileFile, openapi: Document) -> list[Finding]:
    """Concepts, codes, operations and schemas that the profile must bind and does not, or binds in vain."""
    texts: list[tuple[str, str]] = []
    known = {operation.value for operation in Operation}
    texts += [(f"operations.{name}", "no such operation is known") for name in set(file.operations) - known]
    texts += [(f"operations.{name}", "the operation is not bound") for name in known - set(file.operations)]
    for group, concepts in GROUPS.items():
        bound = file.binding.get(group, {})
        texts += [(f"binding.{group}.{name}", "no such concept is known") for name in set(bound) - set(concepts)]
        texts += [(f"binding.{group}.{name}", "the concept is not bound") for name in set(concepts) - set(bound)]
    for table, kind in CODE_TABLES.items():
        codes = file.codes.get(table, {})
        meanings = {member.value for member in kind}
        texts += [
            (f"codes.{table}.{code}", f"no such meaning: {meaning}")
            for code, meaning in codes.items()
            if meaning not in meanings
        ]
        texts += [(f"codes.{table}", f"no code means {name}") for name in meanings - set(codes.values())]
    schemas = openapi["components"]["schemas"]
    for name, spec in file.operations.items():
        texts += [
            (f"operations.{name}", f"the OpenAPI document has no schema {schema}")
            for schema in (spec.entry, spec.answer)
            if schema and schema not in schemas
        ]
        if spec.method.lower() not in openapi.get("paths", {}).get(spec.path, {}):
            texts.append((f"operations.{name}", f"the OpenAPI document has no {spec.method} {spec.path}"))
    return [_finding(f"{PROFILE_FILE}:{place}", text, "PGB-PRF-004") for place, text in sorted(texts)]


def _finding(path: str, text: str, code: str) -> Finding:
    return Finding(code, "error", path, text)
