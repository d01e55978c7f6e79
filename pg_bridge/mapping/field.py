"""One field of a message to the PSS: its sources, its text, its line, its lineage, compiled.

Every source of a section has a numbered slot, filled once a message; conditions and fields read slots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from pg_bridge.errors import Finding, MappingFailed
from pg_bridge.formats.iso15022.rules import CHECKS
from pg_bridge.mapping.conditions import Holds, choosing_sources, compile_condition
from pg_bridge.mapping.conversions import Cut
from pg_bridge.mapping.document import FieldRule, Part
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.lineage import Fate, Lineage, word
from pg_bridge.mapping.places import line_start
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import FieldSpec

NOT_CONVERTED = "PGB-MAP-003"
DOES_NOT_FIT = "PGB-MAP-004"
LOST = "PGB-MAP-005"
NOTHING_GIVES = "PGB-MAP-006"

#: Conversions remembered for each field: statuses, dates and securities come again and again; values that go as they
#: are less often (accounts, parties, but references too).
MOST_REMEMBERED = 4096
MOST_REMEMBERED_AS_THEY_ARE = 256

ITEM = "item."
VALUE = "value."
PROFILE = "profile"

NO_PROFILE: Mapping[str, str] = {}

#: how lineage names the choice of a constant by a condition
CHOICE = "when"

Sources = Mapping[str, Any]
Slots = list[Any]
Line = Callable[["Draft"], str | None]


@dataclass(slots=True)
class Origins:
    """Of each named value: the sources that it comes from in the end, and the function or table that makes it."""

    sources: dict[str, tuple[str, ...]]
    functions: dict[str, str]

    def add(self, name: str, part: Part) -> None:
        """Take in a value, which may use those taken in before."""
        own = part.sources() or tuple(choosing_sources(part.when))
        known = [origin for source in own for origin in self.sources.get(source, (source,))]
        self.sources[name] = tuple(dict.fromkeys(known))
        self.functions[name] = part.use or ("codes" if part.codes else CHOICE)


@dataclass(slots=True)
class Draft:
    """A message being written. slots: every source's value; suffix: which item of an array this is, from the second."""

    slots: Slots
    lines: list[str]
    open: tuple[str, ...]
    written: set[str]
    lineage: list[Lineage]
    findings: list[Finding]
    suffix: str = ""


def getter(path: str, profile: Mapping[str, str] = NO_PROFILE) -> Callable[[Sources], Any]:
    """Fetch a dotted path of the sources; None where any member is absent.

    profile: the set's own texts, for `profile.*` of a participant who has none of its own. An empty text is absent.
    """
    root, _, rest = path.partition(".")
    if root == PROFILE:
        default = profile.get(rest)

        def of_profile(sources: Sources) -> Any:
            context = sources.get("context")
            own = context.get(PROFILE) if context else None
            return (own.get(rest, default) if own else default) or None

        return of_profile
    members = rest.split(".") if rest else []
    if len(members) == 1:
        name = members[0]

        def two(sources: Sources) -> Any:
            document = sources.get(root)
            return document.get(name) if document else None

        return two

    def many(sources: Sources) -> Any:
        value: Any = sources.get(root)
        for member in members:
            if not isinstance(value, Mapping):
                return None
            value = value.get(member)
        return value

    return many


