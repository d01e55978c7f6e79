"""The mapping book: all rule files of one set, compiled, with both profiles.

`load` refuses a set with anything wrong in it; a book that exists can be used.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pg_bridge.errors import Finding, MappingInvalid, MappingMissing
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link.profile import link_findings
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks.report_check import report_findings
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.checks.rule_check import REFUSAL_REASONS, document_findings
from pg_bridge.mapping.checks.set_check import SAMPLES_FOLDER, in_order, set_findings
from pg_bridge.mapping.field import Sources, getter
from pg_bridge.mapping.file_rules import FileRules
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.message import MessageMapping
from pg_bridge.mapping.pages import PagedMapping
from pg_bridge.mapping.places import Places, below, places_of
from pg_bridge.mapping.request import Act, Translation, compile_rule, stands
from pg_bridge.mapping.request_mapping import EachMapping, RequestMapping, split_values
from pg_bridge.mapping.rule_set import Located, RuleSet, read_rule_set
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import NAMES_AN_SI, Operation
from pg_bridge.profiles.legacy import CodeTable, LegacyProfile, read_legacy_profile
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.profiles.template import Checked, FieldSpec, Template

UNKNOWN_FIELD_PREFIX = "unknown:"


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request translated. Any finding of severity error: it is refused and `document` is empty.

    operation: None of a request for a report, which asks OCP nothing. reference: empty where it could not be read.
    document: in OCP's own names; a write has every member of its
    schema, absent ones null. sought: the concepts that name an SI and have no value yet: the SI is to be found, and
    they are to be filled in before it is called.
    mapping: `<rule file>@<set>/<version>/<12 hexadecimal characters of the set's hash>`.
    """

    template: str
    message_type: str
    function: str
    effect: str
    operation: Operation | None
    reference: str
    document: dict[str, Any]
    carried: dict[str, str]
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str
    sought: tuple[str, ...] = ()
    #: the further instructions of the same message, in order, where its sequences are one each
    more: tuple[Request, ...] = ()

    @property
    def parts(self) -> tuple[Request, ...]:
        """All instructions of the message, in order; one as a rule."""
        return (self, *self.more)


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message to the PSS: the lines of its text block, and where each value came from."""

    template: str
    message_type: str
    body: bytes
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str
    #: the further messages of an answer that one does not hold, in order
    more: tuple[Written, ...] = ()

    @property
    def pages(self) -> tuple[Written, ...]:
        """All messages, in order; one as a rule."""
        return (self, *self.more)


@dataclass(frozen=True, slots=True)
class _RequestEntry:
    template: Template
    operation: Operation | None
    mapping: RequestMapping
    name: str
    reference: FieldSpec
    #: concepts that may have to be filled in
    sought: tuple[str, ...]
    #: the sequence each of which is an instruction of its own
    split: str


@dataclass(frozen=True, slots=True)
class _MessageEntry:
    template: str
    message_type: str
    table: CodeTable | None
    gets: tuple[Callable[[Sources], Any], ...]
    mappings: dict[str, MessageMapping]
    name: str
    #: `ocp` of the sources is an array of entries
    is_list: bool


class MappingBook:
    """Both profiles and every rule, ready to use. hash: SHA-256 (hex) of all files of the set."""

    def __init__(
        self,
        legacy: LegacyProfile,
        ocp: OcpProfile,
        rules: RuleSet,
        content_hash: str,
        warnings: Sequence[Finding] = (),
    ) -> None:
        self.legacy = legacy
        self.ocp = ocp
        self.rules = rules
        self.warnings = tuple(warnings)
        self.hash = content_hash
        self.name = rules.name
        self.version = rules.version
        self._requests: dict[tuple[str, str], _RequestEntry] = {}
        self._answers: dict[str, _MessageEntry] = {}
        self._messages: dict[str, _MessageEntry] = {}
        #: how batch files come, and become messages
        self.files = FileRules(rules, legacy, lambda located: self._name(located))
        for located in rules.files:
            file = located.file
            name = self._name(located)
            if file.request is not None:
                self._add_request(located, file.request, name)
            if file.answer is not None:
                self._answers[file.function] = self._message(located, file.answer, name)
            if file.message is not None:
                self._messages[file.function] = self._message(located, file.message, name)

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
        entry: _RequestEntry,
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

    def _write(self, entries: Mapping[str, _MessageEntry], function: str, sources: Sources) -> Written:
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

    # --- build -----------------------------------------------------------------------------------------------

    def _add_request(self, located: Located, section: d.RequestSection, name: str) -> None:
        template = self.legacy.templates[section.template]
        operation = None if section.report else Operation(section.operation)
        members = Members(self.ocp.openapi, d.shape_of(section))
        keeps_nulls = operation is not None and self.ocp.operations[operation].writes
        for type_ in template.message_types:
            places = places_of(template, type_)
            reference = template.concept(REFERENCE, type_)
            if reference is None:
                continue  # `check` tells it
            acts = self._acts(located, "request.rule", section.rule, places, type_)
            each = [
                EachMapping(
                    each.at,
                    each.to,
                    self._acts(located, f"request.each[{number}].rule", each.rule, below(places, each.at), type_),
                    members.items(each.to),
                    keeps_nulls=keeps_nulls,
                )
                for number, each in enumerate(section.each)
            ]
            self._requests[template.name, type_] = _RequestEntry(
                template=template,
                operation=operation,
                mapping=RequestMapping(acts, members, each, keeps_nulls=keeps_nulls, sought=section.sought),
                name=name,
                reference=reference,
                sought=tuple(
                    concept
                    for concept in NAMES_AN_SI
                    if ".".join(self.ocp.place("si", concept).members) in section.sought
                ),
                split=section.split,
            )

    def _acts(self, located: Located, at: str, rules: Sequence[d.RequestRule], places: Places, type_: str) -> list[Act]:
        """The rules that can act in one message type, compiled."""
        active = [
            (number, rule)
            for number, rule in enumerate(rules)
            if rule.constant or any(stands(places, source) for source in rule.sources())
        ]
        shared = shared_targets(rule for _, rule in active)
        return [
            compile_rule(
                located.rule_name(f"{at}[{number}]"),
                rule,
                self.legacy.tables,
                places,
                type_,
                is_shared_target=any(target in shared for target in rule.targets()),
                profile=self.rules.profile,
            )
            for number, rule in active
        ]

    def _message(self, located: Located, section: d.MessageSection, name: str) -> _MessageEntry:
        template = self.legacy.templates[section.template]
        chosen = section.message_type if isinstance(section.message_type, d.ByTable) else None
        values, blocks = self.rules.parts(located, section)
        named = [(number, block) for number, block, _ in blocks]
        only_values = [value for _, value, _ in values]
        tables, profile = self.legacy.tables, self.rules.profile

        def mapping(type_: str) -> MessageMapping:
            if section.pages is not None:
                return PagedMapping(only_values, named, template, type_, tables, section.pages, profile)
            return MessageMapping(only_values, named, template, type_, tables, profile)

        return _MessageEntry(
            template=template.name,
            message_type="" if isinstance(section.message_type, d.ByTable) else section.message_type,
            table=self.legacy.tables[chosen.codes] if chosen is not None else None,
            gets=tuple(getter(source) for source in chosen.sources()) if chosen is not None else (),
            mappings={type_: mapping(type_) for type_ in template.message_types},
            name=name,
            is_list=section.pages is not None,
        )


def shared_targets(rules: Iterable[d.RequestRule]) -> frozenset[str]:
    """The targets that several rules may feed."""
    counts = Counter(target for rule in rules for target in rule.targets())
    return frozenset(target for target, count in counts.items() if count > 1)


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
    if legacy is not None and ocp is not None:
        findings += document_findings(rules, legacy, ocp)
        if not any(finding.severity == "error" for finding in findings):
            findings += report_findings(files, rules, legacy.parts)
    if legacy is None or ocp is None or any(finding.severity == "error" for finding in findings):
        raise MappingInvalid("loading the mappings", findings=in_order(findings))
    return MappingBook(legacy, ocp, rules, content_hash(files), findings)
