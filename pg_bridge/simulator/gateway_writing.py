"""The gateway's messages: values by name in, fields of a text block out, by the blocks of the data.

A block is one sequence: it opens anew where it stands; fields with a path of their own stand in sequences inside it. A
block none of whose texts is whole is left out, and so is a field that the template does not have in the message type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.writer import fresh, write
from pg_bridge.profiles.template import FieldSpec, Template
from pg_bridge.simulator.gateway_file import BlockEntry, MessageEntry
from pg_bridge.simulator.gateway_texts import TextCompiler, Values

#: ISO 15022's marks of a sequence
SEQUENCE_START = "16R"
SEQUENCE_END = "16S"


class Line(NamedTuple):
    """One field of a message; spec: what the template says of it, None of a mark of a sequence."""

    field: Field
    spec: FieldSpec | None


class Written(NamedTuple):
    """One message of the gateway."""

    template: str
    message_type: str
    lines: list[Line]

    @property
    def body(self) -> bytes:
        """The lines of its text block."""
        return write(line.field for line in self.lines)


class _Block:
    def __init__(self, entry: BlockEntry, texts: TextCompiler) -> None:
        self.each = entry.each
        self.once = entry.once
        self.at = entry.at
        self._open = _names(entry.at)
        self._holds = texts.holds(entry.when, entry.unless)
        self._texts = [(_place(entry.at, key), texts.value(value)) for key, value in entry.write.items()]

    def found(self, values: Values) -> list[tuple[str, str]]:
        """Every place that has a value, with it."""
        if self._holds is not None and not self._holds(values):
            return []
        return [(place, text) for place, make in self._texts if (text := make(values)) is not None]

    def write(self, found: Sequence[tuple[str, str]], draft: _Draft) -> None:
        """Append what was found, if anything."""
        rows = [(draft.spec(place), text) for place, text in found]
        if any(spec is not None for spec, _ in rows):
            draft.begin(self._open)
            for (place, _), (spec, text) in zip(found, rows, strict=True):
                if spec is not None:
                    draft.add(_names(place.rpartition("/")[0]), spec, text)


class _Draft:
    """A message under way: its lines, and the sequences that are open."""

    def __init__(self, template: Template, message_type: str) -> None:
        self._template = template
        self._type = message_type
        self._open: tuple[str, ...] = ()
        self.lines: list[Line] = []

    def spec(self, place: str) -> FieldSpec | None:
        """The field at a place, None where the message type has none."""
        return self._template.places.get((self._type, place))

    def begin(self, path: tuple[str, ...]) -> None:
        """Open a sequence anew."""
        keep = 0
        while keep < min(len(self._open), len(path) - 1) and self._open[keep] == path[keep]:
            keep += 1
        self._close(keep)
        self._reach(path)

    def add(self, path: tuple[str, ...], spec: FieldSpec, text: str) -> None:
        """Append a field of the sequence at `path`."""
        keep = 0
        while keep < min(len(self._open), len(path)) and self._open[keep] == path[keep]:
            keep += 1
        self._close(keep)
        self._reach(path)
        self.lines.append(Line(fresh(spec.tag, spec.qualifier, spec.scheme, text), spec))

    def end(self) -> list[Line]:
        """All lines, every sequence closed."""
        self._close(0)
        return self.lines

    def _close(self, keep: int) -> None:
        for name in reversed(self._open[keep:]):
            self.lines.append(Line(fresh(SEQUENCE_END, "", "", name.partition("[")[0]), None))
        self._open = self._open[:keep]

    def _reach(self, path: tuple[str, ...]) -> None:
        for name in path[len(self._open) :]:
            self.lines.append(Line(fresh(SEQUENCE_START, "", "", name.partition("[")[0]), None))
        self._open = path


class MessageWriting:
    """Writes the messages of one template."""

    def __init__(
        self, entry: MessageEntry, groups: Mapping[str, Sequence[BlockEntry]], template: Template, texts: TextCompiler
    ) -> None:
        self.entry = entry
        self._template = template
        self._type = texts.value(entry.type)
        self._blocks = [_Block(block, texts) for name in entry.blocks for block in groups[name]]
        self._pages = entry.pages

    def write(self, values: Values) -> Written:
        """The one message that these values make. Raises KeyError when the template has no such message type."""
        message_type = self._type(values) or ""
        if message_type not in self._template.message_types:
            raise KeyError(f"{self.entry.template}: {message_type}")
        draft = _Draft(self._template, message_type)
        for each, run in groupby(self._blocks, key=lambda block: block.each):
            blocks = list(run)
            if each:
                _write_each(blocks, values, values.get(each) or (), draft)
            else:
                for block in blocks:
                    block.write(block.found(values), draft)
        return Written(self.entry.template, message_type, draft.end())

    def write_pages(self, values: Values, reference: Iterator[str]) -> list[Written]:
        """All messages that these values make: as many as their list takes. reference: of each of them."""
        pages = self._pages
        if pages is None:
            return [self.write({**values, "reference": next(reference)})]
        items = self._together(pages.of, values)
        cut = [items[at : at + pages.most] for at in range(0, len(items), pages.most)] or [[]]
        return [
            self.write(
                {
                    **values,
                    "reference": next(reference),
                    pages.of: page,
                    "page.number": number,
                    "page.mark": "only" if len(cut) == 1 else "last" if number == len(cut) else "more",
                    "page.count": len(page) or None,
                }
            )
            for number, page in enumerate(cut, 1)
        ]

    def _together(self, of: str, values: Values) -> list[Mapping[str, Any]]:
        """The items of a list; those that begin alike stand together, in the order in which the first of each came."""
        items = list(values.get(of) or ())
        heads = [block for block in self._blocks if block.once and block.each == of]
        if not heads:
            return items
        alike: dict[str, list[Mapping[str, Any]]] = {}
        for item in items:
            alike.setdefault(str([block.found({**values, **item}) for block in heads]), []).append(item)
        return [item for group in alike.values() for item in group]


def _write_each(blocks: Sequence[_Block], values: Values, items: Sequence[Mapping[str, Any]], draft: _Draft) -> None:
    last: dict[int, list[tuple[str, str]]] = {}
    for item in items:
        one = {**values, **item}
        for number, block in enumerate(blocks):
            found = block.found(one)
            if block.once and last.get(number) == found:
                continue
            last[number] = found
            block.write(found, draft)


def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("/")) if path else ()


def _place(at: str, key: str) -> str:
    return f"{at}/{key}" if at else key
