"""What is wrong with the words of the pretend Participant Gateway, entry by entry: templates, places, names, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from pg_bridge.errors import Finding
from pg_bridge.profiles.concepts import CODE_TABLES, KINDS, SI_ENTRY, Kind
from pg_bridge.profiles.legacy import GATEWAY_FILE, LegacyProfile
from pg_bridge.profiles.template import Template
from pg_bridge.simulator.gateway_file import (
    BlockEntry,
    Conditions,
    GatewayFile,
    MessageEntry,
    ReadEntry,
    RequestEntry,
    TextEntry,
    ValueEntry,
)
from pg_bridge.simulator.gateway_reading import ASKED, MESSAGE_TYPE
from pg_bridge.simulator.gateway_texts import FORMS, HOLE, IS
from pg_bridge.typed_toml import MOST_FAULTS, Lines, nearest, read_toml, shown

MISSING = "PGB-GWY-001"
UNREADABLE = "PGB-GWY-002"
TEMPLATE = "PGB-GWY-003"
PLACE = "PGB-GWY-004"
NAME = "PGB-GWY-005"
TABLE = "PGB-GWY-006"
TEXT = "PGB-GWY-007"
UNFIT = "PGB-GWY-008"

#: every name that a text may have a hole for, beside what requests are read for and named values
NAMES = frozenset(
    {
        "reference", "today", "outcome", "refused_for", "fault.code", "fault.reason", "fault.text", "page.number",
        "page.mark", "page.count", "file.name", "file.outcome", "file.read", "file.accepted", "file.refused",
        "item.number", "item.reference", "item.text", "part.lines", "broadcast.head", "broadcast.text",
        *(f"si.{concept}" for concept in SI_ENTRY),
    }
)  # fmt: skip
#: what each deed must be read for
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "si_add": (
        "request_reference", "participant_reference", "counterparty_id", "direction", "payment_instruction",
        "quantity", "settlement_date", "stock_account", "purpose", "hold",
    ),
    "si_change": (
        "request_reference", "named", "counterparty_id", "direction", "payment_instruction", "quantity",
        "settlement_date", "stock_account", "purpose", "hold",
    ),
    "si_authorise": ("request_reference", "named"),
    "si_delete": ("request_reference", "named"),
    "si_revoke": ("request_reference", "named"),
    "si_hold": ("request_reference", "named", "hold"),
    "enquire": ("request_reference", "named"),
    "list": ("request_reference",),
    "upload": ("request_reference", "lines"),
    "download": ("request_reference", "report", "day"),
}  # fmt: skip
_LISTS = frozenset({"sis", "faults", "items"})
_TOLD = ("status", "settlement", "broadcast")


class Fault(NamedTuple):
    """One thing wrong. at: the entry."""

    code: str
    at: str
    text: str
    remedy: str


def gateway_findings(files: Mapping[str, str], legacy: LegacyProfile) -> list[Finding]:
    """All findings of a set's words for the pretend gateway; none where it has no such file."""
    text = files.get(GATEWAY_FILE)
    if text is None:
        return []
    findings: list[Finding] = []
    file = read_gateway_file(text, findings)
    return findings if file is None else gateway_faults(file, text, legacy)


def read_gateway_file(text: str, findings: list[Finding]) -> GatewayFile | None:
    """The file as it should be; None, and every fault among `findings`."""
    file: GatewayFile | None = read_toml(GATEWAY_FILE, text, GatewayFile, findings, UNREADABLE)
    return file


def gateway_faults(file: GatewayFile, text: str, legacy: LegacyProfile) -> list[Finding]:
    """Everything that is wrong with a file that could be read."""
    told = list(islice(_Check(file, legacy).faults(), MOST_FAULTS))
    lines = Lines(text) if told else None
    return [
        Finding(fault.code, "error", GATEWAY_FILE, f"{fault.at}: {fault.text}", lines.of(fault.at), remedy=fault.remedy)
        for fault in told
        if lines is not None
    ]


