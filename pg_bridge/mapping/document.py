"""Rule files as typed values, before anything is looked up. Shape: mappings/README.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

RULES_FOLDER = "rules/"
SHARED_FOLDER = "rules/shared/"
SET_FILE = "rules/set.toml"
CASES_SUFFIX = ".cases.toml"

Source = Literal["public", "assumed"]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What rules, values and fields share: `from` sources by the function `use` and the table `codes`, if `when` holds.

    `constant` stands in place of `from`; `default` is taken where nothing else gives a value.
    """

    from_: str | list[str] = []
    use: str = ""
    options: dict[str, Any] = {}
    codes: str = ""
    when: dict[str, Any] = {}
    constant: str = ""
    default: str = ""

    def sources(self) -> tuple[str, ...]:
        """The sources, one or many."""
        return (self.from_,) if isinstance(self.from_, str) else tuple(self.from_)


class RequestRule(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From places of a message (or `@message_type`, `context.*`) to members of an OCP document.

    Exactly one of `to`, `carried` (kept for the way back under this name; `default` is written back where nothing was
    kept) and `refused` (why a message with it cannot be served) says what becomes of it. `reason`: why OCP does not
    get it.
    """

    to: str | list[str] = []
    carried: str = ""
    refused: str = ""
    reason: str = ""
    source: Source = "assumed"

    def targets(self) -> tuple[str, ...]:
        """The members, one or many."""
        return (self.to,) if isinstance(self.to, str) else tuple(self.to)


class Each(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sequence that repeats and the array that it becomes: one item each time it stands.

    at: the sequence; to: the array; rule: places are named from the sequence on (`95R:REAG`), members from the item.
    """

    at: str
    to: str
    rule: list[RequestRule]


class ReferenceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a request uses the reference data that the bridge takes of OCP.

    fill: what is filled in from it where the message does not say it; checks: what of the instruction is held against
    it before OCP is asked. What comes of that, a setting of the bridge says.
    """

    fill: list[Literal["isin", "stock_code"]] = []
    checks: list[Literal["stock", "domain_counter", "settlement_day", "counterparty"]] = []


class RequestSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a request of the PSS becomes an OCP document. left_out: optional members that no rule feeds, and why.

    report: it asks OCP nothing; it names a report of the bridge's own, and its members are `name` and `day`.

    split: a sequence that repeats: each time it stands is an instruction of its own, with all that stands outside.
    sought: members that name an SI and why a message may leave them out: the bridge finds the SI and fills them in.
    """

    template: str
    operation: str = ""
    schema: str = ""
    report: bool = False
    left_out: dict[str, str] = {}
    split: str = ""
    sought: dict[str, str] = {}
    rule: list[RequestRule]
    each: list[Each] = []
    reference: ReferenceSection | None = None


#: The members of a request for a report, as a schema.
REPORT_QUERY: Mapping[str, Any] = {
    "type": "object",
    "required": ["name", "day"],
    "properties": {
        "name": {"type": "string", "description": "id of the report"},
        "day": {"type": "string", "format": "date", "description": "its day"},
    },
}


def shape_of(section: RequestSection | MessageSection) -> str | Mapping[str, Any]:
    """The schema of the document that a section is about: OCP's by name (empty: none), or that of a report."""
    return REPORT_QUERY if isinstance(section, RequestSection) and section.report else section.schema


class Value(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named value for use in the same section: `value.<name>`. It may use values above it."""

    name: str


class FieldRule(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a block: `25D:SETT`, or in a sequence inside the block, `REAS/24B:PEND`.

    Of several for one field, the first that gives a value is written.
    """

    field: str


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sequence instance to write, if `when` holds; with `each`, one for every item of an array (`item.*`).

    at: the sequence; empty: the message itself, for fields that stand in no sequence.
    """

    at: str = ""
    when: dict[str, Any] = {}
    each: str = ""
    fields: list[FieldRule] = []
    include: str = ""

    def place(self, field: str) -> str:
        """The place of a field that it names."""
        return f"{self.at}/{field}" if self.at else field


class ByTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A message type chosen by a code table."""

    from_: str | list[str]
    codes: str

    def sources(self) -> tuple[str, ...]:
        """The sources, one or many."""
        return (self.from_,) if isinstance(self.from_, str) else tuple(self.from_)


class Pages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an answer lists OCP's entries: `ocp.*` is one entry, the section is written for all of them.

    entry: the sequence that each entry gets. group: a sequence around it; entries for which its blocks give the same
    lines stand in it together. most: entries in one message; those beyond go on in the next. when: which are listed.
    """

    entry: str
    group: str = ""
    most: int
    when: dict[str, Any] = {}


class MessageSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a message to the PSS is written. schema: OCP's, of `ocp.*`; empty: nothing of OCP's stands in it.

    left_out: its members with no place in the message, and the template's fields that are never written, and why.
    pages: of an answer that lists entries.
    """

    template: str
    message_type: str | ByTable
    schema: str = ""
    pages: Pages | None = None
    left_out: dict[str, str] = {}
    value: list[Value] = []
    block: list[Block]


class UploadSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How files come from the PSS: the template of a part. The answer tells what became of a whole file.

    items: records told in one message of the answer; those beyond go on in the next.
    """

    template: str
    items: int


class RecordRefusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records that cannot be served, and what the participant is told."""

    when: dict[str, Any]
    text: str


class RecordSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a record of a fixed-width file becomes a message, of a template that a PSS may send.

    layout, record: which one; when: which of its records; `record.<column>` is what stands in a column.
    refused: those that cannot be served; left_out: columns that are not used, and why.
    """

    template: str
    layout: str
    record: str
    when: dict[str, Any] = {}
    message_type: str | ByTable
    refused: list[RecordRefusal] = []
    left_out: dict[str, str] = {}
    value: list[Value] = []
    block: list[Block]


class RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One function: its request or upload and its answer, or an unsolicited message.

    record: how records of batch files become messages.
    """

    name: str
    version: str
    function: str
    source: Source
    request: RequestSection | None = None
    upload: UploadSection | None = None
    record: list[RecordSection] = []
    answer: MessageSection | None = None
    message: MessageSection | None = None


class SharedBlocks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values and blocks that several files include by name."""

    name: str
    version: str
    source: Source
    value: list[Value] = []
    block: list[Block]


class SetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mapping set as a whole. profile: named texts for `profile.*`, which a participant's own may replace.

    An empty text is none: a participant may have one. profile_values: of texts that choose, all that they may be.
    """

    name: str
    version: str
    source: Source
    profile: dict[str, str] = {}
    profile_values: dict[str, list[str]] = {}


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example: a message and the document it becomes (or the finding codes), or sources and the message.

    body: lines of the text block; document: members that are not null; carried: all that is kept; base: the name of
    a case above whose texts and tables are taken, overlaid by this one's own; absent: what of them goes. Of an answer
    that lists: entries, OCP's entries, in place of `ocp` in `sources`; more, the text blocks of its further messages.
    """

    name: str
    kind: Literal["request", "record", "answer", "message"]
    message_type: str = ""
    base: str = ""
    absent: list[str] = []
    body: str = ""
    context: dict[str, Any] = {}
    lenient: bool = False
    document: dict[str, Any] | None = None
    carried: dict[str, str] | None = None
    findings: list[str] = []
    sources: dict[str, dict[str, Any]] = {}
    entries: list[dict[str, Any]] = []
    more: list[str] = []


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cases of a rule file."""

    case: list[Case]
