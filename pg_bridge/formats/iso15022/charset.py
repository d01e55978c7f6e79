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


def narrative(lines: list[str], count: int, width: int) -> tuple[str, bool]:
    """`lines` as at most `count` lines of `width` characters joined by CRLF, and whether something was lost.

    Each given line begins a new one. No line begins with `:` or `-`, which would open a field or end the text.
    """
    out: list[str] = []
    lost = False
    for line in lines:
        text, changed = to_x(line)
        lost = lost or changed
        for piece in textwrap.wrap(text, width, break_on_hyphens=False) or []:
            if piece[0] in ":-":
                piece, lost = "." + piece[1:], True
            out.append(piece)
    return "\r\n".join(out[:count]), lost or len(out) > count
