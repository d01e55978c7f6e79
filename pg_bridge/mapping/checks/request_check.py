"""Checks of a request section, entry by entry: places, members, codes and lengths that fit, what is forgotten.

What holds on some paths of a message only is found in request_paths.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pg_bridge.errors import Finding
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.checks.part_check import CONTEXT, Tables, is_sound, most_characters, part_faults, table_codes
from pg_bridge.mapping.checks.paths import Budget, holds_on
from pg_bridge.mapping.checks.request_paths import PathCheck
from pg_bridge.mapping.conditions import condition_sources
from pg_bridge.mapping.document import Each, RequestRule, RequestSection, shape_of
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.places import Places, below, find_sequence, places_of
from pg_bridge.mapping.request import CONTEXT as CONTEXT_ROOT
from pg_bridge.mapping.request import MESSAGE_TYPE, PROFILE, stands
from pg_bridge.mapping.rule_set import Located, OwnTexts
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import NAMES_AN_SI, Operation
from pg_bridge.profiles.legacy import LegacyProfile
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

#: the concept that a request template must bind to one of its fields
REFERENCE = "request_reference"


@dataclass(frozen=True, slots=True)
class Part:
    """The rules of a section, or those for the items of one of its arrays. at: the sequence; name: `request.rule`."""

    name: str
    rules: Sequence[RequestRule]
    members: Members
    at: str = ""

    def places(self, template: Template, type_: str) -> Places:
        """The places that its rules may name, as they name them."""
        places = places_of(template, type_)
        return below(places, self.at) if self.at else places


def request_faults(
    located: Located,
    section: RequestSection,
    legacy: LegacyProfile,
    ocp: OcpProfile,
    own: OwnTexts,
    budget: Budget,
) -> Iterator[Finding]:
    """Everything wrong with a request section. own: the set's texts for `profile.*`."""
    for fault in _faults(section, legacy, ocp, own, budget):
        yield fault.finding(located.path, located.lines.of(fault.at or "request"))


