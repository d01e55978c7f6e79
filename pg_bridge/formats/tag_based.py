"""Tag-based batch files: head lines, text blocks, and a last line that counts them; read and written.

    :20:FILE1            head lines, in the order that the form says
    {4:                  a text block: its lines are those of a message
    :16R:GENL
    -}
    :19:1                the number of text blocks

Every line ends in CRLF. Never raises for a bad file: every fault is a finding with its line, those of the text
blocks' own syntax too. A file with one fault is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.iso15022.reader import read as read_text

#: faults named for one file; what is beyond is counted in one last finding
MOST_FINDINGS = 1000
#: lines named for one fault that many lines share
_MOST_LINES = 20

LINE_END = "PGB-FIL-041"
LINE_MISSING = "PGB-FIL-042"
LINE_WRONG = "PGB-FIL-043"
BLOCK_OPEN = "PGB-FIL-044"
STRAY_LINE = "PGB-FIL-045"
WRONG_COUNT = "PGB-FIL-046"
MORE_FAULTS = "PGB-FIL-047"


@dataclass(frozen=True, slots=True)
class TagLine:
    """One tagged line. checks: each with what a value is that passes."""

    name: str
    tag: str
    format: str
    pattern: re.Pattern[str]
    values: frozenset[str]
    checks: tuple[tuple[Callable[[str], bool], str], ...]

    @property
    def mark(self) -> str:
        """What its line begins with."""
        return f":{self.tag}:"

    def fault(self, value: str) -> tuple[str, str]:
        """What is wrong with a value, and what to do; empty where nothing is."""
        shown = repr(value[:80])
        if self.pattern.fullmatch(value) is None:
            return f"{shown} is not of the format {self.format}", f"Write the {self.name} as {self.format}."
        if self.values and value not in self.values:
            return f"{shown} is none of its values", f"Write one of {', '.join(sorted(self.values))}."
        for passes, due in self.checks:
            if not passes(value):
                return f"{shown} is not {due}", f"Write {due}."
        return "", ""


@dataclass(frozen=True, slots=True)
class TagBasedForm:
    """What a tag-based file looks like."""

    head: tuple[TagLine, ...]
    count: TagLine
    opens: str
    closes: str
    source: str

    def begins(self, line: bytes) -> bool:
        """Whether a file whose first line this is may be a tag-based one."""
        return line.startswith(self.head[0].mark.encode("ascii"))


class TextBlock(NamedTuple):
    """One text block: its lines, each ending in CRLF, and the line of the file in which the first one stands."""

    body: bytes
    line: int


class TagBased(NamedTuple):
    """A tag-based file read: values of the head lines by name, and text blocks. Take nothing if there are findings."""

    head: dict[str, str]
    blocks: tuple[TextBlock, ...]
    findings: tuple[Finding, ...]


def read(form: TagBasedForm, content: bytes) -> TagBased:
    """Read a whole file."""
    reading = _Reading(form)
    lines = content.decode("latin-1").split("\n")
    if lines[-1]:
        reading.tell(LINE_END, len(lines), "", "the last line has no end: the file may be cut", "End it in CRLF.")
    else:
        lines.pop()
    bare = [number for number, line in enumerate(lines, 1) if line[-1:] != "\r"]
    if bare and content[-1:] == b"\n":
        told = ", ".join(map(str, bare[:_MOST_LINES])) + (" ..." if len(bare) > _MOST_LINES else "")
        text = f"{len(bare)} lines do not end in CRLF: {told}"
        reading.tell(LINE_END, bare[0], "", text, "End every line in CRLF.")
    for number, line in enumerate(lines, 1):
        reading.take(line.removesuffix("\r"), number)
    return reading.close(len(lines))


class _Reading:
    """A file under way. The next line due of the head is counted in `_due`."""

    def __init__(self, form: TagBasedForm) -> None:
        self._form = form
        self._head: dict[str, str] = {}
        self._blocks: list[TextBlock] = []
        self._findings: list[Finding] = []
        self._due = 0
        self._opened = 0
        self._body: list[str] = []
        self._counted = ""
        self._counted_at = 0

    def tell(self, code: str, line: int, place: str, text: str, remedy: str) -> None:
        self._findings.append(Finding(code, "error", place, text, line, remedy=remedy))

    def take(self, line: str, number: int) -> None:
        form = self._form
        if self._opened:
            if line == form.closes:
                self._close_block()
            elif line == form.opens or line.startswith(form.count.mark):
                told = f"the text block of line {self._opened} is not closed"
                self.tell(BLOCK_OPEN, number, "", told, f"End it with a line {form.closes}.")
                self._close_block()
                self._outside(line, number)
            else:
                self._body.append(line)
        else:
            self._outside(line, number)

    def _outside(self, line: str, number: int) -> None:
        form = self._form
        if self._counted_at:
            told = f"a line stands behind the line {form.count.mark}: {line[:40]!r}"
            self.tell(STRAY_LINE, number, "", told, f"Let the line {form.count.mark} be the last.")
        elif line == form.opens:
            self._end_head(number)
            self._opened = number
        elif line.startswith(form.count.mark):
            self._end_head(number)
            self._counted = line.removeprefix(form.count.mark)
            self._counted_at = number
        else:
            self._head_line(line, number)

    def _head_line(self, line: str, number: int) -> None:
        for at, each in enumerate(self._form.head):
            if not line.startswith(each.mark):
                continue
            if at < self._due:
                told = f"the line {each.mark} stands twice, or behind its place"
                self.tell(STRAY_LINE, number, each.tag, told, "Write each head line once, in order.")
                return
            for missing in self._form.head[self._due : at]:
                self._missing(missing, number)
            self._due = at + 1
            value = line.removeprefix(each.mark)
            told, remedy = each.fault(value)
            if told:
                self.tell(LINE_WRONG, number, each.tag, told, remedy)
            self._head[each.name] = value
            return
        told = f"a line is neither of the head nor in a text block: {line[:40]!r}"
        self.tell(STRAY_LINE, number, "", told, "Take it out, or put it into a text block.")

    def _missing(self, missing: TagLine, number: int) -> None:
        told = f"the line {missing.mark} ({missing.name}) is missing"
        self.tell(LINE_MISSING, number, missing.tag, told, f"Write it before this line, as {missing.format}.")

    def _end_head(self, number: int) -> None:
        for missing in self._form.head[self._due :]:
            self._missing(missing, number)
        self._due = len(self._form.head)

    def _close_block(self) -> None:
        first = self._opened + 1
        body = "".join(f"{line}\r\n" for line in self._body).encode("latin-1")
        if not body:
            told = "the text block is empty"
            self.tell(STRAY_LINE, self._opened, "", told, "Write the lines of a message, or take it out.")
        else:
            remedy = "Correct this text block."
            self._findings += [
                replace(found, line=found.line + first - 1 if found.line else first, remedy=found.remedy or remedy)
                for found in read_text(body).findings
            ]
        self._blocks.append(TextBlock(body, first))
        self._opened = 0
        self._body = []

    def close(self, last: int) -> TagBased:
        """What the file is, all lines taken."""
        form = self._form
        if self._opened:
            told = f"the text block of line {self._opened} is not closed: the file may be cut"
            self.tell(BLOCK_OPEN, last, "", told, f"End it with a line {form.closes}.")
            self._close_block()
        if not self._counted_at:
            self._end_head(last)
            told = f"the line {form.count.mark} ({form.count.name}) is missing: the file may be cut"
            self.tell(LINE_MISSING, last, form.count.tag, told, "Write it as the last line.")
        else:
            told, remedy = form.count.fault(self._counted)
            if told:
                self.tell(LINE_WRONG, self._counted_at, form.count.tag, told, remedy)
            elif int(self._counted) != len(self._blocks):
                told = f"{int(self._counted)} text blocks are told; the file has {len(self._blocks)}"
                remedy = "Send the whole file, or correct the number."
                self.tell(WRONG_COUNT, self._counted_at, form.count.tag, told, remedy)
        # A sequence that is never closed is told behind the last line of its text block.
        found = (replace(each, line=last) if each.line > last else each for each in self._findings)
        findings = sorted(found, key=lambda finding: finding.line)
        beyond = len(findings) - MOST_FINDINGS
        if beyond > 0:
            told = f"{beyond:,} more faults are not named"
            remedy = "Correct those that are named, then check again."
            findings[MOST_FINDINGS:] = [Finding(MORE_FAULTS, "error", "", told, last, remedy=remedy)]
        return TagBased(self._head, tuple(self._blocks), tuple(findings))


def write(form: TagBasedForm, head: Mapping[str, str], bodies: Iterable[bytes]) -> bytes:
    """The bytes of a file; bodies: lines of text blocks, each ending in CRLF.

    Raises MappingFailed with all findings where what was written would not be read as it was given.
    """
    blocks = list(bodies)
    lines = [f"{each.mark}{head.get(each.name, '')}\r\n".encode("latin-1", "replace") for each in form.head]
    opens, closes = f"{form.opens}\r\n".encode("ascii"), f"{form.closes}\r\n".encode("ascii")
    for body in blocks:
        lines += [opens, body, closes]
    lines.append(f"{form.count.mark}{len(blocks)}\r\n".encode("ascii"))
    content = b"".join(lines)
    back = read(form, content)
    findings = list(back.findings)
    if not findings and ([block.body for block in back.blocks] != blocks or back.head != dict(head)):
        told = "a value or text block would be read otherwise than it was given"
        findings.append(Finding(STRAY_LINE, "error", "", told, remedy="Give values of one line, and whole lines."))
    if findings:
        raise MappingFailed("writing a tag-based file", findings=findings)
    return content
