"""The format notation of ISO 15022 (`16x`, `4!c`, `[8c]`, `10*35x`) as regular expressions, and named checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_SETS = {
    "n": "0-9",
    "a": "A-Z",
    "c": "A-Z0-9",
    "h": "A-F0-9",
    "x": r"A-Za-z0-9/\-?:().,'+ ",
    "z": r"""A-Za-z0-9/\-?:().,'+ =!"%&*<>;@#_""",
    "d": "",  # a decimal: see _decimal
}
_ELEMENT = re.compile(r"(?:([0-9]+)\*)?([0-9]+)(!?)([nachxzd])")
#: lines of one form, each a group of elements: `20*(TEXT/65x)`
_LINES_OF = re.compile(r"([0-9]+)\*\(")
#: Characters of a notation: more, no format of the standard has.
MOST_NOTATION = 200
#: Characters or lines of one element.
MOST_SIZE = 9999
#: Ways of cutting one value into the elements of a notation: more, and telling that none fits would take long.
MOST_WAYS = 100_000


class FormatError(ValueError):
    """The notation is not one of ISO 15022."""


def is_wide(notation: str) -> bool:
    """Whether a format has characters of the z set, which is wider than the x set of all other text."""
    return any(match[4] == "z" for match in _ELEMENT.finditer(notation))


@lru_cache(maxsize=512)
def compile_format(notation: str) -> re.Pattern[str]:
    """The pattern of a notation, for `fullmatch`. Lines of a narrative are joined by CRLF. Raises FormatError.

    `16x` up to 16, `4!c` exactly 4, `15d` a decimal of up to 15 characters with its comma, `10*35x` up to 10 lines,
    `20*(TEXT/65x)` up to 20 lines of one form, `[...]` optional, `CRLF` a line end, `|` another form, anything else
    stands for itself. A notation whose elements can share one value in too many ways (`35x35x35x35x`) is none: matching
    it would take for ever.
    """
    if len(notation) > MOST_NOTATION:
        raise FormatError(f"a notation has at most {MOST_NOTATION} characters, not {len(notation)}")
    pattern, ways = _translate(notation)
    if ways > MOST_WAYS:
        raise FormatError(f"{notation!r} can share one value among its elements in too many ways")
    try:
        return re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise FormatError(f"{notation!r} is no notation: {error}") from error


def _translate(notation: str) -> tuple[str, int]:
    """The pattern, and in how many ways at most a value can be shared among its elements.

    Elements that follow one another multiply, forms beside one another add, and so do lines: no element but one of
    several lines goes beyond a line end. The standard's own formats stay far below MOST_WAYS: most of their elements
    are of one length.
    """
    out: list[str] = []
    #: of each bracket that is open: the ways of its forms and lines before this one, and of this one so far
    open_: list[tuple[int, int]] = [(0, 1)]
    #: of each bracket that is open for lines of one form: how many of them, where it opened, elements before it
    lines_of: list[tuple[int, int, int, int]] = []
    is_one_line = True
    varying = 0
    at = 0
    while at < len(notation):
        character = notation[at]
        others, ways = open_[-1]
        if lines := _LINES_OF.match(notation, at):
            if not 0 < int(lines[1]) <= MOST_SIZE:
                raise FormatError(f"{lines[1]} lines of one form are no notation of a field")
            lines_of.append((int(lines[1]), len(open_), len(out), varying))
            open_.append((0, 1))
            is_one_line = False
            at = lines.end()
        elif character == ")" and lines_of and lines_of[-1][1] == len(open_) - 1:
            count, _, begin, elements = lines_of.pop()
            line = f"(?:{''.join(out[begin:])})"
            out[begin:] = [rf"{line}(?:\r\n{line}){{0,{count - 1}}}"]
            open_.pop()
            before, outer = open_[-1]
            # One element ends where its line does: of the lines together no more is looked at than is there.
            own = others + ways + count if varying - elements <= 1 else (others + ways) * count
            open_[-1] = (before, outer * own)
            at += 1
        elif character == "[":
            out.append("(?:")
            open_.append((0, 1))
            at += 1
        elif character == "]":
            if len(open_) == 1 or (lines_of and lines_of[-1][1] == len(open_) - 1):
                raise FormatError(f"a ] without its [ in {notation!r}")
            out.append(")?")
            open_.pop()
            before, outer = open_[-1]
            open_[-1] = (before, outer * (others + ways + 1))
            at += 1
        elif notation.startswith("CRLF", at):
            out.append(r"\r\n")
            if is_one_line and len(open_) == 1:
                open_[-1] = (others + ways, 1)
            at += 4
        elif character == "|":
            out.append("|")
            open_[-1] = (others + ways, 1)
            at += 1
        elif match := _ELEMENT.match(notation, at):
            out.append(_element(*match.groups()))
            is_one_line = is_one_line and match[1] is None
            varying += _lengths(*match.groups()) > 1
            open_[-1] = (others, ways * _lengths(*match.groups()))
            at = match.end()
        else:
            out.append(re.escape(character))
            at += 1
    if len(open_) > 1:
        what = "a *( without its )" if lines_of else "a [ without its ]"
        raise FormatError(f"{what} in {notation!r}")
    return "".join(out), sum(open_[0])


