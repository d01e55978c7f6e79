"""Texts with holes, made ready: values by name in, a text of the wire out, or None where a hole has nothing.

Names are dotted: `si.quantity`, `asked.request_reference`, `fault.text`. A date `x` has a further name `x_is`: `past`,
`today` or `future`, seen from `today`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from pg_bridge.formats.iso15022.charset import narrative, to_x
from pg_bridge.simulator.gateway_file import CodesEntry, Conditions, TextEntry, ValueEntry

#: values by name; lists by theirs
Values = Mapping[str, Any]
Text = Callable[[Values], str | None]
Holds = Callable[[Values], bool]

HOLE = re.compile(r"\{([a-z_.]+(?:/[a-z_.]+)*)(?::([a-z_]+|0[1-9]))?\}")
#: what a date is, seen from today
IS = "_is"
TODAY = "today"
LINE_END = "\r\n"


def write_number(value: Any) -> str:
    """A whole number as ISO 15022 has it: `1000,`."""
    return f"{value},"


def write_amount(value: Any) -> str:
    """An amount as ISO 15022 has it, with the decimals that it has: `12345,67`, `5,00`, `5,`."""
    whole, _, rest = f"{Decimal(value):f}".partition(".")
    return f"{whole},{rest}"


def write_date(value: Any) -> str:
    """A date, or the day of a time, as YYYYMMDD."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"


#: form -> how it writes a value
FORMS: dict[str, Callable[[Any], str]] = {"number": write_number, "amount": write_amount, "date": write_date}


class Codes:
    """A code table ready to find in."""

    def __init__(self, entry: CodesEntry) -> None:
        self._plain = {key: code for key, code in entry.entries.items() if "?" not in key}
        self._like = [(key, code) for key, code in entry.entries.items() if "?" in key]
        self._default = entry.default

    def find(self, key: str) -> str | None:
        """The code of `key`; None: there is none."""
        code = self._plain.get(key)
        if code is not None:
            return code
        return next((code for like, code in self._like if fnmatchcase(key, like)), self._default)


def plain(value: Any) -> str:
    """A value as conditions and tables see it: empty where there is none, flags as `yes` and `no`."""
    if isinstance(value, str):  # a member of an enum is found as the text that it is
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


class TextCompiler:
    """Makes texts of the file ready. codes: its tables; named: its named values."""

    def __init__(self, codes: Mapping[str, Codes], named: Mapping[str, ValueEntry]) -> None:
        self._codes = codes
        self._named = {name: self.value(entry) for name, entry in named.items()}

    def value(self, entry: ValueEntry) -> Text:
        """What an entry makes: the first text that is whole."""
        if isinstance(entry, str):
            return self.text(entry)
        if isinstance(entry, TextEntry):
            return self._entry(entry)
        texts = [self.value(each) for each in entry]

        def first(values: Values) -> str | None:
            for text in texts:
                found = text(values)
                if found is not None:
                    return found
            return None

        return first

    def holds(self, when: Conditions, unless: Conditions) -> Holds | None:
        """Whether conditions hold; None where there are none."""
        wanted = [(self.get(name), _as_set(values)) for name, values in when.items()]
        unwanted = [(self.get(name), _as_set(values)) for name, values in unless.items()]
        if not wanted and not unwanted:
            return None

        def holds(values: Values) -> bool:
            for get, those in wanted:
                if plain(get(values)) not in those:
                    return False
            return not unwanted or any(plain(get(values)) not in those for get, those in unwanted)

        return holds

    def text(self, text: str) -> Text:
        """A text with holes."""
        pieces: list[str] = []
        fills: list[Text] = []
        at = 0
        for hole in HOLE.finditer(text):
            pieces.append(text[at : hole.start()])
            fills.append(self._hole(hole[1].split("/"), hole[2] or ""))
            at = hole.end()
        pieces.append(text[at:])
        if not fills:
            return lambda _: text
        if len(fills) == 1 and pieces == ["", ""]:
            return fills[0]

        def filled(values: Values) -> str | None:
            parts = [pieces[0]]
            for number, fill in enumerate(fills, 1):
                found = fill(values)
                if found is None:
                    return None
                parts += (found, pieces[number])
            return "".join(parts)

        return filled

    def get(self, name: str) -> Callable[[Values], Any]:
        """How a name's value is had."""
        if name.endswith(IS):
            base = name.removesuffix(IS)
            return lambda values: _is(values.get(base), values[TODAY])

        def get(values: Values) -> Any:
            if name in values:
                return values[name]
            named = self._named.get(name)
            return named(values) if named is not None else None

        return get

    def _hole(self, names: list[str], form: str) -> Text:
        gets = [self.get(name) for name in names]
        if form in FORMS or form[:1] == "0":
            write = FORMS.get(form) or (lambda value: f"{value:{form}d}")
            return lambda values: None if (value := gets[0](values)) is None else write(value)
        codes = self._codes[form] if form else None

        def fill(values: Values) -> str | None:
            found = [get(values) for get in gets]
            if None in found:
                return None
            key = "/".join(map(plain, found))
            return key if codes is None else codes.find(key)

        return fill

    def _entry(self, entry: TextEntry) -> Text:
        holds = self.holds(entry.when, entry.unless)
        make = self._lines(entry) if entry.lines else self.text(entry.text)
        if holds is None:
            return make
        return lambda values: make(values) if holds(values) else None

    def _lines(self, entry: TextEntry) -> Text:
        texts = [self.text(line) for line in entry.lines]
        each = entry.each

        def one(values: Values) -> list[str]:
            found = [text(values) for text in texts]
            lines = [line for text in found if text is not None for line in text.replace(LINE_END, "\n").split("\n")]
            if not entry.width:
                return [entry.before + line for line in lines]
            cut, _ = narrative([to_x(line)[0] for line in lines], entry.count or len(lines) * 999, entry.width)
            return [entry.before + line for line in cut.split(LINE_END)] if cut else []

        def make(values: Values) -> str | None:
            if each:
                lines = [line for item in values.get(each) or () for line in one({**values, **item})]
            else:
                lines = one(values)
            return LINE_END.join(lines) if lines else None

        return make


def _as_set(values: str | list[str]) -> frozenset[str]:
    return frozenset([values] if isinstance(values, str) else values)


def _is(value: Any, today: date) -> str:
    if value is None:
        return ""
    return "today" if value == today else "past" if value < today else "future"
