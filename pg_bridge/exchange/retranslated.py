"""One recorded translation run again: what comes out differently, as (what, was, is)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange.records import Reply
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.translated import Written

#: what differs when it is not one value, but what becomes of the whole
WHOLE = "the message"
TEMPLATE = "the template"
MESSAGE_TYPE = "the message type"
MESSAGES = "the number of messages"

_MARKS = ("16R", "16S")  # ISO 15022's marks of a sequence
_BRACKETS = re.compile(r"\[[^\]]*\]")


class Way(StrEnum):
    """The kinds of translation that a journal holds."""

    REQUEST = "request taken"
    REFUSAL = "request refused"
    PARKED_REQUEST = "request parked"
    AWAITED = "answer that the outcome is awaited"
    ANSWER = "answer"
    LATE = "outcome told late"
    UPDATE = "update"
    PARKED_UPDATE = "update parked"
    BROADCAST = "broadcast"
    UNREADABLE = "entry that cannot be used"


class Difference(msgspec.Struct, frozen=True, kw_only=True, rename={"is_": "is"}):
    """One thing that comes out differently. `was` or `is_` empty: it is not there.

    what: `member quantity`, `carried prepared`, `field GENL/STAT/25D:SETT`, `finding PGB-MSG-023 at FIAC/36B:SETT`.
    rule: `file:line` of what made the new value, empty where it is not known.
    """

    what: str
    was: str
    is_: str
    rule: str = ""


class Retranslated(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded translation, run again. position: of its entry; not_run: why it could not be, empty if it was."""

    position: int
    way: Way
    function: str
    participant: str
    reference: str
    exchange: str
    differences: tuple[Difference, ...] = ()
    not_run: str = ""


def rules_of(lineage: Iterable[Lineage]) -> dict[str, str]:
    """The rule that made each target. Places are known with the brackets of their sequences and without."""
    found: dict[str, str] = {}
    for line in lineage:
        if line.target:
            found[line.target] = line.rule
            found.setdefault(_BRACKETS.sub("", line.target), line.rule)
    return found


def text_of(value: Any) -> str:
    """A value of a document for a reader: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def document_differences(was: Any, now: Any, rules: Mapping[str, str], kind: str = "member") -> list[Difference]:
    """Two documents, member by member; a member that is null is not the same as none."""
    if was == now and type(was) is type(now):
        return []
    old, new = dict(_flat(was)), dict(_flat(now))
    found = []
    for path in dict.fromkeys([*old, *new]):
        before, after = old.get(path, ""), new.get(path, "")
        if before != after:
            found.append(Difference(what=f"{kind} {path}", was=before, is_=after, rule=rules.get(path, "")))
    return found


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict) and (value or not path):
        return [item for name, below in value.items() for item in _flat(below, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list) and value:
        return [item for number, below in enumerate(value, 1) for item in _flat(below, f"{path}#{number}")]
    return [(path, text_of(value) or '""')]


def finding_differences(was: Sequence[Finding], now: Sequence[Finding]) -> list[Difference]:
    """Findings that went or came, or tell otherwise of one place."""
    if tuple(was) == tuple(now):
        return []
    old, new = _by_place(was), _by_place(now)
    return [
        Difference(what=what, was=old.get(what, ""), is_=new.get(what, ""))
        for what in dict.fromkeys([*old, *new])
        if old.get(what) != new.get(what)
    ]


def _by_place(findings: Sequence[Finding]) -> dict[str, str]:
    found: dict[str, str] = {}
    for finding in findings:
        at = f" at {finding.path}" if finding.path else ""
        name = numbered(f"finding {finding.code}{at}", found)
        found[name] = f"{finding.text} ({finding.severity}{', reason ' + finding.reason if finding.reason else ''})"
    return found


def numbered(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with `#2`, `#3` ... where it is taken."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name}#{count}"
    return free


def reply_differences(book: MappingBook, was: Reply, now: Written) -> list[Difference]:
    """Two messages to the PSS, place by place."""
    body = now.body.decode("ascii")
    if (was.template, was.message_type, was.body) == (now.template, now.message_type, body):
        return []
    found = []
    if was.template != now.template:
        found.append(Difference(what=TEMPLATE, was=was.template, is_=now.template))
    if was.message_type != now.message_type:
        found.append(Difference(what=MESSAGE_TYPE, was=was.message_type, is_=now.message_type))
    old = values_by_place(book, was.template, was.message_type, was.body)
    new = values_by_place(book, now.template, now.message_type, body)
    rules = rules_of(now.lineage)
    for place in dict.fromkeys([*old, *new]):
        before, after = old.get(place, ""), new.get(place, "")
        if before != after:
            rule = rules.get(place) or rules.get(_BRACKETS.sub("", place), "")
            found.append(Difference(what=f"field {place}", was=before, is_=after, rule=rule))
    if not found and list(old) != list(new):
        found.append(Difference(what="the order of the fields", was=", ".join(old), is_=", ".join(new)))
    if not found:
        found.append(Difference(what="the lines of the message", was=was.body, is_=body))
    return found


def values_by_place(book: MappingBook, template: str, message_type: str, body: str) -> dict[str, str]:
    """The fields of a message in order: place to text; one that stands again is `place#2`.

    A place is the template's where it has one, else the open sequences and the tag.
    """
    raw = body.encode("ascii", "replace")
    known: dict[int, str] = {}
    try:
        checked = book.check_message(template, message_type, raw)
    except KeyError:
        pass
    else:
        known = {field.line: place for place, fields in checked.values.items() for field in fields}
    found: dict[str, str] = {}
    for field in read(raw).fields:
        if field.tag in _MARKS:
            continue
        place = f"{field.path}/{field.tag}:{field.qualifier}".strip(":/")
        text = field.value.replace("\r\n", " | ") or '""'
        found[numbered(known.get(field.line, place), found)] = text
    return found
