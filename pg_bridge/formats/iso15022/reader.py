"""The bytes of a text block to a Message.

Two ways to the same result. The plain way walks the lines, names every fault and loses nothing. The quick way
serves messages whose shape (tags, qualifiers, sequences, number of lines) was read before: a participant's
system writes few shapes, so the plain way teaches a faultless shape and the quick way only cuts out the values.
"""

from __future__ import annotations

import re
from functools import partial
from operator import itemgetter
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.charset import X_BYTES, is_x
from pg_bridge.formats.iso15022.model import Field, Message
from pg_bridge.formats.iso15022.rules import SEQUENCE_END, SEQUENCE_START

EMPTY_TEXT = "PGB-MSG-010"
STRAY_LINE = "PGB-MSG-011"
BAD_TAG = "PGB-MSG-012"
BAD_QUALIFIER = "PGB-MSG-013"
NOT_CLOSED = "PGB-MSG-014"
NOT_OPENED = "PGB-MSG-015"
BAD_CHARACTER = "PGB-MSG-016"
BAD_LINE_END = "PGB-MSG-017"
BAD_SEQUENCE = "PGB-MSG-018"
TOO_MANY = "PGB-MSG-019"

#: Faults named for one message; what is beyond is counted in one last finding.
MOST_FINDINGS = 100
#: Sequences open at once; ISO 15022 messages need five.
MOST_OPEN = 16
#: Shapes remembered, and the fields that a remembered one may have.
MOST_SHAPES = 2048
MOST_SHAPE_FIELDS = 96
#: A shape is known by the first characters of its fields: tag, qualifier and `//` of a generic field.
_HEAD = 11

_TAG = re.compile(r":([0-9]{2}[A-Z]?):")
_QUALIFIER = re.compile(r":([A-Z0-9]{4})/(?:/|([A-Z0-9]{1,8})/|(?=[^/]*\Z))")
_NAME = re.compile(r"[A-Z0-9]{1,16}")
_new: Any = partial(tuple.__new__, Field)
_shapes: dict[tuple[object, ...], _Shape] = {}


def read(body: bytes) -> Message:
    """Read a text block: its lines, each ended by CRLF. Never raises: what is wrong is in `findings`.

    `write(read(body).fields)` gives the same bytes for every body that ends with CRLF.
    """
    stripped = body.replace(b"\r\n", b"")
    if body[:1] == b":" and body[-2:] == b"\r\n" and not stripped.translate(None, X_BYTES):
        pieces = body[1:-2].decode("ascii").split("\r\n:")
        if len(pieces) <= MOST_SHAPE_FIELDS:
            key: list[object] = [piece[:_HEAD] for piece in pieces]
            key.append(len(body) - len(stripped))
            known = tuple(key)
            shape = _shapes.get(known)
            if shape is not None:
                fields = shape.read(pieces)
                if fields is not None:
                    return Message(fields, ())
            message = _read_lines(body.decode("ascii"))
            if shape is None and not message.findings:
                _learn(known, message.fields)
            return message
    return _read_lines(body.decode("latin-1"))


