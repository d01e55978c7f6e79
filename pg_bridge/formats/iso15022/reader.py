"""Bytes of a text block -> Message. Never raises: what is wrong becomes findings, and nothing is lost.

Strategy: one pass over the lines. A line that starts `:NNa:` opens a field, any other continues the last one.
16R and 16S move the path. The qualifier and the data source scheme of a generic field are cut out by position.
A single slash is taken for `//` only where the value holds no further slash, so that a data source scheme is
never mistaken (legacy-dialect section 4, from a public sample that writes `:25D::SETT/PEND`).
"""

from __future__ import annotations

import re

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.charset import outside_x
from pg_bridge.formats.iso15022.model import Field, Message

#: a stray line is kept as a field of this tag, so that writing gives the same bytes
STRAY = ""

_TAG = re.compile(r":([0-9]{2}[A-Z]?):")
_QUALIFIER = re.compile(r":([A-Z0-9]{4})/")
_new = tuple.__new__


def read(body: bytes) -> Message:
    """Read the lines of a text block, each ending in CRLF (the `body` of a frame)."""
    findings: list[Finding] = []
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    fields = _fields(text, findings)
    if outside_x(text):
        for field in fields:
            bad = outside_x(field.raw)
            if bad:
                shown = " ".join(f"{ord(character):02X}" for character in bad[:5])
                findings.append(
                    _finding("PGB-MSG-016", field, f"characters outside the SWIFT x set (hexadecimal {shown})")
                )
    return Message(tuple(fields), tuple(findings))


def _fields(text: str, findings: list[Finding]) -> list[Field]:
    if not text:
        findings.append(Finding("PGB-MSG-010", "error", "", "the text block is empty"))
        return []
    if not text.endswith("\r\n"):
        findings.append(Finding("PGB-MSG-011", "error", "", "the last line does not end in CRLF"))
        lines = text.split("\r\n")
    else:
        lines = text[:-2].split("\r\n")
    fields: list[Field] = []
    path = ""
    stack: list[str] = []
    number = 0
    count = len(lines)
    while number < count:
        line = lines[number]
        start = number + 1
        number += 1
        # `:NNa:` or `:NN:`, by position first: a regular expression only where that fails
        if line[:1] == ":" and line[4:5] == ":" and line[1:3].isdigit() and line[3].isupper():
            tag = line[1:4]
            raw = line[5:]
        else:
            match = _TAG.match(line)
            if match is None:
                field = Field(STRAY, "", "", line, line, start, path)
                findings.append(_finding("PGB-MSG-012", field, f"the line belongs to no field: {line[:40]!r}"))
                fields.append(field)
                continue
            tag = match.group(1)
            raw = line[match.end() :]
        if number < count and not _opens(lines[number]):
            more = [raw]
            while number < count and not _opens(lines[number]):
                more.append(lines[number])
                number += 1
            raw = "\r\n".join(more)
        if tag == "16R":
            fields.append(_new(Field, (tag, "", "", raw, raw, start, path)))
            stack.append(path)
            path = f"{path}/{raw}" if path else raw
            continue
        if tag == "16S":
            open_name = path.rpartition("/")[2]
            if raw == open_name and stack:
                path = stack.pop()
                fields.append(_new(Field, (tag, "", "", raw, raw, start, path)))
                continue
            field = Field(tag, "", "", raw, raw, start, path)
            fields.append(field)
            expected = f"16S:{open_name}" if stack else "no sequence is open"
            findings.append(_finding("PGB-MSG-013", field, f"16S:{raw} closes nothing: {expected} is due"))
            # Take it as closing the sequence of that name if one is open, so that what follows finds its place.
            names = path.split("/")
            if raw in names:
                while stack:
                    closed = path.rpartition("/")[2]
                    path = stack.pop()
                    if closed == raw:
                        break
            continue
        if raw[:1] != ":":
            fields.append(_new(Field, (tag, "", "", raw, raw, start, path)))
            continue
        if raw[5:7] == "//" and raw[1:5].isalnum():
            fields.append(_new(Field, (tag, raw[1:5], "", raw[7:], raw, start, path)))
            continue
        fields.append(_generic(tag, raw, start, path, findings))
    for name in path.split("/") if path else ():
        findings.append(Finding("PGB-MSG-014", "error", path, f"the sequence {name} is never closed", number))
    return fields


def _opens(line: str) -> bool:
    """The line opens a field."""
    return line[:1] == ":" and (
        (line[4:5] == ":" and line[1:3].isdigit() and line[3].isupper()) or _TAG.match(line) is not None
    )


def _generic(tag: str, raw: str, line: int, path: str, findings: list[Finding]) -> Field:
    """A generic field whose qualifier is not simply followed by `//`."""
    match = _QUALIFIER.match(raw)
    if match is None:
        field = Field(tag, "", "", raw, raw, line, path)
        findings.append(_finding("PGB-MSG-015", field, f"no qualifier of 4 characters stands in {raw[:20]!r}"))
        return field
    rest = raw[match.end() :]
    scheme, slash, value = rest.partition("/")
    if not slash:
        return Field(tag, match.group(1), "", rest, raw, line, path)  # one slash for two
    return Field(tag, match.group(1), scheme, value, raw, line, path)


def _finding(code: str, field: Field, text: str) -> Finding:
    place = f"{field.path}/{field.tag}" if field.path else field.tag
    return Finding(code, "error", place + (f":{field.qualifier}" if field.qualifier else ""), text, field.line)
