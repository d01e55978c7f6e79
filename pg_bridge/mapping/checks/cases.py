"""Cases: the examples beside each rule file, run through the book as traffic would be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pg_bridge.errors import BridgeError, Finding, MappingError
from pg_bridge.mapping import document as d
from pg_bridge.mapping.back.fidelity import request_fidelity
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks.faults import NO_CASES, TWICE, Fault, Kind
from pg_bridge.mapping.file_message import FileMessage
from pg_bridge.mapping.rule_set import Located
from pg_bridge.mapping.schema import value_at
from pg_bridge.mapping.translated import Request
from pg_bridge.typed_toml import Lines, read_toml

CASE_FAILED = "PGB-MAP-020"
CASE_REMEDY = "Correct the rule if the case is right, or the case if the rule is."


@dataclass(frozen=True, slots=True)
class LocatedCase:
    """A case, the rule file that it is for, and where it stands."""

    path: str
    line: int
    located: Located
    case: d.Case


def case_findings(book: MappingBook, files: Mapping[str, str]) -> list[Finding]:
    """What every case of the set finds; a rule file, or a part of one, without cases is a finding too."""
    findings: list[Finding] = []
    way_back = WayBack(book)
    for each in read_cases(book, files, findings):
        findings += run_case(book, each, way_back)
    return findings


def read_cases(book: MappingBook, files: Mapping[str, str], findings: list[Finding]) -> list[LocatedCase]:
    """The cases of all rule files; those that cannot be read, or are missing, become findings."""
    found: list[LocatedCase] = []
    known = set()
    for located in book.rules.files:
        path = located.path.removesuffix(".toml") + d.CASES_SUFFIX
        known.add(path)
        if path not in files:
            findings.append(_wrong(NO_CASES, located.path, f"the file has no cases: write {path}"))
            continue
        file = read_toml(path, files[path], d.CaseFile, findings)
        if file is None:
            continue
        cases: list[d.Case] = file.case
        lines = Lines(files[path])
        by_name: dict[str, d.Case] = {}
        for number, case in enumerate(cases):
            line = lines.of(f"case[{number}]")
            if case.name in by_name:
                findings.append(_wrong(TWICE, path, f"there is a case {case.name} already", line))
            if case.base and case.base not in by_name:
                findings.append(
                    _wrong(NO_CASES, path, f"there is no case {case.base} above to base {case.name} on", line)
                )
                continue
            whole = _overlaid(by_name[case.base], case) if case.base else case
            by_name[case.name] = whole
            found.append(LocatedCase(path, line, located, whole))
        kinds = {case.kind for case in cases}
        sections = {
            "request": located.file.request,
            "record": located.file.record or None,
            "answer": located.file.answer,
            "message": located.file.message,
        }
        findings += [
            _wrong(NO_CASES, path, f"there is no case of kind {kind}")
            for kind, section in sections.items()
            if section is not None and kind not in kinds
        ]
        findings += [
            _wrong(NO_CASES, path, f"there are cases of kind {kind}, but the file has no such section")
            for kind, section in sections.items()
            if section is None and kind in kinds
        ]
    findings += [
        _wrong(NO_CASES, path, "no rule file stands beside these cases")
        for path in sorted(files)
        if path.startswith(d.RULES_FOLDER) and path.endswith(d.CASES_SUFFIX) and path not in known
    ]
    return found


def run_case(book: MappingBook, each: LocatedCase, way_back: WayBack) -> list[Finding]:
    """What differs between a case and what the book makes of it, there and back; empty when they agree."""
    case = each.case
    section = getattr(each.located.file, case.kind)
    if not section:
        return []
    if case.kind == "record":
        faults = _record(book, each)
    else:
        faults = _request(book, each, way_back) if case.kind == "request" else _message(book, each, way_back)
    return [
        Finding(CASE_FAILED, "error", each.path, f"case {case.name}: {text}", each.line, remedy=CASE_REMEDY)
        for text in faults
    ]


def body_of(text: str) -> bytes:
    """The text block of a case: its lines, each ended by CRLF. Characters are latin-1."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1", "replace")


def sources_of(case: d.Case) -> dict[str, Any]:
    """The sources of an answer or message, with the entries of one that lists them."""
    return {**case.sources, "ocp": case.entries} if case.entries else {**case.sources}


def _request(book: MappingBook, each: LocatedCase, way_back: WayBack) -> Iterator[str]:
    case, section = each.case, each.located.file.request
    if section is None:
        return
    try:
        request = book.read_request(
            section.template, case.message_type, body_of(case.body), case.context, lenient=case.lenient
        )
    except BridgeError as error:
        yield str(error)
        return
    codes = [finding.code for finding in request.findings]
    if codes != case.findings:
        told = "; ".join(str(finding) for finding in request.findings) or "none"
        yield f"the findings {case.findings} are due, these came: {told}"
    if case.document is not None:
        yield from _differences(case.document, request.document, "")
        if not codes and section.schema:
            yield from (
                f"OCP would refuse the document: {fault.path or 'document'}: {fault.text}"
                for fault in book.ocp.schema_faults(section.schema, request.document)
                if fault.path not in section.sought or fault.value is not None
            )
    elif not codes:
        yield "the case says neither which document nor which findings are due"
    if case.carried is not None:
        yield from _differences(case.carried, request.carried, "carried ")
    if not any(finding.severity == "error" for finding in request.findings):
        yield from _taken_back(book, each, request, way_back)


