"""Checks of a request section: places, members, what is forgotten, what nothing feeds, codes and lengths that fit."""

from __future__ import annotations

from collections.abc import Iterator

from pg_bridge.errors import Finding
from pg_bridge.mapping.conditions import condition_sources
from pg_bridge.mapping.document import RequestRule, RequestSection
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.part_check import CONTEXT, is_sound, most_characters, part_faults, table_codes
from pg_bridge.mapping.places import Places, places_of
from pg_bridge.mapping.request import CONTEXT as CONTEXT_ROOT
from pg_bridge.mapping.request import MESSAGE_TYPE, stands
from pg_bridge.mapping.rule_set import WRONG_FILE, Located
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, Template

#: the concept that a request template must bind to one of its fields
REFERENCE = "request_reference"


def request_faults(
    located: Located, section: RequestSection, legacy: LegacyProfile, ocp: OcpProfile
) -> Iterator[Finding]:
    """Everything wrong with a request section."""

    def error(at: str, text: str) -> Finding:
        return Finding(WRONG_FILE, "error", located.path, text, located.lines.of(at))

    template = legacy.templates.get(section.template)
    if template is None:
        yield error("request.template", f"there is no template {section.template}")
        return
    if section.operation not in {operation.value for operation in Operation}:
        yield error("request.operation", f"there is no operation {section.operation}")
        return
    for type_ in template.message_types:
        if template.concept(REFERENCE, type_) is None:
            yield error("request.template", f"no field of {template.name} in MT{type_} has the concept {REFERENCE}")
    entry = ocp.operations[Operation(section.operation)].entry
    if entry and entry != section.schema:
        yield error("request.schema", f"{section.operation} takes the schema {entry}")
    try:
        members = Members(ocp.openapi, section.schema)
    except KeyError as missing:
        yield error("request.schema", f"the OpenAPI document has no schema {missing.args[0]}")
        return
    except (ValueError, TypeError, AttributeError) as fault:
        yield error("request.schema", f"the schema {section.schema} cannot be read: {fault}")
        return
    places = {type_: places_of(template, type_) for type_ in template.message_types}
    every = {place: spec for each in places.values() for place, spec in each.items()}
    for number, rule in enumerate(section.rule):
        at = f"request.rule[{number}]"
        for text in _rule_faults(rule, template.name, every, members, legacy):
            yield error(at, text)
        if is_sound(rule, legacy, to_ocp=True):
            for text in _fit(rule, every, members, legacy):
                yield error(at, text)
    for type_ in template.message_types:
        for at, text in _per_type(section, template, type_, places[type_], members):
            yield error(at, text)
    used = {source for rule in section.rule for source in rule.sources()}
    for spec in template.root.fields():
        if spec.place not in used and not _is_constant(spec):
            text = f"the field {spec.place} is forgotten: map it with `to`, or say `carried` or `refused`"
            yield error("request", text)


def _rule_faults(
    rule: RequestRule, template: str, places: Places, members: Members, legacy: LegacyProfile
) -> Iterator[str]:
    yield from part_faults(rule, legacy, to_ocp=True)
    for source in (*rule.sources(), *condition_sources(rule.when)):
        if source.startswith(CONTEXT_ROOT):
            if source.removeprefix(CONTEXT_ROOT) not in CONTEXT:
                yield f"there is no {source}; the context has {', '.join(CONTEXT)}"
        elif source.startswith("@"):
            if source != MESSAGE_TYPE:
                yield f"there is no {source}; there is {MESSAGE_TYPE}"
        elif source not in places:
            yield f"the template {template} has no place {source}"
    if sum((bool(rule.targets()), bool(rule.carried), bool(rule.refused))) != 1:
        yield "say one of `to`, `carried` and `refused`"
    if rule.carried and not rule.reason:
        yield "say the `reason` why OCP does not get it"
    if (rule.carried or rule.refused) and (rule.use or rule.codes or rule.constant or rule.default):
        yield "what is carried or refused is taken as it is: no `use`, `codes`, `constant` or `default`"
    for target in rule.targets():
        if target not in members:
            yield f"the schema has no member {target}"
        elif members[target].is_object:
            yield f"{target} is an object: name its members"
    made = FUNCTIONS[rule.use].members if rule.use in FUNCTIONS else 1
    if made > 1 and rule.targets() and len(rule.targets()) != made:
        yield f"the function {rule.use} makes {made} values, {len(rule.targets())} targets are named"


