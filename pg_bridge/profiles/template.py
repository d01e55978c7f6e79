"""Templates: CCASS's profile of a message type, as typed values, and the check of a message against one.

A place names one field of a template: `SETDET/SETPRTY[95R]/95R:REAG`. Sequences that share a name are told apart
by their first field, in brackets. In a sequence the fields come first, then the sequences, in the file's order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.model import Field, Message
from pg_bridge.formats.iso15022.reader import OUTSIDE_X
from pg_bridge.formats.iso15022.rules import is_wide
from pg_bridge.profiles.check_plan import CheckPlan, Passes, passes_of


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a template. `reason`: the legacy reason code for a fault of it, where the data names one."""

    place: str
    tag: str
    qualifier: str
    scheme: str
    mandatory: bool
    repeats: bool
    types: frozenset[str]
    format: str
    pattern: re.Pattern[str]
    checks: tuple[str, ...]
    values: frozenset[str]
    meaning: str
    sample: str
    source: str
    concept: str
    reason: str


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """One sequence of a template; the root has an empty path and name."""

    path: str
    name: str
    discriminator: str
    mandatory: bool
    repeats: bool
    types: frozenset[str]
    items: tuple[FieldSpec | SequenceSpec, ...]

    def fields(self) -> list[FieldSpec]:
        """Every field below, in order."""
        found: list[FieldSpec] = []
        for item in self.items:
            found += [item] if isinstance(item, FieldSpec) else item.fields()
        return found

    def due_sequences(self, message_type: str) -> list[str]:
        """The names of the sequences that are mandatory in a message type, with all above them."""
        found: list[str] = []
        for item in self.items:
            if isinstance(item, SequenceSpec) and item.mandatory and message_type in item.types:
                found += [item.name, *item.due_sequences(message_type)]
        return found

    def always_due(self) -> list[FieldSpec]:
        """The mandatory fields of sequences that are mandatory themselves."""
        found: list[FieldSpec] = []
        for item in self.items:
            if item.mandatory:
                found += [item] if isinstance(item, FieldSpec) else item.always_due()
        return found


class Checked(NamedTuple):
    """A message held against a template: its fields by place, those of no place, and all findings.

    instances: for each sequence that repeats and stands, the (first, last) line of each time it stands, in order.
    """

    values: dict[str, list[Field]]
    unknown: tuple[Field, ...]
    findings: tuple[Finding, ...]
    instances: dict[str, list[tuple[int, int]]]


class _Rule(NamedTuple):
    """A field as the check needs it."""

    place: str
    order: int
    repeats: bool
    scheme: str
    matches: Callable[[str], object]
    checks: tuple[tuple[Callable[[str], bool], str], ...]
    values: frozenset[str]
    spec: FieldSpec


class _Node:
    """A sequence as the check needs it."""

    __slots__ = ("children", "mandatory", "mandatory_children", "path", "repeats", "rules", "spec", "wide")

    def __init__(self, spec: SequenceSpec) -> None:
        self.spec = spec
        self.path = spec.path
        self.repeats = spec.repeats
        self.rules: dict[tuple[str, str], _Rule] = {}
        self.children: dict[str, list[tuple[str, int, _Node]]] = {}
        self.mandatory: frozenset[str] = frozenset()
        self.mandatory_children: frozenset[str] = frozenset()
        #: places whose format allows more than the x set
        self.wide: frozenset[str] = frozenset(spec.place for spec in spec.fields() if is_wide(spec.format))


@dataclass(frozen=True, slots=True)
class Template:
    """One template. effect: `instruct`, `enquire`, `answer`, `unsolicited`; direction: `I` or `O`, seen from the PG."""

    name: str
    direction: str
    message_types: tuple[str, ...]
    function: str
    effect: str
    answer: str
    meaning: str
    source: str
    root: SequenceSpec
    nodes: dict[str, _Node]
    places: dict[tuple[str, str], FieldSpec]
    #: place and end of the text by which an answer says that more messages of it follow
    more: tuple[str, str] | None = None

    def goes_on(self, message_type: str, message: Message) -> bool:
        """Whether a message of this template says that more of the same answer follow."""
        if self.more is None or message_type not in self.nodes:
            return False
        place, ends = self.more
        fields = self.check(message_type, message).values.get(place, ())
        return any(field.value.endswith(ends) for field in fields)

    def field(self, place: str, message_type: str = "") -> FieldSpec:
        """The field at `place`. Raises KeyError when the template (in that message type) has none."""
        for type_ in (message_type,) if message_type else self.message_types:
            spec = self.places.get((type_, place))
            if spec is not None:
                return spec
        raise KeyError(place)

    def concept(self, concept: str, message_type: str) -> FieldSpec | None:
        """The field that is bound to `concept`, None where the template has none."""
        for spec in self.nodes[message_type].spec.fields():
            if spec.concept == concept and message_type in spec.types:
                return spec
        return None

    def check(self, message_type: str, message: Message, *, lenient: bool = False) -> Checked:
        """Hold `message` against this template: all findings, by place.

        The shape of a faultless message is remembered; of the next one of that shape only the values are looked at.
        """
        node = self.nodes[message_type]
        shape = message.known
        if shape is None:
            return check(node, message_type, message, lenient=lenient)
        plan = shape.conclusions.get(node)
        if plan is not None:
            passed = plan.check(message.fields)
            if passed is not None:
                return Checked(passed[0], (), (), passed[1])
        checked = check(node, message_type, message, lenient=lenient)
        if plan is None and not checked.findings and not checked.unknown:
            shape.conclude(node, CheckPlan(shape, checked.values, checked.instances, _passes(node)))
        return checked


