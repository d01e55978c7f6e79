"""What differs in the OCP profile: operations, limits, bindings and codes, and the schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pg_bridge.mapping.changes.change import Comparison, Effect, became, listed, shown, worded
from pg_bridge.mapping.changes.tree_difference import TEXTS, Path, compare_tree, leaves
from pg_bridge.profiles.concepts import Operation

Json = Mapping[str, Any]

#: group of the binding = what is read or written through it, where it is not the conversation with OCP itself
_BINDINGS = {
    "si": Effect.OCP_GETS,
    "query": Effect.OCP_GETS,
    "answer": Effect.WE_WRITE,
    "record_error": Effect.WE_WRITE,
    "event": Effect.WE_WRITE,
}
#: operations that carry what the PSS asks for
_BUSINESS = frozenset(operation for operation in Operation if operation.value.startswith("si_"))
_HEAD = frozenset({("name",), ("version",), ("source",)})
_SCHEMAS = ("components", "schemas")


def compare_profile(c: Comparison) -> None:
    """profile.toml: bindings and codes in words of their own, the rest entry by entry."""
    known = {"binding", "codes", "operations"}
    for group in _names(c, "binding"):
        old, new = _below(c.old, "binding", group), _below(c.new, "binding", group)
        effect = _BINDINGS.get(group, Effect.WE_CONNECT)
        _named(
            c, effect, f"binding.{group}", old, new, f"the concept {{}} in the group {group}", "stood at", "stands at"
        )
    for table in _names(c, "codes"):
        old, new = _below(c.old, "codes", table), _below(c.new, "codes", table)
        _named(c, Effect.WE_WRITE, f"codes.{table}", old, new, f"OCP's {table} {{}}", "meant", "means")
    for name in _names(c, "operations"):
        _operation(c, name, _below(c.old, "operations").get(name), _below(c.new, "operations").get(name))

    def effect_of(path: Path) -> Effect:
        return Effect.NONE if path in _HEAD else Effect.WE_CONNECT

    old = {name: value for name, value in c.old.items() if name not in known}
    new = {name: value for name, value in c.new.items() if name not in known}
    compare_tree(c, old, new, effect_of, subject="the OCP profile", about="OCP profile")


def _operation(c: Comparison, name: str, old: Any, new: Any) -> None:
    at, about = f"operations.{name}", f"operation {name}"
    if old is None:
        c.added(Effect.WE_CONNECT, at, about, f"the operation {name} is added")
    elif new is None:
        c.removed(Effect.WE_CONNECT, at, about, f"the operation {name} is removed")
    else:
        old, new = ({"most": 1, **each} if isinstance(each, dict) else each for each in (old, new))
        effect = Effect.WE_CONNECT
        compare_tree(c, old, new, lambda path: effect, at=at, subject=f"the operation {name}", about=about)


def _below(document: Json, *path: str) -> dict[str, Any]:
    spot: Any = document
    for name in path:
        spot = spot.get(name) if isinstance(spot, dict) else None
    return spot if isinstance(spot, dict) else {}


def _names(c: Comparison, section: str) -> list[str]:
    return list(dict.fromkeys([*_below(c.old, section), *_below(c.new, section)]))


def _named(c: Comparison, effect: Effect, at: str, old: Json, new: Json, called: str, was: str, now: str) -> None:
    """A table of names to values, one sentence a name."""
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) == new.get(name):
            continue
        about = f"{at.replace('.', ' ')} {name}"
        subject = called.format(name)
        before, after = shown(old.get(name)), shown(new.get(name))
        if name not in old:
            c.added(effect, f"{at}.{name}", about, f"{subject} is added, it {now} {after}")
        elif name not in new:
            c.removed(effect, f"{at}.{name}", about, f"{subject} is removed, it {was} {before}")
        else:
            c.changed(effect, f"{at}.{name}", about, f"{subject} {was} {before} and {now} {after}")


# --- schemas ---------------------------------------------------------------------------------------------------


def schema_effects(openapi: Json, profile: Json) -> dict[str, Effect]:
    """What each schema of the document shapes, by the operations that use it; none that nothing refers to."""
    found: dict[str, Effect] = {}
    schemas = _below(openapi, *_SCHEMAS)
    asked: list[str] = []
    answered: list[str] = []
    for name, spec in _below(profile, "operations").items():
        if isinstance(spec, dict):
            asked += [str(spec.get("entry"))] if name in _BUSINESS else []
            is_business = name in _BUSINESS or name == Operation.STATUS_EVENTS
            answered += [str(spec.get("answer"))] if is_business else []
    _reach(schemas, asked, Effect.OCP_GETS, found)
    _reach(schemas, answered, Effect.WE_WRITE, found)
    _reach(schemas, list(_references(openapi.get("paths"))), Effect.WE_CONNECT, found)
    parameters = {key: value for key, value in _below(openapi, "components").items() if key != _SCHEMAS[1]}
    _reach(schemas, list(_references(parameters)), Effect.WE_CONNECT, found)
    return found


def _reach(schemas: Json, names: list[str], effect: Effect, found: dict[str, Effect]) -> None:
    while names:
        name = names.pop()
        if name in schemas and name not in found:
            found[name] = effect
            names += _references(schemas[name])


def _references(spot: Any) -> Iterator[str]:
    if isinstance(spot, dict):
        for name, value in spot.items():
            if name == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(spot, list):
        for value in spot:
            yield from _references(value)


def compare_openapi(c: Comparison, effects: Mapping[str, Effect]) -> None:
    """openapi.yaml: schemas member by member, paths and parameters entry by entry."""
    old, new = _below(c.old, *_SCHEMAS), _below(c.new, *_SCHEMAS)
    for name in dict.fromkeys([*old, *new]):
        at = f"{'.'.join(_SCHEMAS)}.{name}"
        effect = effects.get(name, Effect.NONE)
        if name not in new:
            c.removed(effect, at, f"schema {name}", f"the schema {name} is removed")
        elif name not in old:
            c.added(effect, at, f"schema {name}", f"the schema {name} is added")
        else:
            _schema(c, effect, at, f"schema {name}", f"the schema {name}", old[name], new[name])
    paths = _below(c.old, "paths"), _below(c.new, "paths")
    compare_tree(c, paths[0], paths[1], _path_effect, at="paths", subject="the path", about="path", joint=" ")
    components = [
        {name: value for name, value in _below(whole, "components").items() if name != _SCHEMAS[1]}
        for whole in (c.old, c.new)
    ]
    compare_tree(
        c, components[0], components[1], _path_effect, at="components", subject="the OpenAPI document", about="OpenAPI"
    )
    rest = [
        {name: value for name, value in whole.items() if name not in ("paths", "components")}
        for whole in (c.old, c.new)
    ]
    compare_tree(c, rest[0], rest[1], lambda path: Effect.NONE, subject="the OpenAPI document", about="OpenAPI")


def _path_effect(path: Path) -> Effect:
    is_text = any(name in TEXTS or name in ("tags", "operationId", "value") or name.startswith("x-") for name in path)
    return Effect.NONE if is_text else Effect.WE_CONNECT


def _schema(c: Comparison, effect: Effect, at: str, about: str, subject: str, old: Any, new: Any) -> None:
    """One schema, and those that lie in it."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            c.changed(effect, at, about, f"{subject}: it was {shown(old)} and is {shown(new)}")
        return
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name), new.get(name)
        if type(was) is type(now) and was == now:
            continue
        here = f"{at}.{name}"
        if name == "properties" and isinstance(was, dict) and isinstance(now, dict):
            _members(c, effect, here, about, subject, was, now)
        elif name == "required":
            _required(c, effect, here, about, subject, was, now)
        elif name == "items":
            _schema(c, effect, here, f"{about} items", f"each entry of {subject}", was, now)
        elif name in TEXTS or name in ("default", "deprecated") or name.startswith("x-"):
            c.changed(Effect.NONE, here, about, f"{subject}: its {worded(name)} is changed")
        elif name == "additionalProperties":
            told = "other members are refused" if now is False else "other members may come"
            c.changed(effect, here, about, f"{subject}: {told} now")
        elif isinstance(was, dict | list) and isinstance(now, dict | list) and name not in ("enum", "type"):
            _combinations(c, effect, here, about, subject, name, was, now)
        else:
            c.changed(effect, here, about, f"{subject}: {became(name, was, now)}")


