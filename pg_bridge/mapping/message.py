"""OCP -> legacy: the blocks of an answer or unsolicited message, compiled for one message type.

Strategy: a block is one sequence instance. Which sequences must be closed and opened before it, and every constant
line, are known when it is compiled; at run time sources are fetched, conditions held, and lines appended.
A block none of whose fields has a value is not written; one of constants only always is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.iso15022.rules import CHECKS
from pg_bridge.mapping.document import Block, Condition, FieldRule, as_list
from pg_bridge.mapping.functions import FUNCTIONS, ToLegacy, words_are_cut
from pg_bridge.mapping.lineage import Fate, Lineage
from pg_bridge.profiles.legacy import CodeTable, LegacyProfile
from pg_bridge.profiles.template import FieldSpec, Template

Sources = Mapping[str, Any]
Getter = Callable[[Sources], Any]


def getter(path: str) -> Getter:
    """Fetch a dotted path of the sources; None where any member is absent."""
    members = tuple(path.split("."))
    if len(members) == 2:
        root, name = members

        def two(sources: Sources) -> Any:
            document = sources.get(root)
            return document.get(name) if document is not None else None

        return two

    def many(sources: Sources) -> Any:
        value: Any = sources
        for member in members:
            if not isinstance(value, Mapping):
                return None
            value = value.get(member)
        return value

    return many


def compile_condition(condition: Condition) -> Callable[[Sources], bool] | None:
    """All parts must hold: a value equals, lies in a list, is present, or is a date after another source's."""
    if not condition:
        return None
    parts = [_part(getter(path), wanted) for path, wanted in condition.items()]
    if len(parts) == 1:
        return parts[0]
    return lambda sources: all(part(sources) for part in parts)


def _part(get: Getter, wanted: Any) -> Callable[[Sources], bool]:
    if isinstance(wanted, dict):
        if "present" in wanted:
            there = bool(wanted["present"])
            return lambda sources: (get(sources) is not None) is there
        is_after = "after" in wanted
        other = getter(str(wanted["after"] if is_after else wanted["not_after"]))

        def compare(sources: Sources) -> bool:
            value, than = get(sources), other(sources)
            if value is None or than is None:
                return not is_after
            return (str(value) > str(than)) is is_after

        return compare
    if isinstance(wanted, list):
        allowed = frozenset(wanted)
        return lambda sources: get(sources) in allowed
    if isinstance(wanted, bool):
        # An absent flag is not set.
        return lambda sources: bool(get(sources)) is wanted
    return lambda sources: bool(get(sources) == wanted)


@dataclass(slots=True)
class Draft:
    """A message being written."""

    lines: list[str]
    open: list[str]
    lineage: list[Lineage]
    findings: list[Finding]


class FieldWriter:
    """One field of a block, with everything looked up."""

    __slots__ = (
        "_checks",
        "_codes",
        "_default",
        "_function",
        "_gets",
        "_name",
        "_number",
        "_prefix",
        "_rule",
        "_spec",
        "constant",
    )

    def __init__(self, number: str, rule: FieldRule, spec: FieldSpec, legacy: LegacyProfile) -> None:
        self._number = number
        self._rule = rule
        self._spec = spec
        self._gets = [getter(path) for path in as_list(rule.from_)]
        self._name = rule.use or ("codes" if rule.codes else "")
        self._function: ToLegacy | None = FUNCTIONS[rule.use].to_legacy if rule.use else None
        self._codes: CodeTable | None = legacy.tables[rule.codes] if rule.codes else None
        self._default = rule.default
        self._checks = [CHECKS[name][0] for name in spec.checks]
        if not spec.qualifier:
            self._prefix = f":{spec.tag}:"
        elif spec.scheme:
            self._prefix = f":{spec.tag}::{spec.qualifier}/{spec.scheme}/"
        else:
            self._prefix = f":{spec.tag}::{spec.qualifier}//"
        self.constant = f"{self._prefix}{rule.constant}" if rule.constant else ""

    def line(self, sources: Sources, draft: Draft) -> str | None:
        """The field's line, None when it has no value. Raises MappingFailed when the value does not fit."""
        if self.constant:
            return self.constant
        values = [get(sources) for get in self._gets]
        text = self._text(values)
        fate: Fate = "transformed" if self._name else "mapped"
        if text is None:
            if not self._default:
                return None
            text, fate = self._default, "defaulted"
        spec = self._spec
        fits = spec.pattern.fullmatch(text) is not None and (not spec.values or text in spec.values)
        if not fits or any(not passes(text) for passes in self._checks):
            finding = Finding("PGB-MAP-004", "error", spec.place, f"{text!r} does not fit {spec.format}")
            raise MappingFailed(f"writing {spec.place}: {text!r} does not fit {spec.format}", findings=(finding,))
        before = (
            ""
            if not values
            else str(values[0])
            if len(values) == 1
            else "/".join("" if value is None else str(value) for value in values)
        )
        sources_named = tuple(as_list(self._rule.from_))
        draft.lineage.append(Lineage(spec.place, sources_named, before, text, self._number, self._name, fate))
        if words_are_cut(self._name, values):
            draft.findings.append(Finding("PGB-MAP-005", "warning", spec.place, f"part of {before!r} is lost"))
            draft.lineage.append(Lineage("", sources_named, before, text, self._number, self._name, "lost"))
        return self._prefix + text

    def _text(self, values: Sequence[Any]) -> str | None:
        if self._function is not None:
            try:
                return self._function(values)
            except (ValueError, TypeError, IndexError) as error:
                raise MappingFailed(f"writing {self._spec.place} with {self._name}: {error}") from error
        if self._codes is not None:
            if all(value is None for value in values):
                return None
            key = "/".join("" if value is None else str(value) for value in values)
            text = self._codes.to_legacy(key)
            if text is None:
                raise MappingFailed(f"writing {self._spec.place}: {key!r} is not in the table {self._codes.name}")
            return text
        for value in values:
            if value is not None:
                return str(value)
        return None


