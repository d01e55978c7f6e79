"""Whether report files fit: their layouts, the concepts that they name, every code, and that nothing is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pg_bridge.errors import Finding
from pg_bridge.formats.fixed_width.layout import Column, Layout
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.report_document import ReportColumn, ReportFile, read_report_files
from pg_bridge.mapping.report_rules import NO, REPORT_SOURCES, YES, ReportRules, can_be
from pg_bridge.profiles.concepts import KINDS, Kind
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.market_concepts import MARKET_CODE_TABLES, MARKET_GROUPS, OPTIONAL_OPERATIONS, Market, table_of
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.typed_toml import Lines, nearest, shown

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REPORT = re.compile(r"[A-Z0-9][A-Z0-9-]{0,14}")
#: what a column of each kind can be given without a table
_FITS: dict[str, frozenset[Kind]] = {
    "text": frozenset({Kind.TEXT}),
    "digits": frozenset({Kind.TEXT}),
    "number": frozenset({Kind.NUMBER}),
    "decimal": frozenset({Kind.AMOUNT, Kind.NUMBER}),
    "date": frozenset({Kind.DATE}),
}


def report_rules(
    files: Mapping[str, str], legacy: LegacyProfile, profile: OcpProfile, findings: list[Finding]
) -> dict[str, ReportRules]:
    """The reports of a set by name, compiled; what is wrong with one is added to findings, and it is left out.

    A report of what the profile has no operation for is none of the set.
    """
    made: dict[str, ReportRules] = {}
    paths: dict[str, str] = {}
    for path, file in read_report_files(files, findings).items():
        faults = list(_faults(file, legacy, profile))
        if file.name in paths:
            faults.append(Fault(f.TWICE, f"a second report {shown(file.name)}: {paths[file.name]} is one", "name"))
        paths.setdefault(file.name, path)
        lines = Lines(files[path]) if faults else None
        findings += [fault.finding(path, lines.of(fault.at) if lines is not None else 0) for fault in faults]
        if not any(fault.kind.severity == "error" for fault in faults) and _is_served(file, profile):
            made[file.name] = ReportRules(path, file, legacy.layouts[file.layout], profile)
    return made


def _is_served(file: ReportFile, profile: OcpProfile) -> bool:
    """Whether the profile has an operation that answers with such entries."""
    return any(
        groups[-1] == file.of and any(operation.value == name for operation in profile.operations)
        for name, groups in OPTIONAL_OPERATIONS.items()
    )


def _faults(file: ReportFile, legacy: LegacyProfile, profile: OcpProfile) -> Faults:
    if not _NAME.fullmatch(file.name):
        yield Fault(f.DOES_NOT_FIT, f"{shown(file.name)!r} is no name: small letters, digits and hyphens", "name")
    for at, report in (("report", file.report), *((f"report_of.{each}", id_) for each, id_ in file.report_of.items())):
        if not _REPORT.fullmatch(report):
            text = f"{shown(report)!r} is no report id: 1 to 15 capital letters, digits and hyphens"
            yield Fault(f.DOES_NOT_FIT, text, at)
    for market in file.report_of:
        if market not in list(Market):
            text = f"{shown(market)} is no market; {', '.join(Market)} are"
            yield Fault(f.NO_SUCH_SOURCE, text, f"report_of.{market}")
    ids = [file.report, *file.report_of.values()]
    if len(set(ids)) < len(ids):
        yield Fault(f.TWICE, "reports of two markets have the same id", "report_of")
    layout = legacy.layouts.get(file.layout)
    if layout is None:
        text = f"there is no layout {shown(file.layout)}. {nearest(file.layout, sorted(legacy.layouts))}"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "layout")
        return
    details = [each.name for each in layout.records.values() if each.role == "detail"]
    if file.record not in details:
        text = f"{layout.name} has no detail {shown(file.record)}; it has {', '.join(details) or 'none'}"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "record")
        return
    concepts = {concept: KINDS.get(concept, Kind.TEXT) for concept in MARKET_GROUPS[file.of]}
    is_served = _is_served(file, profile)
    yield from _columns(file.header.columns, "header", layout, layout.header.name, REPORT_SOURCES, profile, is_served)
    yield from _columns(file.detail.columns, "detail", layout, file.record, concepts, profile, is_served)
    used = {each.from_ for each in file.detail.columns}
    for concept in concepts:
        if concept not in used and concept not in file.left_out:
            text = f"{concept} stands in no column, and is not left out with a reason"
            yield Fault(f.FORGOTTEN, text, "detail")
    for concept, reason in file.left_out.items():
        if concept not in concepts or concept in used or not reason.strip():
            text = f"{shown(concept)} is no concept of {file.of}, stands in a column, or has no reason"
            yield Fault(f.UNUSED, text, f"left_out.{concept}")


def _columns(
    columns: list[ReportColumn],
    section: str,
    layout: Layout,
    record: str,
    sources: Mapping[str, Kind],
    profile: OcpProfile,
    is_served: bool,
) -> Faults:
    spec = layout.records[record]
    given = {column.name: column for column in spec.given}
    seen: set[str] = set()
    for number, each in enumerate(columns):
        at = f"{section}.columns[{number}]"
        column = given.get(each.to)
        if column is None:
            text = f"{layout.name}/{record} has no column {shown(each.to)} that is given a value"
            yield Fault(f.NO_SUCH_MEMBER, f"{text}. {nearest(each.to, sorted(given))}", at)
            continue
        if each.to in seen:
            yield Fault(f.TWO_RULES, f"two columns {shown(each.to)}", at)
        seen.add(each.to)
        yield from _column(each, column, at, sources, profile, is_served)
    for column in spec.given:
        if column.is_mandatory and column.name not in seen:
            yield Fault(f.NOT_FED, f"nothing gives the column {record}/{column.name}", section)


def _column(
    each: ReportColumn, column: Column, at: str, sources: Mapping[str, Kind], profile: OcpProfile, is_served: bool
) -> Faults:
    if (each.constant is None) == (not each.from_):
        yield Fault(f.SAYS_TOO_MUCH, f"{each.to}: it needs one of `from` and `constant`", at)
        return
    for what, text in (("constant", each.constant), ("default", each.default)):
        if text is not None and not can_be(text, column):
            yield Fault(f.DOES_NOT_FIT, f"{each.to}: the {what} {text!r} is no value of the column", at)
    if each.constant is not None:
        return
    kind = sources.get(each.from_)
    if kind is None:
        yield Fault(f.NO_SUCH_SOURCE, f"there is no {shown(each.from_)}. {nearest(each.from_, sorted(sources))}", at)
        return
    if each.use:
        if kind is not Kind.TIME or column.kind not in ("text", "digits"):
            yield Fault(f.WRONG_FUNCTION, f"{each.to}: {each.use} makes digits of a time", at)
    elif each.codes or kind in (Kind.CODE, Kind.FLAG):
        yield from _codes(each, column, at, kind, profile, is_served)
    elif kind not in _FITS[column.kind]:
        text = f"{each.to}: a {kind} cannot be written in a column of the kind {column.kind}"
        yield Fault(f.DOES_NOT_FIT, text, at)


def _codes(
    each: ReportColumn, column: Column, at: str, kind: Kind, profile: OcpProfile, is_served: bool
) -> Iterator[Fault]:
    """Every meaning that OCP can give has a text, and every text is one of the column's."""
    if kind is Kind.FLAG:
        meanings: set[str] = {YES, NO}
    elif each.from_ in REPORT_SOURCES and kind is Kind.CODE:
        meanings = {*Market}
    elif table_of(each.from_) or kind is Kind.CODE:
        table = table_of(each.from_)
        codes = profile.codes(table) if is_served else {}
        meanings = {meaning.value for meaning in codes} or {meaning.value for meaning in MARKET_CODE_TABLES[table]}
    else:
        yield Fault(f.NO_SUCH_TABLE, f"{each.to}: {each.from_} has no codes", at)
        return
    wanting = sorted(meanings - set(each.codes))
    if wanting:
        yield Fault(f.TABLE_INCOMPLETE, f"{each.to}: no text for {', '.join(wanting)}", at)
    # A meaning that this profile has no code for may have a text all the same.
    known = meanings | {meaning.value for meaning in MARKET_CODE_TABLES.get(table_of(each.from_), ())}
    for meaning, text in each.codes.items():
        if meaning not in known:
            yield Fault(f.TABLE_INCOMPLETE, f"{each.to}: {shown(meaning)} is no meaning of {each.from_}", at)
        is_empty_ok = not text and not column.is_mandatory
        if not is_empty_ok and (not text or not can_be(text, column)):
            yield Fault(f.DOES_NOT_FIT, f"{each.to}: {text!r} is no value of the column", at)
