"""One column of one record: characters to value and back, and what is wrong with either."""

from __future__ import annotations

from datetime import date
from decimal import Context, Decimal
from typing import NamedTuple

from pg_bridge.formats.fixed_width.layout import DATE_WIDTH, Column, Value

#: amounts have at most some thirty digits; nothing is ever rounded
_EXACT = Context(prec=200)
#: powers of ten of a number that is looked at
_MOST_DIGITS = 100

NOT_OF_ITS_PICTURE = "PGB-FIL-015"
OTHER_CONSTANT = "PGB-FIL-016"
NOT_ALLOWED = "PGB-FIL-017"
EMPTY = "PGB-FIL-018"
NO_DATE = "PGB-FIL-019"
CANNOT_BE_WRITTEN = "PGB-FIL-030"

#: the types that a value may have, by the kind of its column
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "digits": (str,),
    "number": (int,),
    "decimal": (Decimal, int),
    "date": (date,),
}
_WORDS = {
    "text": "a text",
    "digits": "a text of digits",
    "number": "a whole number",
    "decimal": "an amount",
    "date": "a date",
}


class CellFault(NamedTuple):
    """What is wrong with a column, and what to do about it."""

    code: str
    text: str
    remedy: str


def read_cell(column: Column, text: str) -> Value:
    """The value of characters that match the column's pattern. Raises ValueError for a day that there is not."""
    if column.kind == "text":
        return text.strip() or None
    if not column.is_mandatory and not text.strip("0"):
        return None
    if column.kind == "digits":
        return text
    if column.kind == "number":
        return int(text)
    if column.kind == "decimal":
        return Decimal(f"{text[: -column.decimals]}.{text[-column.decimals :]}")
    return date(int(text[:4]), int(text[4:6]), int(text[6:DATE_WIDTH]))


def cell_fault(column: Column, text: str) -> CellFault | None:
    """What is wrong with the characters of a column by themselves; None: nothing."""
    shown = repr(text)
    if column.constant is not None:
        if text == column.constant:
            return None
        due = "spaces" if not column.constant.strip() else repr(column.constant)
        return CellFault(OTHER_CONSTANT, f"{shown} stands where {due} is due", f"Write {due}.")
    if column.sign_of:
        if text in (" ", "-"):
            return None
        remedy = "Write a space, or - before a number below zero."
        return CellFault(NOT_OF_ITS_PICTURE, f"{shown} is no sign", remedy)
    if column.kind == "text":
        return _text_fault(column, text, shown)
    if not (text.isascii() and text.isdigit()):
        remedy = f"Write {column.width} digits, filled with zeros from the left."
        return CellFault(NOT_OF_ITS_PICTURE, f"{shown} is not all digits", remedy)
    if column.values and text not in column.values and (column.is_mandatory or text.strip("0")):
        return _not_allowed(column, shown)
    if column.kind == "date":
        try:
            read_cell(column, text)
        except ValueError:
            blank = "" if column.is_mandatory else ", or zeros for none"
            return CellFault(NO_DATE, f"{shown} is no day", f"Write a day as YYYYMMDD{blank}.")
    return None


def _text_fault(column: Column, text: str, shown: str) -> CellFault | None:
    if not (text.isascii() and text.isprintable()):
        return CellFault(NOT_OF_ITS_PICTURE, f"{shown} holds characters that are not printable ASCII", "Replace them.")
    if not text.strip():
        if not column.is_mandatory:
            return None
        return CellFault(EMPTY, "it is empty and must not be", "Give it a value.")
    if text[-1 if column.is_right else 0] == " ":
        side = "right" if column.is_right else "left"
        return CellFault(NOT_OF_ITS_PICTURE, f"{shown} is not {side} justified", f"Move the text to the {side}.")
    if column.values and text.strip() not in column.values:
        return _not_allowed(column, shown)
    return None


def _not_allowed(column: Column, shown: str) -> CellFault:
    remedy = f"Write one of {', '.join(sorted(column.values))}{'' if column.is_mandatory else ', or leave it empty'}."
    return CellFault(NOT_ALLOWED, f"{shown} is none of its values", remedy)


def scaled(value: Decimal | int, decimals: int) -> int:
    """A number without its point: 12.5 with 2 decimals is 1250. Raises ValueError where that would lose something."""
    number = value if isinstance(value, Decimal) else Decimal(value)
    if number.is_finite() and number.adjusted() < _MOST_DIGITS:
        moved = number.scaleb(decimals, _EXACT)
        whole = int(moved)
        if whole == moved:
            return whole
    raise ValueError(f"{str(number)[:40]} is no number of {decimals} decimals")


def unscaled(units: int, decimals: int) -> Decimal:
    """The number that has these digits without its point: 1250 with 2 decimals is 12.5."""
    return Decimal(units).scaleb(-decimals, _EXACT)


def value_fault(column: Column, value: Value, *, is_signed: bool) -> CellFault | None:
    """Why a value cannot be written in its column; None: it can."""
    if value is None:
        if not column.is_mandatory:
            return None
        return CellFault(CANNOT_BE_WRITTEN, "it has no value and must have one", "Give it a value.")
    if type(value) not in TYPES[column.kind]:
        told = f"{type(value).__name__} {str(value)[:40]!r} is not {_WORDS[column.kind]}"
        return CellFault(CANNOT_BE_WRITTEN, told, f"Give it {_WORDS[column.kind]}.")
    text = cell_text(column, value)
    if isinstance(text, CellFault):
        return text
    if text[:1] == "-" and column.kind in ("number", "decimal"):
        if not is_signed:
            told = f"{value} is below zero, and the record has no sign for it"
            return CellFault(CANNOT_BE_WRITTEN, told, "Give it a number from zero on.")
        text = text[1:]
    if len(text) > column.width:
        told = f"{str(value)[:80]!r} does not fit its {column.width} characters"
        return CellFault(CANNOT_BE_WRITTEN, told, "Give it a shorter one.")
    if column.kind == "digits" and len(text) < column.width:
        told = f"{value!r} is not {column.width} digits"
        return CellFault(CANNOT_BE_WRITTEN, told, f"Give it {column.width} digits, zeros in front.")
    fault = cell_fault(column, text.zfill(column.width) if column.kind in ("number", "decimal") else text)
    return fault._replace(code=CANNOT_BE_WRITTEN) if fault is not None else None


def cell_text(column: Column, value: Value) -> str | CellFault:
    """A value of the right type as text, padded but never cut; numbers without point and with their sign."""
    if value is None:
        return (" " if column.kind == "text" else "0") * column.width
    if isinstance(value, date):
        return day_text(value)
    if isinstance(value, Decimal | int):
        try:
            return str(scaled(value, column.decimals))
        except ValueError as error:
            return CellFault(CANNOT_BE_WRITTEN, str(error), f"Give it at most {column.decimals} decimals.")
    if column.kind == "digits":
        return value
    return value.rjust(column.width) if column.is_right else value.ljust(column.width)


def day_text(day: date) -> str:
    """A day as YYYYMMDD; the years before 1000 have their zeros."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