def _members(c: Comparison, effect: Effect, at: str, about: str, subject: str, old: Json, new: Json) -> None:
    for name in dict.fromkeys([*old, *new]):
        here, topic = f"{at}.{name}", f"{about} member {name}"
        called = f"the member {name} of {subject.removeprefix('the schema ')}"
        if name not in new:
            c.removed(effect, here, topic, f"{called} is removed")
        elif name not in old:
            c.added(effect, here, topic, f"{called} is added")
        else:
            _schema(c, effect, here, topic, called, old[name], new[name])


def _required(c: Comparison, effect: Effect, at: str, about: str, subject: str, was: Any, now: Any) -> None:
    old, new = [each if isinstance(each, list) else [] for each in (was, now)]
    whole = subject.removeprefix("the schema ")
    for name in dict.fromkeys([*old, *new]):
        if (name in old) != (name in new):
            told = "is required now" if name in new else "is not required any more"
            c.changed(effect, at, f"{about} member {name}", f"the member {name} of {whole} {told}")


def _combinations(
    c: Comparison, effect: Effect, at: str, about: str, subject: str, name: str, was: Any, now: Any
) -> None:
    """Rules of a schema over several members: told by the deepest entry that differs."""
    for leaf in leaves(was, now, (), at, at):
        quiet = bool(leaf.path) and leaf.path[-1] in TEXTS
        where = listed([" ".join([name, *leaf.path])])
        clause = f"{where} was {shown(leaf.old)} and is {shown(leaf.new)}"
        c.changed(Effect.NONE if quiet else effect, leaf.new_at, about, f"{subject}: {clause}")
