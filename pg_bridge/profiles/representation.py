"""How a bound concept's value is written in OCP's documents, where that is not as Python holds it.

Python holds a text, a whole number, a flag, a date as `2026-11-23`, a time as RFC 3339 with Hong Kong's offset and
milliseconds, an amount as decimal text, a code as text. A representation is one pair of calls between that and JSON;
both leave a value that they cannot convert as it is, because the schema judges it, not the binding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pg_bridge.profiles.concepts import Kind

HONG_KONG = timezone(timedelta(hours=8), "HKT")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Convert = Callable[[Any], Any]
Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Representation:
    """One way to write a value. kinds: of concepts it serves; json_type: as JSON Schema names it.

    options: what the binding may say besides, name to its default; None: it must be said.
    """

    meaning: str
    kinds: frozenset[Kind]
    json_type: str
    options: Mapping[str, Any]
    reader: Callable[[Options], Convert]
    writer: Callable[[Options], Convert]


def _each(convert: Convert) -> Convert:
    """The conversion of one value or, of a list, of each."""

    def converted(value: Any) -> Any:
        return [convert(one) for one in value] if isinstance(value, list) else convert(value)

    return converted


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_digits(options: Options) -> Convert:
    width, before = options["width"], options["before"]

    def read(value: Any) -> Any:
        return f"{before}{value:0{width}d}" if _is_number(value) and value >= 0 else value

    return read


def _write_digits(options: Options) -> Convert:
    before = options["before"]

    def write(value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith(before):
            return value
        digits = value[len(before) :]
        return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS else value

    return write


#: of a number in a document; more are no number of ours
_MOST_DIGITS = 18


def _read_number(_: Options) -> Convert:
    def read(value: Any) -> Any:
        is_number = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
        return int(value) if is_number else value

    return read


def _write_number(options: Options) -> Convert:
    width = options["width"]
    return lambda value: f"{value:0{width}d}" if _is_number(value) else value


def _read_day(_: Options) -> Convert:
    def read(value: Any) -> Any:
        text = str(value) if _is_number(value) else value
        is_day = isinstance(text, str) and len(text) == 8 and text.isascii() and text.isdecimal()
        return f"{text[:4]}-{text[4:6]}-{text[6:]}" if is_day else value

    return read


def _write_day(_: Options) -> Convert:
    return lambda value: value.replace("-", "") if isinstance(value, str) else value


def _write_day_number(_: Options) -> Convert:
    def write(value: Any) -> Any:
        digits = value.replace("-", "") if isinstance(value, str) else ""
        return int(digits) if digits.isascii() and digits.isdecimal() else value

    return write


def _read_epoch(options: Options) -> Convert:
    a_second = options["a_second"]

    def read(value: Any) -> Any:
        if not _is_number(value):
            return value
        try:
            at = _EPOCH + timedelta(microseconds=value * 1_000_000 // a_second)
            return at.astimezone(HONG_KONG).isoformat(timespec="milliseconds")
        except (OverflowError, ValueError):
            return value

    return read


def _write_epoch(options: Options) -> Convert:
    a_second = options["a_second"]

    def write(value: Any) -> Any:
        try:
            microseconds = (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
            return microseconds * a_second // 1_000_000
        except (TypeError, ValueError, OverflowError):
            return value

    return write


def _read_utc(_: Options) -> Convert:
    def read(value: Any) -> Any:
        try:
            at = datetime.fromisoformat(value)
            return at.astimezone(HONG_KONG).isoformat(timespec="milliseconds") if at.tzinfo is not None else value
        except (TypeError, ValueError, OverflowError):
            return value

    return read


def _write_utc(_: Options) -> Convert:
    def write(value: Any) -> Any:
        try:
            at = _EPOCH + (datetime.fromisoformat(value) - _EPOCH)
        except (TypeError, ValueError, OverflowError):
            return value
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return write


def _read_minor(options: Options) -> Convert:
    decimals = options["decimals"]

    def read(value: Any) -> Any:
        if not _is_number(value) or value < 0:
            return value
        digits = f"{value:0{decimals + 1}d}"
        return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits

    return read


def _write_minor(options: Options) -> Convert:
    decimals = options["decimals"]

    def write(value: Any) -> Any:
        whole, _, part = value.partition(".") if isinstance(value, str) else ("", "", "")
        digits = whole + part.ljust(decimals, "0")
        fits = digits.isascii() and digits.isdecimal() and len(part) <= decimals
        return int(digits) if fits else value

    return write


def _read_words(options: Options) -> Convert:
    yes, no = options["yes"], options["no"]
    # An equal value of another type is not meant: 1 is not true, nor true 1.
    return lambda value: True if _is(value, yes) else False if _is(value, no) else value


def _write_words(options: Options) -> Convert:
    yes, no = options["yes"], options["no"]
    return lambda value: yes if value is True else no if value is False else value


def _is(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)


_WORDLIKE = frozenset({Kind.TEXT, Kind.CODE})

#: name in the binding's `type` -> the representation; one that is not named is as Python holds it
REPRESENTATIONS: dict[str, Representation] = {
    "integer": Representation(
        "a text of digits as a whole number: of `width` digits when read, `before` in front of them",
        _WORDLIKE,
        "integer",
        {"width": 1, "before": ""},
        lambda options: _each(_read_digits(options)),
        lambda options: _each(_write_digits(options)),
    ),
    "string": Representation(
        "a whole number as text, of `width` digits at least",
        frozenset({Kind.NUMBER}),
        "string",
        {"width": 1},
        _read_number,
        _write_number,
    ),
    "day_string": Representation(
        "a date as text `20261123`", frozenset({Kind.DATE}), "string", {}, _read_day, _write_day
    ),
    "day_integer": Representation(
        "a date as whole number 20261123", frozenset({Kind.DATE}), "integer", {}, _read_day, _write_day_number
    ),
    "epoch": Representation(
        "a time as whole number since 1970, `a_second` of them in a second",
        frozenset({Kind.TIME}),
        "integer",
        {"a_second": 1000},
        _read_epoch,
        _write_epoch,
    ),
    "utc": Representation(
        "a time as RFC 3339 text of UTC, `2026-11-23T01:30:00.123Z`; of any offset when read",
        frozenset({Kind.TIME}),
        "string",
        {},
        _read_utc,
        _write_utc,
    ),
    "minor_units": Representation(
        "an amount as whole number of its smallest unit, of which a whole one has `decimals`",
        frozenset({Kind.AMOUNT}),
        "integer",
        {"decimals": 2},
        _read_minor,
        _write_minor,
    ),
    "yes_no": Representation(
        "a flag as one of two texts",
        frozenset({Kind.FLAG}),
        "string",
        {"yes": "Y", "no": "N"},
        _read_words,
        _write_words,
    ),
    "one_zero": Representation(
        "a flag as one of two whole numbers",
        frozenset({Kind.FLAG}),
        "integer",
        {"yes": 1, "no": 0},
        _read_words,
        _write_words,
    ),
}
