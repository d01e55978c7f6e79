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
from pg_bridge.formats.fixed_width.cells import scaled
from pg_bridge.formats.fixed_width.layout import Column, Layout, Record, Row, Value
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
_MOST_KNOWN = 4096


class ReportRules:
    """One report: its file, compiled for a profile and layout that fit it."""

    def __init__(self, path: str, file: ReportFile, layout: Layout, profile: OcpProfile) -> None:
        self.path = path
        self.file = file
        self.layout = layout
        sources = {each.to: each for each in file.detail.columns}
        given = layout.records[file.record].given
        read = [column for column in given if column.name in sources and sources[column.name].constant is None]
        #: the columns that an entry gives, and the concepts that they are given from
        self.names = [column.name for column in read]
        self.concepts = [sources[name].from_ for name in self.names]
        self._converts = [
            (number, convert)
            for number, column in enumerate(read)
            if (convert := _convert(sources[column.name], column, profile)) is not None
        ]
        fixed = [column for column in given if column not in read]
        self._constants: tuple[Value, ...] = tuple(
            _row_value(sources[column.name].constant or "", column) if column.name in sources else None
            for column in fixed
        )
        order = [*self.names, *(column.name for column in fixed)]
        self._order: Callable[[Sequence[Value]], tuple[Value, ...]] = _in_order(
            [order.index(column.name) for column in given]
        )
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
            elif source:
                values[name] = given[source]
        return Record(self.layout.header.name, values)

    def row(self, values: list[Any]) -> Row:
        """The record of one of OCP's entries; `values`: of `concepts`, changed here.

        Raises MappingFailed for a value that cannot be written.
        """
        try:
            for number, convert in self._converts:
                values[number] = convert(values[number])
        except (ValueError, TypeError, KeyError, InvalidOperation):
            self._converted(convert, values[number], self.names[number])
            raise
        values += self._constants
        return Row(self.file.record, self._order(values))

    def _converted(self, convert: Convert, value: Any, name: str) -> Value:
        try:
            return convert(value)
        except (ValueError, TypeError, KeyError, InvalidOperation) as error:
            text = f"{str(value)[:40]!r} cannot be written in the column {name}"
            remedy = "Give the code in the report file, or correct the column's kind."
            finding = Finding(CANNOT_BE_MADE, "error", self.path, text, remedy=remedy)
            raise MappingFailed(f"writing the report {self.file.name}: {text}", findings=[finding]) from error


def _in_order(places: Sequence[int]) -> Callable[[Sequence[Value]], tuple[Value, ...]]:
    """What picks these places, as a tuple."""
    if list(places) == list(range(len(places))):
        return tuple
    if len(places) == 1:
        return lambda values: (values[places[0]],)
    return itemgetter(*places)


def _convert(each: ReportColumn, column: Column, profile: OcpProfile) -> Convert | None:
    """What makes the value of a column from that of its concept; None: it is the same."""
    empty = _of_text(each.default, column) if each.default is not None else None
    if each.codes:
        return _coded(each, column, profile, empty)
    if each.use:
        return _hours_and_minutes(empty)
    if column.kind == "date":
        return _Known(date.fromisoformat, empty).__getitem__
    if column.kind == "decimal":
        return _units_of(column.decimals, scaled(empty, column.decimals) if isinstance(empty, Decimal) else empty)
    return None if empty is None else lambda value: empty if value is None else value


def _coded(each: ReportColumn, column: Column, profile: OcpProfile, empty: Value) -> Convert | None:
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
        if empty is None and column.values and all(code == text for code, text in table.items()):
            return None  # the column has these values only, which is looked at as it is written
    table[None] = empty
    return table.__getitem__


def _units_of(decimals: int, empty: Value) -> Convert:
    """From an amount as text to whole numbers of the last decimal, as a row has it."""
    point = -decimals - 1

    def units(text: Any) -> Value:
        if text is None:
            return empty
        if isinstance(text, str) and text[point:-decimals] == ".":
            return int(text[:point] + text[-decimals:])
        return scaled(Decimal(text), decimals)

    return units


def _hours_and_minutes(empty: Value) -> Convert:
    """`HHMM` of a time in RFC 3339, Hong Kong's."""

    def digits(at: Any) -> Value:
        if at is None:
            return empty
        found: str = at[11:13] + at[14:16]
        if not found.isdecimal():
            raise ValueError(at)
        return found

    return digits


class _Known(dict[Any, Value]):
    """Texts and the values made of them: most come again and again, and none at all stands for `empty`."""

    def __init__(self, make: Convert, empty: Value) -> None:
        super().__init__()
        self._make, self._empty = make, empty

    def __missing__(self, text: Any) -> Value:
        value = self._empty if text is None else self._make(text)
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[text] = value
        return value


def _of_text(text: str, column: Column) -> Value:
    """A text of the report file as a value of the column. Raises ValueError, InvalidOperation."""
    if column.kind == "decimal":
        return Decimal(text)
    if column.kind == "number":
        return int(text)
    if column.kind == "date":
        return date.fromisoformat(text)
    return text


def _row_value(text: str, column: Column) -> Value:
    """A text of the report file as a row has it."""
    value = _of_text(text, column)
    return scaled(value, column.decimals) if isinstance(value, Decimal) else value


def can_be(text: str, column: Column) -> bool:
    """Whether a text of the report file is a value of the column."""
    try:
        _of_text(text, column)
    except (ValueError, InvalidOperation):
        return False
    return not column.values or text in column.values
