"""Fields -> bytes of a text block, and new fields."""

from __future__ import annotations

from collections.abc import Iterable

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import STRAY


def write(fields: Iterable[Field]) -> bytes:
    """The lines of a text block, each ending in CRLF; a field that was read is written as it was read."""
    lines = [field.raw if field.tag == STRAY else f":{field.tag}:{field.raw}" for field in fields]
    if not lines:
        return b""
    lines.append("")
    text = "\r\n".join(lines)
    return text.encode("ascii" if text.isascii() else "latin-1")


def fresh(tag: str, qualifier: str, scheme: str, value: str, path: str = "") -> Field:
    """A new field: `//` between qualifier and value, `/scheme/` where there is one."""
    if not qualifier:
        raw = value
    elif scheme:
        raw = f":{qualifier}/{scheme}/{value}"
    else:
        raw = f":{qualifier}//{value}"
    return Field(tag, qualifier, scheme, value, raw, 0, path)
