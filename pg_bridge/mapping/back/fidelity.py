"""What comes back as it went: each field of a request, each member of a request's document, each member of a message.

Lossless: there and back gives the same value, for every value. What is not says why. The laws of the tests hold every
mark against generated messages and documents.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pg_bridge.mapping import document as d
from pg_bridge.mapping.back.backward import keys_of
from pg_bridge.mapping.back.layout import constant
from pg_bridge.mapping.back.reading import MessageReader, named
from pg_bridge.mapping.back.way_back import WayBack
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.places import Places, always_there, below, places_of
from pg_bridge.mapping.request import CONTEXT, MESSAGE_TYPE, PROFILE
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import FieldSpec, Template


class Fidelity(NamedTuple):
    """Whether a value comes back as it went; why not, or under which condition it is told at all."""

    is_lossless: bool
    why: str = ""


LOSSLESS = Fidelity(is_lossless=True)
#: of a request for a report, both ways
OF_REPORTS = Fidelity(is_lossless=False, why="the bridge answers it itself: it comes back from no document")


class RequestFidelity(NamedTuple):
    """places: message -> document -> message. members: document -> message -> document."""

    places: dict[str, Fidelity]
    members: dict[str, Fidelity]


def request_fidelity(book: MappingBook, function: str) -> RequestFidelity:
    """Each place of the request's template and each member of its schema. Empty for a function without a request."""
    places: dict[str, Fidelity] = {}
    members: dict[str, Fidelity] = {}
    for located in book.rules.files:
        section = located.file.request
        if located.file.function != function or section is None:
            continue
        template = book.legacy.templates[section.template]
        schema = Members(book.ocp.openapi, d.shape_of(section))
        if section.report:
            places |= {spec.place: OF_REPORTS for spec in template.root.fields()}
            members |= {member.path: OF_REPORTS for member in schema if not member.is_object}
            continue
        arrays = {each.at for each in section.each}
        parts = [("", "", section.rule, schema)]
        parts += [(each.at, each.to, each.rule, schema.items(each.to)) for each in section.each]
        for at, to, rules, own in parts:
            turned = [_Turned(book, template, type_, rules, at) for type_ in template.message_types]
            for spec in template.root.fields():
                inside = next((each for each in arrays if spec.place.startswith(f"{each}/")), "")
                if inside == at:
                    name = spec.place.removeprefix(f"{at}/") if at else spec.place
                    places[spec.place] = _worst(each.place(name) for each in turned if name in each.places)
            for member in own:
                if not member.is_object and not member.is_array:
                    path = f"{to}.{member.path}" if to else member.path
                    members[path] = _best(each.member(member.path, member.codes) for each in turned)
    return RequestFidelity(places, members)


def message_fidelity(book: MappingBook, function: str, part: str) -> dict[str, Fidelity]:
    """Each member of the schema of an `answer` or `message` section: entry -> message -> entry, where it is told."""
    found: dict[str, Fidelity] = {}
    way_back = WayBack(book)
    for located in book.rules.files:
        section = located.file.answer if part == "answer" else located.file.message
        if located.file.function != function or section is None:
            continue
        template = book.legacy.templates[section.template]
        readers = [way_back.reader(template.name, type_) for type_ in template.message_types]
        _, blocks = book.rules.parts(located, section)
        for member in Members(book.ocp.openapi, section.schema):
            if not member.is_object:
                found[member.path] = _told(member.path, section, readers, [block for _, block, _ in blocks])
    return found