def compile_nodes(root: SequenceSpec, message_type: str, checks: dict[str, tuple[Callable[[str], bool], str]]) -> _Node:
    """The lookups that checking one message type needs."""
    node = _Node(root)
    mandatory: list[str] = []
    mandatory_children: list[str] = []
    for order, item in enumerate(root.items):
        if message_type not in item.types:
            continue
        if isinstance(item, SequenceSpec):
            child = compile_nodes(item, message_type, checks)
            node.children.setdefault(item.name, []).append((item.discriminator, order, child))
            if item.mandatory:
                mandatory_children.append(item.path)
            continue
        node.rules[item.tag, item.qualifier] = _Rule(
            item.place,
            order,
            item.repeats,
            item.scheme,
            item.pattern.fullmatch,
            tuple(checks[name] for name in item.checks),
            item.values,
            item,
        )
        if item.mandatory:
            mandatory.append(item.place)
    node.mandatory = frozenset(mandatory)
    node.mandatory_children = frozenset(mandatory_children)
    return node


def check(root: _Node, message_type: str, message: Message, *, lenient: bool) -> Checked:
    """One pass over the fields, a stack of open sequences; every fault becomes a finding."""
    fields = message.fields
    findings = [found for found in message.findings if found.code != OUTSIDE_X or found.path not in root.wide]
    values: dict[str, list[Field]] = {}
    unknown: list[Field] = []
    instances: dict[str, list[tuple[int, int]]] = {}
    node = root
    seen: set[str] = set()
    last = -1
    first_line = 0
    stack: list[tuple[_Node, set[str], int, int]] = []
    skipped: list[str] = []
    count = len(fields)
    for index, field in enumerate(fields):
        tag = field[0]
        if skipped and (tag != "16S" or field.value in skipped or not _closed(node, stack, field.value)):
            if tag == "16R":
                skipped.append(field.value)
            elif tag != "16S":
                unknown.append(field)
            elif field.value in skipped:
                while skipped.pop() != field.value:
                    pass
            continue
        if tag == "16R":
            child = _child(node, field, fields[index + 1] if index + 1 < count else None)
            if child is None:
                skipped.append(field.value)
                _add(
                    findings,
                    "PGB-MSG-024",
                    field,
                    f"{node.path}/{field.value}".strip("/"),
                    "the template has no such sequence here",
                    lenient=lenient,
                )
                continue
            _, order, below = child
            if order < last:
                _add(
                    findings,
                    "PGB-MSG-025",
                    field,
                    below.path,
                    "the sequence stands behind one that it must come before",
                )
            last = max(last, order)
            if below.path in seen and not below.spec.repeats:
                _add(findings, "PGB-MSG-022", field, below.path, "the sequence stands more than once")
            seen.add(below.path)
            stack.append((node, seen, last, first_line))
            node, seen, last, first_line = below, set(), -1, field.line
            continue
        if tag == "16S":
            skipped.clear()
            for _ in range(_closed(node, stack, field.value)):
                if not node.mandatory <= seen or not node.mandatory_children <= seen:
                    _missing(findings, node, seen, field.line)
                if node.repeats:
                    instances.setdefault(node.path, []).append((first_line, field.line))
                node, seen, last, first_line = stack.pop()
            continue
        rule = node.rules.get((tag, field[1]))
        if rule is None:
            unknown.append(field)
            _unknown(findings, node, field, message_type, lenient=lenient)
            continue
        place = rule[0]
        if rule[1] < last:
            _add(
                findings,
                "PGB-MSG-025",
                field,
                place,
                "the field stands behind one that it must come before",
                rule.spec.reason,
            )
        else:
            last = rule[1]
        if place in seen and not rule[2]:
            _add(findings, "PGB-MSG-022", field, place, "the field stands more than once", rule.spec.reason)
        seen.add(place)
        value = field[3]
        if field[2] != rule[3]:
            _scheme(findings, field, rule)
        if rule[4](value) is None:
            _add(
                findings,
                "PGB-MSG-023",
                field,
                place,
                f"{value!r} is not of the format {rule.spec.format}",
                rule.spec.reason,
            )
        elif rule[6] and value not in rule[6]:
            expected = ", ".join(sorted(rule[6]))
            _add(findings, "PGB-MSG-026", field, place, f"{value!r} is none of {expected}", rule.spec.reason)
        else:
            for passes, wanted in rule[5]:
                if not passes(value):
                    _add(findings, "PGB-MSG-023", field, place, f"{value!r} is not {wanted}", rule.spec.reason)
        there = values.get(place)
        if there is None:
            values[place] = [field]
        else:
            there.append(field)
    seen_at_root = stack[0][1] if stack else seen
    if not root.mandatory <= seen_at_root or not root.mandatory_children <= seen_at_root:
        _missing(findings, root, seen_at_root, fields[-1].line if fields else 1)
    return Checked(values, tuple(unknown), tuple(findings), instances)