class _Shape:
    """A message's fixed fields (16R, 16S), and where the values of the others begin."""

    __slots__ = ("_fixed", "_mark_pieces", "_marks", "_parts", "_prefixes", "_spots", "_tall", "_vary")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        marks = [spot for spot, field in enumerate(fields) if field.tag in (SEQUENCE_START, SEQUENCE_END)]
        self._spots = [spot for spot, field in enumerate(fields) if spot not in set(marks)]
        vary = [fields[spot] for spot in self._spots]
        self._fixed = list(fields)
        self._marks = itemgetter(*marks)
        self._mark_pieces = tuple(f"{fields[spot].tag}:{fields[spot].raw}" for spot in marks)
        self._vary = itemgetter(*self._spots)
        self._parts = (
            [field.tag for field in vary],
            [field.qualifier for field in vary],
            [field.scheme for field in vary],
            [slice(len(field.tag) + 1 + len(field.raw) - len(field.value), None) for field in vary],
            [slice(len(field.tag) + 1, None) for field in vary],
            [field.line for field in vary],
            [field.path for field in vary],
        )
        self._tall = [(at, lines) for at, field in enumerate(vary) if (lines := field.raw.count("\r\n"))]
        self._prefixes = [
            (at, f"{field.tag}::{field.qualifier}/{field.scheme}/") for at, field in enumerate(vary) if field.scheme
        ]

    def read(self, pieces: list[str]) -> tuple[Field, ...] | None:
        """The fields, None when `pieces` turn out to have another shape."""
        if self._marks(pieces) != self._mark_pieces:
            return None
        vary = self._vary(pieces)
        for at, prefix in self._prefixes:
            if not vary[at].startswith(prefix):
                return None
        # As many line ends in all (part of the key), and as many in each tall field: so none elsewhere.
        for at, lines in self._tall:
            if vary[at].count("\r\n") != lines:
                return None
        tags, qualifiers, schemes, values, raws, lines_, paths = self._parts
        fields = self._fixed.copy()
        made = map(
            _new,
            zip(
                tags,
                qualifiers,
                schemes,
                map(str.__getitem__, vary, values),
                map(str.__getitem__, vary, raws),
                lines_,
                paths,
                strict=True,
            ),
        )
        for spot, field in zip(self._spots, made, strict=True):
            fields[spot] = field
        return tuple(fields)


def _learn(known: tuple[object, ...], fields: tuple[Field, ...]) -> None:
    """Remember a faultless shape, unless a field of it has the one slash that only its whole value explains."""
    marks = sum(field.tag in (SEQUENCE_START, SEQUENCE_END) for field in fields)
    if marks < 2 or len(fields) - marks < 2:
        return
    for field in fields:
        if field.qualifier and not field.scheme and field.raw[5:7] != "//":
            return
    if len(_shapes) >= MOST_SHAPES:
        _shapes.clear()
    _shapes[known] = _Shape(fields)


def _read_lines(text: str) -> Message:
    """The plain way."""
    if not text:
        return Message((), (Finding(EMPTY_TEXT, "error", "", "the text holds no field"),))
    lines = text.split("\r\n")
    findings: list[Finding] = []
    if lines[-1]:
        finding = Finding(BAD_LINE_END, "error", "", "the last line does not end in CRLF", len(lines))
        findings.append(finding)
    else:
        lines.pop()
    reading = _Reading(findings)
    start = 0
    for number, line in enumerate(lines):
        tag = _TAG.match(line)
        if tag is None and not line.startswith(":") and reading.goes_on(number):
            continue
        if number > start:
            reading.take(lines[start:number], start + 1)
        start = number
        reading.begin(line, tag)
    reading.take(lines[start:], start + 1)
    reading.close_all(len(lines))
    return Message(tuple(reading.fields), reading.found())


