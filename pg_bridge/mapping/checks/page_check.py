"""Checks of an answer that lists entries: its sequences, and which blocks may look at an entry or at the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.conditions import condition_sources
from pg_bridge.mapping.pages import is_within
from pg_bridge.mapping.places import find_sequence
from pg_bridge.mapping.rule_set import Located, RuleSet
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import Template

_ENTRY = "ocp."
_PAGE = "page."
_VALUE = "value."


def page_faults(
    rules: RuleSet, located: Located, section: d.MessageSection, template: Template, ocp: OcpProfile
) -> Faults:
    """Everything wrong with the pages of a section, and with what stands for them where it has none."""
    values, blocks = rules.parts(located, section)
    named = {f"{_VALUE}{value.name}": value for _, value, _ in values}
    pages = section.pages
    if pages is None:
        if any(_looks_at(block, named, _PAGE) for _, block, _ in blocks):
            yield Fault(f.NO_SUCH_SOURCE, "`page.` has a meaning only in an answer with `pages`")
        return
    if section is not located.file.answer or not _is_enquiry(located, ocp):
        yield Fault(f.SAYS_TOO_MUCH, "only the answer of an enquiry lists entries")
    if pages.most < 1:
        yield Fault(f.DOES_NOT_FIT, "`most` is a whole number from 1")
    yield from _sequences(pages, template)
    is_behind = False
    for _, block, _ in blocks:
        is_entry = is_within(block.at, pages.entry)
        is_group = not is_entry and is_within(block.at, pages.group)
        if is_group and is_behind:
            yield Fault(
                f.WRONG_ORDER, f"{block.at} stands behind the entries of its group: it is told once, before them"
            )
        is_behind = is_behind or is_entry
        if (is_entry or is_group) and _looks_at(block, named, _PAGE):
            yield Fault(
                f.NO_SUCH_SOURCE, f"the block {block.at} is of an entry: what page it comes on is not known yet"
            )
        if not (is_entry or is_group) and _looks_at(block, named, _ENTRY):
            yield Fault(
                f.NO_SUCH_SOURCE, f"the block {block.at} stands once for many entries: it cannot look at `ocp.`"
            )
    if not any(is_within(block.at, pages.entry) for _, block, _ in blocks):
        yield Fault(f.NOT_FED, f"no block writes {pages.entry}")


def _is_enquiry(located: Located, ocp: OcpProfile) -> bool:
    request = located.file.request
    return request is not None and any(
        operation.value == request.operation and not spec.writes for operation, spec in ocp.operations.items()
    )


def _sequences(pages: d.Pages, template: Template) -> Faults:
    for path in filter(None, (pages.entry, pages.group)):
        spec = find_sequence(template.root, path)
        if spec is None:
            yield Fault(f.NO_SUCH_PLACE, f"the template {template.name} has no sequence {path}")
        elif not spec.repeats:
            yield Fault(f.WRONG_ORDER, f"{path} does not repeat in the template: it cannot stand for each entry")
    if pages.group and not pages.entry.startswith(f"{pages.group}/"):
        yield Fault(f.WRONG_ORDER, f"the entry's sequence {pages.entry} does not stand in the group's, {pages.group}")
    if not pages.entry:
        yield Fault(f.NO_SUCH_PLACE, "say the sequence that each entry gets")


def _looks_at(block: d.Block, named: Mapping[str, d.Value], root: str) -> bool:
    """Whether anything of a block, named values taken apart, is of a root."""
    sources = [block.each, *condition_sources(block.when)]
    for rule in block.fields:
        sources += [*rule.sources(), *condition_sources(rule.when)]
    return any(source.startswith(root) for source in _apart(sources, named))


def _apart(sources: Iterable[str], named: Mapping[str, d.Value]) -> set[str]:
    seen: set[str] = set()
    open_ = list(sources)
    while open_:
        source = open_.pop()
        if source in seen:
            continue
        seen.add(source)
        value = named.get(source)
        if value is not None:
            open_ += [*value.sources(), *condition_sources(value.when)]
    return seen
