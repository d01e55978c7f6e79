"""Legacy -> OCP by the rules of an answer or message: what a message of the PG's side says of OCP's entry.

A place is read where one rule alone writes it from members of the entry and its function and table have a way back;
a text that a constant alternative writes stands for no value. Everything else is not read, and `unread` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pg_bridge.formats.iso15022.model import Field
from pg_bridge.mapping.document import Block, ByTable, FieldRule
from pg_bridge.mapping.functions import FUNCTIONS
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.places import Places, places_of
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import Template

ENTRY = "ocp."


class PlaceReader(NamedTuple):
    """How one place is read. constants: texts that stand for no value. members: what `read` gives, in order."""

    members: tuple[str, ...]
    read: Callable[[str], tuple[Any, ...]]
    constants: frozenset[str]
    rule: str
    function: str


class MessageReader:
    """The blocks of one section turned round, for one message type. blocks: each with its name for lineage."""

    def __init__(
        self,
        blocks: Sequence[tuple[str, Block]],
        template: Template,
        type_: str,
        members: Members,
        tables: Mapping[str, CodeTable],
        by_table: ByTable | None = None,
    ) -> None:
        #: members that the message type alone tells
        self.by_type = _by_type(by_table, type_, members, tables) if by_table is not None else {}
        self._type_name = by_table.codes if by_table is not None else ""
        self.places: dict[str, PlaceReader] = {}
        #: place -> why it is not read
        self.unread: dict[str, str] = {}
        every = places_of(template, type_)
        for place, rules in _by_place(blocks, every).items():
            found = _reader(rules, members, tables)
            if isinstance(found, str):
                self.unread[place] = found
            else:
                self.places[place] = found

    def read(self, values: Mapping[str, Sequence[Field]]) -> tuple[dict[str, Any], list[Lineage]]:
        """The members that the message tells (path -> value; absent: not told), and where each comes from."""
        told: dict[str, Any] = dict(self.by_type)
        lineage = [
            Lineage(member, ("@message_type",), "", str(code), self._type_name, "codes", "transformed")
            for member, code in self.by_type.items()
        ]
        for place, reader in self.places.items():
            for field in values.get(place, ())[:1]:
                if field.value in reader.constants:
                    continue
                try:
                    results = reader.read(field.value)
                except ValueError:
                    continue  # no text that the rule would have written
                for member, value in zip(reader.members, results, strict=True):
                    if value is not None and member not in told:
                        told[member] = value
                        kind = "transformed" if reader.function else "mapped"
                        after = str(value).lower() if isinstance(value, bool) else str(value)
                        lineage.append(
                            Lineage(member, (place,), field.value, after, reader.rule, reader.function, kind)  # type: ignore[arg-type]
                        )
        return told, lineage


def _by_type(by_table: ByTable, type_: str, members: Members, tables: Mapping[str, CodeTable]) -> dict[str, Any]:
    """The members that are one code in every key that gives this message type."""
    table = tables[by_table.codes]
    keys = [key.split("/") for key in table.entries if table.to_legacy(key) == type_]
    parts = [
        (source.removeprefix(ENTRY), {key[number] for key in keys if number < len(key)})
        for number, source in enumerate(by_table.sources())
        if source.startswith(ENTRY)
    ]
    return {member: members[member].written(codes.pop()) for member, codes in parts if len(codes) == 1}


def _by_place(blocks: Sequence[tuple[str, Block]], places: Places) -> dict[str, list[tuple[str, Block, FieldRule]]]:
    found: dict[str, list[tuple[str, Block, FieldRule]]] = {}
    for name, block in blocks:
        for rule in block.fields:
            place = block.place(rule.field)
            if place in places:
                found.setdefault(place, []).append((name, block, rule))
    return found


def _reader(
    rules: Sequence[tuple[str, Block, FieldRule]], members: Members, tables: Mapping[str, CodeTable]
) -> PlaceReader | str:
    """How a place is read, or why it is not."""
    if any(block.each for _, block, _ in rules):
        return "it stands once for each item of an array"
    makers = [(name, rule) for name, _, rule in rules if not rule.constant]
    constants = frozenset(text for _, _, rule in rules for text in (rule.constant, rule.default) if text)
    if not makers:
        return "only constants are written there"
    name, first = makers[0]
    if any(_way(rule) != _way(first) for _, rule in makers):
        return "several rules write it"
    sources = first.sources()
    if not first.use and sources[0].startswith(ENTRY) and members[sources[0].removeprefix(ENTRY)].is_required:
        # Every entry has it: what may stand in its place is written only where there is no entry.
        sources = sources[:1]
    if not all(source.startswith(ENTRY) for source in sources):
        return f"it is made of {', '.join(sources)}"
    paths = tuple(source.removeprefix(ENTRY) for source in sources)
    function = FUNCTIONS[first.use] if first.use else None
    if function is not None and (function.to_ocp is None or not function.is_lossless):
        return f"the function {first.use} has no way back"
    if (function is None or function.members == 1) and len(paths) > 1:
        return "any of several members may stand there"
    if first.codes:
        if function is not None:
            return f"function {first.use} and table {first.codes} together have no way back"
        return _by_table(name, first, paths[0], members, tables[first.codes], constants)
    if function is not None and function.to_ocp is not None:
        convert = function.to_ocp(first.options)
        return PlaceReader(paths, lambda text: convert((text,)), constants, name, first.use)
    if members[paths[0]].types == {"integer"}:
        return PlaceReader(paths, lambda text: (int(text),), constants, name, "")
    return PlaceReader(paths, lambda text: (text,), constants, name, "")


def _by_table(
    name: str, rule: FieldRule, path: str, members: Members, table: CodeTable, constants: frozenset[str]
) -> PlaceReader | str:
    codes: dict[str, list[str]] = {}
    for code in sorted(members[path].codes) or sorted(table_range(table)):
        text = table.to_legacy(code)
        if text is not None:
            codes.setdefault(text, []).append(code)
    several = {text: found for text, found in codes.items() if len(found) > 1}
    if several:
        text, found = next(iter(several.items()))
        return f"{named(found)} all become {text}"
    only = {text: members[path].written(found[0]) for text, found in codes.items()}

    def read(text: str) -> tuple[Any, ...]:
        return (only.get(text),)

    return PlaceReader((path,), read, constants, name, "codes")


def named(words: Sequence[str], most: int = 3) -> str:
    """The first few of several words, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def table_range(table: CodeTable) -> set[str]:
    """OCP's codes that a table knows."""
    return set(table.entries) if table.keys == "ocp" else set(table.entries.values())


def _way(rule: FieldRule) -> tuple[object, ...]:
    """What a rule makes its text of, its condition left out."""
    return rule.sources(), rule.use, str(rule.options), rule.codes
