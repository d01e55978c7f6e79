"""Bytes of a text block -> Message. Never raises: what is wrong becomes findings, and nothing is lost.

Strategy: the text is cut at every CRLF`:`, so that a piece is a field with all its lines; a piece without a good
tag belongs to the field before it. 16R and 16S move the path. The qualifier and the data source scheme of a
generic field are cut out by position. A single slash is taken for `//` only where the value holds no further
slash, so that a data source scheme is never mistaken (legacy-dialect section 4, from a public sample that writes
`:25D::SETT/PEND`). A faultless message teaches its shape to shapes.py, which serves the next one of that shape.
"""

from __future__ import annotations

import re

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.charset import X_BYTES, outside_x
from pg_bridge.formats.iso15022.model import Field, Message
from pg_bridge.formats.iso15022.shapes import Shapes

#: a stray line is kept as a field of this tag, so that writing gives the same bytes
STRAY = ""
#: characters outside the x set: a fault, unless the field's format is of a wider one
OUTSIDE_X = "PGB-MSG-016"
#: sequences open at once; ISO 15022 messages need five, and without a limit the paths of a hostile text fill the memory
MOST_OPEN = 16
#: faults named for one text; what is beyond is counted in one last finding
MOST_FINDINGS = 200

_TAG = re.compile(r"[0-9]{2}[A-Z]?")
_QUALIFIER = re.compile(r":([A-Z0-9]{4})/")
_new = tuple.__new__
#: tags seen to be well-formed; there are few, and a set is faster than a pattern
_good_tags: set[str] = {"16R", "16S"}
_shapes = Shapes()


def read(body: bytes) -> Message:
    """Read the lines of a text block, each ending in CRLF (the `body` of a frame)."""
    text = body.decode("latin-1")
    is_whole = text[:1] == ":" and text[-2:] == "\r\n"
    if is_whole:
        lines = text.count("\r\n")
        known = _shapes.read(text[1:-2].split("\r\n:"), lines)
        if known is not None:
            return _new(Message, (known[0], (), known[1]))
    message = read_plain(body)
    if is_whole and not message.findings:
        _shapes.learn(message.fields, lines)
    return message


def read_plain(body: bytes) -> Message:
    """Read a text block as if none of its shape had been read before: the same message, `known` left out."""
    text = body.decode("latin-1")
    findings: list[Finding] = []
    fields = _fields(text, findings)
    together = text.count("\r\n")
    if body.translate(None, X_BYTES) or text.count("\n") != together or text.count("\r") != together:
        _check_characters(fields, findings)
    if len(findings) > MOST_FINDINGS:
        beyond = f"{len(findings) - MOST_FINDINGS} more faults are not listed"
        findings[MOST_FINDINGS:] = [Finding("PGB-MSG-019", "error", "", beyond)]
    return Message(tuple(fields), tuple(findings))


def _check_characters(fields: list[Field], findings: list[Finding]) -> None:
    for field in fields:
        bad = outside_x(field.raw)
        if bad:
            shown = " ".join(f"{ord(character):02X}" for character in bad[:5])
            findings.append(_finding(OUTSIDE_X, field, f"characters outside the SWIFT x set (hexadecimal {shown})"))
        together = field.raw.count("\r\n")
        if field.raw.count("\n") != together or field.raw.count("\r") != together:
            findings.append(
                _finding("PGB-MSG-017", field, "a carriage return or line feed stands alone; lines end in CRLF")
            )


