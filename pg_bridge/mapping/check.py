"""What is wrong with a set of mapping files: places, codes, functions, targets that nothing feeds, cases that fail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pg_bridge.errors import BridgeError, Finding, MappingInvalid
from pg_bridge.mapping import document as d
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

ROOTS = ("ocp", "request", "answer", "context", "item")
CONTEXT = frozenset({"reference", "participant", "terminal", "business_date", "timestamp", "snapshot"})


def document_findings(
    files: Sequence[tuple[str, d.RuleFile]],
    shared: Mapping[str, d.SharedBlocks],
    legacy: LegacyProfile,
    ocp: OcpProfile,
) -> list[Finding]:
    """Everything that can be found without running a case."""
    findings: list[Finding] = []
    served: dict[str, str] = {}
    written: dict[str, str] = {}
    for path, file in files:
        if file.request is not None:
            findings += _request(path, file.request, legacy, ocp)
            if file.request.template in served:
                text = f"{file.request.template} is served by {served[file.request.template]} already"
                findings.append(_error(path, text))
            served[file.request.template] = path
        for kind, section in (("answer", file.answer), ("message", file.message)):
            if section is not None:
                findings += _message(path, section, shared, legacy)
                if (other := written.setdefault(f"{kind} {file.function}", path)) != path:
                    findings.append(_error(path, f"the {kind} of {file.function} is written by {other} already"))
        for used in (file.request, file.answer, file.message):
            template = legacy.templates.get(used.template) if used is not None else None
            if template is not None and template.function != file.function:
                text = f"{template.name} serves the function {template.function}, not {file.function}"
                findings.append(_error(path, text))
    table = legacy.tables.get("refusal_reasons")
    if table is None or table.default is None:
        findings.append(_error("legacy/codes.toml", "there must be a table refusal_reasons with a default"))
    for template in legacy.templates.values():
        if template.direction == "I" and template.name not in served:
            findings.append(_error("rules", f"no rule file serves the request template {template.name}"))
    return findings


def check(files: Mapping[str, str]) -> list[Finding]:
    """All findings of a set of files (path below mappings/ to text), its cases included; empty: it is good."""
    from pg_bridge.mapping.book import load

    try:
        book = load(files)
    except MappingInvalid as error:
        return list(error.findings)
    findings: list[Finding] = []
    for path, file in book.files:
        cases_path = d.RULES_FOLDER + path.removesuffix(".toml") + d.CASES_SUFFIX
        if cases_path not in files:
            findings.append(_error(path, f"the file has no cases: write {cases_path}"))
            continue
        cases = d.read_toml(cases_path, files[cases_path], d.CaseFile, findings)
        for case in cases.case if cases is not None else ():
            findings += [
                Finding("PGB-MAP-020", "error", f"{cases_path}:{case.name}", text)
                for text in run_case(book, file, case)
            ]
    return findings


def run_case(book: Any, file: d.RuleFile, case: d.Case) -> list[str]:
    """What differs between a case and what the book makes of it."""
    body = case.body.replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii", "replace")
    try:
        if case.kind == "request":
            if file.request is None:
                return ["the file has no request section"]
            context = {"participant": "", "terminal": "", "business_date": "", **case.context}
            request = book.read_request(file.request.template, case.message_type, body, context)
            codes = [finding.code for finding in request.findings]
            if codes != case.findings:
                return [f"findings {case.findings} are due, {[str(finding) for finding in request.findings]} came"]
            expected = {**(case.document or {}), **dict.fromkeys(case.nulls)}
            return [
                f"{name}: {json.dumps(expected.get(name))} is due, {json.dumps(request.document.get(name))} came"
                for name in sorted(expected.keys() | request.document.keys())
                if expected.get(name, _ABSENT) != request.document.get(name, _ABSENT)
            ]
        write = book.write_answer if case.kind == "answer" else book.write_unsolicited
        written = write(file.function, case.sources)
    except BridgeError as error:
        return [f"{error}"]
    texts = []
    if case.message_type and written.message_type != case.message_type:
        texts.append(f"MT{case.message_type} is due, MT{written.message_type} came")
    if written.body != body:
        texts.append(f"another text came:\n{written.body.decode()}")
    checked = book.check_message(written.template, written.message_type, written.body)
    return texts + [f"the written message does not fit its template: {finding}" for finding in checked.findings]


_ABSENT = object()


def _request(path: str, section: d.RequestSection, legacy: LegacyProfile, ocp: OcpProfile) -> Iterator[Finding]:
    template = legacy.templates.get(section.template)
    if template is None:
        yield _error(path, f"there is no template {section.template}")
        return
    if section.operation not in {operation.value for operation in Operation}:
        yield _error(path, f"there is no operation {section.operation}")
        return
    try:
        schema = ocp.schema(section.schema)
    except KeyError:
        yield _error(path, f"the OpenAPI document has no schema {section.schema}")
        return
    members = schema.get("properties", {})
    used: set[str] = set()
    for number, rule in enumerate(section.rule, 1):
        at = f"{path}#{number}"
        sources = d.as_list(rule.from_)
        targets = d.as_list(rule.to)
        used |= set(sources)
        if not sources:
            yield _error(at, "say in `from` where the value stands")
        yield from _sources(at, sources, template)
        yield from _names(at, rule.use, rule.codes, legacy)
        yield from _numbers(at, rule, sources, targets)
        if rule.use and rule.use in FUNCTIONS and FUNCTIONS[rule.use].to_ocp is None:
            yield _error(at, f"the function {rule.use} does not serve this direction")
        if sum((bool(targets), bool(rule.carried), rule.fixed)) != 1:
            yield _error(at, "say one of `to`, `carried` and `fixed`")
        if (rule.carried or rule.fixed) and not rule.reason:
            yield _error(at, "say the reason why OCP does not get it")
        for target in targets:
            if not _has_member(members, target.split(".")):
                yield _error(at, f"the schema {section.schema} has no member {target}")
    for type_ in template.message_types:
        yield from _per_type(path, section, template, type_, schema)
    for spec in template.root.fields():
        if spec.place not in used and not _is_constant(spec):
            yield _error(path, f"the field {spec.place} is forgotten: map it, carry it or say that it is fixed")


def _has_member(members: Mapping[str, Any], target: Sequence[str]) -> bool:
    """The members of a schema lead to `target`, member by member."""
    for name in target:
        if name not in members:
            return False
        members = members[name].get("properties", {})
    return True


def _numbers(at: str, rule: d.RequestRule, sources: Sequence[str], targets: Sequence[str]) -> Iterator[Finding]:
    """As many sources and targets as the function takes and gives; its examples say how many."""
    function = FUNCTIONS.get(rule.use)
    examples = function.examples if function is not None else ()
    if targets and len(targets) != (len(examples[0][1]) if examples else 1):
        yield _error(at, f"{len(examples[0][1]) if examples else 1} values come, for {len(targets)} members")
    if examples and not rule.codes and sources and len(sources) != len(examples[0][0]):
        yield _error(at, f"the function {rule.use} takes {len(examples[0][0])} sources, not {len(sources)}")


def _per_type(
    path: str, section: d.RequestSection, template: Template, type_: str, schema: Mapping[str, Any]
) -> Iterator[Finding]:
    """Two rules for one target, and mandatory targets that nothing feeds, in one message type."""
    fed: dict[str, int] = {}
    for number, rule in enumerate(section.rule, 1):
        stands = any(
            source.startswith(("@", "context.")) or (type_, source) in template.places
            for source in d.as_list(rule.from_)
        )
        for target in d.as_list(rule.to) if stands else ():
            if target in fed:
                yield _error(f"{path}#{number}", f"{target} is fed by rule {fed[target]} already, in MT{type_}")
            fed[target] = number
    roots = {target.partition(".")[0] for target in fed}
    for member in schema.get("required", ()):
        if member not in roots and not _takes_null(schema["properties"].get(member, {})):
            yield _error(path, f"the mandatory member {member} is fed by no rule, in MT{type_}")


def _takes_null(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "null" or (isinstance(kind, list) and "null" in kind)


def _is_constant(spec: FieldSpec) -> bool:
    """The template allows one value only: it says nothing."""
    return len(spec.values) == 1


def _sources(at: str, sources: Sequence[str], template: Template) -> Iterator[Finding]:
    for source in sources:
        if source.startswith("context."):
            if source.removeprefix("context.") not in CONTEXT:
                yield _error(at, f"there is no {source}; there are {', '.join(sorted(CONTEXT))}")
        elif source.startswith("@"):
            if source != "@message_type":
                yield _error(at, f"there is no {source}; there is @message_type")
        else:
            try:
                template.field(source)
            except KeyError:
                yield _error(at, f"the template {template.name} has no place {source}")


def _names(at: str, use: str, codes: str, legacy: LegacyProfile) -> Iterator[Finding]:
    if use and use not in FUNCTIONS:
        yield _error(at, f"there is no function {use}; there are {', '.join(sorted(FUNCTIONS))}")
    if codes and codes not in legacy.tables:
        yield _error(at, f"codes.toml has no table {codes}")


def _message(
    path: str, section: d.MessageSection, shared: Mapping[str, d.SharedBlocks], legacy: LegacyProfile
) -> Iterator[Finding]:
    template = legacy.templates.get(section.template)
    if template is None:
        yield _error(path, f"there is no template {section.template}")
        return
    if isinstance(section.message_type, d.ByTable):
        yield from _names(path, "", section.message_type.codes, legacy)
        for source in d.as_list(section.message_type.from_):
            yield from _root(path, source)
    elif section.message_type not in template.message_types:
        yield _error(path, f"MT{section.message_type} is no message type of {template.name}")
    written: set[str] = set()
    for number, block in enumerate(section.block, 1):
        at = f"{path}#{number}"
        if block.include and block.include not in shared:
            yield _error(at, f"there are no shared blocks {block.include}")
            continue
        if block.include and block != d.Block(include=block.include):
            yield _error(at, "an include stands alone")
        inner = shared[block.include].block if block.include else [block]
        for each in inner:
            yield from _block(at, each, template, legacy, written)
    for spec in template.root.always_due():
        if spec.place not in written:
            yield _error(path, f"the mandatory field {spec.place} is written by no block")


def _block(at: str, block: d.Block, template: Template, legacy: LegacyProfile, written: set[str]) -> Iterator[Finding]:
    if _sequence(template.root, block.at) is None:
        yield _error(at, f"the template {template.name} has no sequence {block.at}")
    for path in (*block.when, *([block.each] if block.each else [])):
        yield from _root(at, path)
    for path, wanted in block.when.items():
        yield from _wanted(at, path, wanted)
    for rule in block.fields:
        place = f"{block.at}/{rule.field}"
        written.add(place)
        try:
            spec = template.field(place)
        except KeyError:
            yield _error(at, f"the template {template.name} has no place {place}")
            continue
        yield from _names(at, rule.use, rule.codes, legacy)
        if rule.use in FUNCTIONS and FUNCTIONS[rule.use].to_legacy is None:
            yield _error(at, f"the function {rule.use} does not serve this direction")
        if bool(rule.constant) == bool(rule.from_):
            yield _error(at, f"{place}: say one of `from` and `constant`")
        for constant in (rule.constant, rule.default):
            if constant and spec.pattern.fullmatch(constant) is None:
                yield _error(at, f"{place}: {constant!r} does not fit {spec.format}")
            elif constant and spec.values and constant not in spec.values:
                yield _error(at, f"{place}: {constant!r} is none of {', '.join(sorted(spec.values))}")
        sources = d.as_list(rule.from_)
        for source in sources:
            yield from _root(at, source)
        function = FUNCTIONS.get(rule.use)
        takes = {len(values) for values, _ in function.to_legacy_examples} if function is not None else set()
        # Examples of several lengths: the function takes any number.
        if len(takes) == 1 and len(sources) not in takes:
            yield _error(at, f"{place}: the function {rule.use} takes {takes.pop()} sources, not {len(sources)}")


def _root(at: str, path: str) -> Iterator[Finding]:
    root, _, name = path.partition(".")
    if root not in ROOTS:
        yield _error(at, f"{path} has no root; roots are {', '.join(ROOTS)}")
    elif root == "context" and name not in CONTEXT:
        yield _error(at, f"there is no {path}; there are {', '.join(sorted(CONTEXT))}")


def _wanted(at: str, path: str, wanted: Any) -> Iterator[Finding]:
    """A condition wants a value, one of several, `present`, or a date `after` or `not_after` another."""
    if isinstance(wanted, dict):
        name, value = next(iter(wanted.items()), ("", None))
        if len(wanted) == 1 and name in ("after", "not_after") and isinstance(value, str):
            yield from _root(at, value)
        elif len(wanted) != 1 or name != "present" or not isinstance(value, bool):
            yield _error(at, f"{path}: say a value, several, or one of `present`, `after` and `not_after`")
    elif any(isinstance(value, (list, dict)) for value in (wanted if isinstance(wanted, list) else ())):
        yield _error(at, f"{path}: a list holds values only")


def _sequence(spec: SequenceSpec, path: str) -> SequenceSpec | None:
    if spec.path == path:
        return spec
    for item in spec.items:
        if isinstance(item, SequenceSpec) and (found := _sequence(item, path)) is not None:
            return found
    return None


def _error(path: str, text: str) -> Finding:
    return Finding("PGB-MAP-011", "error", path, text)