def _faults(section: RequestSection, legacy: LegacyProfile, ocp: OcpProfile, own: OwnTexts, budget: Budget) -> Faults:
    template = legacy.templates.get(section.template)
    if template is None:
        yield Fault(f.NO_SUCH_PROFILE_NAME, f"there is no template {section.template}", "request.template")
        return
    if section.report and (section.operation or section.schema or section.split or section.sought or section.each):
        text = "a request for a report asks OCP nothing: it has no operation, schema, split, sought or each"
        yield Fault(f.SAYS_TOO_MUCH, text, "request.report")
        return
    if section.report and (template.effect != "enquire" or legacy.parts is None):
        text = "a report is asked for by an enquiry, and travels in parts: legacy/files/parts.toml must say how"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "request.report")
        return
    if not section.report and section.operation not in {operation.value for operation in Operation}:
        yield Fault(f.NO_SUCH_PROFILE_NAME, f"there is no operation {section.operation}", "request.operation")
        return
    for type_ in template.message_types:
        if template.concept(REFERENCE, type_) is None:
            text = f"no field of {template.name} in MT{type_} has the concept {REFERENCE}"
            yield Fault(f.FORGOTTEN, text, "request.template")
    entry = "" if section.report else ocp.operations[Operation(section.operation)].entry
    if entry and entry != section.schema:
        text = f"{section.operation} takes the schema {entry}"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "request.schema")
    try:
        members = Members(ocp.openapi, shape_of(section))
    except KeyError as missing:
        text = f"the OpenAPI document has no schema {missing.args[0]}"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "request.schema")
        return
    except (ValueError, TypeError, AttributeError) as fault:
        text = f"the schema {section.schema} cannot be read: {fault}"
        yield Fault(f.NO_SUCH_PROFILE_NAME, text, "request.schema")
        return
    parts = [Part("request.rule", section.rule, members)]
    for number, each in enumerate(section.each):
        at = f"request.each[{number}]"
        wrong = list(_each_faults(each, at, template, members))
        yield from wrong
        if not wrong:
            parts.append(Part(f"{at}.rule", each.rule, members.items(each.to), each.at))
    for part in parts:
        yield from _part_faults(part, section, template, legacy.tables, own, budget)
    fed = {target for rule in section.rule for target in rule.targets()} | {each.to for each in section.each}
    if section.split:
        split = find_sequence(template.root, section.split)
        if split is None:
            yield Fault(
                f.NO_SUCH_PLACE, f"the template {template.name} has no sequence {section.split}", "request.split"
            )
        elif not split.repeats or not split.mandatory or "/" in section.split:
            text = f"{section.split} is split, so it must be mandatory, repeat, and stand in no other sequence"
            yield Fault(f.WRONG_ORDER, text, "request.split")
    named = {".".join(ocp.place("si", concept).members) for concept in NAMES_AN_SI}
    for path, reason in section.sought.items():
        if path not in members or path not in named:
            text = f"{path} names no SI in the schema {section.schema}; sought are {' and '.join(sorted(named))}"
            yield Fault(f.NO_SUCH_MEMBER, text, "request.sought")
        elif not reason:
            yield Fault(f.FORGOTTEN, f"say the reason why {path} is sought", "request.sought")
    for path, reason in section.left_out.items():
        if path not in members:
            yield Fault(f.NO_SUCH_MEMBER, f"the schema {section.schema} has no member {path}", "request.left_out")
        elif path in fed:
            yield Fault(f.SAYS_TOO_MUCH, f"{path} is fed: it is not left out", "request.left_out")
        elif not reason:
            yield Fault(f.FORGOTTEN, f"say the reason why {path} is left out", "request.left_out")
    for member in members:
        is_told = member.path in fed or member.path in section.left_out or member.is_object or member.is_required
        if not is_told:
            text = f"the member {member.path} is forgotten: feed it, or say in `left_out` why no field gives it"
            yield Fault(f.FORGOTTEN, text)
    used = {
        f"{part.at}/{source}" if part.at else source
        for part in parts
        for rule in part.rules
        for source in rule.sources()
    }
    for spec in template.root.fields():
        if spec.place not in used and not is_constant(spec):
            text = f"the field {spec.place} is forgotten: map it with `to`, or say `carried` or `refused`"
            yield Fault(f.FORGOTTEN, text)


def _part_faults(
    part: Part,
    section: RequestSection,
    template: Template,
    tables: Tables,
    own: OwnTexts,
    budget: Budget,
) -> Faults:
    by_type = {type_: part.places(template, type_) for type_ in template.message_types}
    every = {place: spec for places in by_type.values() for place, spec in places.items()}
    is_sound_part = True
    for number, rule in enumerate(part.rules):
        at = f"{part.name}[{number}]"
        wrong = [*_rule_faults(rule, template.name, every, part.members, tables, own)]
        if is_sound(rule, tables, to_ocp=True):
            wrong += _fit(rule, every, part.members, tables, own)
        yield from (Fault(fault.kind, fault.text, at) for fault in wrong)
        is_sound_part &= not wrong
    fed_elsewhere = {each.to for each in section.each} | set(section.sought) if not part.at else set()
    for type_, places in by_type.items():
        yield from _per_type(part, type_, places, fed_elsewhere)
    if not is_sound_part:
        return
    acting: set[int] = set()
    for type_, places in by_type.items():
        check = PathCheck(part.rules, template, type_, places, tables, budget, own, part.at)
        yield from check.not_fed(part.members, part.name, fed_elsewhere)
        yield from check.lost(part.name)
        yield from check.codes_missing(part.name)
        acting |= check.acting()
    for number in range(len(part.rules)):
        if number not in acting:
            yield Fault(f.NEVER_ACTS, "the rule can never act in any message of the template", f"{part.name}[{number}]")


