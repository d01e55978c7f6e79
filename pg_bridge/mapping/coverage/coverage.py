"""Coverage: for each function the matrix of legacy fields against OCP's members, what stands alone, and counts.

Counts of a side are of distinct places or members, each under its best status; they add up to the side's size.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pg_bridge.link.profile import LINK_FILE
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.coverage.joins import Status, rule_source
from pg_bridge.mapping.coverage.named import NamedFunction, NamedTable, functions_of, tables_of
from pg_bridge.mapping.coverage.pairing import STATUSES, FidelityOf, Pairing, Section, sections
from pg_bridge.mapping.coverage.sides import ASSUMED, PUBLIC
from pg_bridge.profiles.layouts import FILES_FOLDER
from pg_bridge.profiles.ocp_file import PROFILE_FILE

#: the tables that say of a whole file form where it is from; the others are of its columns and lines
_FORM_HEADS = frozenset({"layout", "tag_based", "parts"})


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries of one kind are public, and how many assumed."""

    kind: str
    public: int
    assumed: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.public + self.assumed


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a section. statuses: each status to its count; percentages are of `total`, to one decimal.

    joined: with a counterpart on the other side, or a source beside it; accounted: everything but `not_mapped`.
    """

    total: int
    statuses: dict[str, int]
    public: int
    assumed: int
    joined_percent: float
    accounted_percent: float


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the matrix: a place and a member that rules join. status: the best of theirs; hows and rules: all."""

    place: str
    member: str
    status: Status
    hows: tuple[str, ...]
    rules: tuple[str, ...]


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """A place or member that no rule joins to one of the other side. others: what gives it instead; reason: as in the
    data, of all its rules; constants: what the rules write there.
    """

    name: str
    status: Status
    others: tuple[str, ...]
    constants: tuple[str, ...]
    reason: str
    rules: tuple[str, ...]


class SectionCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One section: its matrix (cells that are not listed are empty), what stands alone, counts."""

    section: Section
    cells: tuple[Cell, ...]
    fields_alone: tuple[Alone, ...]
    members_alone: tuple[Alone, ...]
    fields: Side
    members: Side


class FunctionCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """All sections of one function."""

    function: str
    sections: tuple[SectionCoverage, ...]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """A whole set. hash: SHA-256 (hex) of its files. tallies: of every kind of entry, the whole set's."""

    name: str
    version: str
    hash: str
    functions: tuple[FunctionCoverage, ...]
    tables: tuple[NamedTable, ...]
    used_functions: tuple[NamedFunction, ...]
    tallies: tuple[Tally, ...]


def coverage(
    book: MappingBook, files: Mapping[str, str], *, function: str = "", fidelity: FidelityOf | None = None
) -> Coverage:
    """The coverage of a set; `files` are those that the book was loaded from. function: that one only.

    Tables, functions and tallies are the whole set's in any case. Raises KeyError when there is no such function.
    """
    found = sections(book, fidelity)
    # What a PSS sends first, then what comes unasked.
    asked = [section.function for section in found if section.part != "message"]
    names = list(dict.fromkeys([*asked, *(section.function for section in found)]))
    if function and function not in names:
        raise KeyError(function)
    pairings = [pairing for section in found for pairing in section.pairings]
    return Coverage(
        name=book.name,
        version=book.version,
        hash=book.hash,
        functions=tuple(
            FunctionCoverage(
                function=name,
                sections=tuple(_covered(section) for section in found if section.function == name),
            )
            for name in names
            if function in ("", name)
        ),
        tables=tables_of(book, pairings),
        used_functions=functions_of(pairings),
        tallies=tuple(_tallies(book, files, found)),
    )


def best(statuses: Iterable[Status]) -> Status:
    """The best of some statuses, in the order of STATUSES."""
    there = set(statuses)
    return next((status for status in STATUSES if status in there), "not_mapped")


def _covered(section: Section) -> SectionCoverage:
    places = list(dict.fromkeys(field.place for field in section.fields))
    members = [member.path for member in section.members]
    by_place = {place: [each for each in section.pairings if each.place == place] for place in places}
    by_member = {member: [each for each in section.pairings if each.member == member] for member in members}
    return SectionCoverage(
        section=section,
        cells=tuple(_cells(section.pairings)),
        fields_alone=tuple(_alone(place, by_place[place]) for place in places if not _joins(by_place[place])),
        members_alone=tuple(_alone(name, by_member[name]) for name in members if not _joins(by_member[name])),
        fields=_side(by_place, {field.place: field.source for field in section.fields}),
        members=_side(by_member, {member.path: member.source for member in section.members}),
    )


def _joins(pairings: Iterable[Pairing]) -> bool:
    return any(pairing.place and pairing.member for pairing in pairings)


