"""The gateway's messages: values by name in, fields of a text block out, by the blocks of the data.

A block is one sequence: it opens anew where it stands; fields with a path of their own stand in sequences inside it. A
block none of whose texts is whole is left out, and so is a field that the template does not have in the message type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
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


#: a field that is to be written: the path of its sequence, its place, its text
_Found = tuple[tuple[str, ...], str, str]


class _Block:
    def __init__(self, entry: BlockEntry, texts: TextCompiler) -> None:
        self.each = entry.each
        self.once = entry.once
        self._open = _names(entry.at)
        self._holds = texts.holds(entry.when, entry.unless)
        places = [(_place(entry.at, key), texts.value(value)) for key, value in entry.write.items()]
        self._texts = [(_names(place.rpartition("/")[0]), place, make) for place, make in places]

    def found(self, values: Values) -> list[_Found]:
        """Every place that has a value, with it."""
        if self._holds is not None and not self._holds(values):
            return []
        return [(path, place, text) for path, place, make in self._texts if (text := make(values)) is not None]

    def write(self, found: Sequence[_Found], draft: _Draft) -> None:
        """Append what was found, if anything."""
        is_begun = False
        for path, place, text in found:
            spec = draft.specs.get((draft.type, place))
            if spec is None:
                continue
            if not is_begun:
                draft.begin(self._open)
                is_begun = True
            draft.add(path, spec, text)


class _Draft:
    """A message under way: its lines, and the sequences that are open."""

    def __init__(self, template: Template, message_type: str) -> None:
        self.specs = template.places
        self.type = message_type
        self._open: tuple[str, ...] = ()
        self.lines: list[Line] = []

    def begin(self, path: tuple[str, ...]) -> None:
        """Open a sequence anew."""
        self._move(path, len(path) - 1)

    def add(self, path: tuple[str, ...], spec: FieldSpec, text: str) -> None:
        """Append a field of the sequence at `path`."""
        if path != self._open:
            self._move(path, len(path))
        self.lines.append(Line(fresh(spec.tag, spec.qualifier, spec.scheme, text), spec))

    def end(self) -> list[Line]:
        """All lines, every sequence closed."""
        self._move((), 0)
        return self.lines

    def _move(self, path: tuple[str, ...], most: int) -> None:
        """Close and open sequences until `path` is open; at most so many of its names stay open."""
        now, keep = self._open, 0
        while keep < most and keep < len(now) and now[keep] == path[keep]:
            keep += 1
        self.lines += [_mark(SEQUENCE_END, name) for name in reversed(now[keep:])]
        self.lines += [_mark(SEQUENCE_START, name) for name in path[keep:]]
        self._open = path


@lru_cache(1000)
def _mark(tag: str, name: str) -> Line:
    return Line(fresh(tag, "", "", name.partition("[")[0]), None)


class MessageWriting:
    """Writes the messages of one template."""

    def __init__(
        self, entry: MessageEntry, groups: Mapping[str, Sequence[BlockEntry]], template: Template, texts: TextCompiler
    ) -> None:
        self.entry = entry
        self._template = template
        self._type = texts.value(entry.type)
        self._blocks = [_Block(block, texts) for name in entry.blocks for block in groups[name]]
        self._runs = [(each, list(run)) for each, run in groupby(self._blocks, key=lambda block: block.each)]
        self._pages = entry.pages

    def write(self, values: Values) -> Written:
        """The one message that these values make. Raises KeyError when the template has no such message type."""
        message_type = self._type(values) or ""
        if message_type not in self._template.message_types:
            raise KeyError(f"{self.entry.template}: {message_type}")
        draft = _Draft(self._template, message_type)
        for each, blocks in self._runs:
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
    last: dict[int, list[_Found]] = {}
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
