"""Bytes of a fixed-width file -> records, and every fault of the file.

Strategy: a line that matches its record's pattern and adds up is taken at once; any other is looked at column by
column, so that a person hears of each fault. A file with one fault is refused whole by whoever reads it: take no
record as good before `findings` is known to be empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from pg_bridge.errors import Finding
from pg_bridge.formats.fixed_width.cells import cell_fault, read_cell
from pg_bridge.formats.fixed_width.layout import Column, Layout, Record, RecordSpec, Value

#: faults named for one file; what is beyond is counted in one last finding
MOST_FINDINGS = 1000
#: bytes looked at for the end of a line; no record is so long
_LONGEST_LINE = 65_536
#: characters that a line is told to be longer than its record at most
_FAR = 60
_MOST_DAYS = 4096

WRONG_LENGTH = "PGB-FIL-011"
WRONG_LINE_END = "PGB-FIL-012"
UNKNOWN_RECORD = "PGB-FIL-013"
WRONG_PLACE = "PGB-FIL-014"
WRONG_CHECKSUM = "PGB-FIL-020"
WRONG_COUNT = "PGB-FIL-021"
WRONG_TOTAL = "PGB-FIL-022"
MORE_FAULTS = "PGB-FIL-023"

_DIGITS = re.compile(r"[0-9]+")


class FixedWidthReader:
    """Reads one file of a layout. findings, counts and totals are whole when `records` has ended.

    counts: lines of each record, by its name. totals: what the columns of the trailer come to, by column name.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.counts: dict[str, int] = dict.fromkeys(layout.records, 0)
        self._found: list[Finding] = []
        self._beyond = 0
        self._line = 0
        self._has_trailer = False
        self._forms = {spec.marker: _Form(spec, layout) for spec in layout.records.values()}
        self._marker = len(next(iter(self._forms)))
        self._has_unknown = False
        self._trailer_line = ("", 0)

    @property
    def findings(self) -> list[Finding]:
        """Every fault so far, in order, the last one telling how many more there are."""
        if not self._beyond:
            return list(self._found)
        more = f"{self._beyond:,} more faults are not named"
        remedy = "Correct those that are named, then check again."
        return [*self._found, Finding(MORE_FAULTS, "error", self.layout.name, more, self._line, remedy=remedy)]

    @property
    def totals(self) -> dict[str, int]:
        """What the records come to for each count and total of the trailer."""
        return {column.name: self._due(column) for column in _sums(self.layout.trailer)}

    def records(self, pieces: Iterable[bytes]) -> Iterator[Record]:
        """The records of a file that comes in pieces of any size, those without a fault of their own."""
        rest = b""
        for piece in pieces:
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield from self._read(line, is_ended=True)
            if len(rest) > _LONGEST_LINE:
                rest = rest[: self.layout.length + _FAR + 20]  # too long in any case; the rest of it is not kept
        if rest:
            yield from self._read(rest, is_ended=False)
        self._close()

    def _read(self, line: bytes, *, is_ended: bool) -> Iterator[Record]:
        self._line += 1
        text = line.decode("latin-1")
        has_cr = text[-1:] == "\r"
        if has_cr:
            text = text[:-1]
        if not is_ended or (has_cr != (self.layout.line_end == "CRLF") and self.layout.line_end != "any"):
            self._check_end(is_ended=is_ended)
        form = self._forms.get(text[: self._marker])
        if form is None:
            self._has_unknown = True
            due = ", ".join(f"{spec.marker} ({spec.name})" for spec in self.layout.records.values())
            told = (
                f"a record begins with {text[: self._marker]!r}, which is none of {due}"
                if text
                else "the line is empty"
            )
            self._tell(UNKNOWN_RECORD, self.layout.name, told, "Correct the record type, or take the line out.")
            return
        spec = form.spec
        if self._line == 1 or spec.role != "detail" or self._has_trailer:
            self._check_place(spec)
        self.counts[spec.name] += 1
        values = form.read(text)
        if values is None:
            self._tell_faults(form, text)
        else:
            yield Record(spec.name, values, self._line)
        if spec.role == "trailer":
            self._trailer_line = (text, self._line)

    def _check_end(self, *, is_ended: bool) -> None:
        if not is_ended and self.layout.line_end == "any":
            return
        due = "CRLF" if self.layout.line_end == "CRLF" else "LF"
        told = f"the line does not end in {due}" if is_ended else "the last line has no end: the file may be cut"
        self._tell(WRONG_LINE_END, self.layout.name, told, f"End every line in {due} alone.")

    def _check_place(self, spec: RecordSpec) -> None:
        if self._line == 1 and spec.role != "header":
            first = self.layout.header.name
            told = f"the file begins with the record {spec.name}, not with {first}"
            self._tell(WRONG_PLACE, spec.name, told, f"Let the file begin with its {first}.")
        elif self._line > 1 and spec.role == "header":
            told = f"a second {spec.name}" if self.counts[spec.name] else f"the {spec.name} is not the first record"
            self._tell(WRONG_PLACE, spec.name, told, "Begin the file with the one header it has.")
        if self._has_trailer:
            told = f"a record {spec.name} stands behind the {self.layout.trailer.name}"
            self._tell(WRONG_PLACE, spec.name, told, "Let the trailer be the last record.")
        self._has_trailer |= spec.role == "trailer"

    def _tell_faults(self, form: _Form, text: str) -> None:
        spec, length = form.spec, self.layout.length
        if len(text) != length:
            form.broken.update(form.sums)
            many = f"more than {length + _FAR}" if len(text) > length + _FAR else str(len(text))
            told = f"the record has {many} characters; {length} are due"
            remedy = f"Fill it with spaces or zeros where {spec.name} has them, or take out what is too much."
            self._tell(WRONG_LENGTH, spec.name, told, remedy)
            return
        broken: set[str] = set()
        for column in spec.columns:
            fault = cell_fault(column, text[column.start : column.start + column.width])
            if fault is not None:
                broken.add(column.name)
                place = f"{spec.name}/{column.name}"
                self._tell(fault.code, place, f"{column.span}: {fault.text}", fault.remedy, column.reason)
        form.add(text, broken)
        for sign in spec.columns:
            if sign.sign_of and not {sign.name, sign.sign_of} & broken and form.is_minus_zero(sign, text):
                told = f"{sign.span}: a - stands before zero"
                self._tell("PGB-FIL-015", f"{spec.name}/{sign.name}", told, "Write a space.", sign.reason)
        for column in form.checksums:
            if column.name in broken or broken & set(column.checksum):
                continue
            due = form.checksum(column, text)
            given = text[column.start : column.start + column.width]
            if given != due:
                told = f"{column.span}: the checksum is {given}; {' + '.join(column.checksum)} make {due}"
                remedy = f"Write {due}, or correct the columns that it is the sum of."
                self._tell(WRONG_CHECKSUM, f"{spec.name}/{column.name}", told, remedy, column.reason)

    def _close(self) -> None:
        layout = self.layout
        if not self._line:
            self._tell(WRONG_PLACE, layout.name, "the file is empty", "Write its header and trailer at least.")
            return
        trailer = layout.trailer
        if not self._has_trailer:
            told = f"the file has no {trailer.name}: it may be cut"
            self._tell(WRONG_PLACE, trailer.name, told, "Send the whole file.")
            return
        text, self._line = self._trailer_line
        if len(text) != layout.length:
            return
        for column in _sums(trailer):
            given = text[column.start : column.start + column.width]
            if not _DIGITS.fullmatch(given):
                continue  # told already
            due = self._due(column)
            place = f"{trailer.name}/{column.name}"
            if column.count_of:
                if int(given) != due and not self._has_unknown:
                    told = f"{column.span}: {int(given)} are told; the file has {due} records {column.count_of}"
                    self._tell(WRONG_COUNT, place, told, "Send the whole file, or correct the number.", column.reason)
            elif int(given) != due and not self._is_unknown(column):
                told = f"{column.span}: the total is {given}; the records make {due:0{column.width}d}"
                remedy = f"Write {due:0{column.width}d}, or correct the records that it is the total of."
                self._tell(WRONG_TOTAL, place, told, remedy, column.reason)

    def _due(self, column: Column) -> int:
        if column.count_of:
            return self.counts[column.count_of]
        name, summed = column.total_of or ("", "")
        sums = self._forms[self.layout.records[name].marker].sums
        return int(sums[summed] % 10**column.width)

    def _is_unknown(self, column: Column) -> bool:
        """Whether a total cannot be known: what belongs to it could not be read."""
        name, summed = column.total_of or ("", "")
        return self._has_unknown or summed in self._forms[self.layout.records[name].marker].broken

    def _tell(self, code: str, place: str, text: str, remedy: str, reason: str = "") -> None:
        if len(self._found) >= MOST_FINDINGS:
            self._beyond += 1
            return
        self._found.append(Finding(code, "error", place, text, self._line, reason, remedy))


