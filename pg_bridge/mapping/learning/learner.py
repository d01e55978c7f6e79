"""Samples in, a lesson out.

Strategy: every message is judged by the book itself, as the bridge would, by the strict profile and, where that refuses
it, by the lenient one; what is told of a refusal is what the bridge would say. How a message is written is counted from
the template check beside it. Only counts are kept, so that a million messages take no more memory than a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pg_bridge.errors import Finding, MappingMissing
from pg_bridge.formats.iso15022.model import Message
from pg_bridge.formats.iso15022.reader import read
from pg_bridge.link.framing import BadFrame
from pg_bridge.link.profile import LinkProfile
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.learning import lesson as le
from pg_bridge.mapping.learning.causes import FRAME_FAULT, NO_FRAME, NOT_SERVED, Causes
from pg_bridge.mapping.learning.mask import mask
from pg_bridge.mapping.learning.references import References, Repeat
from pg_bridge.mapping.learning.sample import Sample
from pg_bridge.mapping.learning.texts import ProfileTexts
from pg_bridge.mapping.learning.usage import Usage
from pg_bridge.mapping.translated import Request

_FRAME_FAULTS = {
    "length": "the length in the header is not that of the text",
    "checksum": "the checksum in the trailer is not that of the frame",
    "character": "the frame holds bytes outside its character set",
}
_INSTRUCT = "instruct"


class Learner:
    """Learns from the samples of one participant; of others it counts them. shows_values: do not mask them.

    participant: empty: that of the first sample. template_files: the file of each template, for remedies.
    """

    def __init__(
        self,
        book: MappingBook,
        link: LinkProfile,
        participant: str,
        template_files: Mapping[str, str],
        *,
        shows_values: bool = False,
    ) -> None:
        self._book = book
        self._link = link
        self.participant = participant
        self._shows_values = shows_values
        self._controls = {control.template for control in link.control.templates.values()}
        rules = {located.file.request.template: located.path for located in book.rules.files if located.file.request}
        self._causes = Causes(template_files, rules, shows_values=shows_values)
        self._usages: dict[tuple[str, str], Usage] = {}
        self._references = References()
        self._texts = ProfileTexts(book)
        self._messages = self._refused = self._refused_leniently = self._control = self._to_pss = self._others = 0
        self._same = self._other = self._undated = 0

    def take(self, sample: Sample, context: Mapping[str, Any], *, is_dated: bool = False) -> None:
        """Learn from one message. context: what the rules may ask for on the day it was sent; is_dated: it is known."""
        self.participant = self.participant or sample.participant
        if sample.participant != self.participant:
            self._others += 1
        elif sample.template in self._controls and sample.message_type == self._link.control.message_type:
            self._control += 1
        elif sample.is_to_pss:
            self._to_pss += 1
            self._texts.add(sample)
        else:
            self._judge(sample, context, is_dated=is_dated)

    def take_bad(self, bad: BadFrame, file: str, number: int) -> None:
        """Learn from bytes that are no frame: a message that the bridge would not even read."""
        self._messages += 1
        self._refused += 1
        self._refused_leniently += 1
        text = bad.text if self._shows_values else bad.text.partition(", b")[0]
        sample = Sample(file, number, self.participant, "", "", b"")
        self._causes.add(sample, [Finding(NO_FRAME, "error", "", text)], {})

    def _judge(self, sample: Sample, context: Mapping[str, Any], *, is_dated: bool) -> None:
        self._messages += 1
        faults = [
            Finding(FRAME_FAULT, "error", meaning, _FRAME_FAULTS.get(meaning, meaning))
            for meaning in sample.faults
            if self._rejects(meaning)
        ]
        key = (sample.template, sample.message_type)
        strict: Request | None = None
        if key not in self._book.legacy.request_templates:
            text = "no template of this name and message type may come from a PSS"
            faults.append(Finding(NOT_SERVED, "error", " ".join(key), text))
        else:
            try:
                strict = self._book.read_request(*key, sample.body, context)
            except MappingMissing:
                faults.append(Finding(NOT_SERVED, "error", " ".join(key), "the template has no rules yet"))
        lenient = strict
        if strict is not None and _is_refused(strict):
            lenient = self._book.read_request(*key, sample.body, context, lenient=True)
        findings = list(faults)
        is_refused_leniently = bool(faults)
        if strict is not None and lenient is not None:
            findings += [finding for finding in strict.findings if finding.severity == "error"]
            is_refused_leniently |= _is_refused(lenient)
            if strict.effect == _INSTRUCT and strict.reference:
                day = str(context.get("business_date")) if is_dated else ""
                taken = (not findings, not is_refused_leniently)
                again = self._look_up(day, strict.reference, sample.body, taken)
                findings += self._used_before(key, strict.reference) if again[0] else []
                is_refused_leniently |= again[1]
        self._refused += bool(findings)
        self._refused_leniently += is_refused_leniently
        self._count(sample, findings, is_refused_leniently=is_refused_leniently)

    def _look_up(self, day: str, reference: str, body: bytes, taken: tuple[bool, bool]) -> tuple[bool, bool]:
        """Whether another text of that day has the reference: to the strict and to the lenient profile.

        taken: whether each takes the message but for this. Without a day it is told, and nothing is refused for it.
        """
        strict = self._references.judge(day, reference, body, lenient=False)
        lenient = self._references.judge(day, reference, body, lenient=True)
        self._same += lenient is Repeat.SAME
        if lenient is Repeat.OTHER:
            self._other += bool(day)
            self._undated += not day
        if strict is Repeat.FIRST and taken[0]:
            self._references.take(day, reference, body, is_lenient_only=False)
        elif lenient is Repeat.FIRST and taken[1]:
            self._references.take(day, reference, body, is_lenient_only=True)
        return bool(day) and strict is Repeat.OTHER and taken[0], bool(day) and lenient is Repeat.OTHER and taken[1]

    def _used_before(self, key: tuple[str, str], reference: str) -> list[Finding]:
        return [self._book.duplicate_reference(*key, reference if self._shows_values else mask(reference))]

    def _count(self, sample: Sample, findings: list[Finding], *, is_refused_leniently: bool) -> None:
        """Count how the message is written, and why it is refused."""
        key = (sample.template, sample.message_type)
        message = read(sample.body)
        if key in self._book.legacy.request_templates:
            template = self._book.legacy.templates[sample.template]
            usage = self._usages.get(key)
            if usage is None:
                usage = self._usages[key] = Usage(template, sample.message_type, shows_values=self._shows_values)
            checked = template.check(sample.message_type, message, lenient=True)
            usage.add(message, checked, sample.line_ends, is_carried=not is_refused_leniently)
            usage.refused += bool(findings)
            usage.refused_leniently += is_refused_leniently
        if findings:
            self._causes.add(sample, findings, {} if self._shows_values else _values(message))

    def _rejects(self, meaning: str) -> bool:
        """Whether the session refuses a frame for this fault, as the link profile says."""
        mismatches = {"length": self._link.length.mismatch, "checksum": self._link.checksum.mismatch}
        return mismatches.get(meaning, "reject") == "reject"

    def lesson(self) -> le.Lesson:
        """What was learnt so far."""
        return le.Lesson(
            participant=self.participant,
            messages=self._messages,
            refused=self._refused,
            refused_leniently=self._refused_leniently,
            control=self._control,
            to_pss=self._to_pss,
            others=self._others,
            is_lenient_advised=self._refused_leniently < self._refused,
            uses=tuple(usage.told() for _, usage in sorted(self._usages.items())),
            causes=self._causes.told(),
            beyond=self._causes.beyond,
            repeats=le.Repeats(
                same=self._same, other=self._other, undated=self._undated, is_whole=self._references.is_whole
            ),
            texts=self._texts.told(self.participant),
        )


def _is_refused(request: Request) -> bool:
    return any(finding.severity == "error" for finding in request.findings)


def _values(message: Message) -> dict[int, tuple[str]]:
    """What stands in each line that begins a field."""
    return {field.line: (field.raw,) for field in message.fields}
