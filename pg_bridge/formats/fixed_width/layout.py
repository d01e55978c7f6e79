"""What a fixed-width file looks like: records of one length, their columns, and what a line of each must match.

A layout comes from a file of mappings/legacy/files/ (profiles/layouts.py) and has been checked there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

#: text, whole number, amount, date; None: an optional column that holds nothing
Value = str | int | Decimal | date | None
Kind = Literal["text", "digits", "number", "decimal", "date"]
Role = Literal["header", "detail", "trailer"]

DATE_WIDTH = 8

_PICTURE = re.compile(r"(X|9)\(([0-9]{1,4})\)(?:V9\(([0-9]{1,2})\))?")


class Picture(NamedTuple):
    """A picture: `X(16)`, `9(8)` or `9(13)V9(2)`. width: characters in the file; the point takes none."""

    is_text: bool
    width: int
    decimals: int


def read_picture(text: str) -> Picture | None:
    """The picture that a text says, None when it is none."""
    match = _PICTURE.fullmatch(text)
    if match is None or (match[1] == "X" and match[3]) or not int(match[2]):
        return None
    decimals = int(match[3] or 0)
    return Picture(match[1] == "X", int(match[2]) + decimals, decimals)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. start: offset in the record, from 0.

    What is not given by who writes a file is made: a constant (padded), the sign of another column, the checksum of
    the record (the sum of other columns, point and sign left out), the count of records, the total of a column of
    others. Sums keep their low-order digits. reason: the legacy reason code for a fault of it.
    """

    name: str
    start: int
    width: int
    kind: Kind
    decimals: int = 0
    is_mandatory: bool = True
    is_right: bool = False
    constant: str | None = None
    values: frozenset[str] = frozenset()
    sign_of: str = ""
    checksum: tuple[str, ...] = ()
    count_of: str = ""
    total_of: tuple[str, str] | None = None
    meaning: str = ""
    source: str = ""
    reason: str = ""

    @property
    def is_given(self) -> bool:
        """Whether its value comes with a record; else it is made."""
        return self.constant is None and not (self.sign_of or self.checksum or self.count_of or self.total_of)

    @property
    def span(self) -> str:
        """Where it stands, for a person: columns counted from 1."""
        last = self.start + self.width
        return f"column {last}" if self.width == 1 else f"columns {self.start + 1}-{last}"


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """One kind of record. pattern: what its line matches, a group for every column."""

    name: str
    role: Role
    columns: tuple[Column, ...]
    pattern: re.Pattern[str] = field(compare=False)

    @property
    def marker(self) -> str:
        """What its line begins with: its first column is a constant."""
        return self.columns[0].constant or ""

    @property
    def given(self) -> tuple[Column, ...]:
        """The columns that a record has values for."""
        return tuple(column for column in self.columns if column.is_given)


def record_spec(name: str, role: Role, columns: tuple[Column, ...]) -> RecordSpec:
    """A record of these columns, in their order."""
    pattern = "".join(f"({_pattern(column)})" for column in columns)
    return RecordSpec(name, role, columns, re.compile(pattern))


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file. length: characters of a record, its line end not counted.

    line_end: `CRLF` or `LF`, or `any`: either is read, CRLF is written, and the last record may go without.
    """

    name: str
    meaning: str
    length: int
    line_end: Literal["CRLF", "LF", "any"]
    source: str
    records: dict[str, RecordSpec]

    @property
    def header(self) -> RecordSpec:
        """Its first record."""
        return next(spec for spec in self.records.values() if spec.role == "header")

    @property
    def trailer(self) -> RecordSpec:
        """Its last record."""
        return next(spec for spec in self.records.values() if spec.role == "trailer")

    @property
    def written_end(self) -> str:
        """What ends a line when a file is written."""
        return "\n" if self.line_end == "LF" else "\r\n"

    def begins(self, line: bytes) -> bool:
        """Whether the first line of a file has the constants of this layout's header."""
        text = line.rstrip(b"\r\n").decode("latin-1")
        return len(text) == self.length and all(
            text[column.start : column.start + column.width] == column.constant
            for column in self.header.columns
            if column.constant is not None
        )


class Record(NamedTuple):
    """One record: the name of its kind, and the values of its given columns by name. line: 0 where it has none yet."""

    name: str
    values: Mapping[str, Value]
    line: int = 0


class Row(NamedTuple):
    """One record to be written, of those that come by the million: the values of all its given columns, in order.

    Amounts are whole numbers of the column's last decimal: 12.5 with 2 decimals is 1250.
    """

    name: str
    given: tuple[Value, ...]


def _pattern(column: Column) -> str:
    """What the characters of a column match. Its checksum, count or total, and whether a date is one, come apart."""
    width = column.width
    if column.constant is not None:
        return re.escape(column.constant)
    if column.sign_of:
        return "[ -]"
    if column.values:
        texts = sorted(column.values)
        padded = [text.rjust(width) if column.is_right else text.ljust(width) for text in texts]
        if not column.is_mandatory:
            padded.append(("0" if column.kind == "digits" else " ") * width)
        return "|".join(re.escape(text) for text in padded)
    if column.kind != "text":
        return f"[0-9]{{{width}}}"
    some = f"[ -~]{{{width - 1}}}[!-~]" if column.is_right else f"[!-~][ -~]{{{width - 1}}}"
    return some if column.is_mandatory else f"{some}| {{{width}}}"
