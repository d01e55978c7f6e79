"""Texts for `profile.*`, learnt from what the PG itself wrote to the participant, at the places where rules write them.

Only a place where one and the same text stood every time teaches it: of two, neither can be chosen without guessing.
"""

from __future__ import annotations

from collections import Counter

from pg_bridge.formats.iso15022.reader import read
from pg_bridge.mapping.book import MappingBook
from pg_bridge.mapping.checks.profile_texts import profile_findings
from pg_bridge.mapping.learning import lesson as le
from pg_bridge.mapping.learning.sample import Sample
from pg_bridge.mapping.request import PROFILE

_MOST_TEXTS = 2


class ProfileTexts:
    """What stands at the places where the rules write the participant's texts."""

    def __init__(self, book: MappingBook) -> None:
        self._book = book
        #: template -> place -> name of the text
        self._places: dict[str, dict[str, str]] = {}
        self._found: dict[str, Counter[str]] = {}
        self._first_place: dict[str, str] = {}
        for located in book.rules.files:
            for section in (located.file.answer, located.file.message):
                if section is None:
                    continue
                for _, block, _ in book.rules.parts(located, section)[1]:
                    for rule in block.fields:
                        for source in rule.sources() if not (rule.use or rule.codes) else ():
                            if source.startswith(PROFILE):
                                places = self._places.setdefault(section.template, {})
                                places[block.place(rule.field)] = source.removeprefix(PROFILE)

    def add(self, sample: Sample) -> None:
        """One message of the PG to the participant."""
        places = self._places.get(sample.template)
        template = self._book.legacy.templates.get(sample.template)
        if not places or template is None or sample.message_type not in template.message_types:
            return
        checked = template.check(sample.message_type, read(sample.body), lenient=True)
        for place, name in places.items():
            for field in checked.values.get(place, ()):
                texts = self._found.setdefault(name, Counter())
                if field.value in texts or len(texts) < _MOST_TEXTS:
                    texts[field.value] += 1
                self._first_place.setdefault(name, place)

    def told(self, participant: str) -> tuple[le.LearntText, ...]:
        """The texts that differ from the set's own and that its rules can write."""
        learnt = []
        for name, texts in sorted(self._found.items()):
            ((text, times), *others) = texts.most_common()
            if others or text == self._book.rules.profile.get(name):
                continue
            if not profile_findings(self._book, participant, {name: text}):
                learnt.append(le.LearntText(name=name, text=text, place=self._first_place[name], times=times))
        return tuple(learnt)
