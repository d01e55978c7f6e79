"""All that is wrong with an answer or message section.

Its entries are held against template and schema in section_check.py and source_check.py; what holds on some paths only
is found in message_paths.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.checks.message_paths import MessagePaths
from pg_bridge.mapping.checks.page_check import page_faults
from pg_bridge.mapping.checks.paths import Budget
from pg_bridge.mapping.checks.section_check import SectionCheck
from pg_bridge.mapping.checks.situations import situations
from pg_bridge.mapping.checks.source_check import CARRIED
from pg_bridge.mapping.pages import MARKS
from pg_bridge.mapping.places import always_there
from pg_bridge.mapping.rule_set import Located, RuleSet, Spot
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile


def message_faults(
    rules: RuleSet,
    located: Located,
    section: d.MessageSection,
    legacy: LegacyProfile,
    ocp: OcpProfile,
    budget: Budget,
) -> Iterator[Finding]:
    """Everything wrong with an answer or message section."""
    part = "answer" if section is located.file.answer else "message"

    def told(at: str, fault: Fault) -> Finding:
        return fault.finding(located.path, located.lines.of(f"{part}.{at}"))

    template = legacy.templates.get(section.template)
    if template is None:
        yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, f"there is no template {section.template}"))
        return
    try:
        members = Members(ocp.openapi, d.shape_of(section))
    except KeyError as missing:
        text = f"the OpenAPI document has no schema {missing.args[0]}"
        yield told("schema", Fault(f.NO_SUCH_PROFILE_NAME, text))
        return
    except (ValueError, TypeError, AttributeError) as fault:
        text = f"the schema {section.schema} cannot be read: {fault}"
        yield told("schema", Fault(f.NO_SUCH_PROFILE_NAME, text))
        return
    is_upload = part == "answer" and located.file.upload is not None
    is_report = part == "answer" and located.file.request is not None and located.file.request.report
    cases = situations(located.file.function, part, template, legacy, is_report=is_report, is_upload=is_upload)
    closed = {"page.mark": MARKS, "answer.outcome": tuple(sorted({each.outcome for each in cases if each.outcome}))}
    check = SectionCheck(template, members, legacy, _carried(rules), rules.own, closed=closed)
    wrong = [told("message_type", fault) for fault in check.message_type(section)]
    wrong += [told("pages", fault) for fault in page_faults(rules, located, section, template, ocp)]
    for number, block in enumerate(section.block):
        if block.include and block.include not in rules.shared:
            if rules.is_whole:
                fault_ = Fault(f.NO_SUCH_PROFILE_NAME, f"there are no shared blocks {block.include}")
                wrong.append(told(f"block[{number}]", fault_))
        elif block.include and (block.at or block.fields or block.when or block.each):
            fault_ = Fault(f.SAYS_TOO_MUCH, "a block that includes others says nothing else")
            wrong.append(told(f"block[{number}]", fault_))
    values, blocks = rules.parts(located, section)
    for _, value, spot in values:
        wrong += [_at(spot, fault) for fault in check.value(value)]
    for _, block, spot in blocks:
        wrong += [_at(spot, fault) for fault in check.block(block)]
    if section.pages is not None:
        wrong += [told("pages", fault) for fault in check.listed(section.pages)]
    yield from wrong
    if any(block.include and block.include not in rules.shared for block in section.block):
        return  # what the missing blocks use and write is not known
    yield from (told("left_out", fault) for fault in check.left_out(section))
    never = [told("template", fault) for fault in check.never_written()]
    yield from never
    if wrong or never:
        return
    for type_ in template.message_types:
        paths = MessagePaths(
            [value for _, value, _ in values],
            [block for _, block, _ in blocks],
            template,
            type_,
            members,
            legacy.tables,
            cases,
            ocp,
            budget,
            rules.own,
            section.message_type if isinstance(section.message_type, d.ByTable) else None,
            _surely_carried(located, legacy) if part == "answer" else frozenset(),
        )
        for number_, fault_ in paths.faults():
            yield _at(blocks[number_][2], fault_) if number_ is not None else told("template", fault_)


def _at(spot: Spot, fault: Fault) -> Finding:
    return fault.finding(spot.path, spot.line)


def _surely_carried(located: Located, legacy: LegacyProfile) -> frozenset[str]:
    """What is carried from every message that the section's own request takes: one without it is refused."""
    request = located.file.request
    template = legacy.templates.get(request.template) if request is not None else None
    if request is None or template is None:
        return frozenset()
    sure = frozenset.intersection(*(always_there(template, type_) for type_ in template.message_types))
    refused = [rule.when for rule in request.rule if rule.refused]
    return frozenset(
        f"{CARRIED}{rule.carried}"
        for rule in request.rule
        if rule.carried
        and not rule.when
        and (sure.intersection(rule.sources()) or {source: {"present": False} for source in rule.sources()} in refused)
    )


def _carried(rules: RuleSet) -> frozenset[str]:
    return frozenset(
        rule.carried
        for located in rules.files
        if located.file.request is not None
        for rule in (*located.file.request.rule, *(rule for each in located.file.request.each for rule in each.rule))
        if rule.carried
    )
