"""Reports of the market, compiled: OCP's entries -> records of a fixed-width file.

Strategy: a report of a million trades is written while somebody waits. So all that is known beforehand (where a value
stands, what each code becomes) is settled once, and an entry costs one look-up a column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.fixed_width.layout import Column, Layout, Record, Value
from pg_bridge.mapping.report_document import TRADE, ReportColumn, ReportFile
from pg_bridge.profiles.concepts import KINDS, Kind
from pg_bridge.profiles.market_concepts import Market, table_of
from pg_bridge.profiles.ocp import OcpProfile

Json = Mapping[str, Any]
Convert = Callable[[Any], Value]

#: what a header may be given besides constants
REPORT_SOURCES: dict[str, Kind] = {
    "report.participant": Kind.TEXT,
    "report.market": Kind.CODE,
    "report.day": Kind.DATE,
    "report.settlement_date": Kind.DATE,
}
YES, NO = "yes", "no"
CANNOT_BE_MADE = "PGB-MAP-050"
#: distinct values of one column that are remembered
_MOST_KNOWN = 20_000


class ReportRules:
    """One report: its file, compiled for a profile and layout that fit it."""

    def __init__(self, path: str, file: ReportFile, layout: Layout, profile: OcpProfile) -> None:
        self.path = path
        self.file = file
        self.layout = layout
        columns = {column.name: column for column in layout.records[file.record].columns}
        self._columns = [each for each in file.detail.columns if each.constant is None]
        self._converts = [_convert(each, columns[each.to], profile) for each in self._columns]
        self._names = [each.to for each in self._columns]
        places = [profile.place(file.of, each.from_) for each in self._columns]
        #: all values in one step, where each is a member of the entry itself
        self._pick: Callable[[Any], tuple[Any, ...]] | None = None
        if len(places) > 1 and all(place.is_plain for place in places):
            self._pick = itemgetter(*(place.members[0] for place in places))
        self._reads = [place.read for place in places]
        self._constants: dict[str, Value] = {
            each.to: _of_text(each.constant, columns[each.to])
            for each in file.detail.columns
            if each.constant is not None
        }
        heads = {column.name: column for column in layout.header.columns}
        self._header = [
            (each.to, each.from_, _convert(each, heads[each.to], profile) if each.constant is None else None)
            for each in file.header.columns
        ]
        self._head_constants = {
            each.to: _of_text(each.constant, heads[each.to])
            for each in file.header.columns
            if each.constant is not None
        }

    @property
    def is_of_trades(self) -> bool:
        """Whether it is of the trades of one market and day."""
        return self.file.of == TRADE

    def report_id(self, market: Market | None) -> str:
        """The id under which it is downloaded."""
        return self.file.report_of.get(market.value, self.file.report) if market is not None else self.file.report

    def header(self, participant: str, day: str, market: Market | None, settlement_date: str) -> Record:
        """The header of a file. day, settlement_date: YYYY-MM-DD. Raises MappingFailed."""
        given = {
            "report.participant": participant,
            "report.market": market.value if market is not None else None,
            "report.day": day,
            "report.settlement_date": settlement_date,
        }
        values = dict(self._head_constants)
        for name, source, convert in self._header:
            if convert is not None:
                values[name] = self._converted(convert, given[source], name)
        return Record(self.layout.header.name, values)

    def record(self, entry: Json) -> Record:
        """The record of one of OCP's entries. Raises MappingFailed for a value that no column takes."""
        pick = self._pick
        try:
            if pick is None:
                given: Sequence[Any] = [read(entry) for read in self._reads]
            else:
                try:
                    given = pick(entry)
                except KeyError:
                    given = [read(entry) for read in self._reads]
            values = [convert(value) for convert, value in zip(self._converts, given, strict=True)]
        except (ValueError, TypeError, KeyError, InvalidOperation):
            for name, read, convert in zip(self._names, self._reads, self._converts, strict=True):
                self._converted(convert, read(entry), name)
            raise
        made: dict[str, Value] = dict(zip(self._names, values, strict=True))
        made.update(self._constants)
        return Record(self.file.record, made)

    def _converted(self, convert: Convert, value: Any, name: str) -> Value:
        try:
            return convert(value)
        except (ValueError, TypeError, KeyError, InvalidOperation) as error:
            text = f"{str(value)[:40]!r} cannot be written in the column {name}"
            remedy = "Give the code in the report file, or correct the column's kind."
            finding = Finding(CANNOT_BE_MADE, "error", self.path, text, remedy=remedy)
            raise MappingFailed(f"writing the report {self.file.name}: {text}", findings=[finding]) from error


def _convert(each: ReportColumn, column: Column, profile: OcpProfile) -> Convert:
    """What makes the value of a column from that of its concept."""
    empty = _of_text(each.default, column) if each.default is not None else None
    if each.codes:
        return _coded(each, column, profile, empty)
    plain = _plain(each, column)

    def convert(value: Any) -> Value:
        return empty if value is None else plain(value)

    return convert


def _coded(each: ReportColumn, column: Column, profile: OcpProfile, empty: Value) -> Convert:
    """By the table of the file: from OCP's own codes, or flags, straight to the text."""
    texts = {meaning: _of_text(text, column) if text else None for meaning, text in each.codes.items()}
    table: dict[Any, Value]
    if each.from_ in REPORT_SOURCES:
        table = {**texts}
    elif KINDS.get(each.from_) is Kind.FLAG:
        table = {True: texts[YES], False: texts[NO]}
    else:
        codes = profile.codes(table_of(each.from_))
        table = {code: texts[meaning.value] for meaning, code in codes.items()}
    table[None] = empty
    return table.__getitem__


def _plain(each: ReportColumn, column: Column) -> Convert:
    if each.use:
        return _hours_and_minutes
    if column.kind == "decimal":
        return Decimal
    if column.kind == "date":
        return _Remembered(date.fromisoformat)
    if column.kind == "number":
        return int
    return str


def _hours_and_minutes(at: str) -> str:
    """`HHMM` of a time in RFC 3339, Hong Kong's."""
    hours, minutes = at[11:13], at[14:16]
    if not (hours.isdecimal() and minutes.isdecimal()):
        raise ValueError(at)
    return hours + minutes


class _Remembered:
    """Days are few, and making one takes long."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        self._make = make
        self._known: dict[str, Value] = {}

    def __call__(self, text: str) -> Value:
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[text] = self._make(text)
        return found


def _of_text(text: str, column: Column) -> Value:
    """A text of the report file as a value of the column. Raises ValueError, InvalidOperation."""
    if column.kind == "decimal":
        return Decimal(text)
    if column.kind == "number":
        return int(text)
    if column.kind == "date":
        return date.fromisoformat(text)
    return text


def can_be(text: str, column: Column) -> bool:
    """Whether a text of the report file is a value of the column."""
    try:
        _of_text(text, column)
    except (ValueError, InvalidOperation):
        return False
    return not column.values or text in column.values
