"""Checks of an upload section: how files come in parts."""

from __future__ import annotations

from collections.abc import Iterator

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.rule_set import Located
from pg_bridge.profiles.legacy import LegacyProfile

#: the concept that the template of a part must bind to the field that holds the part's lines
PART_LINES = "part_lines"
MOST_ITEMS = 9999


def upload_faults(located: Located, section: d.UploadSection, legacy: LegacyProfile) -> Iterator[Finding]:
    """Everything wrong with an upload section."""

    def told(at: str, fault: Fault) -> Finding:
        return fault.finding(located.path, located.lines.of(f"upload.{at}"))

    template = legacy.templates.get(section.template)
    if template is None:
        yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, f"there is no template {section.template}"))
        return
    if len(template.message_types) != 1:
        text = f"{template.name} has {len(template.message_types)} message types: a part has one"
        yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, text))
        return
    for concept in (REFERENCE, PART_LINES):
        spec = template.concept(concept, template.message_types[0])
        if spec is None or not spec.mandatory or "/" in spec.place:
            text = f"{template.name} needs a mandatory field outside of sequences with the concept {concept}"
            yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, text))
    if legacy.parts is None:
        text = "the set has no form of files in parts (legacy/files/parts.toml)"
        yield told("template", Fault(f.NO_SUCH_PROFILE_NAME, text))
    if not 1 <= section.items <= MOST_ITEMS:
        text = f"items is {section.items}: write a number from 1 to {MOST_ITEMS:,}"
        yield told("items", Fault(f.SAYS_TOO_MUCH, text))
