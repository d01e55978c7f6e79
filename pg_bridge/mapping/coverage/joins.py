"""What each rule of a section joins: a place and a member, by which steps, under which condition.

A constant that a condition chooses joins its place to the members whose value the condition looks at: so does a status
become a code. A test for presence alone chooses nothing. Of a record of a batch file the members are its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pg_bridge.mapping import document as d
from pg_bridge.mapping.condition_words import OCP, RECORD, VALUE, can_hold, condition_words, source_words
from pg_bridge.mapping.conditions import choosing_sources, condition_sources
from pg_bridge.mapping.coverage.sides import ASSUMED, PUBLIC
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.request import MESSAGE_TYPE, is_root
from pg_bridge.mapping.rule_set import Located, RuleSet
from pg_bridge.typed_toml import Lines

Status = Literal["mapped", "transformed", "defaulted", "carried", "refused", "left_out", "fixed", "not_mapped"]

DIRECT = "direct"
CONSTANT = "constant"
CONDITION = "condition"

Written = d.MessageSection | d.RecordSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One place and one member that a rule joins, either empty where it has none. Fields as those of a pairing."""

    place: str = ""
    member: str = ""
    others: tuple[str, ...] = ()
    how: str = DIRECT
    functions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    constant: str = ""
    default: str = ""
    rule: str
    rule_source: str
    condition: str = ""
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """One thing a value is made of: a member, or another source. steps: (name, is a function), in their order."""

    member: str
    other: str
    steps: tuple[tuple[str, bool], ...]
    via: tuple[str, ...] = ()
    when: tuple[Mapping[str, object], ...] = ()
    constant: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A value or block of a section, or of a shared file, and where it stands. at: its path in `lines`."""

    name: str
    lines: Lines
    at: str
    source: str

    def rule(self, at: str = "") -> str:
        """`file:line` of the entry, or of something in it."""
        return f"{self.name}:{self.lines.of(self.at + at)}"


def request_joins(located: Located, section: d.RequestSection) -> Iterator[Join]:
    """What each rule of a request joins, in the file's order; then those of its arrays; last, what is left out."""
    yield from _rule_joins(located, section.rule, "request.rule")
    for number, each in enumerate(section.each):
        for join in _rule_joins(located, each.rule, f"request.each[{number}].rule"):
            place = f"{each.at}/{join.place}" if join.place else ""
            member = f"{each.to}.{join.member}" if join.member else ""
            condition = ", ".join(text for text in (f"once for each {each.at}", join.condition) if text)
            yield replace(join, place=place, member=member, condition=condition)
    yield from _left_out(located, "request", section.left_out, {})


def _left_out(located: Located, part: str, left_out: Mapping[str, str], places: Mapping[str, object]) -> Iterator[Join]:
    """Members without a counterpart, and fields of `places`, each with its reason."""
    for name, reason in left_out.items():
        yield Join(
            place=name if name in places else "",
            member="" if name in places else name,
            how="",
            rule=located.rule_name(f"{part}.left_out.{name}"),
            rule_source=located.file.source,
            status="left_out",
            reason=reason,
        )


def _rule_joins(located: Located, rules: Sequence[d.RequestRule], name: str) -> Iterator[Join]:
    for number, rule in enumerate(rules):
        at = f"{name}[{number}]"
        places = [source for source in rule.sources() if not _is_beside(source)] or [""]
        base = Join(
            others=tuple(source for source in rule.sources() if _is_beside(source)),
            rule=located.rule_name(at),
            rule_source=rule_source(located, rule, at),
            condition=condition_words(rule.when),
            status="mapped",
        )
        if rule.carried or rule.refused:
            told = replace(
                base,
                how="",
                status="carried" if rule.carried else "refused",
                reason=rule.reason if rule.carried else rule.refused,
            )
            yield from (replace(told, place=place) for place in places)
            continue
        is_before = not rule.use or FUNCTIONS[rule.use].is_before_codes
        steps = _steps(rule) if is_before else tuple(reversed(_steps(rule)))
        made = _with_steps(replace(base, default=rule.default, constant=rule.constant), steps)
        for place in places:
            yield from (replace(made, place=place, member=target, reason=rule.reason) for target in rule.targets())