def _closed(node: _Node, stack: list[tuple[_Node, set[str], int, int]], name: str) -> int:
    """How many open sequences a 16S closes, as the reader takes it: those down to the one of its name, or none."""
    if stack and node.spec.name == name:
        return 1
    for above in range(len(stack) - 1, 0, -1):
        if stack[above][0].spec.name == name:
            return len(stack) - above + 1
    return 0


def _passes(node: _Node) -> dict[str, Passes]:
    """For each place, whether a value of it is without any fault."""
    found = {
        rule.place: passes_of(rule.matches, rule.values, [passes for passes, _ in rule.checks])
        for rule in node.rules.values()
    }
    for candidates in node.children.values():
        for _, _, child in candidates:
            found |= _passes(child)
    return found


def _child(node: _Node, field: Field, following: Field | None) -> tuple[str, int, _Node] | None:
    """The sequence that this 16R opens: by its first field where several share the name."""
    candidates = node.children.get(field.value, ())
    for candidate in candidates:
        discriminator = candidate[0]
        if not discriminator:
            return candidate
        if following is not None:
            tag, _, qualifier = discriminator.partition(":")
            if following.tag == tag and (not qualifier or following.qualifier == qualifier):
                return candidate
    return candidates[0] if len(candidates) == 1 else None


def _missing(findings: list[Finding], node: _Node, seen: set[str], line: int) -> None:
    specs = {spec.place: spec for spec in node.spec.items if isinstance(spec, FieldSpec)}
    for place in sorted(node.mandatory - seen):
        spec = specs[place]
        text = f"the mandatory field is missing: {spec.meaning}"
        findings.append(Finding("PGB-MSG-021", "error", place, text, line, spec.reason))
    findings.extend(
        Finding("PGB-MSG-021", "error", path, "the mandatory sequence is missing", line)
        for path in sorted(node.mandatory_children - seen)
    )


def _unknown(findings: list[Finding], node: _Node, field: Field, message_type: str, *, lenient: bool) -> None:
    name = field.tag + (f":{field.qualifier}" if field.qualifier else "")
    place = f"{node.path}/{name}" if node.path else name
    if not field.tag:
        return  # a stray line has its finding from the reader
    other = next((spec for spec in node.spec.items if isinstance(spec, FieldSpec) and spec.place == place), None)
    if other is not None:
        _add(
            findings,
            "PGB-MSG-027",
            field,
            place,
            f"the field is not allowed in MT{message_type}",
            other.reason,
        )
        return
    _add(findings, "PGB-MSG-024", field, place, "the template has no such field here", lenient=lenient)


def _scheme(findings: list[Finding], field: Field, rule: _Rule) -> None:
    expected = f"the data source scheme {rule.scheme}" if rule.scheme else "no data source scheme"
    text = f"{expected} is expected, {field.scheme or 'none'} stands there"
    _add(findings, "PGB-MSG-028", field, rule.place, text, rule.spec.reason)


def _add(
    findings: list[Finding],
    code: str,
    field: Field,
    place: str,
    text: str,
    reason: str = "",
    *,
    lenient: bool = False,
) -> None:
    findings.append(Finding(code, "warning" if lenient else "error", place, text, field.line, reason))
