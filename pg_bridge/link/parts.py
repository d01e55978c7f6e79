"""A whole file and the parts in which it travels: KEY/VALUE lines of a message, its base64 cut into parts and lines.

Takes and gives lines; the message around them is another's. Nothing here knows a file's content. A file is whole when
all its parts came in order and size and hash are right; the least fault refuses it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from pg_bridge.errors import Finding

LINE_WRONG = "PGB-FIL-051"
LINE_MISSING = "PGB-FIL-052"
OTHER_FILE = "PGB-FIL-053"
OUT_OF_ORDER = "PGB-FIL-054"
DIFFERS = "PGB-FIL-055"
TOO_LARGE = "PGB-FIL-056"
WRONG_SIZE = "PGB-FIL-057"
WRONG_HASH = "PGB-FIL-058"

_NUMBERS = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")
_SIZE = re.compile(r"[0-9]{1,12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_DAY = re.compile(r"[0-9]{8}")


@dataclass(frozen=True, slots=True)
class PartsForm:
    """How files are cut and told. keys: the word of a line by its concept (file, report, date, part ...).

    line, part: characters of base64; largest: bytes of a whole file, largest_report: of a report (0: the same);
    name_width: characters of a name.
    """

    keys: dict[str, str]
    line: int
    part: int
    largest: int
    name_width: int
    largest_report: int = 0

    def most(self, *, is_report: bool) -> int:
        """Bytes of a whole file, or report."""
        return (is_report and self.largest_report) or self.largest


class Part(NamedTuple):
    """One part of a file. name: of the file, or the report's id. data: base64, a piece of that of the whole."""

    name: str
    day: date
    number: int
    of: int
    size: int
    hash: str
    data: str


def piece_size(form: PartsForm) -> int:
    """How many bytes of a file one part holds, so that its base64 is of whole lines; 0 where it cannot be."""
    unit = math.lcm(form.line, 4)
    return form.part // unit * unit // 4 * 3


def data_lines(form: PartsForm, piece: bytes) -> list[str]:
    """The lines of data of one piece of a file, cut at `piece_size` bytes."""
    text = base64.b64encode(piece).decode("ascii")
    return [f"{form.keys['data']}/{text[at : at + form.line]}" for at in range(0, len(text), form.line)]


def split(form: PartsForm, name: str, day: date, content: bytes) -> list[Part]:
    """The parts of a whole file, one at least."""
    most = form.part - form.part % form.line  # whole lines
    text = base64.b64encode(content).decode("ascii")
    told = hashlib.sha256(content).hexdigest()
    pieces = [text[at : at + most] for at in range(0, len(text), most)] or [""]
    return [Part(name, day, at, len(pieces), len(content), told, data) for at, data in enumerate(pieces, 1)]


def write_part(form: PartsForm, part: Part, *, is_report: bool = False) -> list[str]:
    """The lines of a part."""
    keys = form.keys
    day = part.day
    return [
        f"{keys['report' if is_report else 'file']}/{part.name}",
        f"{keys['date']}/{day.year:04d}{day.month:02d}{day.day:02d}",
        f"{keys['part']}/{part.number}/{part.of}",
        f"{keys['size']}/{part.size}",
        f"{keys['hash']}/{part.hash}",
        *(f"{keys['data']}/{part.data[at : at + form.line]}" for at in range(0, len(part.data), form.line)),
    ]


def read_part(
    form: PartsForm, lines: Sequence[str], *, is_report: bool = False, first_line: int = 1
) -> tuple[Part | None, list[Finding]]:
    """The part that lines tell; None and every fault where they tell none.

    first_line: the number of the first one in its message, for the findings.
    """
    reading = _PartLines(form, lines, first_line)
    name = reading.take("report" if is_report else "file")
    if name is not None and not (name.strip() and len(name) <= form.name_width and name.isascii()):
        reading.tell(LINE_WRONG, f"{name[:40]!r} is no name", f"Write 1 to {form.name_width} characters.")
    day = _day(reading.take("date"), reading)
    number, of = _numbers(reading.take("part"), reading)
    size = _size(reading.take("size"), reading, is_report=is_report)
    told = reading.take("hash")
    if told is not None and _HASH.fullmatch(told) is None:
        reading.tell(LINE_WRONG, "this is no SHA-256", "Write 64 hexadecimal digits in small letters.")
    data = reading.data()
    if reading.findings or name is None or day is None or told is None:
        return None, reading.findings
    return Part(name, day, number, of, size, told, data), []


class _PartLines:
    """The lines of a part, taken in order."""

    def __init__(self, form: PartsForm, lines: Sequence[str], first_line: int) -> None:
        self.findings: list[Finding] = []
        self.form = form
        self._lines = lines
        self._first = first_line
        self._at = 0
        self._told_at = first_line
        self._key = ""

    def tell(self, code: str, text: str, remedy: str) -> None:
        self.findings.append(Finding(code, "error", self._key, text, self._told_at, remedy=remedy))

    def take(self, concept: str) -> str | None:
        """The value of the next line, None and a finding where it has another key."""
        self._key = self.form.keys[concept]
        self._told_at = self._first + self._at
        line = self._lines[self._at] if self._at < len(self._lines) else ""
        key, slash, value = line.partition("/")
        if slash and key == self._key:
            self._at += 1
            return value
        rest = [other.partition("/")[0] for other in self._lines[self._at : self._at + 12]]
        self.tell(LINE_MISSING, f"a line {self._key}/ is due here", f"Write the line {self._key}/.")
        if key not in self.form.keys.values() and self._key in rest:
            self._at += rest.index(self._key) + 1  # lines between that are of no key at all
        return None

    def data(self) -> str:
        """The base64 of all lines that are left."""
        form = self.form
        mark = f"{form.keys['data']}/"
        self._key = form.keys["data"]
        pieces: list[str] = []
        left = self._lines[self._at :]
        for number, line in enumerate(left, 1):
            self._told_at = self._first + self._at + number - 1
            value = line.removeprefix(mark)
            if not line.startswith(mark):
                self.tell(LINE_WRONG, f"{line[:40]!r} is no line of data", f"Begin it with {mark}.")
            elif not value or len(value) > form.line or (number < len(left) and len(value) < form.line):
                told = f"the line has {len(value)} characters of base64"
                self.tell(LINE_WRONG, told, f"Write {form.line} in every line but the last.")
            elif _BASE64.fullmatch(value) is None:
                self.tell(LINE_WRONG, "the line holds characters outside base64", "Write A-Z a-z 0-9 + / and = last.")
            else:
                pieces.append(value)
        together = sum(map(len, pieces))
        if together > form.part:
            self.tell(TOO_LARGE, f"the part has {together:,} characters", f"Write {form.part:,} at most in a part.")
        return "".join(pieces)