def message_joins(rules: RuleSet, located: Located, section: Written) -> Iterator[Join]:
    """What each rule of an answer, message or record joins; last, what only conditions look at and what is left out."""
    part = located.part_of(section)
    root = RECORD if isinstance(section, d.RecordSection) else OCP
    origins: dict[str, list[_Origin]] = {}
    used: set[str] = set()
    looked_at: dict[str, Join] = {}
    for value, _ in _values(rules, located, section, part):
        origins[value.name] = [
            replace(origin, via=(*origin.via, value.name), when=(*origin.when, value.when))
            for origin in _origins(root, value, origins, value.when)
        ]
    if isinstance(section.message_type, d.ByTable):
        for join in _by_table(root, located, section.message_type, part):
            used.add(join.member)
            yield join
    for block, entry in _blocks(rules, located, section, part):
        each = f"once for each of {source_words(block.each)}" if block.each else ""
        for number, rule in enumerate(block.fields):
            for join in _field_joins(root, block, rule, entry, entry.rule(f".fields[{number}]"), each, origins):
                used.add(join.member)
                yield join
            for source in _conditions(block, rule, origins):
                if source.startswith(root):
                    member = source.removeprefix(root)
                    looked_at.setdefault(
                        member,
                        Join(
                            place=block.place(rule.field),
                            member=member,
                            how=CONDITION,
                            rule=entry.rule(f".fields[{number}]"),
                            rule_source=entry.source,
                            condition=condition_words(block.when, rule.when),
                            status="transformed",
                        ),
                    )
    at, when = _of_all(section)
    for source in _apart(root, when, origins):
        member = source.removeprefix(root)
        looked_at.setdefault(
            member,
            Join(
                member=member,
                how=CONDITION,
                rule=located.rule_name(f"{part}.{at}"),
                rule_source=located.file.source,
                condition=condition_words(when),
                status="transformed",
            ),
        )
    yield from (join for member, join in looked_at.items() if member not in used)
    if isinstance(section, d.RecordSection):
        yield from _refused(located, section, part)
    yield from _left_out(located, part, section.left_out, {name: "" for name in section.left_out if "/" in name})


def _of_all(section: Written) -> tuple[str, Mapping[str, object]]:
    """What decides about a section as a whole: which entries are listed, which records it is for."""
    if isinstance(section, d.RecordSection):
        return "when", section.when
    return "pages", section.pages.when if section.pages is not None else {}


def _refused(located: Located, section: d.RecordSection, part: str) -> Iterator[Join]:
    """The columns that a refusal looks at."""
    for number, refusal in enumerate(section.refused):
        for source in condition_sources(refusal.when):
            if source.startswith(RECORD):
                yield Join(
                    member=source.removeprefix(RECORD),
                    how="",
                    rule=located.rule_name(f"{part}.refused[{number}]"),
                    rule_source=located.file.source,
                    condition=condition_words(refusal.when),
                    status="refused",
                    reason=refusal.text,
                )


def _field_joins(
    root: str,
    block: d.Block,
    rule: d.FieldRule,
    entry: _Entry,
    name: str,
    each: str,
    origins: Mapping[str, list[_Origin]],
) -> Iterator[Join]:
    """One join a member that the field's value comes from; one in all where no member gives any."""
    every = _origins(root, rule, origins, block.when, rule.when)
    found = [origin for origin in every if can_hold(block.when, rule.when, *origin.when)]
    base = Join(
        place=block.place(rule.field),
        constant=rule.constant,
        default=rule.default,
        rule=name,
        rule_source=entry.source,
        status="mapped",
    )
    members = [origin for origin in found if origin.member] or found[:1]
    for origin in members or [_Origin("", "", ())]:
        # Another source tells of a member only where both enter the same value; a constant is one step further down.
        beside = [each for each in found if origin.via in (each.via, each.via[1:] if each.constant else each.via)]
        others = tuple(dict.fromkeys(each.other for each in beside if each.other))
        made = replace(base, member=origin.member, others=others, via=origin.via)
        words = condition_words(block.when, rule.when, *origin.when)
        condition = ", ".join(text for text in (each, words) if text)
        made = replace(made, condition=condition)
        if rule.constant:
            is_chosen = bool(origin.member or origin.other)
            yield replace(made, how=CONSTANT, status="transformed" if is_chosen else "defaulted")
        elif origin.constant:
            yield replace(made, how=CONDITION, constant=origin.constant, status="transformed")
        else:
            yield _with_steps(made, origin.steps)


def _origins(
    root: str, part: d.Part, known: Mapping[str, list[_Origin]], *whens: Mapping[str, object]
) -> list[_Origin]:
    """What a value is made of; named values are taken apart. A constant is made of what its conditions look at."""
    steps = _steps(part)
    found: list[_Origin] = []
    for source in part.sources():
        if source.startswith(root):
            found.append(_Origin(source.removeprefix(root), "", steps))
        elif source.startswith(VALUE):
            known_origins = known.get(source.removeprefix(VALUE), ())
            found += [replace(origin, steps=(*origin.steps, *steps)) for origin in known_origins]
        else:
            found.append(_Origin("", source, steps))
    if part.constant:
        for source in choosing_sources(*whens):
            if source.startswith(root):
                found.append(_Origin(source.removeprefix(root), "", (), constant=part.constant))
            else:
                found.append(_Origin("", source, (), constant=part.constant))
    return found


