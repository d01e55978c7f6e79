"""The coverage of a mapping set as one HTML page that a business analyst can read, print and sign off.

Self-contained: no request leaves the page, and nothing in it needs a script to be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pg_bridge.mapping.condition_words import source_words
from pg_bridge.mapping.coverage.coverage import Alone, Coverage, SectionCoverage
from pg_bridge.mapping.coverage.joins import CONDITION, CONSTANT, DIRECT
from pg_bridge.mapping.coverage.pairing import STATUSES, Pairing
from pg_bridge.mapping.coverage.sides import LegacyField, OcpMember

#: status = the word for it, and the one letter that stands for it in the matrix
LABELS: Mapping[str, tuple[str, str]] = {
    "mapped": ("mapped", "M"),
    "transformed": ("transformed", "T"),
    "carried": ("carried", "C"),
    "defaulted": ("defaulted", "D"),
    "refused": ("refused", "R"),
    "left_out": ("left out", "L"),
    "fixed": ("constant by template", "K"),
    "not_mapped": ("not mapped", "N"),
}
PARTS: Mapping[str, str] = {
    "request": "Request: from the PSS to OCP",
    "upload": "Upload: parts of a file from the PSS",
    "record": "Record: from a batch file to a message of the PSS",
    "answer": "Answer: from OCP to the PSS",
    "message": "Message: from OCP to the PSS, unasked",
}

#: part = what stands on the other side: where it is from, and what one of it is called
OTHER_SIDES: Mapping[str, tuple[str, str]] = {"upload": ("Part", "line"), "record": ("File", "column")}
OCP_SIDE = ("OCP", "OCP member")

#: what becomes of a field that a request's rule does not send
KEPT: Mapping[str, str] = {"carried": "kept in the journal", "refused": "the message is refused"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a value on its way. kind: `function`, `table`, `else` for a default, or empty."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One way of a value as a line of the table: the members, how in words, and what is said of it.

    cases: (condition, rule) of each rule that does the same; the order of rules counts where each writes a constant,
    so that those stay apart.
    """

    members: tuple[OcpMember, ...]
    steps: tuple[Step, ...]
    beside: str
    status: str
    reason: str
    message_types: tuple[str, ...]
    rule_source: str
    cases: tuple[tuple[str, str], ...]
    is_lossless: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class FieldLines:
    """One field, or what stands at no field, and its lines."""

    field: LegacyField | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of the matrix: a status, and what a reader sees when pointing at it."""

    status: str
    text: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section as the page shows it. marks: by (place, member); alone marks by name.

    side: what stands on the other side, as of OTHER_SIDES.
    """

    covered: SectionCoverage
    title: str
    side: tuple[str, str]
    fields: tuple[FieldLines, ...]
    places: tuple[str, ...]
    marks: Mapping[tuple[str, str], Mark]
    field_marks: Mapping[str, Mark]
    member_marks: Mapping[str, Mark]


def coverage_page(coverage: Coverage, *, date: str, program: str = "") -> str:
    """The page. date: when it was made, in words; program: which version made it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    functions = [
        (each.function, [_view(covered, coverage) for covered in each.sections]) for each in coverage.functions
    ]
    return environment.get_template("coverage.html.j2").render(
        coverage=coverage,
        functions=functions,
        date=date,
        program=program,
        labels=LABELS,
        meanings=STATUSES,
        parts=PARTS,
        words=source_words,
    )


def _view(covered: SectionCoverage, coverage: Coverage) -> SectionView:
    section = covered.section
    members = {member.path: member for member in section.members}
    fields: list[FieldLines] = []
    for field in section.fields:
        there = [
            pairing
            for pairing in section.pairings
            if pairing.place == field.place and _meet(field.message_types, pairing.message_types)
        ]
        fields.append(FieldLines(field, tuple(_lines(there, members, coverage))))
    loose = [pairing for pairing in section.pairings if not pairing.place]
    if loose:
        fields.append(FieldLines(None, tuple(_lines(loose, members, coverage))))
    return SectionView(
        covered=covered,
        title=PARTS[section.part],
        side=OTHER_SIDES.get(section.part, OCP_SIDE),
        fields=tuple(fields),
        places=tuple(dict.fromkeys(field.place for field in section.fields)),
        marks={
            (cell.place, cell.member): Mark(
                cell.status,
                f"{cell.place} and {cell.member}: {LABELS[cell.status][0]}, {'; '.join(cell.hows)} "
                f"({', '.join(cell.rules)})",
            )
            for cell in covered.cells
        },
        field_marks={each.name: _alone(each) for each in covered.fields_alone},
        member_marks={each.name: _alone(each) for each in covered.members_alone},
    )


def _meet(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether message types have one in common; none named is all."""
    return not some or not others or bool(set(some) & set(others))


