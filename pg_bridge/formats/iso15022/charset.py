"""The SWIFT x character set, and text cut into narrative lines."""

from __future__ import annotations

import re
import textwrap

#: the bytes of the x set, and CR and LF
X_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ \r\n"
_OUTSIDE_X = re.compile(r"[^A-Za-z0-9/\-?:().,'+ \r\n]")


def outside_x(text: str) -> list[str]:
    """The characters of `text` outside the x set (CR and LF count as inside)."""
    return _OUTSIDE_X.findall(text)


def to_x(text: str) -> tuple[str, bool]:
    """`text` with `.` for every character outside the x set, and whether any was lost. Line ends become spaces."""
    flat = " ".join(text.split())
    changed, count = _OUTSIDE_X.subn(".", flat)
    return changed, count > 0


def with_dots(text: str) -> str:
    """`text` with `.` for every character outside the x set; spaces and line ends stay."""
    return _OUTSIDE_X.sub(".", text)


def narrative(lines: list[str], count: int, width: int) -> tuple[str, bool]:
    """`lines` as at most `count` lines of `width` characters joined by CRLF, and whether any had to be cut off.

    Each given line begins a new one; characters outside the x set become `.`. No line begins with `:` or `-`, which
    would open a field or end the text.
    """
    out: list[str] = []
    for line in lines:
        text, _ = to_x(line)
        pieces = textwrap.wrap(text, width, break_on_hyphens=False)
        out += [f".{piece[1:]}" if piece[0] in ":-" else piece for piece in pieces]
    return "\r\n".join(out[:count]), len(out) > count
