"""What is wrong with the rules of a set, found without running a case.

Every finding names file and line, and says what to do. `error`: the set is refused; `warning`: it works, look at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Kind
from pg_bridge.mapping.checks.message_check import message_faults
from pg_bridge.mapping.checks.paths import Budget
from pg_bridge.mapping.checks.record_check import record_faults
from pg_bridge.mapping.checks.request_check import request_faults
from pg_bridge.mapping.checks.upload_check import upload_faults
from pg_bridge.mapping.rule_set import RuleSet
from pg_bridge.profiles.legacy import CODES_FILE, LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile

#: the code table of reasons for a refusal
REFUSAL_REASONS = "refusal_reasons"


def document_findings(rules: RuleSet, legacy: LegacyProfile, ocp: OcpProfile) -> list[Finding]:
    """Everything that can be found without running a case."""
    findings: list[Finding] = []
    budget = Budget()
    served: dict[str, str] = {}
    uploads: list[str] = []
    written: dict[tuple[str, str], str] = {}
    for located in rules.files:
        file = located.file
        if all(section is None for section in (file.request, file.upload, file.answer, file.message)):
            findings.append(_error(f.SAYS_TOO_MUCH, located.path, "the file has no request, upload, answer or message"))
        if file.request is not None:
            findings += request_faults(located, file.request, legacy, ocp, rules.profile, budget)
            if file.request.template in served:
                text = f"{file.request.template} is served by {served[file.request.template]} already"
                findings.append(_error(f.TWICE, located.path, text, located.lines.of("request.template")))
            served[file.request.template] = located.path
            if file.answer is None:
                findings.append(_error(f.FORGOTTEN, located.path, "a request needs an answer"))
        if file.upload is not None:
            findings += upload_faults(located, file.upload, legacy)
            if file.upload.template in served or uploads:
                told = f"{(served.get(file.upload.template) or uploads[0])} says already how files come"
                findings.append(_error(f.TWICE, located.path, told, located.lines.of("upload.template")))
            served[file.upload.template] = located.path
            uploads.append(located.path)
            if file.answer is None:
                findings.append(_error(f.FORGOTTEN, located.path, "an upload needs an answer"))
        for record in file.record:
            findings += record_faults(rules, located, record, legacy, ocp)
        for kind, section in (("answer", file.answer), ("message", file.message)):
            if section is None:
                continue
            findings += message_faults(rules, located, section, legacy, ocp, budget)
            if (kind, file.function) in written:
                text = f"the {kind} of {file.function} is written by {written[kind, file.function]} already"
                findings.append(_error(f.TWICE, located.path, text, located.lines.of(kind)))
            written[kind, file.function] = located.path
        findings += _templates(located.path, file, legacy)
    for template in legacy.templates.values() if rules.is_whole else ():
        if template.direction == "I" and template.name not in served:
            findings.append(
                _error(f.FORGOTTEN, d.RULES_FOLDER, f"no rule file serves the request template {template.name}")
            )
    findings += _unused(rules)
    table = legacy.tables.get(REFUSAL_REASONS)
    if table is None or table.default is None:
        findings.append(_error(f.NO_SUCH_TABLE, CODES_FILE, f"there must be a table {REFUSAL_REASONS} with a default"))
    # A shared file's faults are found once for every file that includes it.
    return list(dict.fromkeys(findings))


def _templates(path: str, file: d.RuleFile, legacy: LegacyProfile) -> Iterator[Finding]:
    """The templates of a file are those of its function, each in its own direction."""
    wanted = {"request": "I", "upload": "I", "answer": "O", "message": "O"}
    parts: Mapping[str, d.RequestSection | d.UploadSection | d.MessageSection | None] = {
        "request": file.request,
        "upload": file.upload,
        "answer": file.answer,
        "message": file.message,
    }
    for part, section in parts.items():
        template = legacy.templates.get(section.template) if section is not None else None
        if template is None:
            continue
        if template.direction != wanted[part]:
            yield _error(f.NO_SUCH_PROFILE_NAME, path, f"the template {template.name} goes the other way than a {part}")
        if template.function != file.function:
            yield _error(
                f.NO_SUCH_PROFILE_NAME, path, f"the template {template.name} is of the function {template.function}"
            )
    asking = file.request or file.upload
    request = legacy.templates.get(asking.template) if asking is not None else None
    if request is not None and file.answer is not None and request.answer not in ("", file.answer.template):
        yield _error(f.NO_SUCH_PROFILE_NAME, path, f"the template {request.name} is answered by {request.answer}")


def _unused(rules: RuleSet) -> Iterator[Finding]:
    included = {
        block.include
        for located in rules.files
        for section in (located.file.answer, located.file.message, *located.file.record)
        for block in (section.block if section is not None else ())
    }
    for name, shared in rules.shared.items():
        if name not in included:
            yield _error(f.UNUSED, shared.path, f"no file includes the shared blocks {name}")


def _error(kind: Kind, path: str, text: str, line: int = 0) -> Finding:
    return Fault(kind, text).finding(path, line)
