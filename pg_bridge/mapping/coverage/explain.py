"""Everything that a set knows of one word: a place or part of one, a member, a column, a function, a code table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches

import msgspec
from msgspec import structs

from pg_bridge.errors import BridgeError, Finding
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks.cases import LocatedCase, body_of, read_cases, sources_of, written_of
from pg_bridge.mapping.condition_words import OCP, RECORD
from pg_bridge.mapping.coverage.named import NamedFunction, NamedTable, Use, named_function, named_table
from pg_bridge.mapping.coverage.pairing import OF_FILES, FidelityOf, Pairing, PartName, Section, record_schema, sections
from pg_bridge.mapping.coverage.sides import LegacyField, OcpMember
from pg_bridge.mapping.document import RULES_FOLDER
from pg_bridge.mapping.file_message import FileMessage
from pg_bridge.mapping.functions import FUNCTIONS

MOST_NEAR = 6

#: what cases show (part, template or schema, place or rule or column) = their names; of OCP's members, only the last
Shows = Mapping[tuple[str, str, str], Sequence[str]]
Shown = set[tuple[str, str, str]]

_BRACKETS = re.compile(r"\[[^\]]*\]")


class ExplainedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a template: its shapes, the rules about it, and the cases that show it (`file:line name`).

    other_way: the rules that take the same members the other way.
    """

    template: str
    function: str
    part: str
    place: str
    fields: tuple[LegacyField, ...]
    pairings: tuple[Pairing, ...]
    other_way: tuple[Pairing, ...]
    cases: tuple[str, ...]


class ExplainedMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member of OCP's documents: as each schema has it, the rules about it both ways, the cases that show it."""

    path: str
    schemas: tuple[tuple[str, OcpMember], ...]
    to_ocp: tuple[Pairing, ...]
    to_legacy: tuple[Pairing, ...]
    cases: tuple[str, ...]


class ExplainedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a record of a batch file, or one line of a part: what becomes of it, and the cases that show it."""

    part: PartName
    schema: str
    column: OcpMember
    pairings: tuple[Pairing, ...]
    cases: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a word stands for; all empty, and the nearest words in `near`, where it is not known."""

    word: str
    places: tuple[ExplainedPlace, ...] = ()
    members: tuple[ExplainedMember, ...] = ()
    columns: tuple[ExplainedColumn, ...] = ()
    functions: tuple[NamedFunction, ...] = ()
    tables: tuple[NamedTable, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the word stands for anything."""
        return bool(self.places or self.members or self.columns or self.functions or self.tables)


def explain(
    book: MappingBook, files: Mapping[str, str], word: str, *, fidelity: FidelityOf | None = None
) -> Explanation:
    """What `word` stands for; `files` are those that the book was loaded from. Case of letters does not matter."""
    found = sections(book, fidelity)
    pairings = [pairing for section in found for pairing in section.pairings]
    wanted = word.strip().casefold()
    places = [(section, place) for section in found for place in _places(section) if _is_part(wanted, place)]
    of_ocp = [section for section in found if section.part not in OF_FILES]
    of_files = [section for section in found if section.part in OF_FILES]
    paths = dict.fromkeys(member.path for section in of_ocp for member in section.members)
    columns = {
        (section.part, section.schema, column.path): column
        for section in of_files
        for column in section.members
        if _is_member(wanted, column.path, RECORD)
    }
    members = [path for path in paths if _is_member(wanted, path, OCP)]
    functions = [name for name in FUNCTIONS if name.casefold() == wanted]
    tables = [table for name, table in book.legacy.tables.items() if name.casefold() == wanted]
    if not (places or members or columns or functions or tables):
        return Explanation(word=word, near=_near(wanted, found, book))
    shows = _shows(book, files)
    return Explanation(
        word=word,
        places=tuple(_place(section, place, pairings, shows) for section, place in places),
        members=tuple(_member(path, of_ocp, shows) for path in members),
        columns=tuple(
            ExplainedColumn(
                part=part,
                schema=schema,
                column=column,
                pairings=tuple(
                    each
                    for section in of_files
                    if (section.part, section.schema) == (part, schema)
                    for each in section.pairings
                    if each.member == path
                ),
                cases=tuple(shows.get((part, schema, path), ())),
            )
            for (part, schema, path), column in columns.items()
        ),
        functions=tuple(
            structs.replace(each, cases=_cases(shows, each.uses))
            for each in (named_function(name, pairings) for name in functions)
        ),
        tables=tuple(
            structs.replace(each, cases=_cases(shows, each.uses))
            for each in (named_table(table, pairings) for table in tables)
        ),
    )


def _places(section: Section) -> list[str]:
    return list(dict.fromkeys(field.place for field in section.fields))


def _is_part(wanted: str, place: str) -> bool:
    """A whole place, some of its steps in a row with or without their brackets, or its field's tag or qualifier."""
    whole = place.casefold()
    field = whole.rpartition("/")[2]
    runs = (f"/{whole}/", f"/{_BRACKETS.sub('', whole)}/")
    return bool(wanted) and (any(f"/{wanted}/" in run for run in runs) or wanted in field.split(":"))


def _is_member(wanted: str, path: str, root: str) -> bool:
    whole = path.casefold()
    return wanted in (whole, f"{root}{whole}", whole.rpartition(".")[2])


def _place(section: Section, place: str, every: Sequence[Pairing], shows: Shows) -> ExplainedPlace:
    own = [pairing for pairing in section.pairings if pairing.place == place]
    members = {pairing.member for pairing in own if pairing.member}
    is_request = section.part == "request"
    return ExplainedPlace(
        template=section.template,
        function=section.function,
        part=section.part,
        place=place,
        fields=tuple(field for field in section.fields if field.place == place),
        pairings=tuple(own),
        other_way=tuple(
            pairing
            for pairing in every
            if pairing.member in members
            and not {section.part, pairing.part} & OF_FILES
            and (pairing.part == "request") is not is_request
        ),
        cases=tuple(shows.get((section.part, section.template, place), ())),
    )


def _member(path: str, found: Sequence[Section], shows: Shows) -> ExplainedMember:
    about = [pairing for section in found for pairing in section.pairings if pairing.member == path]
    schemas = {section.schema: member for section in found for member in section.members if member.path == path}
    return ExplainedMember(
        path=path,
        schemas=tuple(schemas.items()),
        to_ocp=tuple(pairing for pairing in about if pairing.part == "request"),
        to_legacy=tuple(pairing for pairing in about if pairing.part != "request"),
        cases=tuple(shows.get(("", "", path), ())),
    )


def _cases(shows: Shows, uses: Iterable[Use]) -> tuple[str, ...]:
    """The cases that show a use: of a request by the rule itself, else by the place that it writes."""
    keys = [(use.part, use.template, use.rule if use.part == "request" else use.place) for use in uses]
    return tuple(dict.fromkeys(name for key in keys for name in shows.get(key, ())))


def _near(wanted: str, found: Sequence[Section], book: MappingBook) -> tuple[str, ...]:
    known = [*(member.path for section in found for member in section.members), *FUNCTIONS, *book.legacy.tables]
    places = [place for section in found for place in _places(section)]
    known += [name for place in places for name in (place.rpartition("/")[2], place)]
    by_folded = {name.casefold(): name for name in reversed(known)}
    return tuple(by_folded[name] for name in get_close_matches(wanted, by_folded, n=MOST_NEAR, cutoff=0.5))


def _shows(book: MappingBook, files: Mapping[str, str]) -> Shows:
    """Which cases show what. Every case is run, as by `check`."""
    found: dict[tuple[str, str, str], list[str]] = {}
    faults: list[Finding] = []
    for each in read_cases(book, files, faults):
        kind = each.case.kind
        try:
            shown = _RUNS[kind](book, each)
        except BridgeError as error:
            template = getattr(getattr(each.located.file, kind), "template", "")
            shown = {(kind, template, finding.path) for finding in error.findings}
        name = f"{each.path.removeprefix(RULES_FOLDER)}:{each.line} {each.case.name}"
        for key in shown:
            found.setdefault(key, []).append(name)
    return found


def _request(book: MappingBook, each: LocatedCase) -> Shown:
    section, case = each.located.file.request, each.case
    if section is None:
        return set()
    request = book.read_request(
        section.template, case.message_type, body_of(case.body), case.context, lenient=case.lenient
    )
    shown = {("request", section.template, finding.path) for finding in request.findings}
    for line in request.lineage:
        shown |= {("request", section.template, source) for source in line.sources if _stands(source, case.body)}
        shown.add(("request", section.template, line.rule))
        if line.kind != "carried":
            shown.add(("", "", line.target))
    return shown


def _stands(source: str, body: str) -> bool:
    """Of several sources of a rule, those whose field stands in the message: its line begins with tag and qualifier."""
    tag, _, qualifier = source.rpartition("/")[2].partition(":")
    return f":{tag}::{qualifier}/" in body if qualifier else f":{tag}:" in body


def _message(book: MappingBook, each: LocatedCase) -> Shown:
    case = each.case
    write = book.write_answer if case.kind == "answer" else book.write_unsolicited
    written = write(each.located.file.function, sources_of(case))
    shown: Shown = set()
    for line in (line for page in written.pages for line in page.lineage):
        shown.add((case.kind, written.template, line.target.partition("#")[0]))
        shown |= {("", "", source.removeprefix(OCP)) for source in line.sources if source.startswith(OCP)}
    return shown


def _record(book: MappingBook, each: LocatedCase) -> Shown:
    """The columns that the record fills, and the places that it is written to."""
    schemas = {record_schema(section) for section in each.located.file.record}
    columns = each.case.sources.get("record", {})
    shown: Shown = {("record", schema, column) for schema in schemas for column in columns}
    for message in written_of(book, each):
        if isinstance(message, FileMessage):
            checked = book.check_message(message.template, message.message_type, message.body)
            shown |= {("record", message.template, place) for place in checked.values}
    return shown


_RUNS: Mapping[str, Callable[[MappingBook, LocatedCase], Shown]] = {
    "request": _request,
    "record": _record,
    "answer": _message,
    "message": _message,
}
