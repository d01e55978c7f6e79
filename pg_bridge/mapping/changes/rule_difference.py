"""What differs in the rules of a request. Rules are known by what they feed, never by where they stand."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from pg_bridge.mapping.changes.change import EFFECTS, Comparison, Effect, became, condition, is_empty, same, shown
from pg_bridge.mapping.changes.pairs import Item, Pair, moved, pairs
from pg_bridge.mapping.changes.tree_difference import compare_tree

Json = Mapping[str, Any]

_SECTION = ("template", "operation", "schema")
#: entries of a rule that decide nothing: for whom it may concern
_QUIET = frozenset({"reason", "source"})
_FEEDS = ("to", "carried", "refused")


def texts(value: Any) -> tuple[str, ...]:
    """One text or a list of them."""
    if is_empty(value):
        return ()
    return tuple(map(shown, value)) if isinstance(value, list) else (shown(value),)


def compare_request(c: Comparison, name: str, old: Any, new: Any) -> None:
    """The request section of one rule file. name: of the rule file."""
    about = f"rules {name}"
    if not isinstance(old, dict) or not isinstance(new, dict):
        if isinstance(new, dict):
            c.added(Effect.OCP_GETS, "request", about, "it translates requests now")
        elif isinstance(old, dict):
            c.removed(Effect.OCP_GETS, "request", about, "it translates no requests any more")
        return
    for entry in _SECTION:
        if not same(old.get(entry), new.get(entry)):
            text = f"the request: {became(entry, old.get(entry), new.get(entry))}"
            c.changed(Effect.OCP_GETS, f"request.{entry}", about, text)
    compare_rules(c, about, "request.rule", "request.rule", old.get("rule"), new.get("rule"))
    left_out_differs(c, about, "request.left_out", old.get("left_out"), new.get("left_out"))
    _each(c, about, old.get("each"), new.get("each"))
    known = {*_SECTION, "rule", "left_out", "each"}
    rest = [{key: value for key, value in section.items() if key not in known} for section in (old, new)]
    compare_tree(c, rest[0], rest[1], lambda path: Effect.OCP_GETS, at="request", subject="the request", about=about)


def _each(c: Comparison, about: str, old: Any, new: Any) -> None:
    """Sequences that become arrays, known by the array."""
    found = pairs(old, new, lambda entry: shown(entry.get("to")), lambda entry: shown(entry.get("at")))
    for pair in found.both:
        subject = f"the array {shown(pair.new.entry.get('to'))}"
        at = f"request.each[{pair.new.number}]"
        was = f"request.each[{pair.old.number}].rule"
        topic = f"{about} {subject[4:]}"
        parts_differ(c, Effect.OCP_GETS, at, topic, subject, pair.old.entry, pair.new.entry, known=("rule",))
        compare_rules(c, topic, was, f"{at}.rule", pair.old.entry.get("rule"), pair.new.entry.get("rule"))
    for item in found.removed:
        name = shown(item.entry.get("to"))
        at = f"request.each[{item.number}]"
        c.removed(Effect.OCP_GETS, at, f"{about} array {name}", f"the array {name} is not made any more")
    for item in found.added:
        name, place = shown(item.entry.get("to")), shown(item.entry.get("at"))
        at = f"request.each[{item.number}]"
        c.added(Effect.OCP_GETS, at, f"{about} array {name}", f"the array {name} is made, of each {place}")


def compare_rules(c: Comparison, about: str, old_at: str, new_at: str, old: Any, new: Any) -> None:
    """Two lists of rules, which stand at `old_at` and `new_at` of their files."""
    found = pairs(old, new, _feeds, _takes)
    for pair in found.both:
        _rule(c, about, f"{new_at}[{pair.new.number}]", pair)
    for item in found.removed:
        text = f"{called(item.entry)} is removed: {described(item.entry)}"
        c.removed(effect_of(item.entry), f"{old_at}[{item.number}]", _about(about, item), text)
    for item in found.added:
        text = f"{called(item.entry)} is added: {described(item.entry)}"
        c.added(effect_of(item.entry), f"{new_at}[{item.number}]", _about(about, item), text)
    for pair, other in _changed_places(found.both):
        where = f"behind the one {described(other.new.entry)}"
        text = f"{called(pair.new.entry)}: it stands {where} now, and the first with a value counts"
        c.moved(effect_of(pair.new.entry), f"{new_at}[{pair.new.number}]", _about(about, pair.new), text)


def _about(about: str, item: Item) -> str:
    return f"{about} rule for {' and '.join(targets(item.entry)) or ' '.join(texts(item.entry.get('from')))}"


def targets(rule: Json) -> tuple[str, ...]:
    """What a rule feeds: members, or the name under which it is carried."""
    return texts(rule.get("to")) or texts(rule.get("carried"))


def _feeds(rule: Json) -> Hashable | None:
    """What tells a rule apart: what it feeds; a refusal, by its words."""
    for name in _FEEDS:
        if not is_empty(rule.get(name)):
            return (name, texts(rule.get(name)))
    return None


def _takes(rule: Json) -> Hashable | None:
    """Failing that: what it takes."""
    return texts(rule.get("from")) or None


def effect_of(rule: Json) -> Effect:
    """What a change of this rule touches: a member, or whether and how a field is taken at all."""
    return Effect.OCP_GETS if not is_empty(rule.get("to")) else Effect.WE_TAKE


def called(rule: Json) -> str:
    """The words for a rule."""
    if not is_empty(rule.get("to")):
        return f"the rule for {' and '.join(texts(rule.get('to')))}"
    if not is_empty(rule.get("carried")):
        return f"the rule that carries {' or '.join(texts(rule.get('from')))} as {shown(rule.get('carried'))}"
    if not is_empty(rule.get("refused")):
        return f"the refusal '{rule.get('refused')}'"
    return f"the rule of {' or '.join(texts(rule.get('from')))}"


def described(part: Json) -> str:
    """Where a rule, value or field has its value from: `from A or B by the function date, if X is Y`."""
    joins = " and " if not is_empty(part.get("codes")) else " or "
    told = []
    if not is_empty(part.get("constant")):
        told.append(f"always {shown(part.get('constant'))}")
    if texts(part.get("from")):
        told.append(f"from {joins.join(texts(part.get('from')))}")
    told += [f"by the function {part['use']}"] if not is_empty(part.get("use")) else []
    told += [f"by the code table {part['codes']}"] if not is_empty(part.get("codes")) else []
    told += [f"else {shown(part['default'])}"] if not is_empty(part.get("default")) else []
    told += [f"if {condition(part['when'])}"] if not is_empty(part.get("when")) else []
    return " ".join(told) or "from nothing"


def _rule(c: Comparison, about: str, at: str, pair: Pair) -> None:
    old, new = pair.old.entry, pair.new.entry
    topic = _about(about, pair.new)
    was, now = _feeds(old), _feeds(new)
    if was != now:
        effect = min(effect_of(old), effect_of(new), key=EFFECTS.index)
        source = " or ".join(texts(new.get("from"))) or "the constant"
        same_kind = _kind_of(was) == _kind_of(now)
        if same_kind and not is_empty(new.get("refused")):
            text = f"{called(new)}: its words were '{old.get('refused')}'"
            effect = Effect.WE_WRITE
        else:
            why = f": {new['reason']}" if not same_kind and not is_empty(new.get("reason")) else ""
            text = f"{source}: it was {_fate(old)} and is {_fate(new)}{why}"
        c.changed(effect, at, topic, text)
    known = (*_FEEDS, "reason") if _kind_of(was) != _kind_of(now) else _FEEDS
    parts_differ(c, effect_of(new), at, topic, called(new), old, new, known=known)


def _kind_of(feeds: Hashable | None) -> Any:
    return feeds[0] if isinstance(feeds, tuple) else None


def _fate(rule: Json) -> str:
    if not is_empty(rule.get("to")):
        return f"mapped to {' and '.join(texts(rule.get('to')))}"
    if not is_empty(rule.get("carried")):
        return f"carried as {shown(rule.get('carried'))}"
    return f"refused ('{rule.get('refused')}')" if not is_empty(rule.get("refused")) else "left alone"


def parts_differ(
    c: Comparison,
    effect: Effect,
    at: str,
    about: str,
    subject: str,
    old: Json,
    new: Json,
    *,
    known: tuple[str, ...] = (),
) -> None:
    """Every entry of a rule, value or field that differs, but the `known` ones; options one by one."""
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if name in known or same(was, now):
            continue
        if name == "options" and isinstance(was, dict) and isinstance(now, dict):
            compare_tree(
                c, was, now, lambda path: effect, at=f"{at}.options", subject=f"{subject}, options", about=about
            )
            continue
        quiet = Effect.NONE if name in _QUIET else effect
        clause = f"its {name} is told otherwise" if name == "reason" else became(name, was, now)
        c.changed(quiet, f"{at}.{name}", about, f"{subject}: {clause}")


def _changed_places(both: list[Pair]) -> list[tuple[Pair, Pair]]:
    """Rules that changed places with another for the same member: of these the first with a value counts."""
    by_target: dict[str, list[Pair]] = {}
    for pair in both:
        for target in texts(pair.new.entry.get("to")):
            by_target.setdefault(target, []).append(pair)
    found: dict[int, tuple[Pair, Pair]] = {}
    for group in by_target.values():
        for pair in moved(group):
            place = group.index(pair)
            other = group[place - 1] if place else group[1]
            first = (pair, other) if place else (other, pair)
            found.setdefault(first[0].new.number, first)
    return list(found.values())


def left_out_differs(c: Comparison, about: str, at: str, old: Any, new: Any) -> None:
    """What has no counterpart, and why."""
    was, now = [each if isinstance(each, dict) else {} for each in (old, new)]
    for name in dict.fromkeys([*was, *now]):
        here, topic = f"{at}.{name}", f"{about} left out {name}"
        if name not in now:
            c.removed(Effect.NONE, here, topic, f"{name} is not left out any more")
        elif name not in was:
            c.added(Effect.NONE, here, topic, f"{name} is left out: {shown(now[name])}")
        elif was[name] != now[name]:
            c.changed(Effect.NONE, here, topic, f"{name}: why it is left out is told otherwise")
