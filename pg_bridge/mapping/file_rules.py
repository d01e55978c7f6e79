"""How batch files become messages: the template of their parts, and the rules that write a record of columns as one.

A record of a fixed-width file is written as the message that a PSS would have sent in its place, by the one record
section whose condition holds; from there on it goes the way of any other message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.fixed_width.layout import Record, Value
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.checks.upload_check import PART_LINES
from pg_bridge.mapping.conditions import Holds, compile_condition
from pg_bridge.mapping.field import Sources, getter
from pg_bridge.mapping.file_message import FileMessage
from pg_bridge.mapping.message import MessageMapping
from pg_bridge.mapping.rule_set import Located, RuleSet
from pg_bridge.profiles.legacy import CodeTable, LegacyProfile
from pg_bridge.profiles.template import FieldSpec, Template

#: findings: no rules, or several, write this record; a record that a rule refuses; one that cannot be written
NO_RULES = "PGB-FIL-065"
REFUSED = "PGB-FIL-066"

RECORD = "record"
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """How files come: the template of a part, the fields of its reference and its lines, and the function.

    items: records told in one message of the answer. mapping: as `Request.mapping`.
    """

    template: Template
    function: str
    reference: FieldSpec
    lines: FieldSpec
    items: int
    mapping: str


@dataclass(frozen=True, slots=True)
class _Writer:
    """One record section, compiled."""

    template: str
    holds: Holds[Sources]
    refused: tuple[tuple[Holds[Sources], str], ...]
    message_type: str
    table: CodeTable | None
    gets: tuple[Callable[[Sources], Any], ...]
    mappings: dict[str, MessageMapping]


class FileRules:
    """The upload section and the record sections of a set."""

    def __init__(self, rules: RuleSet, legacy: LegacyProfile, mapping: Callable[[Located], str]) -> None:
        """mapping: how translations name a rule file."""
        self._rules = rules
        self._legacy = legacy
        #: how files come; None where there are none
        self.upload: Upload | None = None
        #: (layout, record) -> what writes it
        self._writers: dict[tuple[str, str], list[_Writer]] = {}
        for located in rules.files:
            file = located.file
            if file.upload is not None:
                self.upload = self._upload(file.function, file.upload, mapping(located))
            for section in file.record:
                self._writers.setdefault((section.layout, section.record), []).append(self._writer(located, section))

    def write(self, layout: str, record: str, values: Json, context: Json) -> FileMessage | tuple[Finding, ...]:
        """A record as a message of the PSS; findings where no rules, or several, write it, or where they refuse it.

        values: of its columns, as `plain` gives them.
        """
        sources = {RECORD: values, "context": context}
        writers = self._writers.get((layout, record), ())
        fitting = [each for each in writers if each.holds(sources)]
        if len(fitting) != 1:
            names = ", ".join(each.template for each in fitting)
            told = f"the record may be {names}: which one is not known" if fitting else "no rules are for such a record"
            return (Finding(NO_RULES, "error", "", told),)
        (writer,) = fitting
        refused = tuple(Finding(REFUSED, "error", "", text) for holds, text in writer.refused if holds(sources))
        if refused:
            return refused
        message_type = writer.message_type
        if writer.table is not None:
            key = "/".join("" if (value := get(sources)) is None else str(value) for get in writer.gets)
            message_type = writer.table.to_legacy(key) or ""
            if message_type not in writer.mappings:
                told = f"{key!r} has no message type in the code table {writer.table.name}"
                return (Finding(NO_RULES, "error", "", told),)
        try:
            draft = writer.mappings[message_type].apply(sources)
        except MappingFailed as error:
            return error.findings
        body = ("\r\n".join(draft.lines) + "\r\n").encode("latin-1", "replace")
        return FileMessage(writer.template, message_type, body)

    def _upload(self, function: str, section: d.UploadSection, name: str) -> Upload | None:
        template = self._legacy.templates[section.template]
        (type_,) = template.message_types
        reference, lines = template.concept(REFERENCE, type_), template.concept(PART_LINES, type_)
        if reference is None or lines is None:
            return None  # `check` tells it
        return Upload(template, function, reference, lines, section.items, name)

    def _writer(self, located: Located, section: d.RecordSection) -> _Writer:
        template = self._legacy.templates[section.template]
        tables, profile = self._legacy.tables, self._rules.profile
        chosen = section.message_type if isinstance(section.message_type, d.ByTable) else None
        values, blocks = self._rules.parts(located, section)
        only_values, named = [value for _, value, _ in values], [(number, block) for number, block, _ in blocks]
        return _Writer(
            template=template.name,
            holds=compile_condition(section.when, getter) or _always,
            refused=tuple((compile_condition(each.when, getter) or _always, each.text) for each in section.refused),
            message_type="" if isinstance(section.message_type, d.ByTable) else section.message_type,
            table=tables[chosen.codes] if chosen is not None else None,
            gets=tuple(getter(source) for source in chosen.sources()) if chosen is not None else (),
            mappings={
                type_: MessageMapping(only_values, named, template, type_, tables, profile)
                for type_ in template.message_types
            },
        )


def _always(_: Sources) -> bool:
    return True


def plain(record: Record) -> dict[str, Any]:
    """The values of a record as rules take them: days as YYYY-MM-DD, amounts as decimal texts."""
    return {name: _plain(value) for name, value in record.values.items()}


def _plain(value: Value) -> str | int | None:
    if value is None or isinstance(value, str | int):
        return value
    return value.isoformat() if isinstance(value, date) else f"{value:f}"