class _Form:
    """One kind of record as it is read: its values, its sums, and the sums that a line with faults leaves unknown."""

    def __init__(self, spec: RecordSpec, layout: Layout) -> None:
        self.spec = spec
        self.broken: set[str] = set()
        self.checksums = [column for column in spec.columns if column.checksum]
        totals = [column.total_of for column in layout.trailer.columns if column.total_of]
        self.sums: dict[str, int] = {name: 0 for record, name in totals if record == spec.name}
        self._at = {column.name: number for number, column in enumerate(spec.columns)}
        self._summed = [(name, self._at[name]) for name in self.sums]
        self._added = [
            (self._at[column.name], [self._at[name] for name in column.checksum], 10**column.width)
            for column in self.checksums
        ]
        self._signs = {column.sign_of: self._at[column.name] for column in spec.columns if column.sign_of}
        self._blank: dict[str, Value] = dict.fromkeys([each.name for each in spec.given])
        #: texts are only stripped, days remembered; the rest is read one by one
        self._texts = [(self._at[each.name], each.name) for each in spec.given if each.kind == "text"]
        self._days = [(self._at[each.name], each) for each in spec.given if each.kind == "date"]
        self._others = [(self._at[each.name], each) for each in spec.given if each.kind not in ("text", "date")]
        self._known_days: dict[str, date | None] = {}

    def read(self, text: str) -> dict[str, Value] | None:
        """The values of a line without a fault, added to the sums; None: it has one, and no sum knows of it."""
        match = self.spec.pattern.fullmatch(text)
        if match is None:
            return None
        cells = match.groups()
        for at, addends, limit in self._added:
            if int(cells[at]) != sum([int(cells[addend]) for addend in addends]) % limit:
                return None
        values = self._blank.copy()
        for at, name in self._texts:
            values[name] = cells[at].strip() or None
        known = self._known_days
        for at, column in self._days:
            cell = cells[at]
            if cell not in known:
                if len(known) >= _MOST_DAYS:
                    known.clear()
                try:
                    known[cell] = read_cell(column, cell)  # type: ignore[assignment]
                except ValueError:
                    return None
            day = known[cell]
            if day is None and column.is_mandatory:
                return None
            values[column.name] = day
        for at, column in self._others:
            values[column.name] = read_cell(column, cells[at])
        for name, at in self._signs.items():
            if cells[at] == "-":
                number = values[name]
                if not number:
                    return None
                values[name] = -number  # type: ignore[operator]
        for name, at in self._summed:
            self.sums[name] += int(cells[at])
        return values

    def add(self, text: str, broken: set[str]) -> None:
        """Add a line with faults to the sums, where what is to be added is not among the broken columns."""
        for name in self.sums:
            if name in broken:
                self.broken.add(name)
            else:
                self.sums[name] += int(self._cell(name, text))

    def checksum(self, column: Column, text: str) -> str:
        """What the checksum of a line is due to be."""
        due = sum(int(self._cell(name, text)) for name in column.checksum)
        return f"{due % 10**column.width:0{column.width}d}"

    def is_minus_zero(self, sign: Column, text: str) -> bool:
        """Whether a sign stands before nothing to be signed."""
        return self._cell(sign.name, text) == "-" and not int(self._cell(sign.sign_of, text))

    def _cell(self, name: str, text: str) -> str:
        column = self.spec.columns[self._at[name]]
        return text[column.start : column.start + column.width]


def _sums(trailer: RecordSpec) -> list[Column]:
    return [column for column in trailer.columns if column.count_of or column.total_of]