def _each_faults(each: Each, at: str, template: Template, members: Members) -> Faults:
    spec = find_sequence(template.root, each.at)
    if spec is None:
        yield Fault(f.NO_SUCH_PLACE, f"the template {template.name} has no sequence {each.at}", at)
    elif (around := _repeats_around(template.root, each.at)) is not None:
        text = f"{each.at} stands in {around}, which repeats itself: an array of arrays is not served"
        yield Fault(f.WRONG_ORDER, text, at)
    if each.to not in members:
        yield Fault(f.NO_SUCH_MEMBER, f"the schema has no member {each.to}", at)
    elif not members[each.to].is_array:
        yield Fault(f.NO_SUCH_MEMBER, f"{each.to} is no array of objects", at)


def _repeats_around(spec: SequenceSpec, path: str) -> str | None:
    for item in spec.items:
        if isinstance(item, SequenceSpec) and path.startswith(f"{item.path}/"):
            return item.path if item.repeats else _repeats_around(item, path)
    return None


def _rule_faults(
    rule: RequestRule, template: str, places: Places, members: Members, tables: Tables, own: OwnTexts
) -> Faults:
    yield from part_faults(rule, tables, to_ocp=True)
    for source in (*rule.sources(), *condition_sources(rule.when)):
        if source.startswith(CONTEXT_ROOT):
            if source.removeprefix(CONTEXT_ROOT) not in CONTEXT:
                yield Fault(f.NO_SUCH_SOURCE, f"there is no {source}; the context has {', '.join(CONTEXT)}")
        elif source.startswith(PROFILE):
            if source.removeprefix(PROFILE) not in own.texts:
                known = ", ".join(own.texts) or "none"
                yield Fault(f.NO_SUCH_SOURCE, f"there is no {source}; the profile of set.toml has {known}")
        elif source.startswith("@"):
            if source != MESSAGE_TYPE:
                yield Fault(f.NO_SUCH_SOURCE, f"there is no {source}; there is {MESSAGE_TYPE}")
        elif source not in places:
            yield Fault(f.NO_SUCH_PLACE, f"the template {template} has no place {source}")
    if sum((bool(rule.targets()), bool(rule.carried), bool(rule.refused))) != 1:
        yield Fault(f.SAYS_TOO_MUCH, "say one of `to`, `carried` and `refused`")
    if rule.carried and not rule.reason:
        yield Fault(f.SAYS_TOO_MUCH, "say the `reason` why OCP does not get it")
    if (rule.carried or rule.refused) and (rule.use or rule.codes or rule.constant or (rule.refused and rule.default)):
        text = "what is carried or refused is taken as it is: no `use`, `codes` or `constant`"
        yield Fault(f.SAYS_TOO_MUCH, text)
    for target in rule.targets():
        if target not in members:
            yield Fault(f.NO_SUCH_MEMBER, f"the schema has no member {target}")
        elif members[target].is_object:
            yield Fault(f.NO_SUCH_MEMBER, f"{target} is an object: name its members")
        elif members[target].is_array:
            yield Fault(f.NO_SUCH_MEMBER, f"{target} is an array: feed it by [[request.each]]")
    made = FUNCTIONS[rule.use].members if rule.use in FUNCTIONS else 1
    if made > 1 and rule.targets() and len(rule.targets()) != made:
        text = f"the function {rule.use} makes {made} values, {len(rule.targets())} targets are named"
        yield Fault(f.WRONG_FUNCTION, text)
    for source, wanted in rule.when.items():
        spec = places.get(source)
        values = spec.values if spec is not None else frozenset(own.values.get(source.removeprefix(PROFILE), ()))
        for value in unknown_values(wanted, values) if values else ():
            yield Fault(f.WRONG_CONDITION, f"{source} is never {value}: it is one of {', '.join(sorted(values))}")


def unknown_values(wanted: object, known: frozenset[str]) -> list[str]:
    """The values that a condition names and a closed set has not."""
    if isinstance(wanted, dict):
        return [
            value for test, value in wanted.items() if test in ("is", "not") for value in unknown_values(value, known)
        ]
    values = wanted if isinstance(wanted, list) else [wanted]
    return [value for value in values if isinstance(value, str) and value not in known]


