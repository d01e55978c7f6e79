"""Shapes of messages read before, so that the next message of a shape is only cut into its values.

A shape is all of a message but its values: tags, qualifiers, schemes, sequences, number of lines. A
participant's system writes few shapes, and many of its values again and again (dates, accounts, stocks):
both are remembered, bounded, and make no difference to the result.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import Any

from pg_bridge.formats.iso15022.model import Field

#: Shapes kept in all, of one size, and the fields that a kept one may have.
MOST_SHAPES = 256
MOST_OF_ONE_SIZE = 8
MOST_FIELDS = 96
#: Values kept a field of a shape, and the longest text of one.
MOST_VALUES = 32
LONGEST_VALUE = 80

_MARKS = ("16R", "16S")
_new: Any = partial(tuple.__new__, Field)


class _Spot:
    """One field of a shape whose value varies."""

    __slots__ = ("begin", "line", "lines", "path", "qualifier", "raw_at", "scheme", "tag", "value_at")

    def __init__(self, field: Field) -> None:
        self.tag, self.qualifier, self.scheme = field.tag, field.qualifier, field.scheme
        self.line, self.path = field.line, field.path
        self.lines = field.raw.count("\r\n")
        self.raw_at = len(field.tag) + 1
        self.value_at = self.raw_at + len(field.raw) - len(field.value)
        slashes = f"/{field.scheme}/" if field.scheme else "//"
        self.begin = f"{field.tag}::{field.qualifier}{slashes}" if field.qualifier else f"{field.tag}:"

    def read(self, piece: str) -> Field | None:
        """The field, None when `piece` is not of this kind."""
        if not piece.startswith(self.begin) or (not self.qualifier and piece[self.raw_at : self.value_at + 1] == ":"):
            return None
        if piece.count("\r\n") != self.lines:
            return None
        field: Field = _new(
            (
                self.tag,
                self.qualifier,
                self.scheme,
                piece[self.value_at :],
                piece[self.raw_at :],
                self.line,
                self.path,
            )
        )
        return field


class Shape:
    """One shape: its marks (16R, 16S), ready-made, and the spots between them."""

    __slots__ = ("_fields", "_mark_pieces", "_marks", "_memos", "_numbers", "_spots", "_vary")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        marks = [number for number, field in enumerate(fields) if field.tag in _MARKS]
        self._numbers = [number for number, field in enumerate(fields) if field.tag not in _MARKS]
        self._marks = itemgetter(*marks)
        self._vary = itemgetter(*self._numbers)
        self._mark_pieces = tuple([f"{fields[number].tag}:{fields[number].raw}" for number in marks])
        self._fields: list[Any] = [field if field.tag in _MARKS else None for field in fields]
        self._spots = {number: _Spot(fields[number]) for number in self._numbers}
        self._memos: list[dict[str, Field]] = [{} for _ in self._numbers]

    def read(self, pieces: list[str]) -> tuple[Field, ...] | None:
        """The fields of `pieces` (texts without their first colon), None when they have another shape."""
        if self._marks(pieces) != self._mark_pieces:
            return None
        fields = self._fields.copy()
        for number, memo, piece in zip(self._numbers, self._memos, self._vary(pieces), strict=True):
            field = memo.get(piece)
            if field is None:
                field = self._spots[number].read(piece)
                if field is None:
                    return None
                if len(piece) <= LONGEST_VALUE:
                    if len(memo) >= MOST_VALUES:
                        memo.clear()
                    memo[piece] = field
            fields[number] = field
        return tuple(fields)


class Shapes:
    """The shapes kept, by number of fields and of line ends."""

    def __init__(self) -> None:
        self._by_size: dict[tuple[int, int], list[Shape]] = {}
        self._count = 0

    def read(self, pieces: list[str], lines: int) -> tuple[Field, ...] | None:
        """The fields of `pieces` with `lines` line ends in all, None when no kept shape fits."""
        for shape in self._by_size.get((len(pieces), lines), ()):
            fields = shape.read(pieces)
            if fields is not None:
                return fields
        return None

    def learn(self, fields: tuple[Field, ...], lines: int) -> None:
        """Keep the shape of a faultless message, unless only a whole value explains one of its slashes."""
        marks = sum([field.tag in _MARKS for field in fields])
        if marks < 2 or len(fields) - marks < 2 or len(fields) > MOST_FIELDS:
            return
        if any(field.qualifier and not field.scheme and field.raw[5:7] != "//" for field in fields):
            return
        if self._count >= MOST_SHAPES:
            self._by_size.clear()
            self._count = 0
        kept = self._by_size.setdefault((len(fields), lines), [])
        if len(kept) >= MOST_OF_ONE_SIZE:
            kept.pop(0)
            self._count -= 1
        kept.append(Shape(fields))
        self._count += 1
