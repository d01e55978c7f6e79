"""The conversions behind the named functions, each made for the options of one rule.

`..._to_ocp` gives a conversion of texts (None where absent) to one value a target; `..._to_legacy` one of values to
one text, None to write nothing, a `Cut` where something was lost. Both raise ValueError with words for a person.
What a code of either side looks like comes in by the options, never from here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pg_bridge.formats.iso15022.charset import narrative, to_x, with_dots
from pg_bridge.formats.iso15022.rules import compile_format, is_date

#: what stands between the lines of a field
LINE_END = "\r\n"

Options = Mapping[str, Any]
ToOcp = Callable[[Sequence[str | None]], tuple[Any, ...]]
ToLegacy = Callable[[Sequence[Any]], str | None]


class Cut(str):
    """A text for which there was not enough room: its end is lost."""

    __slots__ = ()


# --- dates and numbers ---------------------------------------------------------------------------------------


def date_to_ocp(_: Options) -> ToOcp:
    """`20261123` to `2026-11-23`."""

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        return (None,) if text is None else (f"{text[:4]}-{text[4:6]}-{text[6:8]}",)

    return read


def date_to_legacy(_: Options) -> ToLegacy:
    """The day of a date or time to `20261123`."""

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        return None if value is None else str(value)[:10].replace("-", "")

    return write


def date_range_to_ocp(_: Options) -> ToOcp:
    """`20261120/20261123` to `2026-11-20` and `2026-11-23`."""
    to_date = date_to_ocp(_)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        return (None, None) if text is None else (*to_date((text[:8],)), *to_date((text[9:],)))

    return read


def date_range_to_legacy(_: Options) -> ToLegacy:
    """Two dates to `20261120/20261123`; none where either is absent."""
    to_text = date_to_legacy(_)

    def write(values: Sequence[Any]) -> str | None:
        first, last = values
        return None if first is None or last is None else f"{to_text((first,))}/{to_text((last,))}"

    return write


def quantity_to_ocp(options: Options) -> ToOcp:
    """`UNIT/1000,` to 1000. Option `unit`: what stands before the number."""
    unit = options["unit"]
    start = len(unit)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None,)
        whole, _, part = text[start:].partition(",")
        if text[:start] != unit or not whole.isdecimal() or part.strip("0"):
            raise ValueError(f"{text!r} is no whole number after {unit!r}")
        return (int(whole),)

    return read


def quantity_to_legacy(options: Options) -> ToLegacy:
    """1000 to `UNIT/1000,`."""
    unit = options["unit"]

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        if value is None:
            return None
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{value!r} is no whole number")
        return f"{unit}{value},"

    return write


def money_to_ocp(options: Options) -> ToOcp:
    """`HKD12345,67` to currency and decimal text. Option `decimals`: how many a currency has."""
    decimals: dict[str, int] = dict(options["decimals"])

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None, None)
        currency = text[:3]
        places = decimals.get(currency)
        if places is None:
            raise ValueError(f"the currency {currency} is none of {', '.join(decimals)}")
        whole, _, part = text[3:].partition(",")
        if len(part) != places:
            part = part.rstrip("0")
            if len(part) > places:
                raise ValueError(f"{currency} has {places} decimals, {text[3:]} has more")
            part = part.ljust(places, "0")
        if whole[:1] in ("", "0"):
            whole = whole.lstrip("0") or "0"
        return (currency, f"{whole}.{part}" if places else whole)

    return read


def money_to_legacy(_: Options) -> ToLegacy:
    """Currency and decimal text to `HKD12345,67`."""

    def write(values: Sequence[Any]) -> str | None:
        currency, amount = values
        if currency is None or amount is None:
            return None
        whole, _, part = str(amount).partition(".")
        return f"{currency}{whole},{part}"

    return write


# --- securities ----------------------------------------------------------------------------------------------


def security_to_ocp(options: Options) -> ToOcp:
    """Lines of an identification to ISIN and local code. Options `isin`, `local`: what stands before each."""
    isin_mark, local_mark = options["isin"], options["local"]

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        isin = local = None
        for line in text.split(LINE_END) if text is not None else ():
            if line.startswith(isin_mark):
                isin = line[len(isin_mark) :]
            elif line.startswith(local_mark):
                local = line[len(local_mark) :]
        return (isin, local)

    return read


def security_to_legacy(options: Options) -> ToLegacy:
    """ISIN and local code, each where it is there, to lines."""
    isin_mark, local_mark = options["isin"], options["local"]

    def write(values: Sequence[Any]) -> str | None:
        isin, local = values
        if isin is None:
            return None if local is None else f"{local_mark}{local}"
        return f"{isin_mark}{isin}" if local is None else f"{isin_mark}{isin}{LINE_END}{local_mark}{local}"

    return write


def local_code_to_ocp(options: Options) -> ToOcp:
    """The local code of an identification. Option `local`: what stands before it."""
    local_mark = options["local"]

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        # A security without a local code has the empty key, so that a table's default serves it.
        for line in (texts[0] or "").split(LINE_END):
            if line.startswith(local_mark):
                return (line[len(local_mark) :],)
        return ("",)

    return read


# --- texts ---------------------------------------------------------------------------------------------------


def lines_to_ocp(_: Options) -> ToOcp:
    """Lines of a narrative to one text with line feeds."""

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        return (None,) if text is None else (text.replace(LINE_END, "\n"),)

    return read


def lines_to_legacy(options: Options) -> ToLegacy:
    """One text with line feeds to lines, as they are where they fit; else as a narrative, whose end may be cut."""
    count, width = options["count"], options["width"]
    fits = compile_format(f"{count}*{width}x").fullmatch
    words = words_to_legacy(options)

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        if value is None:
            return None
        text = str(value).replace("\n", LINE_END)
        return text if fits(text) is not None else words(values)

    return write


def widest_lines(options: Options, _: int) -> int:
    """The most characters of a text made of `count` lines of `width`, a line feed between them."""
    return int(options["count"]) * (int(options["width"]) + 1) - 1


def words_to_legacy(options: Options) -> ToLegacy:
    """Texts to a narrative of `count` lines of `width` characters."""
    count, width = options["count"], options["width"]

    def write(values: Sequence[Any]) -> str | None:
        lines = [
            to_x(line)[0]
            for value in values
            if value is not None
            # a tab or another control is one character outside x, a line end is none
            for line in (value if isinstance(value, str) else str(value)).replace("\r\n", "\n").split("\n")
        ]
        text, is_cut = narrative(lines, count, width)
        if is_cut:
            return Cut(text)
        return text or None

    return write


def keyed_line_to_ocp(options: Options) -> ToOcp:
    """Of several lines, what stands behind `before` in the first that begins so."""
    before = options["before"]

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None,)
        for line in text.split(LINE_END):
            if line.startswith(before):
                return (line[len(before) :],)
        raise ValueError(f"no line begins with {before}")

    return read


def keyed_date_to_ocp(options: Options) -> ToOcp:
    """As `keyed_line`, of a day `20261123` to `2026-11-23`."""
    line = keyed_line_to_ocp(options)

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        (day,) = line(texts)
        if day is None:
            return (None,)
        if not is_date(day):
            raise ValueError(f"{day} is no day of the calendar, YYYYMMDD")
        return (f"{day[:4]}-{day[4:6]}-{day[6:]}",)

    return read


def keyed_lines_to_legacy(options: Options) -> ToLegacy:
    """One text to lines of `width` characters, each behind `before`; more than `count` are too many.

    A character outside the x set becomes `.`.
    """
    before, count, width = options["before"], options["count"], options["width"]

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        if value is None:
            return None
        # an empty line keeps its place: a space is the least that a line may hold
        lines = [
            piece
            for line in with_dots(str(value)).split("\n")
            for piece in textwrap.wrap(line, width, tabsize=1) or [" "]
        ]
        if len(lines) > count:
            raise ValueError(f"the text takes {len(lines)} lines of {width} characters, {count} are the most")
        return LINE_END.join(f"{before}{line}" for line in lines) or None

    return write


def rows_to_legacy(options: Options) -> ToLegacy:
    """Objects to lines: `before`, then their `members` with `between`; a line is cut at `width` characters."""
    before, members, between, width = options["before"], options["members"], options["between"], options["width"]

    def write(values: Sequence[Any]) -> str | None:
        lines = [
            to_x(before + between.join("" if row.get(name) is None else str(row[name]) for name in members))[0]
            for row in values[0] or ()
        ]
        text = LINE_END.join(line[:width].rstrip() for line in lines)
        if any(len(line) > width for line in lines):
            return Cut(text)
        return text or None

    return write


def join_to_legacy(options: Options) -> ToLegacy:
    """Texts to one, `first` before it, `between` between them."""
    first, between = options["first"], options["between"]

    def write(values: Sequence[Any]) -> str | None:
        parts = [str(value) for value in values if value is not None]
        return first + between.join(parts) if parts else None

    return write


# --- flags ---------------------------------------------------------------------------------------------------


def flag_to_ocp(options: Options) -> ToOcp:
    """Code `yes` or `no` to true or false."""
    yes, no = options["yes"], options["no"]

    def read(texts: Sequence[str | None]) -> tuple[Any, ...]:
        text = texts[0]
        if text is None:
            return (None,)
        if text not in (yes, no):
            raise ValueError(f"{text!r} is neither {yes} nor {no}")
        return (text == yes,)

    return read


def flag_to_legacy(options: Options) -> ToLegacy:
    """True or false to code `yes` or `no`."""
    yes, no = options["yes"], options["no"]

    def write(values: Sequence[Any]) -> str | None:
        value = values[0]
        return None if value is None else yes if value else no

    return write