class SlotPlan:
    """Which source's value lies in which slot."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, source: str) -> int:
        """The slot of a source, a new one for a new source."""
        return self._numbers.setdefault(source, len(self._numbers))

    def get(self, source: str) -> Callable[[Slots], Any]:
        """The getter of a source from filled slots."""
        return itemgetter(self.number(source))

    def sources(self) -> list[tuple[int, str]]:
        """Every slot and its source."""
        return [(number, source) for source, number in self._numbers.items()]

    def __len__(self) -> int:
        return len(self._numbers)


def compile_text(
    part: Part, plan: SlotPlan, tables: Mapping[str, CodeTable], place: str
) -> Callable[[Slots], str | None]:
    """The text that a field or value makes of its sources. Raises MappingFailed when it cannot."""
    numbers = [plan.number(source) for source in part.sources()]
    function = FUNCTIONS[part.use] if part.use else None
    convert = function.to_legacy(part.options) if function is not None and function.to_legacy is not None else None
    takes_one = function is None or function.members == 1
    table = tables[part.codes] if part.codes else None
    name = part.use

    def first(slots: Slots) -> Any:
        for number in numbers:
            if slots[number] is not None:
                return slots[number]
        return None

    remembered: dict[Any, str | None] = {}
    is_remembered = function is not None and function.is_repeated

    def converted(slots: Slots) -> Any:
        values = (first(slots),) if takes_one else tuple([slots[number] for number in numbers])
        is_known = is_remembered and _is_text(values)
        if is_known and values in remembered:
            return remembered[values]
        try:
            text = convert(values)  # type: ignore[misc]
        except ValueError as error:
            raise failed(NOT_CONVERTED, place, f"{name}: {error}") from error
        if is_known:
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
            remembered[values] = text
        return text

    def coded(slots: Slots) -> str | None:
        values = [slots[number] for number in numbers] if convert is None else [converted(slots)]
        if all(value is None for value in values):
            return None
        key = "/".join([word(value) for value in values])
        text = table.to_legacy(key)  # type: ignore[union-attr]
        if text is None:
            raise failed(NOT_CONVERTED, place, f"{key!r} is not in the code table {table.name}")  # type: ignore[union-attr]
        return text

    def plain(slots: Slots) -> str | None:
        value = first(slots)
        return value if value is None or isinstance(value, str) else word(value)

    if table is not None:
        return coded
    return converted if convert is not None else plain


def failed(code: str, place: str, text: str) -> MappingFailed:
    """The exception for a message that cannot be written."""
    return MappingFailed(f"writing {place}: {text}", findings=(Finding(code, "error", place, text),))


def compile_field(
    number: str,
    rule: FieldRule,
    spec: FieldSpec,
    plan: SlotPlan,
    tables: Mapping[str, CodeTable],
    origins: Origins,
    around: Mapping[str, Any],
) -> Line:
    """The field's line of a draft, None when it has no value. Raises MappingFailed when its value does not fit.

    around: the condition of its block, which with the rule's own chooses a constant.
    """
    prefix = line_start(spec)
    holds: Holds[Slots] | None = compile_condition(rule.when, plan.get)
    place = spec.place
    if rule.constant:
        line = f"{prefix}{rule.constant}"
        chosen_by = tuple(choosing_sources(around, rule.when))
        if chosen_by:
            return _chosen(
                line, Lineage(place, chosen_by, "", rule.constant, number, CHOICE, "transformed"), plan, holds
            )
        told = Lineage(place, (), "", rule.constant, number, "", "defaulted")

        def constant(draft: Draft) -> str | None:
            if holds is not None and not holds(draft.slots):
                return None
            draft.lineage.append(numbered(told, draft.suffix) if draft.suffix else told)
            return line

        return constant

    make = compile_text(rule, plan, tables, place)
    key_of = _key(rule, plan)
    only = plan.number(rule.sources()[0]) if len(rule.sources()) == 1 else -1
    is_remembered = not rule.use or FUNCTIONS[rule.use].is_repeated
    named = tuple(origin for source in rule.sources() for origin in origins.sources.get(source, (source,)))
    fits = spec.pattern.fullmatch
    allowed = spec.values
    checks = [CHECKS[check] for check in spec.checks]
    own = rule.use or ("codes" if rule.codes else "")
    name = own or next((origins.functions[source] for source in rule.sources() if source in origins.functions), "")
    usual: Fate = "transformed" if name else "mapped"
    default = rule.default

    def made(slots: Slots, key: Any) -> tuple[str, Lineage, bool] | None:
        text = make(slots)
        fate = usual
        if text is None:
            if not default:
                return None
            text, fate = default, "defaulted"
        elif fits(text) is None or (allowed and text not in allowed):
            raise failed(DOES_NOT_FIT, place, f"{text!r} does not fit {spec.format}")
        else:
            for passes, wanted in checks:
                if not passes(text):
                    raise failed(DOES_NOT_FIT, place, f"{text!r} is not {wanted}")
        is_one = key.__class__ is not tuple
        before = word(key) if is_one else "/".join([word(value) for value in key])
        # Lineage is journaled, as plain texts: that it was cut is known here.
        return prefix + text, Lineage(place, named, before, str(text), number, name, fate), text.__class__ is Cut

    remembered: dict[Any, tuple[str, Lineage, bool]] = {}
    most = MOST_REMEMBERED if own else MOST_REMEMBERED_AS_THEY_ARE
    needs_key = not own and not default

    def written(draft: Draft) -> str | None:
        slots = draft.slots
        if holds is not None and not holds(slots):
            return None
        key = slots[only] if only >= 0 else key_of(slots)
        if key is None and needs_key:
            return None
        is_known = is_remembered and (key.__class__ is str or _is_text(key))
        ready = remembered.get(key) if is_known else None
        if ready is None:
            ready = made(slots, key)
            if ready is None:
                return None
            if is_known:
                if len(remembered) >= most:
                    remembered.clear()
                remembered[key] = ready
        line, told, is_cut = ready
        draft.lineage.append(numbered(told, draft.suffix) if draft.suffix else told)
        if is_cut:
            text = f"there is no room for all of {told.before!r}"
            draft.findings.append(Finding(LOST, "warning", place + draft.suffix, text))
            draft.lineage.append(Lineage("", named, told.before, told.after, number, name, "lost"))
        return line

    return written


def _chosen(line: str, told: Lineage, plan: SlotPlan, holds: Holds[Slots] | None) -> Line:
    """A constant that conditions choose: its lineage tells what they looked at, and what stood there."""
    numbers = [plan.number(source) for source in told.sources]
    remembered: dict[tuple[Any, ...], Lineage] = {}

    def constant(draft: Draft) -> str | None:
        slots = draft.slots
        if holds is not None and not holds(slots):
            return None
        key = tuple([slots[number] for number in numbers])
        is_known = _is_text(key)
        ready = remembered.get(key) if is_known else None
        if ready is None:
            before = "/".join([word(value) for value in key])
            ready = Lineage(told.target, told.sources, before, told.after, told.rule, told.function, told.kind)
            if is_known:
                if len(remembered) >= MOST_REMEMBERED:
                    remembered.clear()
                remembered[key] = ready
        draft.lineage.append(numbered(ready, draft.suffix) if draft.suffix else ready)
        return line

    return constant


def _key(rule: Part, plan: SlotPlan) -> Callable[[Slots], Any]:
    """What a text is made of: the value that counts, or a tuple where several do."""
    numbers = [plan.number(source) for source in rule.sources()]
    takes_one = FUNCTIONS[rule.use].members == 1 if rule.use else not rule.codes
    if len(numbers) == 1:
        number = numbers[0]
        return lambda slots: slots[number]
    if takes_one:
        return lambda slots: next((slots[number] for number in numbers if slots[number] is not None), None)
    return lambda slots: tuple([slots[number] for number in numbers])


def _is_text(key: Any) -> bool:
    """Texts only are remembered by: True equals 1, and a cut text equals an uncut one."""
    if key.__class__ is not tuple:
        return key.__class__ is str
    for value in key:  # noqa: SIM110 - a loop is twice as fast as `all`, and this runs for every field
        if value is not None and value.__class__ is not str:
            return False
    return True


def numbered(told: Lineage, suffix: str) -> Lineage:
    """The same of another item of an array, or another entry of a list: its target with the suffix."""
    return Lineage(told.target + suffix, told.sources, told.before, told.after, told.rule, told.function, told.kind)
