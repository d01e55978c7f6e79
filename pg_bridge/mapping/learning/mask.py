"""Values of samples may be confidential: their shape without what they say, and texts without the values in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_lowercase, ascii_uppercase, digits

from pg_bridge.formats.iso15022.charset import to_x

#: characters shown of a value or a name
MOST_SHOWN = 60
#: a shorter word that stands in a text without quotes is no value that could be told by it
_LEAST_WORD = 4

_TABLE = str.maketrans(
    ascii_uppercase + ascii_lowercase + digits,
    "A" * len(ascii_uppercase) + "a" * len(ascii_lowercase) + "9" * len(digits),
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_WORD = re.compile(r"[^\s'\"]+")


def mask(value: str) -> str:
    """The shape of a value: A, a and 9 for letters and digits, all else as it is; cut at 60 characters."""
    return shown(value).translate(_TABLE)


def shown(value: str) -> str:
    """A value or name as one line of the x set, cut at 60 characters."""
    flat = to_x(value.replace("\r\n", " "))[0] if not value.isascii() or not value.isprintable() else value
    return flat if len(flat) <= MOST_SHOWN else f"{flat[:MOST_SHOWN]}..."


def masked_text(text: str, values: Iterable[str]) -> str:
    """A finding's text with every quoted value masked, and every longer word that is part of one of `values`."""
    there = tuple(values)

    def word(match: re.Match[str]) -> str:
        found = match[0]
        told = found.rstrip(",;:.")
        hides = len(told) >= _LEAST_WORD and any(told in value for value in there)
        return found.translate(_TABLE) if hides else found

    out, at = [], 0
    for quoted in _QUOTED.finditer(text):
        out += [_WORD.sub(word, text[at : quoted.start()]), quoted[0].translate(_TABLE)]
        at = quoted.end()
    return "".join([*out, _WORD.sub(word, text[at:])])
