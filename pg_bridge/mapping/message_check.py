"""Checks of an answer or message section: places, sources, order, what nothing writes, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.conditions import condition_faults, condition_sources
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.part_check import CONTEXT, is_sound, legacy_codes, part_faults, serves
from pg_bridge.mapping.places import places_of
from pg_bridge.mapping.rule_set import WRONG_FILE, Located, RuleSet, Spot
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

#: What rules may take from the roots that are not OCP's.
ROOTS: Mapping[str, tuple[str, ...]] = {
    "request": ("reference", "message_type", "template"),
    "answer": ("outcome", "si_number", "participant_reference", "text", "faults"),
    "item": ("code", "meaning", "reason", "text"),
    "context": CONTEXT,
}
#: `request.carried.<name>`: what the rules of the request keep.
CARRIED = "request.carried."


def message_faults(
    rules: RuleSet, located: Located, section: d.MessageSection, legacy: LegacyProfile, ocp: OcpProfile
) -> Iterator[Finding]:
    """Everything wrong with an answer or message section."""
    part = "answer" if section is located.file.answer else "message"

    def error(at: str, text: str) -> Finding:
        return Finding(WRONG_FILE, "error", located.path, text, located.lines.of(f"{part}.{at}"))

    def error_at(spot: Spot, text: str) -> Finding:
        return Finding(WRONG_FILE, "error", spot.path, text, spot.line)

    template = legacy.templates.get(section.template)
    if template is None:
        yield error("template", f"there is no template {section.template}")
        return
    try:
        members = Members(ocp.openapi, section.schema)
    except KeyError as missing:
        yield error("schema", f"the OpenAPI document has no schema {missing.args[0]}")
        return
    except (ValueError, TypeError, AttributeError) as fault:
        yield error("schema", f"the schema {section.schema} cannot be read: {fault}")
        return
    check = _SectionCheck(template, members, legacy, _carried(rules))
    for text in check.message_type(section):
        yield error("message_type", text)
    for number, block in enumerate(section.block):
        if block.include and block.include not in rules.shared:
            if rules.is_whole:
                yield error(f"block[{number}]", f"there are no shared blocks {block.include}")
        elif block.include and (block.at or block.fields or block.when or block.each):
            yield error(f"block[{number}]", "a block that includes others says nothing else")
    values, blocks = rules.parts(located, section)
    for _, value, spot in values:
        for text in check.value(value):
            yield error_at(spot, text)
    for _, block, spot in blocks:
        for text in check.block(block):
            yield error_at(spot, text)
    if any(block.include and block.include not in rules.shared for block in section.block):
        return  # what the missing blocks use and write is not known
    for text in check.left_out(section):
        yield error("left_out", text)
    for text in check.never_written():
        yield error("template", text)


def _carried(rules: RuleSet) -> frozenset[str]:
    return frozenset(
        rule.carried
        for located in rules.files
        if located.file.request is not None
        for rule in located.file.request.rule
        if rule.carried
    )


class _SectionCheck:
    """What was seen of one section so far: values named, members used, places written, the last block's order."""

    def __init__(self, template: Template, members: Members, legacy: LegacyProfile, carried: frozenset[str]) -> None:
        self._template = template
        self._places = {
            place: spec for type_ in template.message_types for place, spec in places_of(template, type_).items()
        }
        self._members = members
        self._legacy = legacy
        self._carried = carried
        self._values: set[str] = set()
        self._used: set[str] = set()
        self._written: set[str] = set()
        self._order: tuple[int, ...] = ()

    def message_type(self, section: d.MessageSection) -> Iterator[str]:
        """The message type, or the table that chooses it."""
        types = self._template.message_types
        if not isinstance(section.message_type, d.ByTable):
            if section.message_type not in types:
                yield f"MT{section.message_type} is no message type of {self._template.name}"
            return
        table = self._legacy.tables.get(section.message_type.codes)
        if table is None:
            yield f"codes.toml has no table {section.message_type.codes}"
        else:
            for code in sorted(legacy_codes(table) - set(types)):
                yield f"the table {table.name} gives MT{code}, which is no message type of {self._template.name}"
        for source in section.message_type.sources():
            yield from self._source(source)

    def value(self, value: d.Value) -> Iterator[str]:
        """One named value; it may use those above it only, so that none goes round in a circle."""
        yield from part_faults(value, self._legacy, to_ocp=False)
        for source in (*value.sources(), *condition_sources(value.when)):
            yield from self._source(source)
        if value.name in self._values:
            yield f"there is a value {value.name} already"
        self._values.add(value.name)

    def block(self, block: d.Block) -> Iterator[str]:
        """One block and its fields."""
        order = _order(self._template.root, block.at)
        if order is None or not block.at:
            yield f"the template {self._template.name} has no sequence {block.at}"
            return
        if order < self._order[: len(order)]:
            yield f"{block.at} stands behind a block that it must come before: follow the template's order"
        self._order = order
        yield from condition_faults(block.when)
        if block.each and block.each != "answer.faults":
            yield from self._source(block.each)
        for source in condition_sources(block.when):
            yield from self._source(source, in_each=bool(block.each))
        seen: dict[str, d.FieldRule] = {}
        for rule in block.fields:
            place = f"{block.at}/{rule.field}"
            above = seen.get(rule.field)
            if above is not None and (above.default or above.constant) and not above.when:
                yield f"{place}: the field before it always has a value, this one can never be written"
            seen[rule.field] = rule
            self._written.add(place)
            for text in self._field(rule, place, in_each=bool(block.each)):
                yield f"{place}: {text}"
        if not block.fields:
            yield f"the block {block.at} has no fields"

    def left_out(self, section: d.MessageSection) -> Iterator[str]:
        """Every member is used, or left out for a reason."""
        for path, reason in section.left_out.items():
            if path not in self._members:
                yield f"the schema {section.schema} has no member {path}"
            elif path in self._used:
                yield f"{path} is used: it is not left out"
            elif not reason:
                yield f"say the reason why {path} is left out"
        for member in self._members:
            covers = member.path in section.left_out or member.path in self._used or member.is_object
            if not covers:
                yield f"the member {member.path} is forgotten: use it, or say in `left_out` why it has no place"

    def never_written(self) -> Iterator[str]:
        """Mandatory fields of sequences that are written, or must be."""
        sequences = {place.rpartition("/")[0] for place in self._written}
        yield from _never_written(self._template.root, sequences, self._written, is_needed=True)

    def _field(self, rule: d.FieldRule, place: str, *, in_each: bool) -> Iterator[str]:
        spec = self._places.get(place)
        if spec is None:
            yield f"the template {self._template.name} has no such place"
            return
        yield from part_faults(rule, self._legacy, to_ocp=False)
        for source in (*rule.sources(), *condition_sources(rule.when)):
            yield from self._source(source, in_each=in_each)
        for text in (rule.constant, rule.default):
            if text and (spec.pattern.fullmatch(text) is None or (spec.values and text not in spec.values)):
                yield f"{text!r} does not fit {spec.format}"
        if rule.codes and is_sound(rule, self._legacy, to_ocp=False):
            yield from self._codes(rule, spec)

    def _codes(self, rule: d.FieldRule, spec: FieldSpec) -> Iterator[str]:
        """The table's codes fit the field, and it has one for each of the member's codes."""
        table = self._legacy.tables[rule.codes]
        for code in sorted(legacy_codes(table)):
            if spec.pattern.fullmatch(code) is None or (spec.values and code not in spec.values):
                yield f"the table {table.name} gives {code!r}, which does not fit {spec.format}"
        if len(rule.sources()) != 1 or rule.use in FUNCTIONS:
            return
        root, _, path = rule.sources()[0].partition(".")
        if root == "ocp" and path in self._members:
            for code in sorted(self._members[path].codes):
                if not serves(table, code):
                    yield f"the table {table.name} has no code for {code} of {path}"

    def _source(self, source: str, *, in_each: bool = False) -> Iterator[str]:
        root, _, path = source.partition(".")
        if root == "ocp":
            if path in self._members:
                self._used.add(path)
            else:
                yield f"the schema has no member {path}, named as {source}"
        elif root == "value":
            if path not in self._values:
                yield f"there is no {source} above here"
        elif source.startswith(CARRIED):
            if source.removeprefix(CARRIED) not in self._carried:
                yield f"no request carries {source.removeprefix(CARRIED)}"
        elif root not in ROOTS:
            yield f"{source!r} has no root; roots are ocp, value, {', '.join(ROOTS)}"
        elif root == "item" and not in_each:
            yield f"{source} has a meaning only in a block with `each`"
        elif path not in ROOTS[root]:
            yield f"there is no {source}; {root} has {', '.join(ROOTS[root])}"


def _order(spec: SequenceSpec, path: str, before: tuple[int, ...] = ()) -> tuple[int, ...] | None:
    """Where a sequence stands: the number of each step to it; None when there is none."""
    if spec.path == path:
        return before
    for number, item in enumerate(spec.items):
        if isinstance(item, SequenceSpec) and (found := _order(item, path, (*before, number))) is not None:
            return found
    return None


def _never_written(spec: SequenceSpec, sequences: set[str], written: set[str], *, is_needed: bool) -> Iterator[str]:
    is_there = any(path == spec.path or path.startswith(f"{spec.path}/") for path in sequences)
    if spec.path and not is_there:
        if is_needed and spec.mandatory:
            yield f"the mandatory sequence {spec.path} is written by no block"
        return
    fields: Sequence[FieldSpec] = [item for item in spec.items if isinstance(item, FieldSpec)]
    for field in fields:
        if field.mandatory and field.place not in written:
            yield f"the mandatory field {field.place} is written by no block"
    for item in spec.items:
        if isinstance(item, SequenceSpec):
            yield from _never_written(item, sequences, written, is_needed=True)
