"""The files of the legacy profile as typed values: templates and code tables. Shape: mappings/README.md."""

from __future__ import annotations

from typing import Literal

import msgspec

Source = Literal["public", "assumed"]


class MoreEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a message says that further ones belong to it: the field at `place` ends in the text `ends`."""

    place: str
    ends: str


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a template is for. more: of an answer that may take several messages."""

    name: str
    direction: Literal["I", "O"]
    message_types: list[str]
    function: str
    effect: Literal["instruct", "enquire", "answer", "unsolicited"]
    answer: str = ""
    more: MoreEntry | None = None
    meaning: str
    source: Source


class SequenceEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sequence of a template."""

    path: str
    status: Literal["M", "O"]
    repeats: bool = False
    types: list[str] = []
    source: Source = "assumed"
    meaning: str = ""

    @property
    def parent(self) -> str:
        """The path of the sequence around it."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """What its 16R says."""
        return self.path.rpartition("/")[2].partition("[")[0]

    @property
    def discriminator(self) -> str:
        """The tag, or tag and qualifier, of its first field, where that tells it apart."""
        return self.path.rpartition("/")[2].partition("[")[2].rstrip("]")


class FieldEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a template."""

    path: str
    tag: str
    qualifier: str = ""
    scheme: str = ""
    status: Literal["M", "O"]
    format: str
    repeats: bool = False
    types: list[str] = []
    checks: list[str] = []
    values: list[str] = []
    meaning: str
    sample: str = ""
    source: Source
    concept: str = ""
    reason: str = ""

    @property
    def place(self) -> str:
        """Its place: path, tag and qualifier."""
        name = self.tag + (f":{self.qualifier}" if self.qualifier else "")
        return f"{self.path}/{name}" if self.path else name


class TemplateFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of legacy/templates/."""

    template: Head
    sequence: list[SequenceEntry] = []
    field: list[FieldEntry]


class RangeEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A span of keys of one length that have one code."""

    from_: str
    to: str
    code: str


class TableEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code table. keys: whose codes the keys are; preferred: which key is written back of several for one code."""

    meaning: str
    source: Source
    keys: Literal["legacy", "ocp"] = "legacy"
    entries: dict[str, str] = {}
    preferred: list[str] = []
    ranges: list[RangeEntry] = []
    default: str | None = None
