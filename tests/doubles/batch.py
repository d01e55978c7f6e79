"""Batch files, and the messages in which they travel."""

from __future__ import annotations

from datetime import date

from pg_bridge.cli.world import utc_now
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.link.parts import PartsForm, split, write_part
from pg_bridge.profiles.legacy import read_legacy_profile
from tests.doubles.mapping_files import shipped

_FORM = read_legacy_profile(shipped()).parts


def today() -> date:
    """The day in Hong Kong."""
    return utc_now().astimezone(HONG_KONG).date()


def form(part: int = 0) -> PartsForm:
    """The shipped form of files in parts, with smaller parts if wanted."""
    assert _FORM is not None
    return PartsForm(_FORM.keys, _FORM.line, part or _FORM.part, _FORM.largest, _FORM.name_width)


def tag_based(*blocks: bytes, template: str = "SI01", count: int | None = None) -> bytes:
    """A tag-based file of text blocks."""
    head = f":20:OWNREF001\r\n:12:{template}\r\n:98A:{today():%Y%m%d}\r\n".encode()
    texts = b"".join(b"{4:\r\n" + block + b"-}\r\n" for block in blocks)
    return head + texts + f":19:{len(blocks) if count is None else count}\r\n".encode()


def parts(name: str, content: bytes, *, day: date | None = None, part: int = 0) -> list[bytes]:
    """The text blocks of the messages in which a file travels."""
    shape = form(part)
    return [
        f":20:PART{each.number:06d}\r\n:12:010\r\n:77E:".encode()
        + "\r\n".join(write_part(shape, each)).encode()
        + b"\r\n"
        for each in split(shape, name, day or today(), content)
    ]