class _Reading:
    """What the plain way knows while it walks: fields, open sequences, faults."""

    def __init__(self, findings: list[Finding]) -> None:
        self.fields: list[Field] = []
        self._findings = findings
        self._beyond = 0
        self._open: list[tuple[str, str, int]] = []  # name, path around it, line
        self._path = ""
        self._tag = ""
        self._is_stray = False

    def found(self) -> tuple[Finding, ...]:
        """All faults, the last one counting those beyond the limit."""
        if self._beyond:
            text = f"{self._beyond} more faults are not listed"
            self._findings.append(Finding(TOO_MANY, "error", "", text))
        return tuple(self._findings)

    def goes_on(self, number: int) -> bool:
        """Whether a line without a tag continues what stands before it: a field, or a line already reported."""
        return number > 0 and (self._is_stray or self._tag not in (SEQUENCE_START, SEQUENCE_END))

    def begin(self, line: str, tag: re.Match[str] | None) -> None:
        """A field, or lines that belong to none, begin here."""
        self._tag = tag[1] if tag else ""
        self._is_stray = tag is None

    def take(self, lines: list[str], number: int) -> None:
        """The lines of one field, or lines that belong to none, from line `number`."""
        text = "\r\n".join(lines)
        if self._is_stray:
            if text.startswith(":"):
                self._fault(BAD_TAG, "the line begins with : but not with a tag such as :20C:", number)
            else:
                self._fault(STRAY_LINE, "the line belongs to no field", number)
            field = Field("", "", "", text, text, number, self._path)
        else:
            field = self._field(self._tag, text[len(self._tag) + 2 :], number)
        self._check_characters(lines, number)
        if field.tag == SEQUENCE_START:
            self.fields.append(field)
            self._start(field)
        elif field.tag == SEQUENCE_END:
            self._end(field)
        else:
            self.fields.append(field)

    def _field(self, tag: str, raw: str, line: int) -> Field:
        if not raw.startswith(":"):
            return Field(tag, "", "", raw, raw, line, self._path)
        generic = _QUALIFIER.match(raw)
        if generic is not None:
            return Field(tag, generic[1], generic[2] or "", raw[generic.end() :], raw, line, self._path)
        qualifier = raw[1:5]
        if len(qualifier) == 4 and qualifier.isascii() and qualifier.isalnum() and qualifier.isupper():
            text = f"behind :{tag}::{qualifier} stands neither // nor a data source scheme between two /"
            self._fault(BAD_QUALIFIER, text, line, f"{tag}:{qualifier}")
            return Field(tag, qualifier, "", raw[6:] if raw[5:6] == "/" else raw[5:], raw, line, self._path)
        text = f"behind :{tag}:: stands no qualifier of four capital letters or digits"
        self._fault(BAD_QUALIFIER, text, line, tag)
        return Field(tag, "", "", raw[1:], raw, line, self._path)

    def _start(self, mark: Field) -> None:
        name = mark.value
        if not _NAME.fullmatch(name):
            self._fault(BAD_SEQUENCE, "the sequence's name is not 1 to 16 capital letters or digits", mark.line)
        elif len(self._open) >= MOST_OPEN:
            self._fault(BAD_SEQUENCE, f"more than {MOST_OPEN} sequences are open", mark.line)
        else:
            self._open.append((name, self._path, mark.line))
            self._path = f"{self._path}/{name}" if self._path else name

    def _end(self, mark: Field) -> None:
        """Close the sequence named; those open within it were not closed."""
        if all(name != mark.value for name, _, _ in self._open):
            text = f"16S closes {mark.value[:16] or 'nothing'}, which is not open"
            self._fault(NOT_OPENED, text, mark.line)
            self.fields.append(mark)
            return
        while True:
            name, around, line = self._open.pop()
            path, self._path = self._path, around
            if name == mark.value:
                break
            self._fault_at(NOT_CLOSED, f"16R:{name} of line {line} is not closed here", mark.line, path)
        self.fields.append(mark._replace(path=self._path))

    def close_all(self, line: int) -> None:
        """The end of the text: what is still open was not closed."""
        while self._open:
            name, around, opened = self._open.pop()
            path, self._path = self._path, around
            self._fault_at(NOT_CLOSED, f"16R:{name} of line {opened} is never closed", line, path)

    def _check_characters(self, lines: list[str], number: int) -> None:
        for at, line in enumerate(lines, number):
            if is_x(line):
                continue
            if "\r" in line or "\n" in line:
                self._fault(BAD_LINE_END, "a carriage return or line feed stands alone; lines end in CRLF", at)
            bad = sorted({ord(character) for character in line if not is_x(character)} - {10, 13})
            if bad:
                named = " ".join(f"0x{code:02X}" for code in bad[:8])
                self._fault(BAD_CHARACTER, f"the line holds bytes outside the character set: {named}", at)

    def _fault(self, code: str, text: str, line: int, name: str = "") -> None:
        path = f"{self._path}/{name}" if self._path and name else self._path or name
        self._fault_at(code, text, line, path)

    def _fault_at(self, code: str, text: str, line: int, path: str) -> None:
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(Finding(code, "error", path, text, line))
        else:
            self._beyond += 1