def _fit(rule: RequestRule, places: Places, members: Members, tables: Tables, own: OwnTexts) -> Faults:
    """Codes of tables against the enum of the target, lengths of fields against its most characters."""
    targets = [members[target] for target in rule.targets() if target in members]
    if rule.codes:
        table = tables[rule.codes]
        if table.keys == "ocp":
            text = f"the table {table.name} has OCP's codes as keys: it serves messages to the PSS only"
            yield Fault(f.NO_SUCH_TABLE, text)
        for member in targets:
            unknown = table_codes(table) - member.codes if member.codes and not is_behind(rule) else set()
            for code in sorted(unknown):
                text = f"the table {table.name} gives {code}, which {member.path} does not know"
                yield Fault(f.TABLE_INCOMPLETE, text)
        spec = places.get(rule.sources()[0]) if len(rule.sources()) == 1 and not rule.use else None
        own_when = {place: wanted for place, wanted in rule.when.items() if spec is not None and place == spec.place}
        holds = holds_on(own_when)  # of a field's codes it may leave the rule some only
        for value in sorted(spec.values) if spec is not None else ():
            if holds({rule.sources()[0]: value}) and table.find(value) is None:
                text = f"the table {table.name} has no code for {value}, which {rule.sources()[0]} allows"
                yield Fault(f.TABLE_INCOMPLETE, text)
        return
    texts = [own.texts.get(source.removeprefix(PROFILE), "") for source in rule.sources() if source.startswith(PROFILE)]
    for text in (rule.constant, rule.default, *texts):
        for member in targets if text else ():
            if member.codes and text not in member.codes:
                yield Fault(f.DOES_NOT_FIT, f"{member.path} does not know the code {text}")
            if member.most_characters and len(text) > member.most_characters and not rule.use:
                yield Fault(f.DOES_NOT_FIT, f"{text!r} is longer than {member.path} takes: {member.most_characters}")
    for source in rule.sources():
        wanted = rule.when.get(source)
        if isinstance(wanted, dict) and "shape" in wanted:
            continue  # only what has that shape comes so far
        spec = places.get(source)
        most = most_characters(spec) if spec is not None else 0
        if rule.use:
            widest = FUNCTIONS[rule.use].widest
            most = widest(rule.options, most) if widest is not None else 0
        for member in targets:
            if member.most_characters and most > member.most_characters:
                yield Fault(
                    f.DOES_NOT_FIT,
                    f"{source} has up to {most} characters, {member.path} takes {member.most_characters}: "
                    "shorten the field's format or widen the schema",
                )
            if not rule.use and member.types and "string" not in member.types and source in places:
                kinds = " or ".join(sorted(member.types))
                yield Fault(f.DOES_NOT_FIT, f"{source} is a text and {member.path} is {kinds}: use a function")


def is_behind(rule: RequestRule) -> bool:
    """A function takes the table's result, so that the table's codes are not yet the member's."""
    return bool(rule.use) and not FUNCTIONS[rule.use].is_before_codes


def _per_type(part: Part, type_: str, places: Places, fed_elsewhere: set[str]) -> Faults:
    """Two rules for one target, and mandatory members that nothing feeds, in one message type."""
    fed: dict[str, int] = {}
    for number, rule in enumerate(part.rules):
        acts = bool(rule.constant) or any(stands(places, source) for source in rule.sources())
        for target in rule.targets() if acts else ():
            first = fed.setdefault(target, number)
            if first != number and not (rule.when and part.rules[first].when):
                text = f"{target} has two rules in MT{type_} ({first + 1} and {number + 1}): give both a `when`"
                yield Fault(f.TWO_RULES, text, f"{part.name}[{number}]")
    for path in part.members.required:
        if path not in fed and path not in fed_elsewhere:
            yield Fault(f.NOT_FED, f"the mandatory member {path} is fed by no rule in MT{type_}")


def is_constant(spec: FieldSpec) -> bool:
    """The template allows one value only: it says nothing."""
    return len(spec.values) == 1