def _fields(text: str, findings: list[Finding]) -> list[Field]:
    if not text:
        findings.append(Finding("PGB-MSG-010", "error", "", "the text block is empty"))
        return []
    if text.endswith("\r\n"):
        text = text[:-2]
    else:
        last = text.count("\r\n") + 1
        findings.append(Finding("PGB-MSG-011", "error", "", "the last line does not end in CRLF", last))
    fields: list[Field] = []
    path = ""
    stack: list[str] = []
    pieces = _pieces(text, fields, findings)
    # A stray field is there already, with all its lines.
    line = 2 + fields[0].raw.count("\r\n") if fields else 1
    for piece in pieces:
        tag, _, raw = piece.partition(":")
        start = line
        line += 1
        if "\r" in raw:
            line += raw.count("\r\n")
        if raw[:1] == ":":
            if raw[5:7] == "//" and raw[1:5].isalnum():
                fields.append(_new(Field, (tag, raw[1:5], "", raw[7:], raw, start, path)))
            else:
                fields.append(_generic(tag, raw, start, path, findings))
        elif tag == "16R":
            fields.append(_new(Field, (tag, "", "", raw, raw, start, path)))
            if len(stack) == MOST_OPEN:
                findings.append(_finding("PGB-MSG-018", fields[-1], f"more than {MOST_OPEN} sequences are open"))
                continue
            stack.append(path)
            path = f"{path}/{raw}" if path else raw
        elif tag == "16S":
            path = _close(raw, path, stack, start, fields, findings)
        else:
            fields.append(_new(Field, (tag, "", "", raw, raw, start, path)))
    findings.extend(
        Finding("PGB-MSG-014", "error", path, f"the sequence {name} is never closed", line)
        for name in (path.split("/") if path else ())
    )
    return fields


def _pieces(text: str, fields: list[Field], findings: list[Finding]) -> list[str]:
    """The fields of `text`, `20C::SEME//...` each; lines before the first field become a stray one."""
    if not text.startswith(":"):
        stray, mark, text = text.partition("\r\n:")
        fields.append(Field(STRAY, "", "", stray, stray, 1, ""))
        findings.append(_finding("PGB-MSG-012", fields[0], f"the text begins with no field: {stray[:40]!r}"))
        pieces = text.split("\r\n:") if mark else []
    else:
        pieces = text[1:].split("\r\n:")
    for piece in pieces:
        tag, colon, _ = piece.partition(":")
        if not colon or tag not in _good_tags:
            if not colon or _TAG.fullmatch(tag) is None:
                return _joined(pieces, fields, findings)
            _good_tags.add(tag)
    return pieces


def _joined(pieces: list[str], fields: list[Field], findings: list[Finding]) -> list[str]:
    """As `pieces`, where some have no good tag: these belong to the field before them."""
    joined: list[str] = []
    number = 1 + (fields[0].raw.count("\r\n") + 1 if fields else 0)
    for piece in pieces:
        tag, colon, _ = piece.partition(":")
        start = number
        number += 1 + piece.count("\r\n")
        if colon and _TAG.fullmatch(tag) is not None:
            joined.append(piece)
            continue
        line = f":{piece.partition(chr(13))[0]}"
        findings.append(Finding("PGB-MSG-012", "error", "", f"the line opens no field: {line[:40]!r}", start))
        if joined:
            joined[-1] += f"\r\n:{piece}"
        elif fields:
            raw = f"{fields[0].raw}\r\n:{piece}"
            fields[0] = Field(STRAY, "", "", raw, raw, 1, "")
        else:
            fields.append(Field(STRAY, "", "", f":{piece}", f":{piece}", 1, ""))
    return joined


def _close(name: str, path: str, stack: list[str], line: int, fields: list[Field], findings: list[Finding]) -> str:
    """Take a 16S; gives the path behind it."""
    open_name = path.rpartition("/")[2]
    if stack and name == open_name:
        path = stack.pop()
        fields.append(_new(Field, ("16S", "", "", name, name, line, path)))
        return path
    fields.append(Field("16S", "", "", name, name, line, path))
    due = f"16S:{open_name} is due" if stack else "no sequence is open"
    findings.append(_finding("PGB-MSG-013", fields[-1], f"16S:{name} closes nothing: {due}"))
    # Take it as closing the sequence of that name if one is open, so that what follows finds its place.
    if name in path.split("/"):
        while stack:
            closed = path.rpartition("/")[2]
            path = stack.pop()
            if closed == name:
                break
    return path


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
