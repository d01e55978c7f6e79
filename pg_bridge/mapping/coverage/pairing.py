"""Pairings: which place and which member each rule joins, and what stands alone for which reason.

Every field of the templates and every member of the schemas that a set's rules use comes at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec
from msgspec import structs

from pg_bridge.mapping import document as d
from pg_bridge.mapping.back.fidelity import message_fidelity, request_fidelity
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.coverage.files import made_joins, record_columns, upload_joins, upload_lines
from pg_bridge.mapping.coverage.joins import Join, Status, message_joins, request_joins
from pg_bridge.mapping.coverage.sides import LegacyField, OcpMember, legacy_fields, ocp_members
from pg_bridge.mapping.places import places_of
from pg_bridge.mapping.rule_set import Located
from pg_bridge.profiles.template import Template

PartName = Literal["request", "upload", "record", "answer", "message"]

#: parts whose members are none of OCP's: columns of a record, lines of a part of a file
OF_FILES: frozenset[PartName] = frozenset(("upload", "record"))

#: status = what it says; from the best for a value to the worst
STATUSES: Mapping[Status, str] = {
    "mapped": "goes across as it is",
    "transformed": "goes across by a function, a code table or a condition",
    "carried": "kept in the journal, not sent to OCP",
    "defaulted": "a constant of the rules, whatever the other side says",
    "refused": "a message with it is refused",
    "left_out": "has no place in the message, for the reason given",
    "fixed": "constant by template: one value is allowed, it says nothing",
    "not_mapped": "no rule uses it",
}


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """One place and one member that a rule joins; a place or member that stands alone has the other empty.

    file: the rule file of the section, template: its template; rule: `file:line` of the rule itself, both below rules/.
    message_types: those in which it holds, empty for all of the template. others: sources that are neither place nor
    member (`@message_type`, `context.participant`). how: `direct`, `constant`, `condition`, or functions and tables in
    their order, which stand in `functions` and `tables`; via: the named values on the way. constant, default: the text
    itself. Sources are `public` or `assumed`, empty where there is nothing. is_lossless: whether the value comes back
    the same (None: not judged), and `why`.
    """

    function: str
    part: PartName
    file: str
    template: str = ""
    place: str = ""
    message_types: tuple[str, ...] = ()
    member: str = ""
    others: tuple[str, ...] = ()
    how: str = ""
    functions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    constant: str = ""
    default: str = ""
    rule: str = ""
    condition: str = ""
    status: Status
    reason: str = ""
    place_source: str = ""
    member_source: str = ""
    rule_source: str = ""
    is_lossless: bool | None = None
    why: str = ""


class Fidelity(Protocol):
    """Whether a value comes back the same from the other side, and why: one sentence."""

    @property
    def is_lossless(self) -> bool: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102


#: book, function and part -> verdicts: by place for a request, by member for an answer or message
FidelityOf = Callable[[MappingBook, str, PartName], Mapping[str, Fidelity]]


def judged(book: MappingBook, function: str, part: PartName) -> Mapping[str, Fidelity]:
    """The verdicts of the rules themselves: by place for a request, by member for an answer or message."""
    if part == "request":
        return request_fidelity(book, function).places
    return message_fidelity(book, function, part)


#: what stands for a schema where a section has none of OCP's
REPORTS = "the bridge's reports"
NOTHING = "nothing of OCP"
LINES = "the lines of a part"


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a rule file: both sides, and their pairings in the template's order.

    file: below rules/. schema: OCP's, or words where there is none; of a record, its layout and name. operation: OCP's,
    empty for what comes unasked, for reports and of batch files. members: in a record, the columns; in an upload, the
    lines of a part.
    """

    function: str
    part: PartName
    file: str
    version: str
    source: str
    template: str
    meaning: str
    message_types: tuple[str, ...]
    template_source: str
    schema: str
    operation: str
    fields: tuple[LegacyField, ...]
    members: tuple[OcpMember, ...]
    pairings: tuple[Pairing, ...]


def sections(book: MappingBook, fidelity: FidelityOf | None = None) -> list[Section]:
    """Every section of every rule file, paired; in the order of files, what is asked before its answer."""
    fidelity = fidelity or judged
    found: list[Section] = []
    for located in book.rules.files:
        file = located.file
        if file.request is not None:
            found.append(_request(book, located, file.request, fidelity))
        if file.upload is not None:
            found.append(_upload(book, located, file.upload))
        found += [_record(book, located, section) for section in file.record]
        if file.answer is not None:
            found.append(_message(book, located, "answer", file.answer, fidelity))
        if file.message is not None:
            found.append(_message(book, located, "message", file.message, fidelity))
    return found


def pairings(book: MappingBook, fidelity: FidelityOf | None = None) -> list[Pairing]:
    """The pairings of every rule file and section of a set."""
    return [pairing for section in sections(book, fidelity) for pairing in section.pairings]


