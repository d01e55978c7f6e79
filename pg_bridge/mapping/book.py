"""The mapping book: all rule files of one set, compiled, with both profiles.

`load` refuses a set with anything wrong in it; a book that exists can be used.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingInvalid, MappingMissing
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping import document as d
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.message import BlockWriter, MessageMapping, Sources, getter
from pg_bridge.mapping.request import RequestMapping, Rule
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.profiles.template import Checked, Template

#: the code table of reasons for a refusal; it must have a default
REFUSAL_REASONS = "refusal_reasons"
SAMPLES_FOLDER = "samples/"
UNKNOWN_FIELD_PREFIX = "unknown:"


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request translated. Any finding of severity error: it is refused and `document` is empty.

    document: in OCP's own names; a write has every member of its schema, absent ones null.
    """

    template: str
    message_type: str
    function: str
    effect: str
    operation: Operation
    reference: str
    document: dict[str, Any]
    carried: dict[str, str]
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message to the PSS: the lines of its text block, and where each value came from."""

    template: str
    message_type: str
    body: bytes
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str


class _RequestEntry(msgspec.Struct, frozen=True, kw_only=True):
    template: Template
    operation: Operation
    mapping: RequestMapping
    name: str
    reference_place: str
    reads_reference: Callable[[str], object]


class _MessageEntry(msgspec.Struct, frozen=True, kw_only=True):
    template: str
    message_type: str
    table: Any
    gets: list[Any]
    mappings: dict[str, MessageMapping]
    name: str


class MappingBook:
    """Both profiles and every rule, ready to use."""

    def __init__(
        self,
        legacy: LegacyProfile,
        ocp: OcpProfile,
        files: Sequence[tuple[str, d.RuleFile]],
        shared: dict[str, d.SharedBlocks],
        content_hash: str,
    ) -> None:
        self.legacy = legacy
        self.ocp = ocp
        self.hash = content_hash
        self.files = files
        self.shared = shared
        self._requests: dict[tuple[str, str], _RequestEntry] = {}
        self._answers: dict[str, _MessageEntry] = {}
        self._messages: dict[str, _MessageEntry] = {}
        for path, file in files:
            name = f"{file.name}@{content_hash[:12]}"
            if file.request is not None:
                self._add_request(path, file.request, name)
            if file.answer is not None:
                self._answers[file.function] = self._message(path, file.answer, name)
            if file.message is not None:
                self._messages[file.function] = self._message(path, file.message, name)

    # --- use -----------------------------------------------------------------------------------------------

    def read_request(
        self,
        template: str,
        message_type: str,
        body: bytes,
        context: Mapping[str, Any],
        *,
        lenient: bool = False,
    ) -> Request:
        """Read, check and translate the text block of a request. Raises MappingMissing when no rule file serves it."""
        entry = self._requests.get((template, message_type))
        if entry is None:
            raise MappingMissing(f"no rule file serves {template} of MT{message_type}")
        spec = entry.template
        message = read(body)
        values, unknown, findings = spec.check(message_type, message, lenient=lenient)
        fields = values.get(entry.reference_place)
        # A reference that is none cannot be given back: the answer says so with the rule's default.
        reference = fields[0].value if fields and entry.reads_reference(fields[0].value) else ""
        if findings and any(finding.severity == "error" for finding in findings):
            return self._refused(entry, message_type, reference, findings)
        outcome = entry.mapping.apply(values, context)
        if outcome.findings:
            return self._refused(entry, message_type, reference, (*findings, *outcome.findings))
        times: Counter[str] = Counter()
        for field in unknown:
            name = f"{UNKNOWN_FIELD_PREFIX}{field.path}/{field.tag}"
            times[name] += 1
            outcome.carried[f"{name}#{times[name]}" if times[name] > 1 else name] = field.raw
        return Request(
            template=spec.name,
            message_type=message_type,
            function=spec.function,
            effect=spec.effect,
            operation=entry.operation,
            reference=reference,
            document=outcome.document,
            carried=outcome.carried,
            lineage=tuple(outcome.lineage),
            findings=findings,
            mapping=entry.name,
        )

    def write_answer(self, function: str, sources: Sources) -> Written:
        """Write the answer of a function. Raises MappingMissing, MappingFailed."""
        return self._write(self._answers, function, sources)

    def write_unsolicited(self, function: str, sources: Sources) -> Written:
        """Write what the PSS gets unasked. Raises MappingMissing, MappingFailed."""
        return self._write(self._messages, function, sources)

    def check_message(self, template: str, message_type: str, body: bytes) -> Checked:
        """Hold any message against its template."""
        return self.legacy.templates[template].check(message_type, read(body))

    def refusal_reason(self, meaning: str) -> str:
        """The legacy reason code for what a refusal means: OCP's by concept, ours by finding code."""
        return self.legacy.tables[REFUSAL_REASONS].find(meaning) or ""

    def duplicate_reference(self, template: str, message_type: str, reference: str) -> Finding:
        """The finding for a reference that another message used today."""
        entry = self._requests[template, message_type]
        return Finding(
            "PGB-XCH-001",
            "error",
            entry.reference_place,
            f"duplicate reference: {reference} was used today with another text",
        )

    # --- build ---------------------------------------------------------------------------------------------

    def _refused(
        self, entry: _RequestEntry, message_type: str, reference: str, findings: tuple[Finding, ...]
    ) -> Request:
        return Request(
            template=entry.template.name,
            message_type=message_type,
            function=entry.template.function,
            effect=entry.template.effect,
            operation=entry.operation,
            reference=reference,
            document={},
            carried={},
            lineage=(),
            findings=findings,
            mapping=entry.name,
        )

    def _add_request(self, path: str, section: d.RequestSection, name: str) -> None:
        template = self.legacy.templates[section.template]
        operation = Operation(section.operation)
        members = dict.fromkeys(self.ocp.schema(section.schema).get("properties", {}))
        for type_ in template.message_types:
            rules = [
                Rule(f"{path}#{number}", rule, self.legacy, template, type_)
                for number, rule in enumerate(section.rule, 1)
            ]
            # A rule none of whose places stands in this message type can never act in it.
            rules = [rule for rule in rules if any(_can_stand(template, type_, source) for source in rule.sources)]
            place = template.concept("request_reference", type_)
            self._requests[template.name, type_] = _RequestEntry(
                template=template,
                operation=operation,
                mapping=RequestMapping(rules, type_, members.copy, keeps_nulls=self.ocp.operations[operation].writes),
                name=name,
                reference_place=place.place if place is not None else "",
                reads_reference=place.pattern.fullmatch if place is not None else lambda value: None,
            )

    def blocks(self, section: d.MessageSection) -> list[tuple[str, d.Block]]:
        """A section's blocks with the shared ones in their places, each with where it stands."""
        found: list[tuple[str, d.Block]] = []
        for number, block in enumerate(section.block, 1):
            if block.include:
                shared = self.shared[block.include]
                found += [(f"shared/{shared.name}.toml#{i}", inner) for i, inner in enumerate(shared.block, 1)]
            else:
                found.append((f"#{number}", block))
        return found

    def _message(self, path: str, section: d.MessageSection, name: str) -> _MessageEntry:
        template = self.legacy.templates[section.template]
        by_table = section.message_type if isinstance(section.message_type, d.ByTable) else None
        return _MessageEntry(
            template=template.name,
            message_type="" if by_table is not None else str(section.message_type),
            table=self.legacy.tables[by_table.codes] if by_table is not None else None,
            gets=[getter(source) for source in d.as_list(by_table.from_)] if by_table is not None else [],
            mappings={
                type_: MessageMapping(
                    template,
                    type_,
                    [
                        BlockWriter(at if at.startswith("shared/") else path + at, block, template, type_, self.legacy)
                        for at, block in self.blocks(section)
                    ],
                )
                for type_ in template.message_types
            },
            name=name,
        )

    def _write(self, entries: dict[str, _MessageEntry], function: str, sources: Sources) -> Written:
        entry = entries.get(function)
        if entry is None:
            raise MappingMissing(f"no rule file writes a message for {function}")
        message_type = entry.message_type
        if entry.table is not None:
            key = "/".join(str(get(sources)) for get in entry.gets)
            message_type = entry.table.to_legacy(key)
            if message_type not in entry.mappings:
                raise MappingMissing(f"{function}: {key!r} has no message type in the table {entry.table.name}")
        draft = entry.mappings[message_type].apply(sources)
        return Written(
            template=entry.template,
            message_type=message_type,
            body=("\r\n".join(draft.lines) + "\r\n").encode("ascii"),
            lineage=tuple(draft.lineage),
            findings=tuple(draft.findings),
            mapping=entry.name,
        )


