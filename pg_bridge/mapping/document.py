"""Rule files as typed values, before anything is looked up. Shape: mappings/README.md."""

from __future__ import annotations

import tomllib
from typing import Any, Literal

import msgspec

from pg_bridge.errors import Finding

RULES_FOLDER = "rules/"
SHARED_FOLDER = "rules/shared/"
CASES_SUFFIX = ".cases.toml"

Condition = dict[str, Any]


class RequestRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """From places of a message (or `@message_type`, `context.*`) to members of an OCP document.

    Exactly one of `to`, `carried` (kept for the way back under this name) and `fixed` (the template allows one value,
    OCP needs none) says what becomes of it.
    """

    from_: str | list[str]
    to: str | list[str] = []
    use: str = ""
    codes: str = ""
    carried: str = ""
    fixed: bool = False
    reason: str = ""
    source: Literal["public", "assumed"] = "assumed"


class RequestSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a request of the PSS becomes an OCP document."""

    template: str
    operation: str
    schema: str
    rule: list[RequestRule]


class FieldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """One field of a block: `25D:SETT`, or in a sequence inside the block, `REAS/24B:PEND`."""

    field: str
    from_: str | list[str] = []
    constant: str = ""
    use: str = ""
    codes: str = ""
    default: str = ""


class Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sequence instance to write, if `when` holds; with `each`, one for every item of an array (`item.*`)."""

    at: str = ""
    when: dict[str, Any] = {}
    each: str = ""
    fields: list[FieldRule] = []
    include: str = ""


class ByTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A message type chosen by a code table."""

    from_: str | list[str]
    codes: str


class MessageSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a message to the PSS is written."""

    template: str
    message_type: str | ByTable
    block: list[Block]


class RuleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One function: its request and answer, or an unsolicited message."""

    name: str
    version: str
    function: str
    source: Literal["public", "assumed"]
    request: RequestSection | None = None
    answer: MessageSection | None = None
    message: MessageSection | None = None


class SharedBlocks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blocks that several files include by name."""

    name: str
    version: str
    source: Literal["public", "assumed"]
    block: list[Block]


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One example: a message and the document it becomes (or the finding codes), or sources and the message."""

    name: str
    kind: Literal["request", "answer", "message"]
    message_type: str = ""
    body: str = ""
    context: dict[str, Any] = {}
    document: dict[str, Any] | None = None
    nulls: list[str] = []
    findings: list[str] = []
    sources: dict[str, Any] = {}


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cases of a rule file."""

    case: list[Case]


def read_toml(path: str, text: str, kind: type[Any], findings: list[Finding]) -> Any:
    """The file as `kind`, or None with a finding."""
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        findings.append(Finding("PGB-MAP-010", "error", path, str(error)))
        return None


def as_list(value: str | list[str]) -> list[str]:
    """One or many, as many."""
    return [value] if isinstance(value, str) else value
