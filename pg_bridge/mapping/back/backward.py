"""OCP -> legacy by the rules of a request: the message that a PSS would have sent for a document.

Strategy: each rule is turned round by the inverse of its function and table. A target is taken back by the first rule
that can, a place is written once. What a rule cannot turn round stays out; the caller reads the message forward again
and sees what came back otherwise, so nothing is lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.iso15022.rules import CHECKS
from pg_bridge.mapping.back.layout import lay_out
from pg_bridge.mapping.conditions import Holds, compile_condition
from pg_bridge.mapping.document import Each, RequestRule
from pg_bridge.mapping.field import DOES_NOT_FIT, NO_PROFILE, NOT_CONVERTED
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.lineage import Fate, Lineage, word
from pg_bridge.mapping.places import Places, below, places_of
from pg_bridge.mapping.request import CONTEXT, MESSAGE_TYPE, PROFILE, is_root
from pg_bridge.mapping.schema import value_at
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import FieldSpec, Template

Document = Mapping[str, Any]
Tables = Mapping[str, CodeTable]


@dataclass(slots=True)
class _Sheet:
    """What was written so far of a message, or of one item of it."""

    texts: dict[str, str] = field(default_factory=dict)
    lineage: list[Lineage] = field(default_factory=list)
    fed: set[str] = field(default_factory=set)


class WrongTypeError(Exception):
    """The document is not one of this message type."""


def keys_of(table: CodeTable, code: str) -> list[str]:
    """The keys of a table that give `code`, the preferred one first."""
    first = table.inverse.get(code)
    return ([] if first is None else [first]) + [
        key for key, value in table.entries.items() if value == code and key != first
    ]


class BackRules:
    """One list of rules turned round, for one message type. rules: each with its name for lineage."""

    def __init__(
        self,
        rules: Sequence[tuple[str, RequestRule]],
        places: Places,
        type_: str,
        tables: Tables,
        profile: Mapping[str, str] = NO_PROFILE,
    ) -> None:
        self._places = places
        self._type = type_
        self._tables = tables
        self._profile = profile
        self._rules = [(name, rule) for name, rule in rules if not rule.refused]

    def write(self, document: Document, carried: Mapping[str, str], context: Mapping[str, Any], suffix: str) -> _Sheet:
        """The texts of the places. Raises WrongTypeError, MappingFailed."""
        sheet = _Sheet()
        for name, rule in self._rules:
            if rule.carried:
                text = carried.get(rule.carried + suffix, rule.default or None)
                place = next((source for source in rule.sources() if source in self._places), None)
                if text is not None and place is not None:
                    self._put(sheet, rule, {place: text}, name, (rule.carried,), text, "carried")
                continue
            self._turn(sheet, name, rule, document, context)
        return sheet

    def _turn(
        self, sheet: _Sheet, name: str, rule: RequestRule, document: Document, context: Mapping[str, Any]
    ) -> None:
        targets = rule.targets()
        values = [value_at(document, target) for target in targets]
        if all(value is None for value in values) or sheet.fed.issuperset(targets) or rule.constant:
            return
        try:
            texts = self._texts(rule, values, context)
        except ValueError as error:
            text = str(error)
            raise MappingFailed(
                f"writing {', '.join(rule.sources())}: {text}",
                findings=(Finding(NOT_CONVERTED, "error", ", ".join(targets), text),),
            ) from error
        if not texts or not self._holds(rule, texts, sheet, context):
            return
        function = rule.use or ("codes" if rule.codes else "")
        before = "/".join(word(value) for value in values)
        self._put(sheet, rule, texts, name, targets, before, "transformed" if function else "mapped")
        sheet.fed.update(targets)

    def _texts(self, rule: RequestRule, values: Sequence[Any], context: Mapping[str, Any]) -> dict[str, str]:
        """The text of each source that stands in this message type; empty where the rule has no way back."""
        function = FUNCTIONS[rule.use] if rule.use else None
        if function is not None and (function.to_legacy is None or function.is_before_codes):
            return {}
        whole: Any = next((value for value in values if value is not None), None)
        if function is not None and function.to_legacy is not None:
            whole = function.to_legacy(rule.options)(values)
            if whole is None:
                return {}
        standing = [source for source in rule.sources() if source in self._places]
        if not rule.codes:
            if not isinstance(whole, str):
                whole = word(whole)
            if not standing:
                return {}
            return {standing[0]: whole}
        keys = keys_of(self._tables[rule.codes], word(whole))
        for key in keys:
            texts = self._parts(rule.sources(), key, context)
            if texts is not None:
                return texts
        if keys and any(source == MESSAGE_TYPE for source in rule.sources()):
            raise WrongTypeError
        raise ValueError(f"{whole!r} is not in the code table {rule.codes}")

    def _parts(self, sources: Sequence[str], key: str, context: Mapping[str, Any]) -> dict[str, str] | None:
        """The parts of a key by source; None where a part is not what it must be here."""
        parts = key.split("/") if len(sources) > 1 else [key]
        if len(parts) != len(sources):
            return None
        texts: dict[str, str] = {}
        for source, part in zip(sources, parts, strict=True):
            if source in self._places:
                if part:
                    texts[source] = part
                continue
            if part != (self._root(source, context) or ""):
                return None
        return texts

    def _root(self, source: str, context: Mapping[str, Any]) -> str | None:
        if source == MESSAGE_TYPE:
            return self._type
        if source.startswith(CONTEXT):
            value = context.get(source.removeprefix(CONTEXT))
            return None if value is None else word(value)
        if source.startswith(PROFILE):
            own: Mapping[str, str] = context.get("profile") or NO_PROFILE
            name = source.removeprefix(PROFILE)
            return own.get(name, self._profile.get(name)) or None
        return None

    def _holds(self, rule: RequestRule, texts: Mapping[str, str], sheet: _Sheet, context: Mapping[str, Any]) -> bool:
        """Whether the rule would act on the message as it is written so far."""

        def get(source: str) -> Callable[[None], str | None]:
            return lambda _: (
                self._root(source, context) if is_root(source) else texts.get(source, sheet.texts.get(source))
            )

        holds: Holds[None] | None = compile_condition(rule.when, get)
        return holds is None or holds(None)

    def _put(
        self,
        sheet: _Sheet,
        rule: RequestRule,
        texts: Mapping[str, str],
        name: str,
        members: tuple[str, ...],
        before: str,
        fate: Fate,
    ) -> None:
        for place, text in texts.items():
            if place in sheet.texts:
                continue
            _check(self._places[place], text)
            sheet.texts[place] = text
            function = rule.use or ("codes" if rule.codes else "")
            sheet.lineage.append(Lineage(place, members, before, text, name, function, fate))


class RequestWriter:
    """The request section of a rule file turned round, for one message type."""

    def __init__(
        self,
        rules: Sequence[tuple[str, RequestRule]],
        each: Sequence[tuple[Each, Sequence[tuple[str, RequestRule]]]],
        template: Template,
        type_: str,
        tables: Tables,
        profile: Mapping[str, str],
    ) -> None:
        self._template = template
        self._type = type_
        places = places_of(template, type_)
        self._rules = BackRules(rules, places, type_, tables, profile)
        self._each = [
            (array, BackRules(inner, below(places, array.at), type_, tables, profile)) for array, inner in each
        ]

    def write(
        self, document: Document, carried: Mapping[str, str], context: Mapping[str, Any]
    ) -> tuple[list[str], list[Lineage]]:
        """The message's lines, with lineage. Raises WrongTypeError, MappingFailed."""
        sheet = self._rules.write(document, carried, context, "")
        items: dict[str, list[dict[str, str]]] = {}
        lineage = list(sheet.lineage)
        for array, rules in self._each:
            for number, item in enumerate(value_at(document, array.to) or (), 1):
                suffix = f"#{number}" if number > 1 else ""
                inner = rules.write(item, carried, context, suffix)
                items.setdefault(array.at, []).append(
                    {f"{array.at}/{place}": text for place, text in inner.texts.items()}
                )
                lineage += [_of_item(told, array, suffix) for told in inner.lineage]
        return lay_out(self._template, self._type, sheet.texts, items), lineage


def _of_item(told: Lineage, array: Each, suffix: str) -> Lineage:
    sources = tuple(f"{array.to}.{source}{suffix}" for source in told.sources)
    target = f"{array.at}/{told.target}{suffix}"
    return Lineage(target, sources, told.before, told.after, told.rule, told.function, told.kind)


def _check(spec: FieldSpec, text: str) -> None:
    """Raise MappingFailed unless the text fits the field."""
    if spec.pattern.fullmatch(text) is None or (spec.values and text not in spec.values):
        fault = f"{text!r} does not fit {spec.format}"
    else:
        fault = next((f"{text!r} is not {CHECKS[name][1]}" for name in spec.checks if not CHECKS[name][0](text)), "")
    if fault:
        finding = Finding(DOES_NOT_FIT, "error", spec.place, fault)
        raise MappingFailed(f"writing {spec.place}: {fault}", findings=(finding,))
