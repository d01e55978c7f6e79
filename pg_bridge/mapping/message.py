"""OCP -> legacy: the blocks of an answer or unsolicited message, compiled for one message type.

Strategy: a block is one sequence instance. Which sequences must be closed and opened before it, and every constant
line, are known when it is compiled. At run time every source is fetched once into numbered slots, the named values
are made, conditions held, and lines appended.
A block none of whose fields has a value is not written; one of constants only always is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.mapping.conditions import Holds, compile_condition
from pg_bridge.mapping.document import Block, Value
from pg_bridge.mapping.field import (
    ITEM,
    NO_PROFILE,
    NOTHING_GIVES,
    PROFILE,
    VALUE,
    Draft,
    Line,
    Origins,
    SlotPlan,
    Slots,
    Sources,
    compile_field,
    compile_text,
    failed,
    getter,
)
from pg_bridge.mapping.places import Places, places_of
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

#: ISO 15022's marks of a sequence
SEQUENCE_START = "16R"
SEQUENCE_END = "16S"

NO_CONDITION: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _Row:
    """A field of a block: its alternatives, of which the first with a value is written."""

    alternatives: tuple[Line, ...]
    spec: FieldSpec
    is_constant: bool


class BlockWriter:
    """One block: its own fields, then those of sequences inside it, each in the template's order."""

    def __init__(
        self,
        number: str,
        block: Block,
        template: Template,
        places: Places,
        plan: SlotPlan,
        tables: Mapping[str, CodeTable],
        origins: Origins,
        watched: Container[str],
    ) -> None:
        self.at = block.at
        self._open = names_of(block.at)
        self._moves: dict[tuple[str, ...], list[str]] = {}
        self._marks = tuple(path for path in (block.at, *_bare_parents(template.root, block.at)) if path in watched)
        self._watched = watched
        self.holds: Holds[Slots] | None = compile_condition(block.when, plan.get)
        self.each = plan.get(block.each) if block.each else None
        rows: dict[str, tuple[FieldSpec, list[Line], bool]] = {}
        for rule in block.fields:
            spec = places.get(block.place(rule.field))
            if spec is None:
                continue  # the field does not stand in this message type; `check` knows those of no type at all
            line = compile_field(number, rule, spec, plan, tables, origins, block.when)
            _, lines, is_constant = rows.setdefault(rule.field, (spec, [], True))
            lines.append(line)
            rows[rule.field] = (spec, lines, is_constant and bool(rule.constant))
        self._own: list[_Row] = []
        self._inner: list[tuple[str, str, list[_Row]]] = []
        for field, (spec, lines, is_constant) in rows.items():
            row = _Row(tuple(lines), spec, is_constant)
            inner = field.rpartition("/")[0]
            if not inner:
                self._own.append(row)
            elif self._inner and self._inner[-1][1] == block.place(inner):
                self._inner[-1][2].append(row)
            else:
                self._inner.append((inner.partition("[")[0], block.place(inner), [row]))
        every = [*self._own, *(row for _, _, group in self._inner for row in group)]
        self.is_empty = not every
        self._always = all(row.is_constant for row in every)

    def write(self, draft: Draft) -> None:
        """Append the block's lines, unless it has nothing to say. Raises MappingFailed: a mandatory field has none."""
        mark = len(draft.lineage)
        own, has_value, missing = _lines(self._own, draft) if self._own else ([], False, None)
        inner: list[str] = []
        paths = self._marks
        for name, path, group in self._inner:
            lines, has_some, lacks = _lines(group, draft)
            if lines:
                has_value = has_value or has_some
                missing = missing or lacks
                inner += [f":{SEQUENCE_START}:{name}", *lines, f":{SEQUENCE_END}:{name}"]
                if path in self._watched:
                    paths = (*paths, path)
        if not has_value and not (self._always and (own or inner)):
            del draft.lineage[mark:]
            return
        if missing is not None:
            raise failed(NOTHING_GIVES, missing.place, f"nothing gives the mandatory field: {missing.meaning}")
        moves = self._moves.get(draft.open)
        if moves is None:
            # What is open is what a block left open: as many ways as there are blocks.
            moves = self._moves[draft.open] = moves_to(draft.open, self._open)
        draft.open = self._open
        draft.lines += moves
        draft.lines += own
        draft.lines += inner
        if paths:
            draft.written.update(paths)


def names_of(path: str) -> tuple[str, ...]:
    """The names of a sequence and of those around it, the outermost first; none for an empty path."""
    return tuple(segment.partition("[")[0] for segment in path.split("/")) if path else ()


def closed(is_open: tuple[str, ...], depth: int = 0) -> list[str]:
    """The marks that close what is open, down to `depth` sequences."""
    return [f":{SEQUENCE_END}:{name}" for name in reversed(is_open[depth:])]