def _fit(rule: RequestRule, places: Places, members: Members, legacy: LegacyProfile) -> Iterator[str]:
    """Codes of tables against the enum of the target, lengths of fields against its most characters."""
    targets = [members[target] for target in rule.targets() if target in members]
    if rule.codes:
        table = legacy.tables[rule.codes]
        for member in targets:
            unknown = table_codes(table) - member.codes if member.codes and not _is_behind(rule) else set()
            for code in sorted(unknown):
                yield f"the table {table.name} gives {code}, which {member.path} does not know"
        spec = places.get(rule.sources()[0]) if len(rule.sources()) == 1 and not rule.use else None
        for value in sorted(spec.values) if spec is not None else ():
            if table.find(value) is None:
                yield f"the table {table.name} has no code for {value}, which {rule.sources()[0]} allows"
        return
    for text in (rule.constant, rule.default):
        for member in targets if text else ():
            if member.codes and text not in member.codes:
                yield f"{member.path} does not know the code {text}"
    if rule.use:
        return
    for source in rule.sources():
        wanted = rule.when.get(source)
        if isinstance(wanted, dict) and "shape" in wanted:
            continue  # only what has that shape comes so far
        spec = places.get(source)
        most = most_characters(spec) if spec is not None else 0
        for member in targets:
            if member.most_characters and most > member.most_characters:
                yield (
                    f"{source} has up to {most} characters, {member.path} takes {member.most_characters}: "
                    "shorten the field's format or widen the schema"
                )


def _is_behind(rule: RequestRule) -> bool:
    """A function takes the table's result, so that the table's codes are not yet the member's."""
    return bool(rule.use) and not FUNCTIONS[rule.use].is_before_codes


def _per_type(
    section: RequestSection, template: Template, type_: str, places: Places, members: Members
) -> Iterator[tuple[str, str]]:
    """Two rules for one target, mandatory members that nothing feeds, rules that can never act, in one message type."""
    fed: dict[str, int] = {}
    for number, rule in enumerate(section.rule):
        acts = bool(rule.constant) or any(stands(places, source) for source in rule.sources())
        for target in rule.targets() if acts else ():
            first = fed.setdefault(target, number)
            if first != number and not (rule.when and section.rule[first].when):
                text = f"{target} has two rules in MT{type_} ({first + 1} and {number + 1}): give both a `when`"
                yield f"request.rule[{number}]", text
    for path in members.required:
        if path not in fed:
            yield "request", f"the mandatory member {path} is fed by no rule in MT{type_}"
            continue
        rules = [section.rule[number] for number in range(len(section.rule)) if path in section.rule[number].targets()]
        if not any(_surely_gives(rule, template, type_, places) for rule in rules) and not any(
            rule.when for rule in rules
        ):
            yield (
                f"request.rule[{fed[path]}]",
                f"the mandatory member {path} has a value in MT{type_} only where optional fields stand: "
                "make a field mandatory in the template, or give a `default`",
            )


def _surely_gives(rule: RequestRule, template: Template, type_: str, places: Places) -> bool:
    """Whether a rule gives a value for every message that fits the template."""
    if rule.when:
        return False
    if rule.constant or rule.default or rule.codes or len(rule.targets()) > 1:
        return True
    for source in rule.sources():
        if source == MESSAGE_TYPE or source.startswith(CONTEXT_ROOT):
            return True
        spec = places.get(source)
        if spec is not None and _is_mandatory(template, type_, spec):
            return True
    return False


def _is_mandatory(template: Template, type_: str, spec: FieldSpec) -> bool:
    if not spec.mandatory:
        return False
    node = template.root
    for _ in range(spec.place.count("/")):
        for item in node.items:
            if not isinstance(item, FieldSpec) and type_ in item.types and spec.place.startswith(f"{item.path}/"):
                if not item.mandatory:
                    return False
                node = item
                break
    return True


def _is_constant(spec: FieldSpec) -> bool:
    """The template allows one value only: it says nothing."""
    return len(spec.values) == 1