def _alone(each: Alone) -> Mark:
    parts = [f"{each.name}: {LABELS[each.status][0]}"]
    if each.others:
        parts.append("from " + ", ".join(source_words(other) for other in each.others))
    if each.constants:
        parts.append("writes " + ", ".join(each.constants))
    if each.reason:
        parts.append(each.reason)
    return Mark(each.status, "; ".join(parts))


def _lines(pairings: Sequence[Pairing], members: Mapping[str, OcpMember], coverage: Coverage) -> list[Line]:
    """Pairings of one rule and the same steps are one line; what stands alone is a line each."""
    grouped: dict[tuple[object, ...], list[Pairing]] = {}
    for number, pairing in enumerate(pairings):
        is_alone = not pairing.rule or (not pairing.place and pairing.status in ("left_out", "not_mapped"))
        rule = (pairing.rule, pairing.how, pairing.condition, pairing.status)
        grouped.setdefault((number,) if is_alone else rule, []).append(pairing)
    lines: dict[tuple[object, ...], Line] = {}
    for group in grouped.values():
        first = group[0]
        judged = [pairing for pairing in group if pairing.is_lossless is not None]
        others = tuple(dict.fromkeys(other for pairing in group for other in pairing.others))
        line = Line(
            members=tuple(members[pairing.member] for pairing in group if pairing.member),
            steps=_steps(first, coverage),
            beside=", ".join(source_words(other) for other in others),
            status=first.status,
            reason=first.reason,
            message_types=first.message_types,
            rule_source=first.rule_source,
            cases=((first.condition, first.rule),),
            is_lossless=all(pairing.is_lossless for pairing in judged) if judged else None,
            why="; ".join(dict.fromkeys(pairing.why for pairing in judged if pairing.why)),
        )
        names = tuple(pairing.member for pairing in group)
        is_apart = bool(first.constant) or not first.how
        key = (len(lines),) if is_apart else (names, line.steps, others, first.status)
        above = lines.get(key)
        lines[key] = line if above is None else replace(above, cases=(*above.cases, *line.cases))
    return list(lines.values())


def _steps(pairing: Pairing, coverage: Coverage) -> tuple[Step, ...]:
    if pairing.how == DIRECT:
        steps = [Step("", "", "as it is")]
    elif pairing.status in KEPT:
        steps = [Step("", "", "the record is refused" if pairing.part == "record" else KEPT[pairing.status])]
    elif pairing.how == CONSTANT:
        steps = [Step("", "", f"writes {pairing.constant}")]
    elif pairing.how == CONDITION:
        steps = [Step("", "", f"adds {pairing.constant}" if pairing.constant else "decides whether it is written")]
    else:
        meanings = {each.name: Step("function", each.name, each.meaning) for each in coverage.used_functions}
        tables = {each.name: Step("table", each.name, each.meaning) for each in coverage.tables}
        names = pairing.how.split(", then ") if pairing.how else []
        steps = [
            (tables if name in pairing.tables and name not in pairing.functions else meanings)[name] for name in names
        ]
    if pairing.default:
        steps.append(Step("else", "", f"where nothing gives a value, {pairing.default}"))
    return tuple(steps)
