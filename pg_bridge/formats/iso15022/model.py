"""An ISO 15022 text block as a flat, loss-free list of fields.

The flat list is the message; `path` says in which sequence a field stands. Writing the list back gives the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

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
    """A text block read: its fields in order, and what is wrong with its syntax."""

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]