def _request(book: MappingBook, located: Located, section: d.RequestSection, fidelity: FidelityOf) -> Section:
    members = ocp_members(book.ocp.openapi, d.shape_of(section))
    schema = section.schema or (REPORTS if members else NOTHING)
    joins = list(request_joins(located, section))
    return _section(book, located, "request", section.template, schema, members, joins, fidelity)


def _message(
    book: MappingBook, located: Located, part: PartName, section: d.MessageSection, fidelity: FidelityOf
) -> Section:
    members = ocp_members(book.ocp.openapi, section.schema)
    joins = list(message_joins(book.rules, located, section))
    return _section(book, located, part, section.template, section.schema or NOTHING, members, joins, fidelity)


def _upload(book: MappingBook, located: Located, section: d.UploadSection) -> Section:
    template, form = book.legacy.templates[section.template], book.legacy.parts
    joins = upload_joins(located, form, template)
    return _section(book, located, "upload", section.template, LINES, upload_lines(form, template), joins)


def _record(book: MappingBook, located: Located, section: d.RecordSection) -> Section:
    record = book.legacy.layouts[section.layout].records[section.record]
    joins = [*message_joins(book.rules, located, section), *made_joins(located, section, record)]
    return _section(book, located, "record", section.template, record_schema(section), record_columns(record), joins)


def record_schema(section: d.RecordSection) -> str:
    """What stands for a schema in a record section: its layout and the record."""
    return f"{section.layout} {section.record}"


def _section(
    book: MappingBook,
    located: Located,
    part: PartName,
    name: str,
    schema: str,
    members: tuple[OcpMember, ...],
    joins: Sequence[Join],
    fidelity: FidelityOf | None = None,
) -> Section:
    """A section of the template `name`; fidelity: None where nothing goes back."""
    file = located.file
    template = book.legacy.templates[name]
    fields = legacy_fields(template)
    is_asked = file.request is not None and part in ("request", "answer")
    unjudged = Section(
        function=file.function,
        part=part,
        file=located.path.removeprefix(d.RULES_FOLDER),
        version=file.version,
        source=file.source,
        template=name,
        meaning=template.meaning,
        message_types=template.message_types,
        template_source=template.source,
        schema=schema,
        operation=file.request.operation if is_asked and file.request is not None else "",
        fields=fields,
        members=members,
        pairings=(),
    )
    verdicts = fidelity(book, file.function, part) if fidelity is not None else {}
    drafts = _complete(joins, unjudged, template)
    return structs.replace(unjudged, pairings=tuple(_judged(pairing, verdicts) for pairing in drafts))


def _complete(joins: Sequence[Join], section: Section, template: Template) -> Iterator[Pairing]:
    """Joins as pairings, in the order of the template, then of the schema; what no rule joins stands alone."""
    standing = {type_: places_of(template, type_) for type_ in template.message_types}
    place_sources = {field.place: field.source for field in section.fields}
    member_sources = {member.path: member.source for member in section.members}
    by_place: dict[str, list[Join]] = {}
    for join in joins:
        by_place.setdefault(join.place, []).append(join)

    def pairing(join: Join) -> Pairing:
        types = tuple(type_ for type_, places in standing.items() if join.place in places)
        return Pairing(
            function=section.function,
            part=section.part,
            file=section.file,
            template=section.template,
            place=join.place,
            message_types=types if join.place and types != template.message_types else (),
            member=join.member,
            others=join.others,
            how=join.how,
            functions=join.functions,
            tables=join.tables,
            via=join.via,
            constant=join.constant,
            default=join.default,
            rule=join.rule,
            condition=join.condition,
            status=join.status,
            reason=join.reason,
            place_source=place_sources.get(join.place, ""),
            member_source=member_sources.get(join.member, ""),
            rule_source=join.rule_source,
        )

    def alone(status: Status, place: str = "", member: str = "") -> Pairing:
        return pairing(Join(place=place, member=member, how="", rule="", rule_source="", status=status))

    seen: set[str] = set()
    for field in section.fields:
        if field.place in seen:
            continue
        seen.add(field.place)
        if field.place in by_place:
            yield from map(pairing, by_place[field.place])
        else:
            yield alone("fixed" if len(field.values) == 1 else "not_mapped", place=field.place)
    yield from map(pairing, (join for join in by_place.get("", ()) if not join.member))
    joined = {join.member for join in joins}
    for member in section.members:
        yield from map(pairing, (join for join in by_place.get("", ()) if join.member == member.path))
        if member.path not in joined:
            yield alone("not_mapped", member=member.path)


def _judged(pairing: Pairing, verdicts: Mapping[str, Fidelity]) -> Pairing:
    """The pairing with its verdict of fidelity: the one place where `is_lossless` and `why` are filled in."""
    verdict = verdicts.get(pairing.place if pairing.part == "request" else pairing.member)
    if verdict is None:
        return pairing
    return structs.replace(pairing, is_lossless=verdict.is_lossless, why=verdict.why)