def _told(
    path: str, section: d.MessageSection, readers: Sequence[MessageReader], blocks: Sequence[d.Block]
) -> Fidelity:
    if path in section.left_out:
        return Fidelity(is_lossless=False, why=f"left out: {section.left_out[path]}")
    if all(path in reader.by_type for reader in readers):
        return Fidelity(is_lossless=True, why="told by the message type")
    own = [next((place for place, each in reader.places.items() if path in each.members), "") for reader in readers]
    if any(own):
        why = _conditions(next(filter(None, own)), path, blocks)
        return Fidelity(is_lossless=True, why=why or ("" if all(own) else "told in some message types only"))
    source = f"ocp.{path}"
    for block in blocks:
        for rule in block.fields:
            place = block.place(rule.field)
            why = next((reader.unread[place] for reader in readers if place in reader.unread), "")
            if source in rule.sources() and why:
                return Fidelity(is_lossless=False, why=f"{place}: {why}")
    return Fidelity(is_lossless=False, why="only conditions look at it, or a text is made of it")


def _conditions(place: str, path: str, blocks: Sequence[d.Block]) -> str:
    """Under which conditions the member is told, in words; empty: always."""
    for block in blocks:
        for rule in block.fields:
            if block.place(rule.field) == place and f"ocp.{path}" in rule.sources():
                looked = dict.fromkeys((*block.when, *rule.when))
                return f"told as {', '.join(looked)} decides" if looked else ""
    return ""