def _cells(pairings: Sequence[Pairing]) -> Iterator[Cell]:
    by_cell: dict[tuple[str, str], list[Pairing]] = {}
    for pairing in pairings:
        if pairing.place and pairing.member:
            by_cell.setdefault((pairing.place, pairing.member), []).append(pairing)
    for (place, member), each in by_cell.items():
        yield Cell(
            place=place,
            member=member,
            status=best(pairing.status for pairing in each),
            hows=tuple(dict.fromkeys(pairing.how for pairing in each)),
            rules=tuple(dict.fromkeys(pairing.rule for pairing in each)),
        )


def _alone(name: str, pairings: Sequence[Pairing]) -> Alone:
    return Alone(
        name=name,
        status=best(pairing.status for pairing in pairings),
        others=tuple(dict.fromkeys(other for pairing in pairings for other in pairing.others)),
        constants=tuple(dict.fromkeys(pairing.constant for pairing in pairings if pairing.constant)),
        reason="; ".join(dict.fromkeys(pairing.reason for pairing in pairings if pairing.reason)),
        rules=tuple(dict.fromkeys(pairing.rule for pairing in pairings if pairing.rule)),
    )


def _side(by_name: Mapping[str, Sequence[Pairing]], sources: Mapping[str, str]) -> Side:
    found = Counter(best(pairing.status for pairing in each) for each in by_name.values())
    total = len(by_name)
    joined = found["mapped"] + found["transformed"]
    public = sum(source == PUBLIC for source in sources.values())
    return Side(
        total=total,
        statuses={status: found[status] for status in STATUSES if found[status]},
        public=public,
        assumed=len(sources) - public,
        joined_percent=_percent(joined, total),
        accounted_percent=_percent(total - found["not_mapped"], total),
    )


def _percent(part: int, total: int) -> float:
    return round(100 * part / total, 1) if total else 100.0


def _tallies(book: MappingBook, files: Mapping[str, str], found: Sequence[Section]) -> Iterator[Tally]:
    templates = book.legacy.templates.values()
    yield _tally("templates", (template.source for template in templates))
    yield _tally("template fields", (field.source for template in templates for field in template.root.fields()))
    yield _tally("code tables", (table.source for table in book.legacy.tables.values()))
    forms = [tomllib.loads(text) for path, text in files.items() if path.startswith(FILES_FOLDER)]
    heads = [{name: each for name, each in form.items() if name in _FORM_HEADS} for form in forms]
    inner = [{name: each for name, each in form.items() if name not in _FORM_HEADS} for form in forms]
    yield _tally("file forms", _sources(heads))
    yield _tally("file columns", _sources(inner))
    yield _tally("standard codes", (entry.source for entry in book.legacy.standard_codes.entries))
    yield _tally("framing entries", _sources(tomllib.loads(files.get(LINK_FILE, ""))))
    yield _tally("OCP profile entries", _leaves(tomllib.loads(files.get(PROFILE_FILE, "")), ASSUMED))
    yield _tally("OCP operations", _operations(book.ocp.openapi))
    schemas = book.ocp.openapi["components"]["schemas"]
    told = [section for section in found if section.schema in schemas]
    members = {(section.schema, member.path): member.source for section in told for member in section.members}
    yield _tally("OCP members", members.values())
    yield _tally("rules", _rule_sources(book))


def _tally(kind: str, sources: Iterable[str]) -> Tally:
    counts = Counter(source == PUBLIC for source in sources)
    return Tally(kind=kind, public=counts[True], assumed=counts[False])


def _sources(raw: Any) -> Iterator[str]:
    """The sources of all tables that say one."""
    for each in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        yield from _sources(each)
    if isinstance(raw, dict) and "source" in raw:
        yield str(raw["source"])


def _leaves(raw: Mapping[str, Any], source: str) -> Iterator[str]:
    """The source of each entry of a profile: an operation is one, and so is each plain value elsewhere."""
    source = str(raw.get("source", source))
    for name, each in raw.items():
        if name == "operations" and isinstance(each, dict):
            yield from (str(spec.get("source", source)) for spec in each.values())
        elif isinstance(each, dict):
            yield from _leaves(each, source)
        elif name not in ("name", "version", "source"):
            yield source


def _operations(openapi: Mapping[str, Any]) -> Iterator[str]:
    for methods in openapi.get("paths", {}).values():
        for operation in methods.values():
            if isinstance(operation, dict) and "responses" in operation:
                yield str(operation.get("x-source", ASSUMED))


def _rule_sources(book: MappingBook) -> Iterator[str]:
    """The source of each rule: of requests, of named values and of fields of blocks; a shared one counts once."""
    for located in book.rules.files:
        file = located.file
        for number, rule in enumerate(file.request.rule if file.request is not None else ()):
            yield rule_source(located, rule, f"request.rule[{number}]")
        for section in (*file.record, file.answer, file.message):
            if section is not None:
                yield from [file.source] * (len(section.value) + sum(len(block.fields) for block in section.block))
    for shared in book.rules.shared.values():
        own = shared.file
        yield from [own.source] * (len(own.value) + sum(len(block.fields) for block in own.block))
