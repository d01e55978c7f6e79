"""A participant's own texts for `profile.*`: known to the mapping set, and fitting each field they may stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pg_bridge.errors import Finding
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.request import PROFILE


def profile_findings(book: MappingBook, participant: str, texts: Mapping[str, str]) -> list[Finding]:
    """Everything wrong with the texts of one participant; `path` is where the configuration says them."""
    at = f"participants.{participant}.profile"
    findings = [
        Fault(f.NO_SUCH_SOURCE, f"the mapping set has no text {name}; it has {known}").finding(f"{at}.{name}", 0)
        for name in texts
        if name not in book.rules.profile
        for known in [", ".join(book.rules.profile) or "none"]
    ]
    for name, place, wanted in dict.fromkeys(_misfits(book, texts)):
        text = f"{texts[name]!r} does not fit {place}: {wanted}"
        findings.append(Fault(f.DOES_NOT_FIT, text).finding(f"{at}.{name}", 0))
    return findings


def _misfits(book: MappingBook, texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Text name, place and format of each field of a message to the PSS that a text does not fit."""
    for located in book.rules.files:
        for section in (located.file.answer, located.file.message):
            if section is None:
                continue
            template = book.legacy.templates[section.template]
            for _, block, _ in book.rules.parts(located, section)[1]:
                for rule in block.fields:
                    for source in rule.sources() if not (rule.use or rule.codes) else ():
                        name = source.removeprefix(PROFILE)
                        if not source.startswith(PROFILE) or name not in texts:
                            continue
                        spec = template.field(block.place(rule.field))
                        text = texts[name]
                        if spec.pattern.fullmatch(text) is None or (spec.values and text not in spec.values):
                            yield name, spec.place, ", ".join(sorted(spec.values)) or spec.format
