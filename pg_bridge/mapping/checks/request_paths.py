"""What a request section does on each path of one message type: members not fed, fields lost, rules that never act.

A path says of each field that conditions or rules look at whether it stands and, where that matters, with which value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.checks.part_check import Tables
from pg_bridge.mapping.checks.paths import (
    DATES,
    OTHER,
    Budget,
    Domain,
    Path,
    domain,
    holds_on,
    mentions,
    paths,
    profile_domain,
    words,
)
from pg_bridge.mapping.conditions import condition_sources
from pg_bridge.mapping.document import RequestRule
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.places import Places, always_there
from pg_bridge.mapping.request import CONTEXT, MESSAGE_TYPE, PROFILE, stands
from pg_bridge.mapping.rule_set import OwnTexts
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.template import Template


class PathCheck:
    """One list of rules in one message type. at: the sequence in which its places stand, empty: the whole message."""

    def __init__(
        self,
        rules: Sequence[RequestRule],
        template: Template,
        type_: str,
        places: Places,
        tables: Tables,
        budget: Budget,
        own: OwnTexts,
        at: str = "",
    ) -> None:
        self._budget = budget
        self._own = own
        self._rules = rules
        self._type = type_
        self._places = places
        self._tables = tables
        self._mentions = mentions(rule.when for rule in rules)
        self._holds = [holds_on(rule.when) for rule in rules]
        # In an item of an array its own mandatory fields are there; in a message those of sequences always there.
        self._always = (
            frozenset(place for place, spec in places.items() if spec.mandatory and "/" not in place)
            if at
            else always_there(template, type_)
        )
        targets = [target for rule in rules for target in rule.targets()]
        self._shared = frozenset(target for target in targets if targets.count(target) > 1)

    # --- questions ---------------------------------------------------------------------------------------------

    def not_fed(self, members: Members, name: str, fed_elsewhere: Iterable[str] = ()) -> Faults:
        """Mandatory members that some message gives no value."""
        for member in members.required:
            numbers = [
                number for number, rule in enumerate(self._rules) if member in rule.targets() and self._can_stand(rule)
            ]
            if not numbers or member in fed_elsewhere:
                continue
            domains = self._domains([*numbers, *self._refusals(numbers)])
            if not self._budget.takes(domains):
                yield Fault(f.TOO_MUCH, f"{member} depends on too many conditions to check", f"{name}[{numbers[0]}]")
                continue
            for path in paths(domains, self._is_possible):
                if not any(self._gives(number, path) for number in numbers) and not self._is_refused(path):
                    text = f"the mandatory member {member} gets no value in MT{self._type} {self._words(path)}".rstrip()
                    yield Fault(f.NOT_FED, text, f"{name}[{numbers[0]}]")
                    break

    def lost(self, name: str) -> Faults:
        """Fields that stand in some message and that no rule takes there."""
        for place, spec in self._places.items():
            if len(spec.values) == 1:
                continue
            own = [number for number, rule in enumerate(self._rules) if place in rule.sources()]
            if not own:
                continue
            targets = {target for number in own for target in self._rules[number].targets()}
            rivals = [
                number
                for number, rule in enumerate(self._rules)
                if number not in own and targets & set(rule.targets()) & self._shared
            ]
            numbers = sorted([*own, *rivals])
            domains = self._domains([*numbers, *self._refusals(numbers)])
            if not self._budget.takes(domains):
                yield Fault(f.TOO_MUCH, f"{place} depends on too many conditions to check", f"{name}[{own[0]}]")
                continue
            for path in paths(domains, self._is_possible):
                if path.get(place) is None or self._is_refused(path):
                    continue
                if not self._takes(numbers, place, path):
                    others = {source: value for source, value in path.items() if source != place or value != OTHER}
                    text = f"{place} is lost in MT{self._type} {self._words(others)}".rstrip()
                    yield Fault(f.FORGOTTEN, f"{text}: no rule takes it there", f"{name}[{own[0]}]")
                    break

    def codes_missing(self, name: str) -> Faults:
        """Keys that messages may have and a table has no code for."""
        for number, rule in enumerate(self._rules):
            if not rule.codes or rule.use or not self._can_stand(rule) or len(rule.sources()) < 2:
                continue
            table = self._tables[rule.codes]
            missing: dict[str, None] = {}
            domains = self._domains([number])
            if not self._budget.takes(domains):
                text = f"the keys of the table {table.name} depend on too many conditions to check"
                yield Fault(f.TOO_MUCH, text, f"{name}[{number}]")
                continue
            for path in paths(domains, self._is_possible):
                values = [path.get(source) for source in rule.sources()]
                if OTHER in values or not self._holds[number](path):
                    continue
                key = "/".join("" if value is None else str(value) for value in values)
                if table.find(key) is None:
                    missing[key] = None
            for key in missing:
                text = f"the table {table.name} has no code for {key!r}, which MT{self._type} allows"
                yield Fault(f.TABLE_INCOMPLETE, text, f"{name}[{number}]")

    def acting(self) -> set[int]:
        """The rules that act in some message of this type."""
        found: set[int] = set()
        for number, rule in enumerate(self._rules):
            if not self._can_stand(rule):
                continue
            target = rule.targets()[0] if rule.targets() else ""
            rivals = [
                other for other in range(number) if target in self._shared and target in self._rules[other].targets()
            ]
            domains = self._domains([number, *rivals])
            if not self._budget.takes(domains):
                found.add(number)
                continue
            for path in paths(domains, self._is_possible):
                if self._acts(number, path) and not any(self._gives(other, path) for other in rivals):
                    found.add(number)
                    break
        return found

    # --- one rule on one path ----------------------------------------------------------------------------------

    def _can_stand(self, rule: RequestRule) -> bool:
        return bool(rule.constant) or any(stands(self._places, source) for source in rule.sources())

    def _gives(self, number: int, path: Path) -> bool:
        """Whether the rule gives its targets a value."""
        rule = self._rules[number]
        if not rule.targets() or not self._holds[number](path):
            return False
        if rule.constant or rule.default or (rule.codes and len(rule.sources()) > 1) or is_of_everything(rule):
            return True
        return any(path.get(source) is not None for source in rule.sources())

    def _acts(self, number: int, path: Path) -> bool:
        rule = self._rules[number]
        if rule.targets():
            return self._gives(number, path)
        if rule.refused and rule.when:
            return self._holds[number](path)
        return self._holds[number](path) and any(path.get(source) is not None for source in rule.sources())

    def _takes(self, numbers: Sequence[int], place: str, path: Path) -> bool:
        """Whether one of the rules takes the field's value, in the order in which they act."""
        fed: set[str] = set()
        for number in numbers:
            rule = self._rules[number]
            if not self._acts(number, path):
                continue
            if rule.targets() and rule.targets()[0] in fed and rule.targets()[0] in self._shared:
                continue
            fed.update(rule.targets())
            if place not in rule.sources():
                continue
            joins = bool(rule.codes) and len(rule.sources()) > 1
            first = next((source for source in rule.sources() if path.get(source) is not None), "")
            if joins or rule.refused or first == place:
                return True
        return False

    def _refusals(self, numbers: Iterable[int]) -> list[int]:
        """The refusing rules that look at a source that these rules look at."""
        sources = {source for number in numbers for source in self._sources(self._rules[number])}
        return [
            number
            for number, rule in enumerate(self._rules)
            if rule.refused and sources & set(self._sources(rule)) and self._can_stand(rule)
        ]

    def _is_refused(self, path: Path) -> bool:
        return any(
            rule.refused and all(source in path for source in condition_sources(rule.when)) and self._acts(number, path)
            for number, rule in enumerate(self._rules)
        )

    # --- paths -------------------------------------------------------------------------------------------------

    @staticmethod
    def _sources(rule: RequestRule) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*rule.sources(), *condition_sources(rule.when))))

    def _domains(self, numbers: Iterable[int]) -> list[Domain]:
        sources = dict.fromkeys(source for number in numbers for source in self._sources(self._rules[number]))
        coded = {source for number in numbers for source in self._rules[number].sources() if self._rules[number].codes}
        return [self._domain(source, is_coded=source in coded) for source in sources]

    def _domain(self, source: str, *, is_coded: bool) -> Domain:
        mention = self._mentions.get(source)
        if source == MESSAGE_TYPE:
            return Domain(source, (self._type,))
        if source.startswith(PROFILE):
            return profile_domain(source, mention, self._own)
        if source.startswith(CONTEXT):
            is_date = mention is not None and mention.is_date
            return Domain(source, (DATES[1],)) if is_date else domain(source, mention, is_optional=False)
        spec = self._places.get(source)
        if spec is None:
            return Domain(source, (None,))
        codes = spec.values if is_coded or (mention is not None and mention.values) else ()
        return domain(source, mention, codes=codes, is_optional=source not in self._always)

    def _is_possible(self, path: Path) -> bool:
        """A mandatory field is there as soon as anything of its sequence is."""
        there = [place for place, value in path.items() if value is not None and place in self._places]
        for place, value in path.items():
            spec = self._places.get(place)
            if value is not None or spec is None or not spec.mandatory or "/" not in place:
                continue
            beside = f"{place.rpartition('/')[0]}/"
            if any(other.startswith(beside) for other in there):
                return False
        return True

    def _words(self, path: Path) -> str:
        """The path for a person, without what is so in every message of the type."""
        return words(
            {
                source: value
                for source, value in path.items()
                if source != MESSAGE_TYPE and not (source in self._always and value == OTHER)
            }
        )


def is_of_everything(rule: RequestRule) -> bool:
    """A function that gives a value even of nothing, as the key of a table."""
    return bool(rule.use) and FUNCTIONS[rule.use].is_before_codes
