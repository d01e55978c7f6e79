"""Records -> bytes of a fixed-width file, with checksums, counts and totals made.

Strategy: a record whose values have types seen before is written by one `%` of a text and matched with its record's
pattern, which proves that every column holds what it may. Whatever fails is looked at column by column. A value is
never cut or rounded. A file with one fault gets no trailer and an error: what was written of it is no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.fixed_width.cells import CANNOT_BE_WRITTEN, day_text, scaled, unscaled, value_fault
from pg_bridge.formats.fixed_width.layout import Column, Layout, Record, RecordSpec, Row, Value
from pg_bridge.formats.fixed_width.reader import MOST_FINDINGS, WRONG_PLACE

#: records that are given out together
RECORDS_A_PIECE = 500
#: shapes of values, and days, that are remembered
_MOST_KNOWN = 4096

Plan = list[tuple[int, Callable[[Any], Any]]]


def write(layout: Layout, records: Iterable[Record | Row]) -> Iterator[bytes]:
    """The bytes of a file in pieces; a trailer that is not given is made where it needs no values.

    Raises MappingFailed with all findings (up to 1,000; the line counts the records) before the trailer.
    """
    forms = {name: _Form(spec, layout) for name, spec in layout.records.items()}
    header, trailer = layout.header.name, layout.trailer.name
    end = layout.written_end
    findings: list[Finding] = []
    lines: list[str] = []
    number = 0
    last: Record | Row | None = None
    for record in records:
        number += 1
        form = forms.get(record.name)
        if form is None or last is not None or (record.name == header) != (number == 1):
            findings.append(_misplaced(layout, record, number, form is not None))
        elif record.name == trailer:
            last = record
        else:
            line = form.row(record) if type(record) is Row else form.line(form.values_of(record))
            if line is None:
                findings += form.faults(form.values_of(record), number)
            else:
                lines.append(line)
                if len(lines) >= RECORDS_A_PIECE:
                    yield (end.join(lines) + end).encode("ascii")
                    lines.clear()
        if len(findings) >= MOST_FINDINGS:
            raise MappingFailed(f"writing a file {layout.name}", findings=findings[:MOST_FINDINGS])
    if not number:
        findings.append(_misplaced(layout, Record("", {}), 0, is_known=True))
    form = forms[trailer]
    values = form.values_of(last) if last is not None else {}
    made = form.line(values, forms)
    if made is None:
        findings += form.faults(values, number, forms)
    if findings or made is None:
        raise MappingFailed(f"writing a file {layout.name}", findings=findings)
    lines.append(made)
    yield (end.join(lines) + end).encode("ascii")


def _misplaced(layout: Layout, record: Record | Row, number: int, is_known: bool) -> Finding:
    order = f"{layout.header.name} first, {layout.trailer.name} last, one of each"
    told = f"a record {record.name or 'of no kind'} has no place here" if number else "there are no records"
    if not is_known:
        told = f"there is no record {record.name!r}; there are {', '.join(layout.records)}"
    return Finding(WRONG_PLACE, "error", layout.name, told, number, remedy=f"Give records in order: {order}.")


class _Form:
    """One kind of record as it is written."""

    def __init__(self, spec: RecordSpec, layout: Layout) -> None:
        self.spec = spec
        self.count = 0
        self._given = spec.given
        names = [column.name for column in self._given]
        self._signed = {column.sign_of for column in spec.columns if column.sign_of}
        self._pick: Callable[[Mapping[str, Value]], tuple[Value, ...]] = _picker(names)
        self._plans: dict[tuple[type, ...], Plan] = {}
        self._row_plans: dict[tuple[type, ...], Plan] = {}
        #: cells: the given values as they are written, then signs, checksums, counts and totals
        signs = [column for column in spec.columns if column.sign_of]
        self._signs = [names.index(column.sign_of) for column in signs]
        self._checksums = [
            (_picker([names.index(name) for name in column.checksum]), 10**column.width)
            for column in spec.columns
            if column.checksum
        ]
        self._sums = [column for column in spec.columns if column.count_of or column.total_of]
        made = [*signs, *(column for column in spec.columns if column.checksum), *self._sums]
        cells = [*names, *(column.name for column in made)]
        written = [column for column in spec.columns if column.constant is None]
        self._order: Callable[[Sequence[Any]], tuple[Any, ...]] = _picker([cells.index(each.name) for each in written])
        self._text = "".join(_conversion(column) for column in spec.columns)
        totals = [column.total_of for column in layout.trailer.columns if column.total_of]
        self._sums_so_far: dict[str, int] = {name: 0 for record, name in totals if record == spec.name}
        self._summed: Callable[[Sequence[Any]], tuple[Any, ...]] = _picker(
            [cells.index(name) for name in self._sums_so_far]
        )
        #: what is to be added to the sums: many records at once, column by column, take half the time
        self._to_add: list[tuple[Any, ...]] = []

    def line(self, values: Mapping[str, Value], forms: Mapping[str, _Form] | None = None) -> str | None:
        """The line of a record, counted and added to the sums; None: a value is missing or cannot be written.

        forms: of all records, for the counts and totals of a trailer.
        """
        try:
            given = self._pick(values)
        except KeyError:
            given = tuple([values.get(column.name) for column in self._given])
        if len(values) > len(given):
            return None
        types = tuple(map(type, given))
        plan = self._plans.get(types)
        if plan is None:
            plan = self._learn(given)
            if plan is None:
                return None
            _remember(self._plans, types, plan)
        return self._written(given, plan, forms)

    def values_of(self, record: Record | Row) -> Mapping[str, Value]:
        """The values by name; of a row, as many as there are columns."""
        if isinstance(record, Record):
            return record.values
        given: list[Value] = list(record.given)
        for number, column in enumerate(self._given[: len(given)]):
            value = given[number]
            if column.decimals and isinstance(value, int):
                given[number] = unscaled(value, column.decimals)
        return dict(zip([column.name for column in self._given], given, strict=False))

    def row(self, row: Row) -> str | None:
        """As `line`, of a row."""
        types = tuple(map(type, row.given))
        plan = self._row_plans.get(types)
        if plan is None:
            if len(row.given) != len(self._given):
                return None
            learnt = self._learn(tuple(self.values_of(row).values()))
            if learnt is None:
                return None
            # Amounts are as they are written already.
            plan = [(number, make) for number, make in learnt if types[number] is not int]
            _remember(self._row_plans, types, plan)
        return self._written(row.given, plan)

    def _written(self, given: tuple[Value, ...], plan: Plan, forms: Mapping[str, _Form] | None = None) -> str | None:
        cells: list[Any] = list(given)
        try:
            for at, write_cell in plan:
                cells[at] = write_cell(cells[at])
            for at in self._signs:
                number = cells[at]
                cells.append("-" if number < 0 else " ")
                cells[at] = abs(number)
            for addends, limit in self._checksums:
                cells.append(sum(map(int, addends(cells))) % limit)
            if forms is not None:
                cells += [_sum(column, forms) for column in self._sums]
            line = self._text % self._order(cells)
        except ValueError:  # a number or day that cannot be written, told by faults()
            return None
        if self.spec.pattern.fullmatch(line) is None:
            return None
        self.count += 1
        if self._sums_so_far:
            self._to_add.append(self._summed(cells))
            if len(self._to_add) >= RECORDS_A_PIECE:
                self.add_up()
        return line

    def add_up(self) -> Mapping[str, int]:
        """The sums of all records so far, by column."""
        sums = self._sums_so_far
        for name, column in zip(sums, zip(*self._to_add, strict=True), strict=False):
            sums[name] += sum(map(int, column))
        self._to_add.clear()
        return sums

    def _learn(self, given: Sequence[Value]) -> Plan | None:
        """What to do with values of the types of these; None: there is one that no column takes."""
        plan: Plan = []
        for number, (column, value) in enumerate(zip(self._given, given, strict=True)):
            if value_fault(column, value, is_signed=column.name in self._signed) is not None:
                return None
            if value is None:
                plan.append((number, _blank(column)))
            elif column.kind == "date":
                plan.append((number, _Days()))
            elif column.decimals:
                plan.append((number, _scale(column.decimals)))
        return plan

    def faults(
        self, values: Mapping[str, Value], number: int, forms: Mapping[str, _Form] | None = None
    ) -> list[Finding]:
        """Why a record cannot be written: one finding at least."""
        told = list(self._faults(values, number, forms))
        return told or [self._finding("", "the record cannot be written", number, "Correct its values.")]

    def _faults(self, values: Mapping[str, Value], number: int, forms: Mapping[str, _Form] | None) -> Iterator[Finding]:
        known = {column.name for column in self._given}
        for name in values:
            if name not in known:
                told = f"{str(name)[:80]} is no column that is given a value"
                yield self._finding(
                    str(name)[:80], told, number, f"Give values for {', '.join(sorted(known)) or 'none'}."
                )
        for column in self._given:
            fault = value_fault(column, values.get(column.name), is_signed=column.name in self._signed)
            if fault is not None:
                yield self._finding(column.name, f"{column.span}: {fault.text}", number, fault.remedy, column.reason)
        for column in self._sums if forms is not None else ():
            due = _sum(column, forms or {})
            if len(str(due)) > column.width:
                told = f"{column.span}: {due:,} records {column.count_of} are more than it can count"
                yield self._finding(column.name, told, number, "Split the file.", column.reason)

    def _finding(self, column: str, text: str, number: int, remedy: str, reason: str = "") -> Finding:
        return Finding(CANNOT_BE_WRITTEN, "error", f"{self.spec.name}/{column}", text, number, reason, remedy)


class _Days(dict[date, str]):
    """Days as they are written, each made once."""

    def __missing__(self, day: date) -> str:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[day] = text = day_text(day)
        return text

    def __call__(self, day: date) -> str:
        return self[day]


def _scale(decimals: int) -> Callable[[Any], int]:
    return lambda value: scaled(value, decimals)


def _blank(column: Column) -> Callable[[Any], Any]:
    made: str | int = "" if column.kind == "text" else "0" * column.width
    if column.kind in ("number", "decimal"):
        made = 0
    return lambda _: made


def _remember(plans: dict[tuple[type, ...], Plan], types: tuple[type, ...], plan: Plan) -> None:
    if len(plans) >= _MOST_KNOWN:
        plans.clear()
    plans[types] = plan


def _picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of `keys`, always as a tuple. Raises KeyError for one that is not there."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda values: tuple([values[key] for key in keys])


def _conversion(column: Column) -> str:
    """How a cell stands in the `%` text of its record."""
    if column.constant is not None:
        return column.constant.replace("%", "%%")
    if column.checksum or column.count_of or column.total_of or column.kind in ("number", "decimal"):
        return f"%0{column.width}d"
    return f"%{'' if column.is_right else '-'}{column.width}s"


def _sum(column: Column, forms: Mapping[str, _Form]) -> int:
    if column.total_of:
        record, name = column.total_of
        return int(forms[record].add_up()[name] % 10**column.width)
    return forms[column.count_of].count
