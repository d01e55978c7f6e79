"""What an answer means to its sender: which request it is of, whether it refuses, and whether more of it follow.

By the mapping set alone: how many instructions a request has, its rules say; that a message goes on, its template.

A set says what a refusal looks like where it writes one: constants that stand in an answer under the outcomes that
refuse and under no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pg_bridge.cli.send_reports import report_part
from pg_bridge.cli.send_requests import Outgoing
from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link.framing import Frame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.mapping.rule_set import read_rule_set
from pg_bridge.profiles.legacy import LegacyProfile, read_legacy_profile

Outcome = Literal["accepted", "refused", "unanswered"]

#: outcomes of an answer that are no acceptance
_REFUSING = frozenset({"refused", "partly", "nothing_found"})
_OUTCOME = "answer.outcome"
#: answer template, tag, qualifier, value; without a tag, a line of any field
_Sign = tuple[str, str, str, str]


@dataclass(slots=True)
class _Open:
    """A request that is not answered yet. due: answers that are still to come, each of one message or of several."""

    answer: str
    reference: str
    due: int
    is_begun: bool = False
    is_refused: bool = False


class Asked:
    """The requests of one session that are sent, and what became of each."""

    def __init__(self, files: Mapping[str, str], profile: LinkProfile) -> None:
        self._legacy = read_legacy_profile(files)
        self._signs = refusal_signs(files)
        self._splits = {
            located.file.request.template: located.file.request.split
            for located in read_rule_set(files, []).files
            if located.file.request is not None and located.file.request.split
        }
        self.parts = self._legacy.parts
        #: templates that bring reports
        self._reports = frozenset(
            located.file.answer.template
            for located in read_rule_set(files, []).files
            if located.file.request is not None and located.file.request.report and located.file.answer is not None
        )
        self._in_order = profile.limits.answer_order == "request"
        self._unsolicited = frozenset(profile.unsolicited.templates)
        self._open: dict[int, _Open] = {}
        self.outcomes: dict[int, Outcome] = {}

    def sent(self, sequence: int, request: Outgoing) -> None:
        """A request left under that number."""
        if not request.is_answered:
            return
        template = self._legacy.templates.get(request.template)
        answer = template.answer if template is not None else ""
        self._open[sequence] = _Open(answer, _reference(self._legacy, request), self._blocks(request))
        self.outcomes[sequence] = "unanswered"

    def _blocks(self, request: Outgoing) -> int:
        """How many instructions a request has: each is answered by itself."""
        template, split = self._legacy.templates.get(request.template), self._splits.get(request.template)
        if template is None or split is None or request.message_type not in template.message_types:
            return 1
        return max(1, len(template.check(request.message_type, read(request.body)).instances.get(split, ())))

    @property
    def open(self) -> int:
        """How many are not answered."""
        return len(self._open)

    def refused(self, sequence: int) -> None:
        """The PG refused the frame of that number."""
        if self._open.pop(sequence, None) is not None:
            self.outcomes[sequence] = "refused"

    def answered(self, frame: Frame) -> int:
        """The number of the request that this message answers; 0 when it came unasked."""
        if frame.template in self._unsolicited:
            return 0
        values = {field.value for field in read(frame.body).fields}
        named = (
            sequence
            for sequence, asked in self._open.items()
            if asked.answer == frame.template and asked.reference in values
        )
        # A marked one may be of an earlier session: only its reference says. An unmarked one comes in its turn.
        first = 0 if frame.possible_duplicate else next(iter(self._open), 0)
        while first and self._open[first].is_begun and self._open[first].reference not in values:
            del self._open[first]  # one answer was all: the message was refused as a whole
            first = next(iter(self._open), 0)
        sequence = first if self._in_order and first else next(named, first)
        asked_ = self._open.get(sequence)
        if asked_ is not None:
            self._take(sequence, asked_, frame)
        return sequence

    def _take(self, sequence: int, asked: _Open, frame: Frame) -> None:
        asked.is_begun = True
        asked.is_refused = asked.is_refused or self.is_refusal(frame)
        self.outcomes[sequence] = "refused" if asked.is_refused else "accepted"
        template = self._legacy.templates.get(frame.template)
        part = report_part(self.parts, frame.body) if frame.template in self._reports else None
        if part is not None and part.number < part.of:
            return
        if template is not None and template.goes_on(frame.message_type, read(frame.body)):
            return
        asked.due -= 1
        if asked.due <= 0:
            del self._open[sequence]

    def is_refusal(self, frame: Frame) -> bool:
        """The message says that its request was not accepted."""
        if frame.template in self._reports:
            return report_part(self.parts, frame.body) is None
        return any(
            (frame.template, field.tag, field.qualifier, field.value) in self._signs
            or any((frame.template, "", "", line) in self._signs for line in field.value.split("\r\n"))
            for field in read(frame.body).fields
        )


def refusal_signs(files: Mapping[str, str]) -> frozenset[_Sign]:
    """The constants of answers that stand there only when something is refused."""
    findings: list[Finding] = []
    rules = read_rule_set(files, findings)
    refusing: set[_Sign] = set()
    others: set[_Sign] = set()
    for located in rules.files:
        answer = located.file.answer
        if answer is None:
            continue
        values, blocks = rules.parts(located, answer)
        for _, value, _ in values:
            if value.constant:
                outcomes = _outcomes(value.when)
                sign = answer.template, "", "", value.constant
                (refusing if outcomes and outcomes <= _REFUSING else others).add(sign)
        for _, block, _ in blocks:
            for field in block.fields:
                if not field.constant:
                    continue
                tag, _, qualifier = field.field.rpartition("/")[2].partition(":")
                outcomes = _outcomes(block.when) or _outcomes(field.when)
                sign = answer.template, tag, qualifier, field.constant
                (refusing if outcomes and outcomes <= _REFUSING else others).add(sign)
    return frozenset(refusing - others)


def _outcomes(when: Mapping[str, Any]) -> frozenset[str]:
    """The outcomes that a condition names; none when it does not choose by outcome."""
    wanted = when.get(_OUTCOME)
    if isinstance(wanted, str):
        return frozenset({wanted})
    return frozenset(map(str, wanted)) if isinstance(wanted, list) else frozenset()


def _reference(legacy: LegacyProfile, request: Outgoing) -> str:
    template = legacy.templates.get(request.template)
    if template is None or request.message_type not in template.message_types:
        return ""
    spec = template.concept("request_reference", request.message_type)
    if spec is None:
        return ""
    fields: tuple[Field, ...] = read(request.body).fields
    return next((each.value for each in fields if (each.tag, each.qualifier) == (spec.tag, spec.qualifier)), "")