class _Turned:
    """The rules of one list in one message type, asked what they give back."""

    def __init__(
        self, book: MappingBook, template: Template, type_: str, rules: Sequence[d.RequestRule], at: str
    ) -> None:
        every = places_of(template, type_)
        self.places: Places = below(every, at) if at else every
        self._type = type_
        self._tables = book.legacy.tables
        sure = always_there(template, type_)
        self._always = frozenset(place for place in self.places if (f"{at}/{place}" if at else place) in sure)
        self._rules = [rule for rule in rules if not rule.refused]

    def place(self, place: str) -> Fidelity:
        """The field at a place: message -> document -> message."""
        if constant(self.places[place]) is not None:
            return LOSSLESS
        own = [rule for rule in self._rules if place in rule.sources()]
        # A value made of a field besides (the market of a stock) takes nothing from what comes back of it.
        turned = [self._field(place, rule) for rule in own if not _is_derived(rule)]
        if turned:
            return _worst(turned)
        return self._field(place, own[0]) if own else _no("every message with it is refused")

    def member(self, member: str, codes: frozenset[str]) -> Fidelity:
        """A member: document -> message -> document."""
        found = [
            self._member(member, rule, codes)
            for rule in self._rules
            if member in rule.targets() and (rule.constant or self._stands(rule))
        ]
        if not found:
            return Fidelity(is_lossless=False, why="no rule feeds it")
        return _best(found) if len(found) == 1 else Fidelity(is_lossless=False, why="several rules feed it")

    def _stands(self, rule: d.RequestRule) -> bool:
        return any(source in self.places or source.startswith(("@", CONTEXT, PROFILE)) for source in rule.sources())

    def _field(self, place: str, rule: d.RequestRule) -> Fidelity:
        standing = [source for source in rule.sources() if source in self.places]
        instead = next((source for source in rule.sources() if source.startswith((CONTEXT, PROFILE))), "")
        if instead and not rule.codes and place not in self._always:
            return _no(f"where it is absent, {instead} comes back")
        if rule.carried:
            return LOSSLESS if standing[0] == place else _no("another field carried under the same name comes back")
        function = FUNCTIONS[rule.use] if rule.use else None
        if function is not None and (
            function.to_legacy is None or not function.is_lossless or function.is_before_codes
        ):
            return _no(f"the function {rule.use} has no way back")
        if not rule.codes:
            if standing[0] != place or len(standing) > 1:
                return _no(f"it comes back in {standing[0]}")
            if rule.default and place not in self._always:
                return _no(f"where it is absent, the default {rule.default!r} comes back")
            rival = next((other for other in self._rivals(rule) if other.sources()[0] != place), None)
            if rival is not None:
                return _no(f"one of it and {rival.sources()[0]} comes back in place of the other")
            return LOSSLESS
        return self._coded(place, rule)

    def _rivals(self, rule: d.RequestRule) -> Iterable[d.RequestRule]:
        """Other rules that make the same member of a field of this message type."""
        for other in self._rules:
            is_there = any(source in self.places for source in other.sources())
            if other is not rule and set(other.targets()) & set(rule.targets()) and is_there:
                yield other

    def _coded(self, place: str, rule: d.RequestRule) -> Fidelity:
        """Whether each text of a coded field comes back as itself."""
        table = self._tables[rule.codes]
        by_code: dict[str, list[tuple[str, ...]]] = {}
        for texts in itertools.product(*(self._texts(source, table) for source in rule.sources())):
            key = "/".join(texts)
            code = table.find(key)
            if code is not None:
                by_code.setdefault(code, []).append(texts)
        at = rule.sources().index(place)
        for code, ways in by_code.items():
            back = self._back(rule, table, code)
            for texts in ways:
                if back is None or texts[at] != back[at]:
                    came = back[at] if back is not None else ""
                    return _no(
                        f"{texts[at] or 'absent'} becomes {code} and comes back {(came and f'as {came}') or 'absent'}"
                    )
        return LOSSLESS if by_code else _no(f"the table {table.name} has no keys of it")

    def _back(self, rule: d.RequestRule, table: CodeTable, code: str) -> list[str] | None:
        """The parts of the key that the code comes back as in this message type."""
        for key in keys_of(table, code):
            parts = key.split("/") if len(rule.sources()) > 1 else [key]
            fixed = [
                part
                for source, part in zip(rule.sources(), parts, strict=False)
                if source == MESSAGE_TYPE and part != self._type
            ]
            if len(parts) == len(rule.sources()) and not fixed:
                return parts
        return None

    def _texts(self, source: str, table: CodeTable) -> list[str]:
        """The texts that a source may bring as part of a key."""
        if source == MESSAGE_TYPE:
            return [self._type]
        spec: FieldSpec | None = self.places.get(source)
        if spec is None:
            return [""]
        known = sorted(spec.values) or sorted(table.entries)
        return known if source in self._always else ["", *known]

    def _member(self, member: str, rule: d.RequestRule, codes: frozenset[str]) -> Fidelity:
        if rule.constant:
            return _no(f"it is always {rule.constant}")
        outside = [source for source in rule.sources() if source.startswith((CONTEXT, PROFILE))]
        if outside and rule.sources()[0] not in self.places:
            return _no(f"it comes from {outside[0]}, not from the message")
        function = FUNCTIONS[rule.use] if rule.use else None
        if function is not None and (
            function.to_legacy is None or not function.is_lossless or function.is_before_codes
        ):
            return _no(f"the function {rule.use} has no way back")
        if (function is None or function.members == 1) and rule.targets()[0] != member:
            return _no(f"it is always the same as {rule.targets()[0]}")
        if rule.default:
            return _no(f"where it is null, it comes back as {rule.default!r}")
        if rule.codes and function is None:
            table = self._tables[rule.codes]
            without = sorted(code for code in codes if not keys_of(table, code))
            if without:
                return _no(f"the table {table.name} has no key for {named(without)}")
            if table.default is not None or table.ranges:
                return _no(f"the table {table.name} gives it for more keys than it lists")
        return LOSSLESS


def _is_derived(rule: d.RequestRule) -> bool:
    return bool(rule.use) and FUNCTIONS[rule.use].is_before_codes


def _no(why: str) -> Fidelity:
    return Fidelity(is_lossless=False, why=why)


def _worst(found: Iterable[Fidelity]) -> Fidelity:
    """The first that is not lossless."""
    every = list(found)
    return next((each for each in every if not each.is_lossless), every[0] if every else LOSSLESS)


def _best(found: Iterable[Fidelity]) -> Fidelity:
    """The first that is lossless."""
    every = list(found)
    return next((each for each in every if each.is_lossless), every[0] if every else _no("nothing feeds it"))


def losses(places: Mapping[str, Fidelity]) -> dict[str, str]:
    """What is not lossless, and why."""
    return {name: each.why for name, each in places.items() if not each.is_lossless}