def _conditions(block: d.Block, rule: d.FieldRule, origins: Mapping[str, list[_Origin]]) -> list[str]:
    """Every source that decides about a field, those of the values it is made of included."""
    whens = [block.when, rule.when]
    for source in rule.sources():
        for origin in origins.get(source.removeprefix(VALUE), ()) if source.startswith(VALUE) else ():
            whens += [dict(when) for when in origin.when]
    return [source for when in whens for source in (*when, *choosing_sources(when))]


def _apart(root: str, when: Mapping[str, object], origins: Mapping[str, list[_Origin]]) -> Iterator[str]:
    """The members that a condition looks at, those of the values that it names included."""
    for source in when:
        known = origins.get(source.removeprefix(VALUE), ()) if source.startswith(VALUE) else ()
        yield from (f"{root}{origin.member}" for origin in known if origin.member)
        yield from (each for origin in known for each in choosing_sources(*origin.when) if each.startswith(root))
        if source.startswith(root):
            yield source


def _by_table(root: str, located: Located, chosen: d.ByTable, part: str) -> Iterator[Join]:
    for source in chosen.sources():
        is_member = source.startswith(root)
        yield Join(
            member=source.removeprefix(root) if is_member else "",
            others=(MESSAGE_TYPE,) if is_member else (MESSAGE_TYPE, source),
            how=chosen.codes,
            tables=(chosen.codes,),
            rule=located.rule_name(f"{part}.message_type"),
            rule_source=located.file.source,
            status="transformed",
        )


def _values(rules: RuleSet, located: Located, section: Written, part: str) -> Iterator[tuple[d.Value, _Entry]]:
    """Shared values first, as the rule set has them."""
    for block in section.block:
        shared = rules.shared.get(block.include)
        for number, value in enumerate(shared.file.value) if shared is not None else ():
            name = shared.path.removeprefix(d.RULES_FOLDER)  # type: ignore[union-attr]
            yield value, _Entry(name, shared.lines, f"value[{number}]", shared.file.source)  # type: ignore[union-attr]
    for number, value in enumerate(section.value):
        name = located.path.removeprefix(d.RULES_FOLDER)
        yield value, _Entry(name, located.lines, f"{part}.value[{number}]", located.file.source)


def _blocks(rules: RuleSet, located: Located, section: Written, part: str) -> Iterator[tuple[d.Block, _Entry]]:
    """Every block in its order, those of shared files in the place of their include, with their own file and lines."""
    for number, block in enumerate(section.block):
        if not block.include:
            name = located.path.removeprefix(d.RULES_FOLDER)
            yield block, _Entry(name, located.lines, f"{part}.block[{number}]", located.file.source)
            continue
        shared = rules.shared.get(block.include)
        for index, inner in enumerate(shared.file.block) if shared is not None else ():
            name = shared.path.removeprefix(d.RULES_FOLDER)  # type: ignore[union-attr]
            yield inner, _Entry(name, shared.lines, f"block[{index}]", shared.file.source)  # type: ignore[union-attr]


def _steps(part: d.Part) -> tuple[tuple[str, bool], ...]:
    return tuple((name, is_function) for name, is_function in ((part.use, True), (part.codes, False)) if name)


def _with_steps(join: Join, steps: tuple[tuple[str, bool], ...]) -> Join:
    """The join with its functions and tables, and the status that follows from them."""
    if join.constant and not steps:
        return replace(join, how=CONSTANT, status="defaulted")
    steps = tuple(dict.fromkeys(steps))
    return replace(
        join,
        how=", then ".join(name for name, _ in steps) or DIRECT,
        functions=tuple(name for name, is_function in steps if is_function),
        tables=tuple(name for name, is_function in steps if not is_function),
        status="transformed" if steps else "mapped",
    )


def _is_beside(source: str) -> bool:
    return is_root(source)


def rule_source(located: Located, rule: d.RequestRule, at: str) -> str:
    """The rule's own source where it says one, else the file's."""
    says = located.lines.of(f"{at}.source") != located.lines.of(at)
    if says:
        return rule.source
    return PUBLIC if PUBLIC in (rule.source, located.file.source) else ASSUMED
