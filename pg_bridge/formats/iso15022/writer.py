"""Fields to the bytes of a text block.

A field that was read is written from its `raw`, so that a message goes out as it came in, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable

from pg_bridge.formats.iso15022.model import Field


def write(fields: Iterable[Field]) -> bytes:
    """The text block's lines, each ended by CRLF; stray lines (no tag) as they stood. Never raises for read fields.

    Characters are latin-1, as the reader reads them; a fresh field with others raises UnicodeEncodeError.
    """
    return "".join([f":{field[0]}:{field[4]}\r\n" if field[0] else f"{field[4]}\r\n" for field in fields]).encode(
        "latin-1"
    )


def fresh(tag: str, qualifier: str, scheme: str, value: str, path: str) -> Field:
    """A new field, with `//` (or `/scheme/`) behind its qualifier; without a qualifier just the value. Line 0."""
    if not qualifier:
        raw = value
    elif scheme:
        raw = f":{qualifier}/{scheme}/{value}"
    else:
        raw = f":{qualifier}//{value}"
    return Field(tag, qualifier, scheme, value, raw, 0, path)


def numbered(fields: Iterable[Field]) -> tuple[Field, ...]:
    """The same fields with the line numbers that they will have when written."""
    line = 1
    made: list[Field] = []
    for field in fields:
        made.append(field._replace(line=line))
        line += 1 + field.raw.count("\r\n")
    return tuple(made)