class _Check:
    def __init__(self, file: GatewayFile, legacy: LegacyProfile) -> None:
        self._file = file
        self._legacy = legacy
        asked = {
            ASKED + name
            for entry in file.request
            for reads in (*(file.reading.get(group, {}) for group in entry.reads), entry.read)
            for name in reads
        }
        self._names = NAMES | asked | set(file.value)

    def faults(self) -> Iterator[Fault]:
        file = self._file
        for name, form in (("si_number", file.gateway.si_number), ("reference", file.gateway.reference)):
            yield from _number_form(f"gateway.{name}", form)
        yield from _number_form("differences.si_number", file.differences.si_number)
        for name, value in file.value.items():
            if name in NAMES | _LISTS:
                yield Fault(NAME, f"value.{name}", "this name is taken", "Rename it.")
            yield from self._value(f"value.{name}", value)
        for name, reads in file.reading.items():
            for read, entry in reads.items():
                yield from self._read(f"reading.{name}.{read}", read, entry)
        yield from self._requests()
        yield from self._messages()
        used = {name for entry in file.message for name in entry.blocks}
        for name, blocks in file.block.items():
            if name not in used:
                yield Fault(NAME, f"block.{name}", "no message has these blocks", "Take them out.")
            for number, block in enumerate(blocks):
                yield from self._block(f"block.{name}[{number}]", name, block)

    # --- requests

    def _requests(self) -> Iterator[Fault]:
        due = {template.name for template in self._legacy.templates.values() if template.direction == "I"}
        seen: set[str] = set()
        for number, entry in enumerate(self._file.request):
            at = f"request[{number}]"
            if entry.template in seen:
                yield Fault(TEMPLATE, f"{at}.template", f"{shown(entry.template)} is read already", "Keep one of them.")
            seen.add(entry.template)
            template = self._legacy.templates.get(entry.template)
            if template is None or template.direction != "I":
                told = f"no PSS sends a template {shown(entry.template)}"
                yield Fault(TEMPLATE, f"{at}.template", told, nearest(entry.template, sorted(due)))
                continue
            yield from self._request(at, entry, template)
        for name in sorted(due - seen):
            remedy = f"Add a [[request]] of the template {name}."
            yield Fault(TEMPLATE, "request", f"how {name} is read is not told", remedy)

    def _request(self, at: str, entry: RequestEntry, template: Template) -> Iterator[Fault]:
        reads: dict[str, ReadEntry] = {}
        for group in entry.reads:
            if group not in self._file.reading:
                remedy = nearest(group, sorted(self._file.reading))
                yield Fault(NAME, f"{at}.reads", f"there is no reading {shown(group)}", remedy)
            reads |= self._file.reading.get(group, {})
        reads |= entry.read
        for name, read in entry.read.items():
            yield from self._read(f"{at}.read.{name}", name, read)
        places = {place for _, place in template.places}
        for name, read in reads.items():
            for place in [read.from_] if isinstance(read.from_, str) else read.from_:
                if place != MESSAGE_TYPE and place not in places:
                    where = f"{at}.read.{name}" if name in entry.read else f"{at}.reads"
                    told = f"{name}: {template.name} has no place {shown(place)}"
                    yield Fault(PLACE, where, told, nearest(place, sorted(places)))
        for name in _NEEDS[entry.does]:
            if name not in reads:
                told = f"{name} is not read, which {entry.does} needs"
                yield Fault(NAME, at, told, f"Say where {name} stands.")
        if entry.each and not any(place.startswith(f"{entry.each}/") for place in places):
            yield Fault(
                PLACE, f"{at}.each", f"there is no sequence {shown(entry.each)}", "Write a path of the template."
            )
        if template.answer not in {message.template for message in self._file.message}:
            remedy = f"Add a [[message]] of the template {template.answer}."
            yield Fault(TEMPLATE, at, f"how its answer {template.answer} is written is not told", remedy)
        for number, refuse in enumerate(entry.refuses):
            yield from self._conditions(f"{at}.refuses[{number}]", refuse.when, refuse.unless)
        for name, value in entry.filter.items():
            if name not in reads:
                yield Fault(NAME, f"{at}.filter.{name}", "this is not read", nearest(name, sorted(reads)))
            yield from self._value(f"{at}.filter.{name}", value)

    def _read(self, at: str, name: str, entry: ReadEntry) -> Iterator[Fault]:
        if entry.codes and entry.codes not in self._file.codes:
            yield self._no_table(f"{at}.codes", entry.codes)
        if entry.cut:
            try:
                groups = re.compile(entry.cut).groups
            except re.error as error:
                yield Fault(TEXT, f"{at}.cut", f"this is no regular expression: {error}", "Correct it.")
            else:
                if groups != 1:
                    yield Fault(TEXT, f"{at}.cut", f"it has {groups} groups", "Put what is to be taken in one ( ).")
        if not entry.as_ and KINDS.get(name) is Kind.CODE:
            known = {each.value for each in CODE_TABLES[name]}
            table = self._file.codes.get(entry.codes)
            if not entry.codes:
                yield Fault(TABLE, at, f"{name} is a code of ours: a table must find it", "Name one by `codes`.")
            elif table is not None:
                for code in sorted({*table.entries.values(), *filter(None, [table.default])} - known):
                    remedy = nearest(code, sorted(known))
                    yield Fault(TABLE, f"codes.{entry.codes}", f"{shown(code)} is no {name}", remedy)

    # --- messages

    def _messages(self) -> Iterator[Fault]:
        answers = {template.answer for template in self._legacy.templates.values() if template.direction == "I"}
        seen: set[str] = set()
        for number, entry in enumerate(self._file.message):
            at = f"message[{number}]"
            template = self._legacy.templates.get(entry.template)
            if template is None or template.direction != "O":
                names = sorted(each.name for each in self._legacy.templates.values() if each.direction == "O")
                told = f"the gateway sends no template {shown(entry.template)}"
                yield Fault(TEMPLATE, f"{at}.template", told, nearest(entry.template, names))
                continue
            if entry.template in seen:
                yield Fault(TEMPLATE, f"{at}.template", f"{entry.template} is written already", "Keep one of them.")
            seen.add(entry.template)
            if not entry.tells and entry.template not in answers:
                remedy = f"Write tells = {', '.join(_TOLD)}, or take it out."
                yield Fault(TEMPLATE, at, f"{entry.template} answers nothing and tells nothing", remedy)
            yield from self._message(at, entry, template)
        for tells in _TOLD:
            count = sum(entry.tells == tells for entry in self._file.message)
            if count != 1:
                remedy = f'Write tells = "{tells}" in one [[message]].'
                yield Fault(TEMPLATE, "message", f"{count} messages tell the {tells}, one must", remedy)

    def _message(self, at: str, entry: MessageEntry, template: Template) -> Iterator[Fault]:
        yield from self._value(f"{at}.type", entry.type)
        if isinstance(entry.type, str) and "{" not in entry.type and entry.type not in template.message_types:
            remedy = nearest(entry.type, template.message_types)
            yield Fault(TEMPLATE, f"{at}.type", f"{template.name} is no MT{shown(entry.type)}", remedy)
        places = {place for _, place in template.places}
        for name in entry.blocks:
            if name not in self._file.block:
                remedy = nearest(name, sorted(self._file.block))
                yield Fault(NAME, f"{at}.blocks", f"there are no blocks {shown(name)}", remedy)
            for number, block in enumerate(self._file.block.get(name, ())):
                for key in block.write:
                    place = f"{block.at}/{key}" if block.at else key
                    where = f"block.{name}[{number}].write.{key}"
                    if place not in places:
                        told = f"{template.name} has no place {shown(place)}"
                        yield Fault(PLACE, where, told, nearest(place, sorted(places)))
                    else:
                        yield from self._constant(where, block.write[key], template, place)

    def _constant(self, at: str, value: ValueEntry, template: Template, place: str) -> Iterator[Fault]:
        """A text without holes must be one that the field takes."""
        spec = template.field(place)
        for each in value if isinstance(value, list) else [value]:
            text = each if isinstance(each, str) else each.text
            if text and "{" not in text and (not spec.pattern.fullmatch(text) or text not in (spec.values or {text})):
                told = f"{shown(text)} is not what {template.name} takes there: {spec.format}"
                yield Fault(UNFIT, at, told, "Correct the text or the template.")

    def _block(self, at: str, name: str, block: BlockEntry) -> Iterator[Fault]:
        yield from self._conditions(at, block.when, block.unless)
        if block.once and not block.each:
            yield Fault(TEXT, f"{at}.once", "it is written but once", "Take `once` out, or say for `each` of what.")
        for key, value in block.write.items():
            yield from self._value(f"{at}.write.{key}", value)

    # --- texts

    def _value(self, at: str, value: ValueEntry) -> Iterator[Fault]:
        for each in value if isinstance(value, list) else [value]:
            texts = [each] if isinstance(each, str) else [each.text, *each.lines]
            if isinstance(each, TextEntry):
                yield from self._conditions(at, each.when, each.unless)
                if bool(each.text) == bool(each.lines):
                    yield Fault(TEXT, at, "it has text and lines, or neither", "Write `text` or `lines`.")
            for text in texts:
                yield from self._text(at, text)

    def _text(self, at: str, text: str) -> Iterator[Fault]:
        for hole in HOLE.finditer(text):
            names, form = hole[1].split("/"), hole[2] or ""
            for name in names:
                yield from self._name(at, name)
            if form and form not in FORMS and form[0] != "0" and form not in self._file.codes:
                yield self._no_table(at, form)
        if set("{}") & set(HOLE.sub("", text)):
            yield Fault(
                TEXT, at, f"a brace of {shown(text)} is that of no hole", "Write holes as {name} or {name:form}."
            )

    def _conditions(self, at: str, *conditions: Conditions) -> Iterator[Fault]:
        for each in conditions:
            for name in each:
                yield from self._name(at, name)

    def _name(self, at: str, name: str) -> Iterator[Fault]:
        if name not in self._names and name.removesuffix(IS) not in self._names:
            yield Fault(NAME, at, f"nothing is named {shown(name)}", nearest(name, sorted(self._names)))

    def _no_table(self, at: str, name: str) -> Fault:
        return Fault(TABLE, at, f"there is no table {shown(name)}", nearest(name, sorted(self._file.codes)))


def _number_form(at: str, form: str) -> Iterator[Fault]:
    try:
        is_good = form.format(1) != form.format(2)
    except (ValueError, IndexError, KeyError, AttributeError):
        is_good = False
    if not is_good:
        yield Fault(TEXT, at, f"{shown(form)} writes no number", "Write it with one {:08d} or the like.")
