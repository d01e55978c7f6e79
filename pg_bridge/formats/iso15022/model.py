"""An ISO 15022 text block as a flat, loss-free list of fields.

The flat list is the message; `path` says in which sequence a field stands. Writing the list back gives the same bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pg_bridge.errors import Finding


class Field(NamedTuple):
    """One field of a text block.

    tag `20C`; qualifier `SEME` (empty when the field is not generic); scheme: the data source scheme
    `CCAS` (empty when none); value: what follows the slashes, lines joined by CRLF; raw: all that follows
    `:20C:`, as read; line: of the tag, from 1; path: the open sequences, `GENL/LINK` (for 16R and 16S the
    sequence they stand in, without themselves).
    """

    tag: str
    qualifier: str
    scheme: str
    value: str
    raw: str
    line: int
    path: str


class Message(NamedTuple):
    """A text block read: its fields in order, and what is wrong with its syntax.

    known: what the reader keeps of messages of the same shape, a place for others to keep what follows from the shape
    alone (shapes.py); None for a message with a shape of its own. It is no part of the message: equality leaves it out.
    """

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]
    known: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])
