"""Legacy -> OCP: the rules of a request section, each compiled for one message type.

Strategy: a rule becomes one call with everything looked up; what can be known when it is compiled (sources that do
not stand in this message type, the lineage of an absent field) is not asked again at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.formats.iso15022.model import Field
from pg_bridge.mapping.conditions import Holds, compile_condition
from pg_bridge.mapping.document import RequestRule
from pg_bridge.mapping.field import NO_PROFILE
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.lineage import Fate, Lineage, word
from pg_bridge.mapping.places import Places
from pg_bridge.mapping.schema import value_below
from pg_bridge.profiles.legacy import CodeTable

NOT_CONVERTED = "PGB-MAP-003"
NOTHING_GIVES = "PGB-MAP-006"
NOT_SERVED = "PGB-MAP-007"

MESSAGE_TYPE = "@message_type"
CONTEXT = "context."
PROFILE = "profile."

Values = dict[str, list[Field]]


@dataclass(slots=True)
class Translation:
    """One message on its way: what rules read from, and what they made so far."""

    values: Values
    context: Mapping[str, Any]
    document: dict[str, Any]
    carried: dict[str, str]
    lineage: list[Lineage]
    findings: list[Finding]


Get = Callable[[Translation], str | None]
Act = Callable[[Translation], None]
Convert = Callable[[Sequence[str | None]], tuple[Any, ...]]
Results = tuple[Any, ...]
#: What a conversion gave and its lineage. A rule makes as many results as it has targets, or one for all of them.
Ready = tuple[Results, Sequence[Lineage]]

#: Conversions remembered for each rule: dates, securities and codes come again and again.
MOST_REMEMBERED = 4096


def is_root(source: str) -> bool:
    """A source that is no place."""
    return source == MESSAGE_TYPE or source.startswith((CONTEXT, PROFILE))


def stands(places: Places, source: str) -> bool:
    """Whether a source can have a value in the message type of `places`."""
    return is_root(source) or source in places


def source_getter(places: Places, message_type: str, profile: Mapping[str, str] = NO_PROFILE) -> Callable[[str], Get]:
    """Makes the getter of a source's text, None where absent. profile: the set's own texts for `profile.*`; an empty
    one is absent.
    """

    def make(source: str) -> Get:
        if source == MESSAGE_TYPE:
            return lambda at: message_type
        if source.startswith(CONTEXT):
            name = source.removeprefix(CONTEXT)

            def from_context(at: Translation) -> str | None:
                value = at.context.get(name)
                return None if value is None else word(value)

            return from_context
        if source.startswith(PROFILE):
            own_name = source.removeprefix(PROFILE)
            default = profile.get(own_name)

            def from_profile(at: Translation) -> str | None:
                own: Mapping[str, str] = at.context.get("profile") or NO_PROFILE
                return own.get(own_name, default) or None

            return from_profile
        if not stands(places, source):
            return lambda at: None

        def from_message(at: Translation) -> str | None:
            fields = at.values.get(source)
            return fields[0][3] if fields else None

        return from_message

    return make


def compile_rule(
    number: str,
    rule: RequestRule,
    tables: Mapping[str, CodeTable],
    places: Places,
    message_type: str,
    *,
    is_shared_target: bool,
    profile: Mapping[str, str] = NO_PROFILE,
) -> Act:
    """The rule as one call. number: its name in lineage. is_shared_target: another rule may feed a target of it;
    then the first that gives a value does. profile: the set's own texts for `profile.*`.
    """
    make = source_getter(places, message_type, profile)
    holds = compile_condition(rule.when, make)
    fault = _fault_of(rule.sources(), places)
    active = [source for source in rule.sources() if stands(places, source)]
    if rule.refused:
        act = _refusal(rule, [make(source) for source in active], holds, fault)
    elif rule.carried:
        act = _carrying(number, rule, [make(source) for source in active])
    else:
        joins = bool(rule.codes) and len(rule.sources()) > 1
        text = _gathered([make(source) for source in (rule.sources() if joins else active)], joins=joins)
        act = _mapping(number, rule, text, _conversion(rule, tables), fault)
    if is_shared_target:
        act = _unless_there(act, rule.targets()[0].split("."))
    if holds is None or rule.refused:
        return act
    conditional, condition = act, holds

    def when(at: Translation) -> None:
        if condition(at):
            conditional(at)

    return when


Fault = Callable[[Translation, str, str], Finding]


def _fault_of(sources: Sequence[str], places: Places) -> Fault:
    specs = [places.get(source) for source in sources]
    reason = next((spec.reason for spec in specs if spec is not None and spec.reason), "")

    def fault(at: Translation, code: str, text: str) -> Finding:
        place = next((source for source in sources if source in at.values), sources[0] if sources else "")
        line = at.values[place][0].line if place in at.values else 0
        return Finding(code, "error", place, text, line, reason)

    return fault


def _refusal(rule: RequestRule, gets: Sequence[Get], holds: Holds[Translation] | None, fault: Fault) -> Act:
    def refuse(at: Translation) -> None:
        if holds(at) if holds is not None else any(get(at) is not None for get in gets):
            at.findings.append(fault(at, NOT_SERVED, rule.refused))

    return refuse


def _carrying(number: str, rule: RequestRule, gets: Sequence[Get]) -> Act:
    name, sources = rule.carried, rule.sources()

    def carry(at: Translation) -> None:
        for get in gets:
            text = get(at)
            if text is not None:
                at.carried[name] = text
                at.lineage.append(Lineage(name, sources, text, text, number, "", "carried"))
                return

    return carry


def _unless_there(act: Act, target: Sequence[str]) -> Act:
    def first_only(at: Translation) -> None:
        if value_below(at.document, target) is None:
            act(at)

    return first_only


def _gathered(gets: Sequence[Get], *, joins: bool) -> Get:
    """The text of a rule's sources: the parts of a table's key, or the first that is there."""
    if joins:
        return lambda at: "/".join([get(at) or "" for get in gets])
    if len(gets) == 1:
        return gets[0]

    def first(at: Translation) -> str | None:
        for get in gets:
            text = get(at)
            if text is not None:
                return text
        return None

    return first


def _mapping(number: str, rule: RequestRule, text_of: Get, convert: Convert | None, fault: Fault) -> Act:
    """Sources to members. What a conversion gave for a text before is given again; lineage is immutable."""
    targets = rule.targets()
    name = rule.use or ("codes" if rule.codes else "")
    sources = rule.sources()
    put = _putter(targets)
    fate: Fate = "transformed" if name else "mapped"

    def made(before: str, results: Results, fate: Fate) -> Ready:
        if len(results) != len(targets):
            results = results * len(targets)
        told = []
        for target, value in zip(targets, results):  # noqa: B905 - the check counted them; see Ready
            if value is not None:
                told.append(Lineage(target, sources, before, word(value), number, name, fate))
        return results, told

    instead = rule.constant or rule.default
    defaulted = made("", (instead,), "defaulted") if instead else None
    if convert is None and not instead and not any("." in target for target in targets):

        def direct(at: Translation) -> None:
            text = text_of(at)
            if text is not None:
                for target in targets:
                    at.document[target] = text
                    at.lineage.append(Lineage(target, sources, text, text, number, "", "mapped"))

        return direct

    remembered: dict[str | None, Ready] = {}
    is_remembered = convert is not None and (not rule.use or FUNCTIONS[rule.use].is_repeated)

    def act(at: Translation) -> None:
        text = None if rule.constant else text_of(at)
        ready = remembered.get(text)
        if ready is None:
            if text is None and (defaulted is not None or convert is None):
                if defaulted is not None:
                    put(at, defaulted)
                return
            try:
                results = (text,) if convert is None else convert((text,))
            except ValueError as error:
                at.findings.append(fault(at, NOT_CONVERTED, str(error)))
                return
            if defaulted is not None and results[0] is None:
                ready = made(text or "", (instead,), "defaulted")
            else:
                ready = made(text or "", results, fate)
            if is_remembered:
                if len(remembered) >= MOST_REMEMBERED:
                    remembered.clear()
                remembered[text] = ready
        put(at, ready)

    return act


def _conversion(rule: RequestRule, tables: Mapping[str, CodeTable]) -> Convert | None:
    """Function and code table of a rule as one conversion; None where the text goes as it is."""
    function = FUNCTIONS[rule.use] if rule.use else None
    bound = function.to_ocp(rule.options) if function is not None and function.to_ocp is not None else None
    if not rule.codes:
        return bound
    table = tables[rule.codes]
    find = table.find

    def code(texts: Sequence[str | None]) -> Results:
        key = texts[0]
        if key is None:
            return (None,)
        found = find(key)
        if found is None:
            raise ValueError(f"{key!r} is not in the code table {table.name}")
        return (found,)

    if bound is None:
        return code
    if function is not None and function.is_before_codes:
        return lambda texts: code(bound(texts))
    return lambda texts: bound(code(texts))


def _putter(targets: Sequence[str]) -> Callable[[Translation, Ready], None]:
    """Writes one result a target, and the lineage; a member without a value stays null."""
    if len(targets) == 1 and "." not in targets[0]:
        target = targets[0]

        def put_one(at: Translation, ready: Ready) -> None:
            results, lineage = ready
            if lineage:
                at.document[target] = results[0]
                at.lineage.append(lineage[0])

        return put_one
    if not any("." in target for target in targets):

        def put_each(at: Translation, ready: Ready) -> None:
            results, lineage = ready
            for target, value in zip(targets, results):  # noqa: B905 - as many as in `made`
                if value is not None:
                    at.document[target] = value
            at.lineage.extend(lineage)

        return put_each
    paths = [target.split(".") for target in targets]

    def put(at: Translation, ready: Ready) -> None:
        results, lineage = ready
        for path, value in zip(paths, results, strict=True):
            if value is None:
                continue
            spot = at.document
            for member in path[:-1]:
                below = spot.get(member)
                if below is None:
                    below = spot[member] = {}
                spot = below
            spot[path[-1]] = value
        at.lineage.extend(lineage)

    return put
