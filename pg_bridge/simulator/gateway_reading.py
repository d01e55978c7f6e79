"""What a request asks for: a checked message in, names with values out, by the words of the data.

Every name is told as `asked.<name>`. A name that is a concept has the kind of the concept; another is a text unless the
data says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.profiles.concepts import CODE_TABLES, KINDS, Kind
from pg_bridge.profiles.template import Checked
from pg_bridge.simulator.gateway_file import ReadEntry, RequestEntry
from pg_bridge.simulator.gateway_texts import Codes, TextCompiler, Values

ASKED = "asked."
MESSAGE_TYPE = "@message_type"
#: what a value that cannot be read, or is refused for what it says, is told as
UNREADABLE = "unreadable"
YES = "yes"


class Fault(NamedTuple):
    """Why a request is refused. code: a meaning of refusals or a finding's code; reason: the template's, if any."""

    code: str
    reason: str
    text: str

    def values(self) -> dict[str, Any]:
        """It by name, for texts."""
        return {"fault.code": self.code, "fault.reason": self.reason or None, "fault.text": self.text}


class Asked(NamedTuple):
    """One instruction or enquiry of a request: its values by name, and why it is refused for what they say."""

    values: dict[str, Any]
    faults: tuple[Fault, ...]


class RequestReading:
    """Reads the requests of one template."""

    def __init__(
        self,
        entry: RequestEntry,
        groups: Mapping[str, Mapping[str, ReadEntry]],
        codes: Mapping[str, Codes],
        texts: TextCompiler,
    ) -> None:
        self.entry = entry
        reads: dict[str, ReadEntry] = {}
        for group in entry.reads:
            reads |= groups[group]
        reads |= entry.read
        self._rules = [_Rule(name, read, codes) for name, read in reads.items()]
        self._refuses = [(texts.holds(each.when, each.unless), each.text) for each in entry.refuses]
        self.filter = [(ASKED + name, texts.value(value)) for name, value in entry.filter.items()]

    def read(self, checked: Checked, message_type: str, around: Values) -> list[Asked]:
        """Everything that a message without faults asks for, in its order. around: what else conditions know."""
        each = self.entry.each
        ranges = checked.instances.get(each, ()) if each else ()
        if not ranges:
            return [self._asked(checked.values, message_type, around)]
        return [self._asked(_within(checked.values, each, first, last), message_type, around) for first, last in ranges]

    def reference(self, checked: Checked, message_type: str) -> str:
        """The reference of a request that may have faults; empty where none can be read."""
        faulty = {finding.path for finding in checked.findings}
        for rule in self._rules:
            if rule.name == "request_reference" and faulty.isdisjoint(rule.places):
                found, _ = rule.read(checked.values, message_type)
                return str(found or "")
        return ""

    def _asked(self, fields: Mapping[str, Sequence[Field]], message_type: str, around: Values) -> Asked:
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for rule in self._rules:
            value, fault = rule.read(fields, message_type)
            values[ASKED + rule.name] = value
            if fault is not None:
                faults.append(fault)
        known = {**around, **values}
        faults += [Fault(UNREADABLE, "", text) for holds, text in self._refuses if holds is None or holds(known)]
        return Asked(values, tuple(faults))


class _Rule:
    """How one name is read."""

    def __init__(self, name: str, entry: ReadEntry, codes: Mapping[str, Codes]) -> None:
        self.name = name
        self.places = [entry.from_] if isinstance(entry.from_, str) else list(entry.from_)
        self._joins = entry.join
        self._cut = re.compile(entry.cut, re.DOTALL) if entry.cut else None
        self._codes = codes[entry.codes] if entry.codes else None
        self._otherwise = entry.otherwise
        self._decimals = entry.decimals
        self._make = _maker(name, entry)

    def read(self, fields: Mapping[str, Sequence[Field]], message_type: str) -> tuple[Any, Fault | None]:
        """The value, None where there is none; and why it cannot be read."""
        text = self._text(fields, message_type)
        if text is None:
            return None, None
        try:
            value = self._make(text)
        except (ValueError, ArithmeticError, KeyError):
            return None, Fault(UNREADABLE, "", f"{self.name}: {text!r} cannot be read")
        if self._decimals is None or not isinstance(value, Decimal):
            return value, None
        rounded = round(value, self._decimals)
        if value != rounded:
            return None, Fault(UNREADABLE, "", f"{self.name}: {text} has more than {self._decimals} decimals")
        return rounded, None

    def _text(self, fields: Mapping[str, Sequence[Field]], message_type: str) -> str | None:
        found = list(self._found(fields, message_type))
        standing = [text for text in found if text is not None]
        first = standing[0] if standing else None
        text = "/".join(each or "" for each in found) if self._joins else first
        if text is not None and self._cut is not None:
            match = self._cut.fullmatch(text)
            text = match[1] if match else None
        if text is not None and self._codes is not None:
            text = self._codes.find(text)
        return self._otherwise if text is None else text

    def _found(self, fields: Mapping[str, Sequence[Field]], message_type: str) -> Iterator[str | None]:
        for place in self.places:
            if place == MESSAGE_TYPE:
                yield message_type
            else:
                standing = fields.get(place)
                yield standing[0].value if standing else None


def _within(fields: Mapping[str, Sequence[Field]], path: str, first: int, last: int) -> Mapping[str, Sequence[Field]]:
    """The fields of one instance of a sequence that repeats, and those outside of it."""
    inside = f"{path}/"
    return {
        place: [field for field in found if first <= field.line <= last] if place.startswith(inside) else found
        for place, found in fields.items()
    }


def _maker(name: str, entry: ReadEntry) -> Callable[[str], Any]:
    kind = Kind(entry.as_) if entry.as_ else KINDS.get(name, Kind.TEXT)
    if kind is Kind.CODE:
        return CODE_TABLES[name]
    return _MAKERS.get(kind, str)


def _number(text: str) -> int:
    return int(text.partition(",")[0])


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


_MAKERS: dict[Kind, Callable[[str], Any]] = {
    Kind.NUMBER: _number,
    Kind.AMOUNT: _amount,
    Kind.DATE: _date,
    Kind.FLAG: lambda text: text == YES,
}