def written_of(book: MappingBook, each: LocatedCase) -> list[FileMessage | tuple[Finding, ...]]:
    """What the record sections of each layout make of a case's record."""
    values, context = each.case.sources.get("record", {}), each.case.sources.get("context", {})
    layouts = dict.fromkeys((section.layout, section.record) for section in each.located.file.record)
    return [book.files.write(*names, values, context) for names in layouts]


def _record(book: MappingBook, each: LocatedCase) -> Iterator[str]:
    """What the record sections of a set make of a record, and what the request that it becomes is found to be."""
    case, context = each.case, each.case.sources.get("context", {})
    written = written_of(book, each)
    messages = [message for message in written if isinstance(message, FileMessage)]
    found = [finding for message in written if not isinstance(message, FileMessage) for finding in message]
    if len(messages) > 1:
        yield f"{len(messages)} layouts write it"
        return
    for message in messages:
        if case.message_type and message.message_type != case.message_type:
            yield f"MT{case.message_type} is due, MT{message.message_type} came"
        if message.body != body_of(case.body):
            yield f"another text came:\n{message.body.decode('latin-1')}"
        request = book.read_request(message.template, message.message_type, message.body, context)
        found += request.findings
    if [finding.code for finding in found] != case.findings:
        told = "; ".join(str(finding) for finding in found) or "none"
        yield f"the findings {case.findings} are due, these came: {told}"


def _taken_back(book: MappingBook, each: LocatedCase, request: Request, way_back: WayBack) -> Iterator[str]:
    """Members marked lossless that come back otherwise from the message that the document is turned into."""
    case = each.case
    try:
        back = way_back.write_request(
            request.template, request.document, case.context, carried=request.carried, message_type=case.message_type
        )
    except MappingError:
        return  # what has no way back as a whole is listed by the coverage, with the reason
    members = request_fidelity(book, request.function).members if back.findings else {}
    for finding in back.findings:
        if finding.path in members and members[finding.path].is_lossless:
            yield f"taken back and there again, {finding.path}: {finding.text}"


def _message(book: MappingBook, each: LocatedCase, way_back: WayBack) -> Iterator[str]:
    case = each.case
    write = book.write_answer if case.kind == "answer" else book.write_unsolicited
    try:
        written = write(each.located.file.function, sources_of(case))
    except BridgeError as error:
        codes = [finding.code for finding in error.findings]
        if not codes or codes != case.findings:
            yield f"it cannot be written: {error}"
        return
    if case.message_type and written.message_type != case.message_type:
        yield f"MT{case.message_type} is due, MT{written.message_type} came"
    findings = [finding for page in written.pages for finding in page.findings]
    if [finding.code for finding in findings] != case.findings:
        told = "; ".join(str(finding) for finding in findings) or "none"
        yield f"the findings {case.findings} are due, these came: {told}"
    texts = [case.body, *case.more]
    if len(texts) != len(written.pages):
        yield f"{len(texts)} messages are due, {len(written.pages)} came"
    for page, text in zip(written.pages, texts, strict=False):
        if page.body != body_of(text):
            yield f"another text came:\n{page.body.decode('latin-1')}"
        checked = book.check_message(page.template, page.message_type, page.body)
        yield from (f"the written message does not fit its template: {finding}" for finding in checked.findings)
        reading = way_back.read_message(page.template, page.message_type, page.body)
        for members in reading.entries:
            yield from _read_back(members, case)


def _read_back(members: Mapping[str, Any], case: d.Case) -> Iterator[str]:
    """Members that a message says otherwise than any of OCP's entries that it is written from; nothing without one."""
    entries = case.entries or ([case.sources["ocp"]] if case.sources.get("ocp") else [])
    faults = [
        [
            f"read back, {member} is {_shown(value)}, {_shown(there)} was written"
            for member, value in members.items()
            if value != (there := value_at(entry, member))
        ]
        for entry in entries
    ]
    yield from min(faults, key=len, default=())


def _differences(due: Mapping[str, Any], came: Mapping[str, Any], what: str) -> Iterator[str]:
    """Members that differ; one that is not due must be null or absent."""
    for name in sorted(due.keys() | came.keys()):
        wanted, got = due.get(name), came.get(name)
        if isinstance(wanted, Mapping) and isinstance(got, Mapping):
            yield from _differences(wanted, got, f"{what}{name}.")
        elif type(wanted) is not type(got) or wanted != got:
            yield f"{what}{name}: {_shown(wanted)} is due, {_shown(got)} came"


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)


def _overlaid(base: d.Case, case: d.Case) -> d.Case:
    """A case on top of another: its own texts, its tables laid over the other's, `absent` members taken out."""
    tables = {
        "document": case.document if case.document is None else _laid(base.document or {}, case.document),
        "sources": _laid(base.sources, case.sources),
        "context": _laid(base.context, case.context),
    }
    for path in case.absent:
        *above, last = path.split(".")
        spot: Any = tables
        for member in above:
            spot = spot.get(member) if isinstance(spot, dict) else None
        if isinstance(spot, dict):
            spot.pop(last, None)
    return msgspec.structs.replace(
        case,
        message_type=case.message_type or base.message_type,
        body=case.body or base.body,
        document=tables["document"],
        sources=tables["sources"] or {},
        context=tables["context"] or {},
        entries=case.entries or base.entries,
        more=case.more or base.more,
    )


def _laid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    laid = {name: _laid(value, {}) if isinstance(value, dict) else value for name, value in below.items()}
    for name, value in above.items():
        there = laid.get(name)
        laid[name] = _laid(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return laid


def _wrong(kind: Kind, path: str, text: str, line: int = 0) -> Finding:
    return Fault(kind, text).finding(path, line)