def _day(value: str | None, reading: _PartLines) -> date | None:
    if value is None:
        return None
    try:
        if _DAY.fullmatch(value):
            return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        pass
    reading.tell(LINE_WRONG, f"{value[:40]!r} is no day", "Write it as YYYYMMDD.")
    return None


def _numbers(value: str | None, reading: _PartLines) -> tuple[int, int]:
    if value is None:
        return 0, 0
    match = _NUMBERS.fullmatch(value)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        reading.tell(LINE_WRONG, f"{value[:40]!r} is no number of a part", "Write n/m, n from 1 to m.")
        return 0, 0
    return int(match[1]), int(match[2])


def _size(value: str | None, reading: _PartLines, *, is_report: bool) -> int:
    if value is None:
        return 0
    if _SIZE.fullmatch(value) is None:
        reading.tell(LINE_WRONG, f"{value[:40]!r} is no size", "Write the number of bytes of the whole file.")
        return 0
    largest = reading.form.most(is_report=is_report)
    if int(value) > largest:
        reading.tell(TOO_LARGE, f"the file has {int(value):,} bytes", f"Send {largest:,} at most; split the file.")
    return int(value)


class Step(NamedTuple):
    """What came of a part.

    `taken`: more are due; `again`: it was there already and is ignored; `waits`: another file is under way, give it
    again when that one has ended; `whole`: content is the file; `refused`: findings say why, and nothing is kept.
    """

    kind: Literal["taken", "again", "waits", "whole", "refused"]
    content: bytes = b""
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Assembly:
    """The file of one participant that is under way; begun by its part 1, ended by its last, a fault, or `drop`.

    A file that was whole is forgotten: whoever takes files must know by its hash that one comes again.
    """

    form: PartsForm
    _parts: list[Part] = field(default_factory=list)
    _length: int = 0

    @property
    def under_way(self) -> Part | None:
        """The last part taken of the file under way."""
        return self._parts[-1] if self._parts else None

    def drop(self) -> None:
        """Forget what has come."""
        self._parts = []
        self._length = 0

    def take(self, part: Part) -> Step:
        """Take the next part that came."""
        first = self._parts[0] if self._parts else None
        if first is not None and (part.name, part.day) != (first.name, first.day):
            return Step("waits")
        faults = list(self._faults(part, first))
        if faults:
            self.drop()
            return Step("refused", findings=tuple(faults))
        if part.number <= len(self._parts):
            return Step("again")
        self._parts.append(part)
        self._length += len(part.data)
        if part.number < part.of:
            return Step("taken")
        pieces = "".join(each.data for each in self._parts)
        self.drop()
        return self._whole(part, pieces)

    def _faults(self, part: Part, first: Part | None) -> Iterator[Finding]:
        keys = self.form.keys
        again = "Send the file again from its first part."
        if first is not None:
            for concept, was, now in (
                ("part", first.of, part.of),
                ("size", first.size, part.size),
                ("hash", first.hash, part.hash),
            ):
                if was != now:
                    told = f"{now} in part {part.number}, {was} in part 1"
                    yield Finding(DIFFERS, "error", keys[concept], told, remedy=again)
        if part.number > len(self._parts) + 1:
            told = f"part {part.number} came where part {len(self._parts) + 1} was due"
            yield Finding(OUT_OF_ORDER, "error", keys["part"], told, remedy=again)
        elif part.number <= len(self._parts):
            if part.data != self._parts[part.number - 1].data:
                told = f"part {part.number} came again with other data"
                yield Finding(DIFFERS, "error", keys["data"], told, remedy=again)
        elif self._length + len(part.data) > 4 * ((part.size + 2) // 3):
            told = f"the parts hold more than the {part.size} bytes told"
            yield Finding(WRONG_SIZE, "error", keys["size"], told, remedy=again)

    def _whole(self, part: Part, text: str) -> Step:
        keys = self.form.keys
        try:
            content = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            told = f"the parts together are no base64: {error}"
            remedy = "Cut the base64 of the whole file into parts."
            return Step("refused", findings=(Finding(LINE_WRONG, "error", keys["data"], told, remedy=remedy),))
        findings: list[Finding] = []
        remedy = "Send the whole file again, with its own size and hash."
        if len(content) != part.size:
            told = f"the file has {len(content)} bytes; {part.size} were told"
            findings.append(Finding(WRONG_SIZE, "error", keys["size"], told, remedy=remedy))
        due = hashlib.sha256(content).hexdigest()
        if due != part.hash:
            told = f"the SHA-256 of the file is {due}; {part.hash} was told"
            findings.append(Finding(WRONG_HASH, "error", keys["hash"], told, remedy=remedy))
        return Step("refused", findings=tuple(findings)) if findings else Step("whole", content)