def _lengths(lines: str | None, size: str, exact: str, kind: str) -> int:
    """At how many characters an element can end."""
    return (1 if exact and kind != "d" else int(size)) * int(lines or 1)


def _element(lines: str | None, size: str, exact: str, kind: str) -> str:
    if not int(size) or (lines is not None and not int(lines)):
        raise FormatError("an element of no lines or characters stands for nothing")
    if int(size) > MOST_SIZE or int(lines or 1) > MOST_SIZE:
        raise FormatError(f"an element of more than {MOST_SIZE} lines or characters is no notation of a field")
    if kind == "d":
        return rf"(?=[0-9,]{{2,{size}}}(?![0-9,]))[0-9]+,[0-9]*"
    one = f"[{_SETS[kind]}]{{{size if exact else f'1,{size}'}}}"
    if lines is None:
        return one
    # No line of a narrative begins with `:` or `-`: it would open a field or end the text.
    line = rf"(?![:\-]){one}"
    return rf"{line}(?:\r\n{line}){{0,{int(lines) - 1}}}"


_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=4096)
def is_date(value: str) -> bool:
    """YYYYMMDD is a day of the calendar."""
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        return False
    year, month, day = int(value[:4]), int(value[4:6]), int(value[6:])
    if not (year and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    return not (month == 2 and day == 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def is_date_range(value: str) -> bool:
    """YYYYMMDD/YYYYMMDD are two days of the calendar, the first not after the second."""
    first, slash, second = value.partition("/")
    return slash == "/" and is_date(first) and is_date(second) and first <= second


_ABOVE_ZERO = re.compile("[1-9]")


def is_positive(value: str) -> bool:
    """The number in the value is more than zero."""
    return _ABOVE_ZERO.search(value) is not None


def is_whole(value: str) -> bool:
    """Nothing but zeros stands behind the comma."""
    at = value.find(",")
    return at < 0 or at == len(value) - 1 or not value[at + 1 :].strip("0")


@lru_cache(maxsize=8192)
def is_isin(value: str) -> bool:
    """Twelve characters with a right check digit (ISO 6166, Luhn over the letters taken as numbers)."""
    if len(value) != 12 or not value.isascii() or not value[:2].isalpha() or not value[-1].isdigit():
        return False
    if not value.isalnum() or not value.isupper():
        return False
    digits = "".join(str(int(character, 36)) for character in value)
    total = 0
    for place, character in enumerate(reversed(digits)):
        number = int(character) * (2 if place % 2 else 1)
        total += number // 10 + number % 10
    return total % 10 == 0


def is_security(value: str) -> bool:
    """The ISIN of a 35B, where it has one, has a right check digit."""
    first = value.split("\r\n", 1)[0]
    return not first.startswith("ISIN ") or is_isin(first[5:17])


#: the named checks that templates may ask for, with what they want
CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    "date_range": (is_date_range, "two days of the calendar, YYYYMMDD/YYYYMMDD, the first not after the second"),
    "date": (is_date, "a day of the calendar, YYYYMMDD"),
    "positive": (is_positive, "a number above zero"),
    "whole": (is_whole, "a whole number"),
    "isin": (is_security, "an ISIN with a right check digit"),
}
