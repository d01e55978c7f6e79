"""The files of legacy/files/ as typed values: layouts, the tag-based form, parts. Shape: mappings/README.md."""

from __future__ import annotations

from typing import Literal

import msgspec

from pg_bridge.profiles.template_file import Source


class LayoutHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a layout is for, and how long its records are."""

    name: str
    meaning: str
    length: int
    line_end: Literal["CRLF", "LF", "any"]
    source: Source


class ColumnEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"as_": "as"}):
    """One column. At most one of constant, sign_of, checksum, count and total: what is made, not given."""

    name: str
    picture: str
    source: Source
    meaning: str = ""
    status: Literal["M", "O"] = "M"
    as_: Literal["", "date", "digits"] = ""
    align: Literal["left", "right"] = "left"
    values: list[str] = []
    constant: str | None = None
    sign_of: str = ""
    checksum: list[str] = []
    count: str = ""
    total: str = ""
    reason: str = ""


class RecordEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of record."""

    name: str
    role: Literal["header", "detail", "trailer"]
    columns: list[ColumnEntry]


class LayoutFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layout."""

    layout: LayoutHead
    record: list[RecordEntry]


class TagBasedHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds the text blocks of a tag-based file."""

    meaning: str
    block_opens: str
    block_closes: str
    source: Source


class TagLineEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tagged line outside of the text blocks."""

    name: str
    tag: str
    format: str
    meaning: str
    source: Source
    values: list[str] = []
    checks: list[str] = []


class TagBasedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of tag-based files."""

    tag_based: TagBasedHead
    head: list[TagLineEntry]
    count: TagLineEntry


class PartsKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of the lines of a part."""

    file: str
    report: str
    date: str
    part: str
    size: str
    hash: str
    data: str


class PartsHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file is cut. line, part: characters of base64; largest: bytes of a whole file.

    largest_report: of one that is downloaded; 0: the same.
    """

    meaning: str
    line: int
    part: int
    largest: int
    largest_report: int = 0
    name_width: int
    source: Source
    keys: PartsKeys


class PartsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How files travel in parts."""

    parts: PartsHead
