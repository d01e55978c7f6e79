"""Legacy -> OCP: the request section of a rule file, compiled for one message type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.mapping.document import RequestRule, as_list
from pg_bridge.mapping.functions import FUNCTIONS, ToOcp
from pg_bridge.mapping.lineage import Fate, Lineage
from pg_bridge.profiles.legacy import CodeTable, LegacyProfile
from pg_bridge.profiles.template import Template

Values = dict[str, list[Field]]


@dataclass(slots=True)
class Outcome:
    """What the rules made of one message."""

    document: dict[str, Any]
    carried: dict[str, str]
    lineage: list[Lineage]
    findings: list[Finding]


class Rule:
    """One rule, with everything looked up."""

    __slots__ = ("carried", "codes", "fate", "fixed", "function", "name", "number", "reason", "sources", "targets")

    def __init__(self, number: str, rule: RequestRule, legacy: LegacyProfile, template: Template, type_: str) -> None:
        self.number = number
        self.sources = tuple(as_list(rule.from_))
        self.targets = tuple(tuple(target.split(".")) for target in as_list(rule.to))
        self.name = rule.use or ("codes" if rule.codes else "")
        self.function: ToOcp | None = FUNCTIONS[rule.use].to_ocp if rule.use else None
        self.codes: CodeTable | None = legacy.tables[rule.codes] if rule.codes else None
        self.carried = rule.carried
        self.fixed = rule.fixed
        self.fate: Fate = "carried" if rule.carried else "transformed" if self.name else "mapped"
        self.reason = ""
        for source in self.sources:
            spec = template.places.get((type_, source))
            if spec is not None and spec.reason:
                self.reason = spec.reason

    def apply(self, values: Values, context: Mapping[str, Any], type_: str, out: Outcome) -> None:
        """Write the rule's targets into `out`."""
        texts: list[str | None] = []
        for source in self.sources:
            fields = values.get(source)
            if fields is not None:
                texts.append(fields[0][3])
            elif source == "@message_type":
                texts.append(type_)
            elif source[:8] == "context.":
                there = context.get(source[8:])
                texts.append(None if there is None else str(there))
            else:
                texts.append(None)
        before = texts[0] if len(texts) == 1 else "/".join(text or "" for text in texts)
        if self.carried or self.fixed:
            if before is not None:
                if self.carried:
                    out.carried[self.carried] = before
                out.lineage.append(Lineage(self.carried, self.sources, before, before, self.number, "", "carried"))
            return
        try:
            results = self._results(texts, before)
        except ValueError as error:
            at = next((source for source in self.sources if source in values), self.sources[0])
            line = values[at][0].line if at in values else 0
            out.findings.append(Finding("PGB-MAP-003", "error", at, str(error), line, self.reason))
            return
        document = out.document
        shown = before or ""
        for target, value in zip(self.targets, results, strict=True):
            if len(target) == 1:
                document[target[0]] = value
            else:
                _nest(document, target, value)
            if value is not None:
                out.lineage.append(
                    Lineage(target[-1], self.sources, shown, str(value), self.number, self.name, self.fate)
                )

    def _results(self, texts: Sequence[str | None], before: str | None) -> tuple[Any, ...]:
        codes = self.codes
        if codes is None:
            return (before,) if self.function is None else self.function(texts)
        if self.function is not None and self.name == "stock_code":
            key: str | None = self.function(texts)[0]
        else:
            key = before
        if key is None:
            return (None,) * len(self.targets)
        code = codes.find(key)
        if code is None:
            raise ValueError(f"{key!r} is not in the code table {codes.name}")
        if self.function is not None and self.name != "stock_code":
            return self.function((code,))
        return (code,)


def _nest(document: dict[str, Any], target: tuple[str, ...], value: Any) -> None:
    for member in target[:-1]:
        # The blank document holds null there.
        if document.get(member) is None:
            document[member] = {}
        document = document[member]
    document[target[-1]] = value


class RequestMapping:
    """The rules of one template and message type."""

    def __init__(
        self,
        rules: Sequence[Rule],
        message_type: str,
        blank: Callable[[], dict[str, Any]],
        *,
        keeps_nulls: bool,
    ) -> None:
        self._rules = rules
        self._message_type = message_type
        self._blank = blank
        self._keeps_nulls = keeps_nulls

    def apply(self, values: Values, context: Mapping[str, Any]) -> Outcome:
        """The document, what is carried, the lineage, and what failed."""
        out = Outcome(self._blank(), {}, [], [])
        for rule in self._rules:
            rule.apply(values, context, self._message_type, out)
        if not self._keeps_nulls:
            out.document = {name: value for name, value in out.document.items() if value is not None}
        return out