def moves_to(is_open: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    """The marks that close what is open beyond the parents of a sequence, and open those that are not, and itself."""
    depth = len(names) - 1
    shared = 0
    while shared < depth and shared < len(is_open) and is_open[shared] == names[shared]:
        shared += 1
    return [*closed(is_open, shared), *(f":{SEQUENCE_START}:{name}" for name in names[shared:])]


def _lines(rows: Sequence[_Row], draft: Draft) -> tuple[list[str], bool, FieldSpec | None]:
    """The lines, whether one of them is no constant, and the first mandatory field without one."""
    lines: list[str] = []
    has_value = False
    missing: FieldSpec | None = None
    for row in rows:
        for alternative in row.alternatives:
            line = alternative(draft)
            if line is not None:
                lines.append(line)
                has_value = has_value or not row.is_constant
                break
        else:
            if row.spec.mandatory and missing is None:
                missing = row.spec
    return lines, has_value, missing


def _bare_parents(spec: SequenceSpec, path: str) -> tuple[str, ...]:
    """The sequences around `path` that have no fields of their own: they are there as soon as it is."""
    for item in spec.items:
        if isinstance(item, SequenceSpec) and path.startswith(f"{item.path}/"):
            is_bare = not any(isinstance(below, FieldSpec) for below in item.items)
            return ((item.path,) if is_bare else ()) + _bare_parents(item, path)
    return ()


class MessageMapping:
    """The values and blocks of one template and message type. blocks: each with the name of its rule."""

    def __init__(
        self,
        values: Sequence[Value],
        blocks: Sequence[tuple[str, Block]],
        template: Template,
        message_type: str,
        tables: Mapping[str, CodeTable],
        profile: Mapping[str, str] = NO_PROFILE,
        listed: Mapping[str, Any] = NO_CONDITION,
    ) -> None:
        """listed: of an answer that lists entries, the condition of those that are."""
        plan = SlotPlan()
        self._is_listed: Holds[Slots] | None = compile_condition(listed, plan.get)
        origins = Origins({}, {})
        self._values: list[tuple[int, Holds[Slots] | None, str | Callable[[Slots], str | None], str]] = []
        for value in values:
            name = f"{VALUE}{value.name}"
            made = value.constant or compile_text(value, plan, tables, name)
            holds: Holds[Slots] | None = compile_condition(value.when, plan.get)
            origins.add(name, value)
            self._values.append((plan.number(name), holds, made, value.default))
        places = places_of(template, message_type)
        self._mandatory: dict[str, tuple[str, ...]] = {}
        _mandatory_children(template.root, message_type, self._mandatory)
        watched = {path for parent, children in self._mandatory.items() for path in (parent, *children)}
        writers = [
            BlockWriter(number, block, template, places, plan, tables, origins, watched) for number, block in blocks
        ]
        self._blocks = [writer for writer in writers if not writer.is_empty]
        sources = plan.sources()
        self._items = [(number, source.removeprefix(ITEM)) for number, source in sources if source.startswith(ITEM)]
        self._fetch: list[tuple[int, Callable[[Sources], Any]]] = []
        self._members: dict[str, list[tuple[int, str]]] = {}
        for number, source in sources:
            root, _, name = source.partition(".")
            if source.startswith((ITEM, VALUE)):
                continue
            if not name or "." in name or root == PROFILE:
                self._fetch.append((number, getter(source, profile)))
            else:
                self._members.setdefault(root, []).append((number, name))
        self._size = len(plan)

    def apply_all(self, sources: Sources) -> list[Draft]:
        """The messages that the sources become, in order: one, unless the section lists entries."""
        return [self.apply(sources)]

    def apply(self, sources: Sources) -> Draft:
        """The message's lines, with lineage. Raises MappingFailed."""
        draft = Draft(self._filled(sources), [], (), {""}, [], [])
        for block in self._blocks:
            self._write(block, draft)
        draft.lines += closed(draft.open)
        self._check(draft.written)
        return draft

    def _filled(self, sources: Sources) -> Slots:
        """Every source and named value in its slot."""
        slots: Slots = [None] * self._size
        for root, members in self._members.items():
            document = sources.get(root)
            if document:
                member = document.get
                for number, name in members:
                    slots[number] = member(name)
        for number, get in self._fetch:
            slots[number] = get(sources)
        for number, holds, made, default in self._values:
            if holds is None or holds(slots):
                slots[number] = (made if isinstance(made, str) else made(slots)) or default or None
        return slots

    def _write(self, block: BlockWriter, draft: Draft) -> None:
        if block.each is not None:
            self._each(block, draft)
        elif block.holds is None or block.holds(draft.slots):
            block.write(draft)

    def _check(self, written: Container[str]) -> None:
        """Raise MappingFailed where a sequence is written and a mandatory one inside it is not."""
        for path, children in self._mandatory.items():
            if path in written:
                for child in children:
                    if child not in written:
                        raise failed(NOTHING_GIVES, child, "nothing gives the mandatory sequence")

    def _each(self, block: BlockWriter, draft: Draft) -> None:
        items = block.each(draft.slots) if block.each is not None else None
        for count, item in enumerate(items or (), 1):
            draft.suffix = f"#{count}" if count > 1 else ""
            for number, name in self._items:
                value: Any = item
                for member in name.split("."):
                    value = value.get(member) if isinstance(value, Mapping) else None
                draft.slots[number] = value
            if block.holds is None or block.holds(draft.slots):
                block.write(draft)
        draft.suffix = ""


def _mandatory_children(spec: SequenceSpec, message_type: str, found: dict[str, tuple[str, ...]]) -> None:
    below = [item for item in spec.items if isinstance(item, SequenceSpec) and message_type in item.types]
    needed = tuple(item.path for item in below if item.mandatory)
    if needed:
        found[spec.path] = needed
    for item in below:
        _mandatory_children(item, message_type, found)
