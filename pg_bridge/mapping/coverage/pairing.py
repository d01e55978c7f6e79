"""Pairings: which place and which member each rule joins, and what stands alone for which reason.

Every field of the templates and every member of the schemas that a set's rules use comes at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from pg_bridge.mapping import document as d
from pg_bridge.mapping.back.fidelity import message_fidelity, request_fidelity
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.coverage.joins import Join, Status, message_joins, request_joins
from pg_bridge.mapping.coverage.sides import LegacyField, OcpMember, legacy_fields, ocp_members
from pg_bridge.mapping.places import places_of
from pg_bridge.mapping.rule_set import Located
from pg_bridge.profiles.template import Template

PartName = Literal["request", "answer", "message"]

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

    file: the rule file of the section; rule: `file:line` of the rule itself, both below rules/. message_types: those in
    which it holds, empty for all of the template. others: sources that are neither place nor member (`@message_type`,
    `context.participant`). how: `direct`, `constant`, `condition`, or functions and tables in their order, which stand
    in `functions` and `tables`; via: the named values on the way. constant, default: the text itself. Sources are
    `public` or `assumed`, empty where there is nothing. is_lossless: whether the value comes back the same (None: not
    judged), and `why`.
    """

    function: str
    part: PartName
    file: str
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


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One request, answer or message of a rule file: both sides, and their pairings in the template's order.

    file: below rules/. schema: OCP's, or words where there is none. operation: OCP's, empty for what comes unasked
    and for reports.
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
    """Every section of every rule file, paired; in the order of files, a request before its answer."""
    fidelity = fidelity or judged
    found: list[Section] = []
    for located in book.rules.files:
        file = located.file
        parts: Sequence[tuple[PartName, d.RequestSection | d.MessageSection | None]] = (
            ("request", file.request),
            ("answer", file.answer),
            ("message", file.message),
        )
        found += [_section(book, located, part, section, fidelity) for part, section in parts if section is not None]
    return found


def pairings(book: MappingBook, fidelity: FidelityOf | None = None) -> list[Pairing]:
    """The pairings of every rule file and section of a set."""
    return [pairing for section in sections(book, fidelity) for pairing in section.pairings]


def _section(
    book: MappingBook,
    located: Located,
    part: PartName,
    section: d.RequestSection | d.MessageSection,
    fidelity: FidelityOf,
) -> Section:
    file = located.file
    template = book.legacy.templates[section.template]
    fields = legacy_fields(template)
    members = ocp_members(book.ocp.openapi, d.shape_of(section))
    if isinstance(section, d.RequestSection):
        joins = list(request_joins(located, section))
    else:
        joins = list(message_joins(book.rules, located, section))
    verdicts = fidelity(book, file.function, part)
    drafts = _complete(joins, file.function, part, located.path.removeprefix(d.RULES_FOLDER), template, fields, members)
    return Section(
        function=file.function,
        part=part,
        file=located.path.removeprefix(d.RULES_FOLDER),
        version=file.version,
        source=file.source,
        template=template.name,
        meaning=template.meaning,
        message_types=template.message_types,
        template_source=template.source,
        schema=section.schema or (REPORTS if members else NOTHING),
        operation=file.request.operation if file.request is not None and part != "message" else "",
        fields=fields,
        members=members,
        pairings=tuple(_judged(pairing, verdicts) for pairing in drafts),
    )


def _complete(
    joins: Sequence[Join],
    function: str,
    part: PartName,
    file: str,
    template: Template,
    fields: Sequence[LegacyField],
    members: Sequence[OcpMember],
) -> Iterator[Pairing]:
    """Joins as pairings, in the order of the template, then of the schema; what no rule joins stands alone."""
    standing = {type_: places_of(template, type_) for type_ in template.message_types}
    place_sources = {field.place: field.source for field in fields}
    member_sources = {member.path: member.source for member in members}
    by_place: dict[str, list[Join]] = {}
    for join in joins:
        by_place.setdefault(join.place, []).append(join)

    def pairing(join: Join) -> Pairing:
        types = tuple(type_ for type_, places in standing.items() if join.place in places)
        return Pairing(
            function=function,
            part=part,
            file=file,
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
    for field in fields:
        if field.place in seen:
            continue
        seen.add(field.place)
        if field.place in by_place:
            yield from map(pairing, by_place[field.place])
        else:
            yield alone("fixed" if len(field.values) == 1 else "not_mapped", place=field.place)
    yield from map(pairing, (join for join in by_place.get("", ()) if not join.member))
    joined = {join.member for join in joins}
    for member in members:
        yield from map(pairing, (join for join in by_place.get("", ()) if join.member == member.path))
        if member.path not in joined:
            yield alone("not_mapped", member=member.path)


def _judged(pairing: Pairing, verdicts: Mapping[str, Fidelity]) -> Pairing:
    """The pairing with its verdict of fidelity: the one place where `is_lossless` and `why` are filled in."""
    verdict = verdicts.get(pairing.place if pairing.part == "request" else pairing.member)
    if verdict is None:
        return pairing
    return msgspec.structs.replace(pairing, is_lossless=verdict.is_lossless, why=verdict.why)
