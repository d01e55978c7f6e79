"""Checks of what a section writes, entry by entry: places, order, codes and lengths that fit, what is left out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.checks.part_check import is_sound, legacy_codes, most_characters, part_faults
from pg_bridge.mapping.checks.source_check import FAULTS, NOT_CLOSED, ROOTS, SourceCheck
from pg_bridge.mapping.conditions import condition_faults, condition_sources
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.places import find_sequence, places_of
from pg_bridge.mapping.rule_set import OwnTexts
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template


class SectionCheck:
    """What was seen of one section so far: its sources, places written, the last block's order."""

    def __init__(
        self,
        template: Template,
        members: Members,
        legacy: LegacyProfile,
        carried: frozenset[str],
        own: OwnTexts,
        roots: Mapping[str, tuple[str, ...]] = ROOTS,
        closed: Mapping[str, tuple[str, ...]] = NOT_CLOSED,
    ) -> None:
        """roots: what rules may take from the roots that are not OCP's; closed: all that a source of them may be."""
        self.sources = SourceCheck(members, carried, own, roots)
        self._closed = closed
        self._template = template
        self._places = {
            place: spec for type_ in template.message_types for place, spec in places_of(template, type_).items()
        }
        self._members = members
        self._tables = legacy.tables
        self._own = own
        self._written: set[str] = set()
        self._order: tuple[int, ...] = ()

    def message_type(self, section: d.MessageSection | d.RecordSection) -> Faults:
        """The message type, or the table that chooses it."""
        types = self._template.message_types
        if not isinstance(section.message_type, d.ByTable):
            if section.message_type not in types:
                text = f"MT{section.message_type} is no message type of {self._template.name}"
                yield Fault(f.NO_SUCH_PROFILE_NAME, text)
            return
        table = self._tables.get(section.message_type.codes)
        if table is None:
            yield Fault(f.NO_SUCH_TABLE, f"codes.toml has no table {section.message_type.codes}")
        else:
            for code in sorted(legacy_codes(table) - set(types)):
                text = f"the table {table.name} gives MT{code}, which is no message type of {self._template.name}"
                yield Fault(f.TABLE_INCOMPLETE, text)
            codes = [self._codes_of(source) for source in section.message_type.sources()]
            for key in ("/".join(parts) for parts in itertools.product(*codes)):
                if table.to_legacy(key) is None:
                    yield Fault(f.TABLE_INCOMPLETE, f"the table {table.name} has no message type for {key!r}")
        for source in section.message_type.sources():
            yield from self.sources.source(source)

    def value(self, value: d.Value) -> Faults:
        """One named value; it may use those above it only, so that none goes round in a circle."""
        yield from part_faults(value, self._tables, to_ocp=False)
        for source in (*value.sources(), *condition_sources(value.when)):
            yield from self.sources.source(source)
        yield from self.sources.condition(value.when)
        if value.codes in self._tables and not value.use and len(value.sources()) == 1 and not value.when:
            table = self._tables[value.codes]
            for code in self._closed.get(value.sources()[0], ()):
                if table.to_legacy(code) is None:
                    yield Fault(f.TABLE_INCOMPLETE, f"the table {table.name} has no code for {code}")
        if value.name in self.sources.values:
            yield Fault(f.TWICE, f"there is a value {value.name} already")
        self.sources.values.add(value.name)

    def _codes_of(self, source: str) -> list[str]:
        name = source.removeprefix("ocp.")
        return sorted(self._members[name].codes) if name in self._members else list(self._closed.get(source, ()))

    def block(self, block: d.Block) -> Faults:
        """One block and its fields."""
        order = _order(self._template.root, block.at)
        if order is None:
            yield Fault(f.NO_SUCH_PLACE, f"the template {self._template.name} has no sequence {block.at}")
            return
        if order < self._order[: len(order)] or (self._order and not block.at):
            what = block.at or "a block in no sequence"
            text = f"{what} stands behind a block that it must come before: follow the template's order"
            yield Fault(f.WRONG_ORDER, text)
        self._order = order
        yield from (Fault(f.WRONG_CONDITION, text) for text in condition_faults(block.when))
        yield from self.sources.condition(block.when)
        items = self._items(block)
        if block.each:
            yield from self._each(block)
        for source in condition_sources(block.when):
            yield from self.sources.source(source, items)
        seen: dict[str, d.FieldRule] = {}
        for rule in block.fields:
            place = block.place(rule.field)
            above = seen.get(rule.field)
            if above is not None and (above.default or above.constant) and not above.when:
                text = f"{place}: the field before it always has a value, this one can never be written"
                yield Fault(f.NEVER_ACTS, text)
            seen[rule.field] = rule
            self._written.add(place)
            for fault in self._field(rule, place, items):
                yield Fault(fault.kind, f"{place}: {fault.text}")
        if not block.fields:
            yield Fault(f.SAYS_TOO_MUCH, f"the block {block.at} has no fields".replace("  ", " "))

    def listed(self, pages: d.Pages) -> Faults:
        """The condition of the entries that are listed."""
        for source in condition_sources(pages.when):
            yield from self.sources.source(source)
        yield from (Fault(f.WRONG_CONDITION, text) for text in condition_faults(pages.when))
        yield from self.sources.condition(pages.when)

    def left_out(self, section: d.MessageSection) -> Faults:
        """Every member is used, or left out for a reason."""
        for path, reason in section.left_out.items():
            if path not in self._members and path not in self._places:
                yield Fault(f.NO_SUCH_MEMBER, f"the schema {section.schema} has no member {path}")
            elif path in self.sources.used or path in self._written:
                yield Fault(f.SAYS_TOO_MUCH, f"{path} is used: it is not left out")
            elif not reason:
                yield Fault(f.FORGOTTEN, f"say the reason why {path} is left out")
        for member in self._members:
            covers = member.path in section.left_out or member.path in self.sources.used or member.is_object
            if not covers:
                text = f"the member {member.path} is forgotten: use it, or say in `left_out` why it has no place"
                yield Fault(f.FORGOTTEN, text)

    def never_written(self) -> Faults:
        """Mandatory fields of sequences that are written, or must be."""
        sequences = {place.rpartition("/")[0] for place in self._written}
        yield from _never_written(self._template.root, sequences, self._written, is_needed=True)

    def _each(self, block: d.Block) -> Faults:
        spec = find_sequence(self._template.root, block.at)
        if spec is not None and not spec.repeats:
            yield Fault(f.WRONG_ORDER, f"{block.at} does not repeat in the template: it cannot stand for each item")
        if block.each == FAULTS:
            return
        yield from self.sources.source(block.each)
        path = block.each.removeprefix("ocp.")
        if path in self._members and not self._members[path].is_array:
            yield Fault(f.NO_SUCH_MEMBER, f"{block.each} is no array of objects")

    def _items(self, block: d.Block) -> tuple[str, ...] | None:
        """What `item.` has in this block; None where it has no meaning."""
        if not block.each:
            return None
        path = block.each.removeprefix("ocp.")
        if path in self._members and self._members[path].is_array:
            return tuple(member.path for member in self._members.items(path))
        return ROOTS["item"]

    def _field(self, rule: d.FieldRule, place: str, items: tuple[str, ...] | None) -> Faults:
        spec = self._places.get(place)
        if spec is None:
            yield Fault(f.NO_SUCH_PLACE, f"the template {self._template.name} has no such place")
            return
        yield from part_faults(rule, self._tables, to_ocp=False)
        for source in (*rule.sources(), *condition_sources(rule.when)):
            yield from self.sources.source(source, items)
        yield from self.sources.condition(rule.when)
        own = [self._own.texts.get(source.removeprefix("profile."), "") for source in rule.sources() if not rule.use]
        for text in (rule.constant, rule.default, *own):
            if text and (spec.pattern.fullmatch(text) is None or (spec.values and text not in spec.values)):
                yield Fault(f.DOES_NOT_FIT, f"{text!r} does not fit {spec.format}")
        if rule.codes and is_sound(rule, self._tables, to_ocp=False):
            yield from self._codes(rule, spec)
        elif not rule.use:
            yield from self._length(rule, spec)

    def _codes(self, rule: d.FieldRule, spec: FieldSpec) -> Faults:
        """The table's codes fit the field, and it has one for each of the member's codes."""
        table = self._tables[rule.codes]
        for code in sorted(legacy_codes(table)):
            if spec.pattern.fullmatch(code) is None or (spec.values and code not in spec.values):
                text = f"the table {table.name} gives {code!r}, which does not fit {spec.format}"
                yield Fault(f.TABLE_INCOMPLETE, text)
        if len(rule.sources()) != 1 or rule.use in FUNCTIONS:
            return
        root, _, path = rule.sources()[0].partition(".")
        if root == "ocp" and path in self._members:
            for code in sorted(self._members[path].codes):
                if table.to_legacy(code) is None:
                    yield Fault(f.TABLE_INCOMPLETE, f"the table {table.name} has no code for {code} of {path}")

    def _length(self, rule: d.FieldRule, spec: FieldSpec) -> Faults:
        """A member that goes as it is fits the field."""
        most = most_characters(spec)
        for source in rule.sources():
            root, _, path = source.partition(".")
            if root != "ocp" or path not in self._members:
                continue
            member = self._members[path]
            if member.types and not member.types & {"string", "integer"}:
                text = f"{path} is {' or '.join(sorted(member.types))}: a function must make a text of it"
                yield Fault(f.DOES_NOT_FIT, text)
            if most and member.most_characters > most and not rule.when.get(source):
                text = f"{path} has up to {member.most_characters} characters, the field takes {most}"
                yield Fault(f.DOES_NOT_FIT, text)


def _order(spec: SequenceSpec, path: str, before: tuple[int, ...] = ()) -> tuple[int, ...] | None:
    """Where a sequence stands: the number of each step to it; None when there is none."""
    if spec.path == path:
        return before
    for number, item in enumerate(spec.items):
        if isinstance(item, SequenceSpec) and (found := _order(item, path, (*before, number))) is not None:
            return found
    return None


def _never_written(spec: SequenceSpec, sequences: set[str], written: set[str], *, is_needed: bool) -> Faults:
    is_there = any(path == spec.path or path.startswith(f"{spec.path}/") for path in sequences)
    if spec.path and not is_there:
        if is_needed and spec.mandatory:
            yield Fault(f.NOT_FED, f"the mandatory sequence {spec.path} is written by no block")
        return
    fields: Sequence[FieldSpec] = [item for item in spec.items if isinstance(item, FieldSpec)]
    for field in fields:
        if field.mandatory and field.place not in written:
            yield Fault(f.NOT_FED, f"the mandatory field {field.place} is written by no block")
    for item in spec.items:
        if isinstance(item, SequenceSpec):
            yield from _never_written(item, sequences, written, is_needed=True)
