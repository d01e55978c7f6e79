"""Sections of rule files, compiled: for each template and message type the rules that can act in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks.request_check import REFERENCE
from pg_bridge.mapping.field import Sources, getter
from pg_bridge.mapping.message import MessageMapping
from pg_bridge.mapping.pages import PagedMapping
from pg_bridge.mapping.places import Places, below, places_of
from pg_bridge.mapping.request import Act, compile_rule, stands
from pg_bridge.mapping.request_mapping import EachMapping, RequestMapping
from pg_bridge.mapping.rule_set import Located, RuleSet
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import NAMES_AN_SI, Operation
from pg_bridge.profiles.legacy import CodeTable, LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, Template


@dataclass(frozen=True, slots=True)
class CompiledRequest:
    """A request section for one message type. name: as lineage and journal tell it."""

    template: Template
    message_type: str
    operation: Operation | None
    mapping: RequestMapping
    name: str
    reference: FieldSpec
    #: concepts that may have to be filled in
    sought: tuple[str, ...]
    #: the sequence each of which is an instruction of its own
    split: str


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """An answer or message section. table, gets: what chooses the message type, where that is not always the same."""

    template: str
    message_type: str
    table: CodeTable | None
    gets: tuple[Callable[[Sources], Any], ...]
    mappings: dict[str, MessageMapping]
    name: str
    #: `ocp` of the sources is an array of entries
    is_list: bool


def shared_targets(rules: Iterable[d.RequestRule]) -> frozenset[str]:
    """The targets that several rules may feed."""
    counts = Counter(target for rule in rules for target in rule.targets())
    return frozenset(target for target, count in counts.items() if count > 1)


class Compiler:
    """Compiles the sections of one set, whose rules are known to be sound."""

    def __init__(self, legacy: LegacyProfile, ocp: OcpProfile, rules: RuleSet) -> None:
        self._legacy = legacy
        self._ocp = ocp
        self._rules = rules

    def requests(self, located: Located, section: d.RequestSection, name: str) -> Iterator[CompiledRequest]:
        """A request section, once for each message type of its template."""
        template = self._legacy.templates[section.template]
        operation = None if section.report else Operation(section.operation)
        members = Members(self._ocp.openapi, d.shape_of(section))
        keeps_nulls = operation is not None and self._ocp.operations[operation].writes
        for type_ in template.message_types:
            places = places_of(template, type_)
            reference = template.concept(REFERENCE, type_)
            if reference is None:
                continue  # `check` tells it
            acts = self._acts(located, "request.rule", section.rule, places, type_)
            each = [
                EachMapping(
                    each.at,
                    each.to,
                    self._acts(located, f"request.each[{number}].rule", each.rule, below(places, each.at), type_),
                    members.items(each.to),
                    keeps_nulls=keeps_nulls,
                )
                for number, each in enumerate(section.each)
            ]
            yield CompiledRequest(
                template=template,
                message_type=type_,
                operation=operation,
                mapping=RequestMapping(acts, members, each, keeps_nulls=keeps_nulls, sought=section.sought),
                name=name,
                reference=reference,
                sought=tuple(
                    concept
                    for concept in NAMES_AN_SI
                    if ".".join(self._ocp.place("si", concept).members) in section.sought
                ),
                split=section.split,
            )

    def _acts(self, located: Located, at: str, rules: Sequence[d.RequestRule], places: Places, type_: str) -> list[Act]:
        """The rules that can act in one message type, compiled."""
        active = [
            (number, rule)
            for number, rule in enumerate(rules)
            if rule.constant or any(stands(places, source) for source in rule.sources())
        ]
        shared = shared_targets(rule for _, rule in active)
        return [
            compile_rule(
                located.rule_name(f"{at}[{number}]"),
                rule,
                self._legacy.tables,
                places,
                type_,
                is_shared_target=any(target in shared for target in rule.targets()),
                profile=self._rules.profile,
            )
            for number, rule in active
        ]

    def message(self, located: Located, section: d.MessageSection, name: str) -> CompiledMessage:
        """An answer or message section; it may choose its message type by a table."""
        template = self._legacy.templates[section.template]
        chosen = section.message_type if isinstance(section.message_type, d.ByTable) else None
        values, blocks = self._rules.parts(located, section)
        named = [(number, block) for number, block, _ in blocks]
        only_values = [value for _, value, _ in values]
        tables, profile = self._legacy.tables, self._rules.profile

        def mapping(type_: str) -> MessageMapping:
            if section.pages is not None:
                return PagedMapping(only_values, named, template, type_, tables, section.pages, profile)
            return MessageMapping(only_values, named, template, type_, tables, profile)

        return CompiledMessage(
            template=template.name,
            message_type="" if isinstance(section.message_type, d.ByTable) else section.message_type,
            table=self._legacy.tables[chosen.codes] if chosen is not None else None,
            gets=tuple(getter(source) for source in chosen.sources()) if chosen is not None else (),
            mappings={type_: mapping(type_) for type_ in template.message_types},
            name=name,
            is_list=section.pages is not None,
        )