class BlockWriter:
    """One block: its own fields, then those of sequences inside it."""

    def __init__(
        self,
        number: str,
        block: Block,
        template: Template,
        type_: str,
        legacy: LegacyProfile,
    ) -> None:
        self.names = [segment.partition("[")[0] for segment in block.at.split("/")]
        self.holds = compile_condition(block.when)
        self.each = getter(block.each) if block.each else None
        self._own: list[FieldWriter] = []
        self._inner: list[tuple[str, list[FieldWriter]]] = []
        for rule in block.fields:
            spec = template.places.get((type_, f"{block.at}/{rule.field}"))
            if spec is None:
                continue  # the field does not stand in this message type; `check` knows those of no type at all
            writer = FieldWriter(number, rule, spec, legacy)
            inner, slash, _ = rule.field.rpartition("/")
            if not slash:
                self._own.append(writer)
            elif self._inner and self._inner[-1][0] == inner:
                self._inner[-1][1].append(writer)
            else:
                self._inner.append((inner, [writer]))
        self.is_empty = not self._own and not self._inner
        writers = [*self._own, *(writer for _, group in self._inner for writer in group)]
        self._always = all(writer.constant for writer in writers)

    def write(self, sources: Sources, draft: Draft) -> None:
        """Append the block's lines, unless it has nothing to say."""
        own = [line for writer in self._own if (line := writer.line(sources, draft)) is not None]
        has_value = self._always or (
            any(not writer.constant for writer in self._own)
            and len(own) > sum(bool(writer.constant) for writer in self._own)
        )
        inner: list[str] = []
        for name, group in self._inner:
            lines = [line for writer in group if (line := writer.line(sources, draft)) is not None]
            if lines:
                inner += [f":16R:{name}", *lines, f":16S:{name}"]
                has_value = True
        if not has_value and not (own and inner):
            return
        names = self.names
        self._move(names[:-1], draft)
        draft.lines.append(f":16R:{names[-1]}")
        draft.open.append(names[-1])
        draft.lines += own
        draft.lines += inner

    def _move(self, parents: list[str], draft: Draft) -> None:
        """Close what is open beyond the parents, open those that are not."""
        shared = 0
        while shared < len(parents) and shared < len(draft.open) and draft.open[shared] == parents[shared]:
            shared += 1
        close_to(draft, shared)
        for name in parents[shared:]:
            draft.lines.append(f":16R:{name}")
            draft.open.append(name)


def close_to(draft: Draft, depth: int) -> None:
    """Close the open sequences down to `depth`."""
    while len(draft.open) > depth:
        draft.lines.append(f":16S:{draft.open.pop()}")


class MessageMapping:
    """The blocks of one template and message type."""

    def __init__(self, template: Template, type_: str, blocks: Sequence[BlockWriter]) -> None:
        self._blocks = [block for block in blocks if not block.is_empty]
        self._due = [f":16R:{name}" for name in template.root.due_sequences(type_)]

    def apply(self, sources: Sources) -> Draft:
        """The message's lines, with lineage. Raises MappingFailed.

        A mandatory sequence that no block wrote (a status that no row knows) is a failure, not a shorter message.
        """
        draft = Draft([], [], [], [])
        for block in self._blocks:
            if block.each is not None:
                for item in block.each(sources) or ():
                    within = {**sources, "item": item}
                    if block.holds is None or block.holds(within):
                        block.write(within, draft)
            elif block.holds is None or block.holds(sources):
                block.write(sources, draft)
        close_to(draft, 0)
        for line in self._due:
            if line not in draft.lines:
                text = f"no block writes the mandatory sequence {line[5:]} for this"
                finding = Finding("PGB-MAP-006", "error", line[5:], text)
                raise MappingFailed(f"writing the message: {text}", findings=(finding,))
        return draft
