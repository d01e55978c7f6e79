"""The other side of a batch file's sections: the columns of its records, and the lines by which its parts are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pg_bridge.formats.fixed_width.layout import Column, RecordSpec
from pg_bridge.link.parts import PartsForm
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.checks.upload_check import PART_LINES
from pg_bridge.mapping.coverage.joins import DIRECT, Join
from pg_bridge.mapping.coverage.sides import OcpMember
from pg_bridge.mapping.rule_set import Located
from pg_bridge.profiles.template import Template

#: what the lines of a part say, by their concepts
_LINES: Mapping[str, str] = {
    "file": "name of the file",
    "date": "day of the file",
    "part": "which part, of how many",
    "size": "bytes of the whole file",
    "hash": "SHA-256 of the whole file",
    "data": "base64 of the part",
}

_KINDS: Mapping[str, str] = {"number": "whole number", "decimal": "amount"}


def record_columns(record: RecordSpec) -> tuple[OcpMember, ...]:
    """Every column of a record, in its order."""
    return tuple(
        OcpMember(
            path=column.name,
            is_required=column.is_given and column.is_mandatory,
            kind=_kind(column),
            codes=tuple(sorted(column.values)),
            meaning=column.meaning,
            sample="",
            source=column.source,
        )
        for column in record.columns
    )


def made_joins(located: Located, section: d.RecordSection, record: RecordSpec) -> Iterator[Join]:
    """The columns that are made, which tell a message nothing."""
    for column in record.columns:
        if not column.is_given:
            is_fixed = column.constant is not None
            yield Join(
                member=column.name,
                how="",
                rule=located.rule_name(f"{located.part_of(section)}.record"),
                rule_source=located.file.source,
                status="fixed" if is_fixed else "left_out",
                reason=_made(column),
            )


def upload_lines(form: PartsForm | None, template: Template) -> tuple[OcpMember, ...]:
    """The lines of a part, in the form's order."""
    (type_,) = template.message_types
    spec = template.concept(PART_LINES, type_)
    return tuple(
        OcpMember(
            path=key,
            is_required=concept != "data",
            kind=f"text, {form.line} characters a line" if concept == "data" else "text",
            codes=(),
            meaning=_LINES[concept],
            sample="",
            source=spec.source if spec is not None else "",
        )
        for concept, key in (form.keys.items() if form is not None else ())
        if form is not None and concept in _LINES
    )


def upload_joins(located: Located, form: PartsForm | None, template: Template) -> list[Join]:
    """What becomes of the fields of a part, by their concepts."""
    (type_,) = template.message_types
    reference, lines = template.concept(REFERENCE, type_), template.concept(PART_LINES, type_)
    rule, source = located.rule_name("upload.template"), located.file.source
    found: list[Join] = []
    if reference is not None:
        reason = "the reference of the part: the answer to it repeats it"
        found.append(
            Join(place=reference.place, how="", rule=rule, rule_source=source, status="carried", reason=reason)
        )
    if lines is not None:
        found += [
            Join(place=lines.place, member=each.path, how=DIRECT, rule=rule, rule_source=source, status="mapped")
            for each in upload_lines(form, template)
        ]
    return found


def _kind(column: Column) -> str:
    width = f"{column.width} character{'' if column.width == 1 else 's'}"
    decimals = f", {column.decimals} of them decimals" if column.decimals else ""
    return f"{_KINDS.get(column.kind, column.kind)}, {width}{decimals}, {column.span}"


def _made(column: Column) -> str:
    """Why a column that is made tells a message nothing."""
    if column.constant is not None:
        return f"always {column.constant.strip()}" if column.constant.strip() else "always spaces"
    if column.sign_of:
        return f"the sign of {column.sign_of}: checked when the file is read"
    if column.checksum:
        return f"the sum of {', '.join(column.checksum)}: checked when the file is read"
    if column.count_of:
        return f"the number of records {column.count_of}: checked when the file is read"
    record, name = column.total_of or ("", "")
    return f"the total of {name} of the records {record}: checked when the file is read"