def _can_stand(template: Template, type_: str, source: str) -> bool:
    return source.startswith(("@", "context.")) or (type_, source) in template.places


def content_hash(files: Mapping[str, str]) -> str:
    """SHA-256 (hex) of a set of files: paths and texts, in the order of paths. Samples decide nothing: left out."""
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.startswith(SAMPLES_FOLDER):
            continue
        for part in (path, files[path]):
            raw = part.encode()
            digest.update(len(raw).to_bytes(8, "big"))
            digest.update(raw)
    return digest.hexdigest()


def read_documents(
    files: Mapping[str, str], findings: list[Finding]
) -> tuple[list[tuple[str, d.RuleFile]], dict[str, d.SharedBlocks]]:
    """The rule files and shared blocks of a set; what cannot be read becomes findings."""
    rule_files: list[tuple[str, d.RuleFile]] = []
    shared: dict[str, d.SharedBlocks] = {}
    for path in sorted(files):
        if not path.startswith(d.RULES_FOLDER) or not path.endswith(".toml") or path.endswith(d.CASES_SUFFIX):
            continue
        if path.startswith(d.SHARED_FOLDER):
            blocks = d.read_toml(path, files[path], d.SharedBlocks, findings)
            if blocks is not None:
                shared[blocks.name] = blocks
            continue
        file = d.read_toml(path, files[path], d.RuleFile, findings)
        if file is not None:
            rule_files.append((path.removeprefix(d.RULES_FOLDER), file))
    return rule_files, shared


def load(files: Mapping[str, str]) -> MappingBook:
    """The book of a set of files (path below mappings/ to text). Raises MappingInvalid with all findings."""
    from pg_bridge.mapping.check import document_findings

    findings: list[Finding] = []
    legacy = ocp = None
    for read_profile in (read_legacy_profile, read_ocp_profile):
        try:
            profile = read_profile(files)
        except MappingInvalid as error:
            findings += error.findings
            continue
        if isinstance(profile, LegacyProfile):
            legacy = profile
        else:
            ocp = profile
    rule_files, shared = read_documents(files, findings)
    if legacy is not None and ocp is not None:
        findings += document_findings(rule_files, shared, legacy, ocp)
    if legacy is None or ocp is None or any(finding.severity == "error" for finding in findings):
        raise MappingInvalid("loading the mappings", findings=findings)
    return MappingBook(legacy, ocp, rule_files, shared, content_hash(files))
