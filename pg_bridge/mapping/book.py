"""The mapping book: all rule files of one set, compiled, with both profiles.

`load` refuses a set with anything wrong in it; a book that exists can be used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingInvalid, MappingMissing
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link.profile import link_findings
from pg_bridge.mapping.checks.report_check import report_findings
from pg_bridge.mapping.checks.report_rules_check import report_rules
from pg_bridge.mapping.checks.rule_check import REFUSAL_REASONS, document_findings
from pg_bridge.mapping.checks.set_check import SAMPLES_FOLDER, in_order, set_findings
from pg_bridge.mapping.compiled import CompiledMessage, CompiledRequest, Compiler
from pg_bridge.mapping.field import Sources
from pg_bridge.mapping.file_rules import FileRules
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.reference import ReferenceUse
from pg_bridge.mapping.report_rules import ReportRules
from pg_bridge.mapping.request import Translation
from pg_bridge.mapping.request_mapping import split_values
from pg_bridge.mapping.rule_set import Located, RuleSet, read_rule_set
from pg_bridge.mapping.translated import Request, Written
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.profiles.template import Checked

UNKNOWN_FIELD_PREFIX = "unknown:"


class MappingBook:
    """Both profiles and every rule, ready to use. hash: SHA-256 (hex) of all files of the set."""

    def __init__(
        self,
        legacy: LegacyProfile,
        ocp: OcpProfile,
        rules: RuleSet,
        content_hash: str,
        warnings: Sequence[Finding] = (),
        reports: Mapping[str, ReportRules] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.legacy = legacy
        self.ocp = ocp
        self.rules = rules
        self.warnings = tuple(warnings)
        #: reports of what OCP tells of the market, by name
        self.reports = reports or {}
        #: the files that it was made of, for who must make it again in another process
        self.source_files: Mapping[str, str] = files or {}
        self.hash = content_hash
        self.name = rules.name
        self.version = rules.version
        self._requests: dict[tuple[str, str], CompiledRequest] = {}
        self._references: dict[str, ReferenceUse] = {}
        self._answers: dict[str, CompiledMessage] = {}
        self._messages: dict[str, CompiledMessage] = {}
        #: how batch files come, and become messages
        self.files = FileRules(rules, legacy, lambda located: self._name(located))
        compiler = Compiler(legacy, ocp, rules)
        for located in rules.files:
            file = located.file
            name = self._name(located)
            if file.request is not None:
                if file.request.reference is not None:
                    rule = located.rule_name("request.reference")
                    self._references[file.request.template] = ReferenceUse(file.request.reference, ocp, rule)
                for request in compiler.requests(located, file.request, name):
                    self._requests[request.template.name, request.message_type] = request
            if file.answer is not None:
                self._answers[file.function] = compiler.message(located, file.answer, name)
            if file.message is not None:
                self._messages[file.function] = compiler.message(located, file.message, name)

    def _name(self, located: Located) -> str:
        return f"{located.file.name}@{self.name}/{self.version}/{self.hash[:12]}"

    # --- use -------------------------------------------------------------------------------------------------

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
        values, unknown, findings, instances = spec.check(message_type, read(body), lenient=lenient)
        if findings and any(finding.severity == "error" for finding in findings):
            return self._refused(entry, message_type, values, context, findings)
        fields = values.get(entry.reference.place)
        reference = fields[0].value if fields else ""
        parts = split_values(values, entry.split, instances) if entry.split else (values,)
        outcomes = [entry.mapping.apply(part, context, instances) for part in parts]
        if any(outcome.findings for outcome in outcomes):
            # What stands outside of the parts is told once.
            told = dict.fromkeys(finding for outcome in outcomes for finding in outcome.findings)
            return self._refused(entry, message_type, values, context, (*findings, *told), is_mapped=True)
        self._keep_unknown(unknown, outcomes[0])
        first, *more = [
            Request(
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
                sought=tuple(
                    concept for concept in entry.sought if self.ocp.get("si", concept, outcome.document) is None
                ),
            )
            for outcome in outcomes
        ]
        return msgspec.structs.replace(first, more=tuple(more)) if more else first

    @staticmethod
    def _keep_unknown(unknown: Sequence[Field], outcome: Translation) -> None:
        """Carry the fields along that a lenient profile lets pass."""
        for field in unknown:
            kept = f"{UNKNOWN_FIELD_PREFIX}{field.path}/{field.tag}:{field.qualifier}".rstrip(":")
            if kept in outcome.carried:
                kept = f"{kept}#{field.line}"
            outcome.carried[kept] = field.raw
            outcome.lineage.append(Lineage(kept, (kept,), field.raw, field.raw, "", "", "carried"))

    def reference_use(self, template: str) -> ReferenceUse | None:
        """How requests of a template use reference data; None: they do not."""
        return self._references.get(template)

    def write_answer(self, function: str, sources: Sources) -> Written:
        """Write the answer of a function. Raises MappingMissing, MappingFailed."""
        return self._write(self._answers, function, sources)

    def lists(self, function: str) -> bool:
        """Whether the answer of a function lists entries: `ocp` of its sources is an array of them."""
        entry = self._answers.get(function)
        return entry is not None and entry.is_list

    def write_unsolicited(self, function: str, sources: Sources) -> Written:
        """Write what the PSS gets unasked. Raises MappingMissing, MappingFailed."""
        return self._write(self._messages, function, sources)

    def check_message(self, template: str, message_type: str, body: bytes) -> Checked:
        """Hold any message against its template. Raises KeyError when there is none."""
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
            entry.reference.place,
            f"duplicate reference: {reference} was used today with another text",
        )

    def _refused(
        self,
        entry: CompiledRequest,
        message_type: str,
        values: Mapping[str, Any],
        context: Mapping[str, Any],
        findings: tuple[Finding, ...],
        *,
        is_mapped: bool = False,
    ) -> Request:
        """A request with its faults: those of the template, and those that the rules find in the faultless fields."""
        faulty = {finding.path for finding in findings if finding.severity == "error"}
        sound = {place: fields for place, fields in values.items() if place not in faulty}
        if not is_mapped:
            told = entry.mapping.apply(sound, context, is_faulty=True).findings
            # That a faulty field, or one of a missing or misplaced sequence, is absent says nothing new.
            below = tuple(f"{path}/" for path in faulty)
            stale = {each.path for each in told if each.path in faulty or each.path.startswith(below)} - sound.keys()
            findings = (*findings, *(each for each in told if each.path not in stale))
        # Misplaced or doubled, a reference can still be read; of another format, it cannot be given back.
        stated = values.get(entry.reference.place)
        reference = stated[0].value if stated else ""
        return Request(
            template=entry.template.name,
            message_type=message_type,
            function=entry.template.function,
            effect=entry.template.effect,
            operation=entry.operation,
            reference=reference if entry.reference.pattern.fullmatch(reference) else "",
            document={},
            carried={},
            lineage=(),
            findings=findings,
            mapping=entry.name,
        )

    def _write(self, entries: Mapping[str, CompiledMessage], function: str, sources: Sources) -> Written:
        entry = entries.get(function)
        if entry is None:
            raise MappingMissing(f"no rule file writes a message for {function}")
        message_type = entry.message_type
        if entry.table is not None:
            key = "/".join([str(get(sources)) for get in entry.gets])
            message_type = entry.table.to_legacy(key) or ""
            if message_type not in entry.mappings:
                raise MappingMissing(f"{function}: {key!r} has no message type in the table {entry.table.name}")
        first, *more = [
            Written(
                template=entry.template,
                message_type=message_type,
                body=("\r\n".join(draft.lines) + "\r\n").encode("ascii"),
                lineage=tuple(draft.lineage),
                findings=tuple(draft.findings),
                mapping=entry.name,
            )
            for draft in entry.mappings[message_type].apply_all(sources)
        ]
        return msgspec.structs.replace(first, more=tuple(more)) if more else first


def content_hash(files: Mapping[str, str]) -> str:
    """SHA-256 (hex) of a set of files: paths and texts, in the order of paths. Samples are left out."""
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.startswith(SAMPLES_FOLDER):
            continue
        for part in (path, files[path]):
            raw = part.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "big"))
            digest.update(raw)
    return digest.hexdigest()


def load(files: Mapping[str, str]) -> MappingBook:
    """The book of a set of files (path below mappings/ to text). Raises MappingInvalid with all findings.

    The link profile is checked with the rest, so that no set starts whose frames cannot be read.
    """
    findings = set_findings(files)
    legacy: LegacyProfile | None = None
    ocp: OcpProfile | None = None
    if any(finding.severity == "error" for finding in findings):
        raise MappingInvalid("loading the mappings", findings=findings)
    findings += link_findings(files)
    try:
        legacy = read_legacy_profile(files)
    except MappingInvalid as error:
        findings += error.findings
    try:
        ocp = read_ocp_profile(files)
    except MappingInvalid as error:
        findings += error.findings
    rules = read_rule_set(files, findings)
    reports: dict[str, ReportRules] = {}
    if legacy is not None and ocp is not None:
        findings += document_findings(rules, legacy, ocp)
        if not any(finding.severity == "error" for finding in findings):
            findings += report_findings(files, rules, legacy.parts)
        reports = report_rules(files, legacy, ocp, findings)
    if legacy is None or ocp is None or any(finding.severity == "error" for finding in findings):
        raise MappingInvalid("loading the mappings", findings=in_order(findings))
    return MappingBook(legacy, ocp, rules, content_hash(files), findings, reports, files)
