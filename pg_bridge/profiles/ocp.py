"""The OCP profile: operations, limits, and the binding of concepts to places and codes of OCP's documents.

Shape of the files: mappings/ocp/profile.toml and mappings/ocp/openapi.yaml (source: assumed throughout).
Paths of the binding are member names joined by dots; the empty path is the document itself. Values are read and
written as Python holds them (profiles/representation.py); what a document has instead, only the binding knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import jsonschema_rs

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.profiles.concepts import CODE_TABLES, Operation
from pg_bridge.profiles.hours import hours_of
from pg_bridge.profiles.ocp_check import profile_faults
from pg_bridge.profiles.ocp_file import PROFILE_FILE, Binding, ProfileFile
from pg_bridge.profiles.openapi import OPENAPI_FILE, Document, make_validator, read_openapi
from pg_bridge.profiles.representation import REPRESENTATIONS, Convert
from pg_bridge.typed_toml import Lines, read_toml

Meaning = TypeVar("Meaning", bound=StrEnum)


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
    """One bound place: the members that lead to it from the document's root.

    from_json, to_json: between what stands there and the value as Python holds it; None where they are the same.
    """

    members: tuple[str, ...]
    from_json: Convert | None = None
    to_json: Convert | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is a member of the document itself, which holds the value as Python does."""
        return len(self.members) == 1 and self.from_json is None and self.to_json is None

    def read(self, document: Any) -> Any:
        """The value there, None where any member is absent."""
        for member in self.members:
            if not isinstance(document, dict):
                return None
            document = document.get(member)
        if self.from_json is None or document is None:
            return document
        return self.from_json(document)

    def write(self, document: Document, value: Any) -> None:
        """Put `value` there, making the objects on the way."""
        if not self.members:
            document.update(value)
            return
        for member in self.members[:-1]:
            document = document.setdefault(member, {})
        document[self.members[-1]] = self.json(value)

    def json(self, value: Any) -> Any:
        """The value as it stands in a document."""
        return value if self.to_json is None or value is None else self.to_json(value)


class OcpProfile:
    """Everything pg-bridge knows of OCP, read from data."""

    def __init__(self, file: ProfileFile, openapi: Document) -> None:
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
            group: {concept: _place(concept, bound) for concept, bound in bindings.items()}
            for group, bindings in file.binding.items()
        }
        #: the concepts that are a member of the document itself and written as they are held: nearly all
        self._plain = {
            group: {concept: place.members[0] for concept, place in places.items() if place.is_plain}
            for group, places in self._places.items()
        }
        self._meanings = {
            table: {code: kind(meaning) for code, meaning in file.codes.get(table, {}).items()}
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
        """All concepts of `group` found in `document`; absent ones are None. Codes stay OCP's own, as text."""
        places, plain = self._places[group], self._plain[group]
        if len(plain) == len(places) and isinstance(document, dict):
            return {concept: document.get(member) for concept, member in plain.items()}
        return {concept: place.read(document) for concept, place in places.items()}

    def write(self, group: str, values: Mapping[str, Any]) -> Document:
        """The document that holds `values` (concept to value) of `group`. Codes must be OCP's own."""
        document: Document = {}
        places, plain = self._places[group], self._plain[group]
        for concept, value in values.items():
            member = plain.get(concept)
            if member is not None:
                document[member] = value
            else:
                places[concept].write(document, value)
        return document

    def meaning(self, table: str, code: object) -> StrEnum | None:
        """What OCP's `code` means (a member of the table's enum), None for a code not in the profile."""
        return self._meanings[table].get(code)  # type: ignore[call-overload,no-any-return]

    def codes(self, table: str) -> Mapping[StrEnum, str]:
        """OCP's code for each meaning of the table that has one."""
        return self._codes[table]

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
            validator = self._validators[schema] = make_validator(self.openapi, schema)
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


def _place(concept: str, bound: Binding) -> Place:
    if isinstance(bound, str):
        return Place(_members(bound))
    options = {name: value for name, value in bound.items() if name not in ("path", "type")}
    members = _members(bound["path"])
    if "type" not in bound:
        return Place(members)
    kind = REPRESENTATIONS[bound["type"]]
    full = {**kind.options, **options}
    return Place(members, kind.reader(full), kind.writer(full))


def _members(path: str) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()


def read_ocp_profile(files: Mapping[str, str]) -> OcpProfile:
    """Read the OCP profile from `files` (path below mappings/ to text).

    Raises MappingInvalid with every finding when it is not well-formed.
    """
    findings = [
        Finding("PGB-PRF-001", "error", name, "the file is missing", remedy="copy the shipped one and change it")
        for name in (PROFILE_FILE, OPENAPI_FILE)
        if name not in files
    ]
    if findings:
        raise MappingInvalid("reading the OCP profile", findings=findings)
    file: ProfileFile | None = read_toml(PROFILE_FILE, files[PROFILE_FILE], ProfileFile, findings, "PGB-PRF-002")
    openapi, yaml_lines = read_openapi(files[OPENAPI_FILE], findings)
    if file is not None and openapi is not None:
        findings += profile_faults(file, Lines(files[PROFILE_FILE]), openapi, yaml_lines)
    hours_of(files, findings)
    if file is None or openapi is None or findings:
        raise MappingInvalid("reading the OCP profile", findings=findings)
    return OcpProfile(file, openapi)
