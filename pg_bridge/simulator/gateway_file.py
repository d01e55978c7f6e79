"""The file of the pretend Participant Gateway's words as typed values. Shape: mappings/README.md.

A text has holes: `{si.isin}`, `{si.amount:amount}` (a form), `{si.status:matching_status}` (a code table),
`{si.direction/si.payment_instruction:confirmation_of}` (a key of several parts). A text with a hole that nothing fills
is none; of several the first that is whole is taken.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Source = Literal["public", "assumed"]
#: what is done with a request
Does = Literal[
    "si_add",
    "si_change",
    "si_authorise",
    "si_delete",
    "si_revoke",
    "si_hold",
    "enquire",
    "list",
    "upload",
    "download",
]
Conditions = dict[str, str | list[str]]


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """si_number, reference: how the gateway's SI numbers and own references are written, counted from 1."""

    si_number: str
    reference: str
    meaning: str
    source: Source


class CodesEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code table. A key may hold `?` for any one character; `default` serves every other."""

    meaning: str
    source: Source
    entries: dict[str, str]
    default: str | None = None


class TextEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text with conditions; or lines, those that are whole, in at most `count` lines of `width`, `before` each.

    each: once for each of a list. when: every name has (one of) these values, empty: none; unless: not all have theirs.
    """

    text: str = ""
    lines: list[str] = []
    each: Literal["", "sis", "faults", "items"] = ""
    before: str = ""
    count: int = 0
    width: int = 0
    when: Conditions = {}
    unless: Conditions = {}


ValueEntry = str | list[str | TextEntry] | TextEntry


class BlockEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sequence of a message, or its fields outside of any. once: not again where it is as the last time."""

    at: str = ""
    each: Literal["", "sis", "faults", "items"] = ""
    once: bool = False
    when: Conditions = {}
    unless: Conditions = {}
    write: dict[str, ValueEntry]


class ReadEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from", "as_": "as"}
):
    """How a name is read: from the first place that stands (join: from all, `/` between them).

    cut: a regular expression that the value is of, whose one group is taken. codes: a table then finds the value.
    otherwise: the value where there is none. decimals: an amount has so many and no more. as: what it is, of a name
    that is no concept.
    """

    from_: str | list[str]
    join: bool = False
    cut: str = ""
    codes: str = ""
    otherwise: str | None = None
    decimals: Annotated[int, msgspec.Meta(ge=0, le=9)] | None = None
    as_: Literal["", "text", "number", "amount", "date", "flag"] = ""


class RefuseEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that is refused for what was read, with this text."""

    when: Conditions
    unless: Conditions = {}
    text: str


class RequestEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One template that a PSS sends. each: the sequence of which every one is an instruction of its own.

    filter: what was read -> what an SI that is listed must have there.
    """

    template: str
    does: Does
    reads: list[str] = []
    read: dict[str, ReadEntry] = {}
    each: str = ""
    refuses: list[RefuseEntry] = []
    filter: dict[str, ValueEntry] = {}
    source: Source


class PagesEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of a list one message holds at most."""

    of: Literal["sis", "items"]
    most: int


class MessageEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One template that the gateway sends, as an answer or (tells) unasked."""

    template: str
    type: ValueEntry
    blocks: list[str]
    tells: Literal["", "status", "settlement", "broadcast"] = ""
    pages: PagesEntry | None = None
    source: Source


class DifferencesEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With what the gateway may differ from itself on demand: field -> its codes; a text; an SI number's form."""

    status: dict[str, list[str]]
    reason: dict[str, list[str]]
    text: str
    si_number: str
    source: Source


class GatewayFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file legacy/gateway.toml."""

    gateway: Head
    codes: dict[str, CodesEntry] = {}
    value: dict[str, ValueEntry] = {}
    reading: dict[str, dict[str, ReadEntry]] = {}
    request: list[RequestEntry]
    block: dict[str, list[BlockEntry]]
    message: list[MessageEntry]
    differences: DifferencesEntry
