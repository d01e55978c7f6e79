"""The SWIFT x character set, and narratives made of it.

x: letters, digits, space and / - ? : ( ) . , ' + ; a line end is CRLF and counts as no character.
Follows: ISO 15022 character set x (public).
"""

from __future__ import annotations

from collections.abc import Iterable

#: The characters of x that stand within a line.
X_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "
X_BYTES = X_CHARACTERS.encode("ascii")
#: What a character outside x becomes.
SUBSTITUTE = "."
LINE_END = "\r\n"
#: What no continuation line may begin with: a reader would take it for a new field or the end of the text.
LINE_STARTERS = (":", "-")

_X = frozenset(X_CHARACTERS)


def is_x(text: str) -> bool:
    """Whether `text` is one line of x."""
    return _X.issuperset(text)


def to_x(text: str) -> tuple[str, bool]:
    """`text` as one line of x, and whether a character was replaced: one outside x becomes `.`."""
    if _X.issuperset(text):
        return text, False
    return "".join([character if character in _X else SUBSTITUTE for character in text]), True


def narrative(lines: Iterable[str], count: int, width: int) -> tuple[str, bool]:
    """At most `count` lines of at most `width` characters, joined by CRLF, and whether anything was cut.

    Long lines go on in the next one, broken at a space where there is one; empty lines are left out; a
    continuation line that began with `:` or `-` gets a space before it. The characters are taken as they are.
    """
    made: list[str] = []
    for line in lines:
        for text in line.splitlines():
            rest = text.rstrip()
            while rest:
                if len(made) == count:
                    return LINE_END.join(made), True
                if made and rest.startswith(LINE_STARTERS) and width > 1:
                    rest = f" {rest}"
                piece, rest = _broken(rest, width)
                made.append(piece)
    return LINE_END.join(made), False


def _broken(text: str, width: int) -> tuple[str, str]:
    """The first line of `text` and what is left of it."""
    if len(text) <= width:
        return text, ""
    at = text.rfind(" ", 1, width + 1)
    if at <= 0 or not text[:at].strip():
        return text[:width], text[width:]
    return text[:at], text[at + 1 :]
