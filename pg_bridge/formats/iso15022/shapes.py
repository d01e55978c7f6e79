"""Shapes of messages read before, so that the next message of a shape is only cut into its values.

A shape is all of a message but its values: tags, qualifiers, schemes, sequences, number of lines. A
participant's system writes few shapes, and many of its values again and again (dates, accounts, stocks):
both are remembered, bounded, and make no difference to the result.

Whoever sends shape after shape, or value after value, gains nothing: all that is kept stays below some 30 MB. A new
shape drives out only one that was not used lately; where all are in use it is read the plain way, as the first
message of every shape is. Values driven out cost others no more than reading them anew.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import cache, partial
from operator import itemgetter
from typing import Any

from pg_bridge.formats.iso15022.model import Field

#: Shapes kept in all, of one size, and the fields and line ends that a kept one may have.
MOST_SHAPES = 96
MOST_OF_ONE_SIZE = 8
MOST_FIELDS = 96
MOST_LINES = 160
#: Values kept of a shape and of one of its fields, and the longest text of one.
MOST_VALUES = 320
MOST_VALUES_OF_ONE_FIELD = 32
LONGEST_VALUE = 80
#: How often others must ask for the place of a shape, since it was used last, until it goes.
PATIENCE = 4
#: Of how many readers of a shape the conclusions are kept: one a message type, and twice while mappings are swapped.
MOST_CONCLUSIONS = 4

_X = r"[A-Za-z0-9/\-?:().,'+ ]"
_MARKS = ("16R", "16S")
_new: Any = partial(tuple.__new__, Field)


@cache
def _value_of(lines: int, *, is_generic: bool) -> re.Pattern[str]:
    """A faultless value of so many line ends. A further colon at its beginning would begin a qualifier."""
    return re.compile(rf"{'' if is_generic else '(?!:)'}{_X}*(?:\r\n{_X}*){{{lines}}}")


def _spot(field: Field) -> Callable[[str], Field | None]:
    """Reads a piece as this field with another value; gives None when it is not of this kind or not faultless."""
    tag, qualifier, scheme, value, raw, line, path = field
    slashes = f"/{scheme}/" if scheme else "//"
    begin = f"{tag}::{qualifier}{slashes}" if qualifier else f"{tag}:"
    matches = _value_of(raw.count("\r\n"), is_generic=bool(qualifier)).fullmatch
    raw_at = len(tag) + 1
    value_at = raw_at + len(raw) - len(value)

    def read(piece: str) -> Field | None:
        if piece[:value_at] != begin or matches(piece, value_at) is None:
            return None
        made: Field = _new((tag, qualifier, scheme, piece[value_at:], piece[raw_at:], line, path))
        return made

    return read


class Shape:
    """One shape: its marks (16R, 16S), ready-made, and the spots between them.

    numbers, lines: of the fields that are no marks, which in the message, and in which line. conclusions: what a
    reader of messages concluded from the shape alone, by reader. patience: how often it may yet be asked to go.
    """

    __slots__ = (
        "_fields",
        "_mark_pieces",
        "_marks",
        "_most",
        "_spots",
        "_vary",
        "conclusions",
        "lines",
        "numbers",
        "patience",
        "size",
    )

    def __init__(self, fields: tuple[Field, ...], size: tuple[int, int]) -> None:
        marks = [number for number, field in enumerate(fields) if field.tag in _MARKS]
        self.numbers = [number for number, field in enumerate(fields) if field.tag not in _MARKS]
        self.lines = [fields[number].line for number in self.numbers]
        self._marks = itemgetter(*marks)
        self._vary = itemgetter(*self.numbers)
        self._mark_pieces = tuple([f"{fields[number].tag}:{fields[number].raw}" for number in marks])
        self._fields: list[Any] = [field if field.tag in _MARKS else None for field in fields]
        self._spots: list[tuple[int, dict[str, Field], Callable[[str], Field | None]]] = [
            (number, {}, _spot(fields[number])) for number in self.numbers
        ]
        self._most = min(MOST_VALUES_OF_ONE_FIELD, MOST_VALUES // len(self.numbers))
        self.conclusions: dict[Any, Any] = {}
        self.patience = PATIENCE
        self.size = size

    def read(self, pieces: list[str]) -> tuple[Field, ...] | None:
        """The fields of `pieces` (texts without their first colon), None when they have another shape."""
        if self._marks(pieces) != self._mark_pieces:
            return None
        fields = self._fields.copy()
        for (number, memo, read), piece in zip(self._spots, self._vary(pieces)):  # noqa: B905 - of one pick
            field = memo.get(piece)
            if field is None:
                field = read(piece)
                if field is None:
                    return None
                if len(piece) <= LONGEST_VALUE:
                    if len(memo) >= self._most:
                        memo.clear()
                    memo[piece] = field
            fields[number] = field
        return tuple(fields)

    def conclude(self, reader: object, conclusion: object) -> None:
        """Keep what `reader` concluded from this shape."""
        if len(self.conclusions) >= MOST_CONCLUSIONS:
            self.conclusions.clear()
        self.conclusions[reader] = conclusion


class Shapes:
    """The shapes kept, by number of fields and of line ends."""

    def __init__(self) -> None:
        self._by_size: dict[tuple[int, int], deque[Shape]] = {}
        self._all: deque[Shape] = deque()

    def __len__(self) -> int:
        return len(self._all)

    def read(self, pieces: list[str], lines: int) -> tuple[tuple[Field, ...], Shape] | None:
        """The fields of `pieces` with `lines` line ends in all and their shape, None when no kept shape fits."""
        for shape in self._by_size.get((len(pieces), lines), ()):
            fields = shape.read(pieces)
            if fields is not None:
                shape.patience = PATIENCE
                return fields, shape
        return None

    def learn(self, fields: tuple[Field, ...], lines: int) -> None:
        """Keep the shape of a faultless message, unless only a whole value explains one of its slashes."""
        marks = sum([field.tag in _MARKS for field in fields])
        if marks < 2 or len(fields) - marks < 2 or len(fields) > MOST_FIELDS or lines > MOST_LINES:
            return
        if any(field.qualifier and not field.scheme and field.raw[5:7] != "//" for field in fields):
            return
        size = len(fields), lines
        alike = self._by_size.get(size)
        if alike is not None and len(alike) >= MOST_OF_ONE_SIZE:
            if not self._drive_out(alike):
                return
        elif len(self._all) >= MOST_SHAPES and not self._drive_out(self._all):
            return
        shape = Shape(fields, size)
        self._by_size.setdefault(size, deque()).append(shape)
        self._all.append(shape)

    def _drive_out(self, queue: deque[Shape]) -> bool:
        """Ask the next shape of `queue` to go; whether it went."""
        shape = queue[0]
        if shape.patience:
            shape.patience -= 1
            queue.rotate(-1)
            return False
        self._all.remove(shape)
        alike = self._by_size[shape.size]
        alike.remove(shape)
        if not alike:
            del self._by_size[shape.size]
        return True
