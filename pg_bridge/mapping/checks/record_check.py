"""Checks of a record section: how a record of a batch file becomes a message.

What a written message lacks is found when it is held against its template, like that of any other, and refuses the
file; so no path through the conditions is followed here.
"""

from __future__ import annotations

from collections.abc import Iterator

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.checks.part_check import CONTEXT
from pg_bridge.mapping.checks.section_check import SectionCheck
from pg_bridge.mapping.conditions import condition_faults, condition_sources
from pg_bridge.mapping.rule_set import Located, RuleSet
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile

_RECORD = "record"


def record_faults(
    rules: RuleSet, located: Located, section: d.RecordSection, legacy: LegacyProfile, ocp: OcpProfile
) -> Iterator[Finding]:
    """Everything wrong with a record section."""
    part = located.part_of(section)

    def told(at: str, fault: Fault) -> Finding:
        return fault.finding(located.path, located.lines.of(f"{part}.{at}"))

    template = legacy.templates.get(section.template)
    if template is None or template.direction != "I" or template.effect != "instruct":
        text = f"there is no template {section.template} of an instruction: a record becomes one"
        yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, text))
        return
    layout = legacy.layouts.get(section.layout)
    spec = layout.records.get(section.record) if layout is not None else None
    if spec is None or spec.role != "detail":
        text = f"there is no layout {section.layout} with a detail record {section.record}"
        yield told("layout", Fault(f.NO_SUCH_PROFILE_NAME, text))
        return
    columns = tuple(column.name for column in spec.given)
    roots = {_RECORD: columns, "context": CONTEXT}
    check = SectionCheck(template, Members(ocp.openapi, ""), legacy, frozenset(), rules.own, roots)
    yield from (told("message_type", fault) for fault in check.message_type(section))
    yield from (told("when", fault) for fault in _condition(check, section.when))
    for number, refusal in enumerate(section.refused):
        yield from (told(f"refused[{number}]", fault) for fault in _condition(check, refusal.when))
        if not refusal.when or not refusal.text:
            yield told(f"refused[{number}]", Fault(f.FORGOTTEN, "a refusal needs a condition and a text"))
    if any(block.include and block.include not in rules.shared for block in section.block):
        if rules.is_whole:
            yield told("block", Fault(f.NO_SUCH_PROFILE_NAME, "it includes shared blocks that there are not"))
        return
    values, blocks = rules.parts(located, section)
    for _, value, spot in values:
        yield from (fault.finding(spot.path, spot.line) for fault in check.value(value))
    for _, block, spot in blocks:
        yield from (fault.finding(spot.path, spot.line) for fault in check.block(block))
    yield from (told("block", fault) for fault in check.never_written())
    used = {source.removeprefix(f"{_RECORD}.") for source in check.sources.taken if source.startswith(f"{_RECORD}.")}
    yield from (told("left_out", fault) for fault in _left_out(section, columns, used))


def _condition(check: SectionCheck, condition: dict[str, object]) -> Faults:
    yield from (Fault(f.WRONG_CONDITION, text) for text in condition_faults(condition))
    for source in condition_sources(condition):
        yield from check.sources.source(source)


def _left_out(section: d.RecordSection, columns: tuple[str, ...], used: set[str]) -> Faults:
    """Every column is used, or left out for a reason."""
    for name, reason in section.left_out.items():
        if name not in columns:
            yield Fault(f.NO_SUCH_MEMBER, f"the record has no column {name} that is given")
        elif name in used:
            yield Fault(f.SAYS_TOO_MUCH, f"{name} is used: it is not left out")
        elif not reason:
            yield Fault(f.FORGOTTEN, f"say the reason why {name} is left out")
    for name in columns:
        if name not in used and name not in section.left_out:
            text = f"the column {name} is forgotten: use it, or say in `left_out` why it has no place"
            yield Fault(f.FORGOTTEN, text)
