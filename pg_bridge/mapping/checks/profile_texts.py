"""A participant's own texts for `profile.*`: known to the mapping set, and fitting each field they may stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.rules import CHECKS
from pg_bridge.mapping import document as d
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.places import Places, below, places_of
from pg_bridge.mapping.request import PROFILE
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.template import FieldSpec

Misfits = Iterator[tuple[str, str, str]]


def profile_findings(book: MappingBook, participant: str, texts: Mapping[str, str]) -> list[Finding]:
    """Everything wrong with the texts of one participant; `path` is where the configuration says them."""
    at = f"participants.{participant}.profile"
    findings: list[Finding] = []
    for name, text in texts.items():
        values = book.rules.profile_values.get(name)
        if name not in book.rules.profile:
            known = ", ".join(book.rules.profile) or "none"
            fault = Fault(f.NO_SUCH_SOURCE, f"the mapping set has no text {name}; it has {known}")
        elif values and text not in values:
            fault = Fault(f.DOES_NOT_FIT, f"{text!r} is none of the values of {name}: {', '.join(values)}")
        elif not text and book.rules.profile[name]:
            fault = Fault(f.DOES_NOT_FIT, f"{name} is empty, and rules count on a text")
        else:
            continue
        findings.append(fault.finding(f"{at}.{name}", 0))
    for name, place, wanted in dict.fromkeys((*_written(book, texts), *_asked(book, texts))):
        told = f"{texts[name]!r} does not fit {place}: {wanted}"
        findings.append(Fault(f.DOES_NOT_FIT, told).finding(f"{at}.{name}", 0))
    return findings


def _written(book: MappingBook, texts: Mapping[str, str]) -> Misfits:
    """Text name, place and format of each field of a message to the PSS that a text does not fit."""
    for located in book.rules.files:
        for section in (located.file.answer, located.file.message):
            if section is None:
                continue
            template = book.legacy.templates[section.template]
            for _, block, _ in book.rules.parts(located, section)[1]:
                for rule in block.fields:
                    for name in _names(rule, texts) if not (rule.use or rule.codes) else ():
                        spec = template.field(block.place(rule.field))
                        wanted = _misfit(spec, texts[name])
                        if wanted:
                            yield name, spec.place, wanted


def _asked(book: MappingBook, texts: Mapping[str, str]) -> Misfits:
    """The same of each field of a request in whose stead a text stands, and of each member that takes it as it is."""
    for located in book.rules.files:
        section = located.file.request
        if section is None:
            continue
        template = book.legacy.templates[section.template]
        every: dict[str, FieldSpec] = {}
        for type_ in template.message_types:
            every |= places_of(template, type_)
        schema = Members(book.ocp.openapi, section.schema)
        for rule in section.rule:
            yield from _of_rule(rule, every, schema, texts)
        for each in section.each:
            for rule in each.rule:
                yield from _of_rule(rule, below(every, each.at), schema.items(each.to), texts)


def _of_rule(rule: d.RequestRule, places: Places, members: Members, texts: Mapping[str, str]) -> Misfits:
    for name in _names(rule, texts):
        spec = next((places[source] for source in rule.sources() if source in places), None)
        wanted = _misfit(spec, texts[name]) if spec is not None else ""
        if spec is not None and wanted:
            yield name, spec.place, wanted
        for target in rule.targets() if not (rule.use or rule.codes) else ():
            member = members[target]
            if member.codes and texts[name] not in member.codes:
                yield name, target, ", ".join(sorted(member.codes))
            elif member.most_characters and len(texts[name]) > member.most_characters:
                yield name, target, f"at most {member.most_characters} characters"


def _names(part: d.Part, texts: Mapping[str, str]) -> list[str]:
    """The texts of the participant, empty ones left out, that a rule or field names as a source."""
    names = [source.removeprefix(PROFILE) for source in part.sources() if source.startswith(PROFILE)]
    return [name for name in names if texts.get(name)]


def _misfit(spec: FieldSpec, text: str) -> str:
    """What the field wants, where the text does not fit it."""
    if spec.pattern.fullmatch(text) is None or (spec.values and text not in spec.values):
        return ", ".join(sorted(spec.values)) or spec.format
    return next((CHECKS[name][1] for name in spec.checks if not CHECKS[name][0](text)), "")
