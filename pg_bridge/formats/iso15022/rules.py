"""ISO 15022's own rules: the marks of a sequence, the format grammar, and named checks of values.

Grammar: n digits, a capital letters, c capital letters and digits, x the x set, d decimal with a comma, h
hexadecimal capitals; `16x` at most, `4!c` exactly, `2-4n` from to, `10*35x` lines; `[ ]` optional; `$` a line
end; ` | ` another format; every other character stands for itself. Follows: ISO 15022 formats (public).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Final

from pg_bridge.formats.iso15022.charset import X_CHARACTERS

#: 16R Start of Block, 16S End of Block.
SEQUENCE_START: Final = "16R"
SEQUENCE_END: Final = "16S"

_CLASSES = {
    "n": "0-9",
    "a": "A-Z",
    "c": "A-Z0-9",
    "h": "0-9A-F",
    "x": re.escape(X_CHARACTERS),
}
_TOKEN = re.compile(
    r"(?P<lines>[0-9]+)\*(?P<width>[0-9]+)(?P<line_kind>[naxch])"
    r"|(?P<least>[0-9]+)-(?P<most>[0-9]+)(?P<range_kind>[naxch])"
    r"|(?P<length>[0-9]+)(?P<exact>!)?(?P<kind>[naxchd])"
    r"|(?P<open>\[)|(?P<close>\])|(?P<end>\$)"
    r"|(?P<literal>[^\[\]$|!*])"
)


def compile_format(format_: str) -> re.Pattern[str]:
    """The pattern for a whole value. Raises ValueError when `format_` is not in the grammar."""
    return re.compile("|".join(_sequence(part.strip()) for part in format_.split(" | ")))


def _sequence(format_: str) -> str:
    if not format_:
        raise ValueError("an empty format")
    made: list[str] = []
    depth = 0
    at = 0
    while at < len(format_):
        token = _TOKEN.match(format_, at)
        if token is None:
            raise ValueError(f"{format_!r} is no format from character {at + 1} on")
        at = token.end()
        depth += bool(token["open"]) - bool(token["close"])
        if depth < 0:
            raise ValueError(f"{format_!r} closes a bracket that is not open")
        made.append(_pattern(token))
    if depth:
        raise ValueError(f"{format_!r} leaves a bracket open")
    return f"(?:{''.join(made)})"


def _pattern(token: re.Match[str]) -> str:
    if token["lines"]:
        lines, width, kind = int(token["lines"]), int(token["width"]), _CLASSES[token["line_kind"]]
        if not lines or not width:
            raise ValueError(f"{token[0]!r} leaves no room")
        # A continuation line may be empty, but never begin as a field or the text's end would.
        return rf"[{kind}]{{1,{width}}}(?:\r\n(?![:\-])[{kind}]{{0,{width}}}){{0,{lines - 1}}}"
    if token["least"]:
        least, most = int(token["least"]), int(token["most"])
        if least > most:
            raise ValueError(f"{token[0]!r} is an empty range")
        return f"[{_CLASSES[token['range_kind']]}]{{{least},{most}}}"
    if token["length"]:
        length = int(token["length"])
        if not length:
            raise ValueError(f"{token[0]!r} leaves no room")
        if token["kind"] == "d":
            return rf"(?=[0-9,]{{2,{length}}}(?![0-9,]))[0-9]+,[0-9]*"
        least = length if token["exact"] else 1
        return f"[{_CLASSES[token['kind']]}]{{{least},{length}}}"
    if token["open"]:
        return "(?:"
    if token["close"]:
        return ")?"
    if token["end"]:
        return r"\r\n"
    return re.escape(token["literal"])


def _date(value: str) -> str:
    digits = value[:8]
    if digits not in _dates:
        try:
            date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        except ValueError:
            return f"{digits} is no date of the calendar (YYYYMMDD)"
        if len(_dates) >= _MOST_DATES:
            _dates.clear()
        _dates.add(digits)
    return ""


_MOST_DATES = 4096
_dates: set[str] = set()
_NUMBER = re.compile(r"([0-9]+),([0-9]*)\Z")
_ISIN = re.compile(r"ISIN ([A-Z]{2}[A-Z0-9]{9}[0-9])")


def _period(value: str) -> str:
    first, _, last = value.partition("/")
    fault = _date(first) or _date(last)
    if not fault and first > last:
        return f"the period ends on {last}, before it begins on {first}"
    return fault


def _positive(value: str) -> str:
    number = _NUMBER.search(value)
    if number is None or not (number[1] + number[2]).strip("0"):
        return "the number must be greater than zero"
    return ""


def _whole(value: str) -> str:
    number = _NUMBER.search(value)
    if number is None or number[2].strip("0"):
        return "the number must be whole"
    return ""


def _two_decimals(value: str) -> str:
    number = _NUMBER.search(value)
    if number is None or len(number[2].rstrip("0")) > 2:
        return "the amount must have at most two decimals"
    return ""


def _isin(value: str) -> str:
    found = _ISIN.match(value)
    if found is None or isin_check_digit(found[1][:11]) == found[1][11]:
        return ""
    return f"the check digit of ISIN {found[1]} is wrong, {isin_check_digit(found[1][:11])} is right"


def isin_check_digit(stem: str) -> str:
    """The twelfth character of an ISIN from its first eleven (ISO 6166: modulus 10, double add double)."""
    digits = "".join([str(int(character, 36)) for character in stem])
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 - place % 2)
        total += number // 10 + number % 10
    return str(-total % 10)


#: Named checks of a value that fits its format: the text of the fault, empty when there is none.
CHECKS: dict[str, Callable[[str], str]] = {
    "date": _date,
    "period": _period,
    "positive": _positive,
    "whole": _whole,
    "two_decimals": _two_decimals,
    "isin": _isin,
}
