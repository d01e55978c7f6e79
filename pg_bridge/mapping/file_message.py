"""A record of a batch file as a message of the PSS, and which message type a text block is of.

A text block in a file has no header. Its message type is the one of its template's types whose sequences and fields it
has, mandatory, allowed and in order; values decide nothing. Where none or several fit, it is not guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.profiles.legacy import LegacyProfile

#: the finding of a text block whose message type cannot be told
NO_MESSAGE_TYPE = "PGB-FIL-060"

#: findings that say that a sequence or field is missing, doubled, unknown, misplaced, or not of this message type
_OF_SHAPE = frozenset({"PGB-MSG-021", "PGB-MSG-022", "PGB-MSG-024", "PGB-MSG-025", "PGB-MSG-027"})


class FileMessage(NamedTuple):
    """A record as a message. body: the lines of its text block."""

    template: str
    message_type: str
    body: bytes


class MessageTypes:
    """Tells the message types of text blocks. What was found of one shape serves all texts of that shape."""

    def __init__(self, legacy: LegacyProfile) -> None:
        self._legacy = legacy
        self._of_shape: dict[tuple[str, object], str] = {}

    def of(self, template: str) -> tuple[str, ...]:
        """The message types of a template that a PSS may send; none of any other."""
        spec = self._legacy.templates.get(template)
        return spec.message_types if spec is not None and spec.direction == "I" else ()

    def type_of(self, template: str, body: bytes) -> tuple[str, Sequence[Finding]]:
        """The message type; empty, and why, where it cannot be told."""
        types = self.of(template)
        if len(types) == 1:
            return types[0], ()
        message = read(body)
        key = (template, message.known)
        if message.known is not None and (known := self._of_shape.get(key)):
            return known, ()
        spec = self._legacy.templates[template]
        faults = {
            type_: [each for each in spec.check(type_, message).findings if each.code in _OF_SHAPE] for type_ in types
        }
        fitting = [type_ for type_, found in faults.items() if not found]
        if len(fitting) == 1:
            if message.known is not None:
                self._of_shape[key] = fitting[0]
            return fitting[0], ()
        if fitting:
            told = f"the text may be of the message types {', '.join(fitting)}: which one cannot be told"
            return "", (Finding(NO_MESSAGE_TYPE, "error", "", told),)
        fewest = min(map(len, faults.values()))
        nearest = [type_ for type_, found in faults.items() if len(found) == fewest]
        told = f"the text is of none of the message types {', '.join(types)}; nearest is {', '.join(nearest)}"
        return "", (Finding(NO_MESSAGE_TYPE, "error", "", told), *message.findings, *faults[nearest[0]])
