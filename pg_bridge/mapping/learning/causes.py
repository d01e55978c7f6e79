"""Why messages would be refused: findings gathered by code and place, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pg_bridge.errors import Finding
from pg_bridge.link.profile import LINK_FILE
from pg_bridge.mapping.learning import lesson as le
from pg_bridge.mapping.learning.mask import masked_text, shown
from pg_bridge.mapping.learning.sample import Sample
from pg_bridge.mapping.learning.usage import NO_SUCH_CODE, UNKNOWN_FIELD
from pg_bridge.profiles.legacy import CODES_FILE, TEMPLATE_FOLDER

#: bytes that are no frame; a frame with a fault; a template that is not served
NO_FRAME, FRAME_FAULT, NOT_SERVED = "PGB-LRN-001", "PGB-LRN-002", "PGB-LRN-003"
#: causes kept apart; findings of others are counted together
MOST_CAUSES = 500

_SYNTAX = "Let the PSS correct it: no template can allow it."
#: by code: what to do, and which file to change where the PSS cannot be: {template}, {rules}, {codes}, {link}
_REMEDIES = {
    NO_FRAME: ("Let the PSS write frames of this layout, or correct the layout in {link}.", "{link}"),
    FRAME_FAULT: ("Let the PSS correct it, or correct how it is counted in {link}.", "{link}"),
    NOT_SERVED: (
        "Let the PSS use a template that is served, or write the template with its rules and cases.",
        TEMPLATE_FOLDER,
    ),
    UNKNOWN_FIELD: (
        "Let the PSS leave it out; or set lenient = true for the participant: it is kept in the journal, and OCP does"
        " not get it; or add it to {template} and say in {rules} what becomes of it.",
        "{template}",
    ),
    "PGB-MSG-021": (
        "Let the PSS write it; or make it optional in {template} with a default in {rules}, which may be a text of the"
        " participant's profile.",
        "{template}",
    ),
    "PGB-MSG-022": (
        "Let the PSS write it once; or let it repeat in {template} and say in {rules} what becomes of each.",
        "{template}",
    ),
    "PGB-MSG-023": ("Let the PSS write it so; or change format or checks in {template}.", "{template}"),
    "PGB-MSG-025": ("Let the PSS keep the template's order; or change the order in {template}.", "{template}"),
    NO_SUCH_CODE: (
        "Let the PSS use one of these; or add the code to {template} and its table in {codes}.",
        "{template}",
    ),
    "PGB-MSG-027": (
        "Let the PSS leave it out there; or add the message type to its types in {template}.",
        "{template}",
    ),
    "PGB-MSG-028": ("Let the PSS write the scheme so; or change scheme in {template}.", "{template}"),
    "PGB-MAP-003": (
        "Let the PSS correct the value; or change the rule in {rules}, or its table in {codes}.",
        "{rules}",
    ),
    "PGB-MAP-007": (
        "Let the PSS not ask for it; or serve it in {rules}; or, where a default is missing, set it in the profile"
        " of the participant.",
        "{rules}",
    ),
    "PGB-XCH-001": ("Let the PSS give every instruction of a day a reference of its own.", ""),
}
_OTHER = ("Let the PSS correct it; or change {rules}.", "{rules}")


class _Tally:
    __slots__ = ("code", "first", "line", "messages", "place", "standard", "template", "text", "times", "types")

    def __init__(self, finding: Finding, sample: Sample, text: str) -> None:
        self.code, self.place, self.text = finding.code, shown(finding.path), text
        self.standard = finding.standard
        self.template = sample.template
        self.times = self.messages = 0
        self.types: set[str] = set()
        self.first, self.line = sample, finding.line


class Causes:
    """Gathers findings. template_files, rule_files: where each template and its rules stand, by template."""

    def __init__(self, template_files: Mapping[str, str], rule_files: Mapping[str, str], *, shows_values: bool) -> None:
        self._template_files = template_files
        self._rule_files = rule_files
        self._shows_values = shows_values
        self._tallies: dict[tuple[str, str, str], _Tally] = {}
        self.beyond = 0

    def add(self, sample: Sample, findings: Iterable[Finding], values: Mapping[int, Iterable[str]]) -> None:
        """The findings of one message. values: what stands in each of its lines, to be masked in texts."""
        seen: set[tuple[str, str, str]] = set()
        for finding in findings:
            key = (sample.template, finding.code, shown(finding.path))
            tally = self._tallies.get(key)
            if tally is None:
                if len(self._tallies) >= MOST_CAUSES:
                    self.beyond += 1
                    continue
                is_plain = self._shows_values or finding.code == NO_SUCH_CODE
                text = finding.text if is_plain else masked_text(finding.text, values.get(finding.line, ()))
                tally = self._tallies[key] = _Tally(finding, sample._replace(body=b""), text)
            tally.times += 1
            tally.types.add(sample.message_type)
            if key not in seen:
                seen.add(key)
                tally.messages += 1

    def told(self) -> tuple[le.Cause, ...]:
        """All causes, those of most messages first."""
        tallies = sorted(self._tallies.values(), key=lambda tally: (-tally.messages, tally.template, tally.code))
        return tuple(map(self._cause, tallies))

    def _cause(self, tally: _Tally) -> le.Cause:
        files = {
            "template": self._template_files.get(tally.template, TEMPLATE_FOLDER),
            "rules": self._rule_files.get(tally.template, "its rules"),
            "codes": CODES_FILE,
            "link": LINK_FILE,
        }
        other = (_SYNTAX, "") if tally.code.startswith("PGB-MSG-01") else _OTHER
        remedy, correct = _REMEDIES.get(tally.code, other)
        return le.Cause(
            code=tally.code,
            standard=tally.standard,
            template=tally.template,
            message_types=tuple(sorted(filter(None, tally.types))),
            place=tally.place,
            text=tally.text,
            times=tally.times,
            messages=tally.messages,
            is_lenient_cured=tally.code == UNKNOWN_FIELD,
            remedy=remedy.format(**files),
            correct=correct.format(**files),
            file=tally.first.file,
            number=tally.first.number,
            line=tally.line,
        )
