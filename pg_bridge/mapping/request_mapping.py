"""Legacy -> OCP: all rules of a request section for one message type, those of arrays among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.request import NOTHING_GIVES, Act, Translation, Values, is_root
from pg_bridge.mapping.schema import Members, value_below

#: sequence that repeats -> the first and last line of each time it stands
Instances = Mapping[str, Sequence[tuple[int, int]]]
NO_INSTANCES: Instances = {}
#: more lines than a text block can have
MOST_LINES = 10_000_000


class EachMapping:
    """The rules of one sequence that repeats, compiled for one message type: an item for each time it stands."""

    def __init__(self, at: str, target: str, acts: Sequence[Act], members: Members, *, keeps_nulls: bool) -> None:
        self._prefix = f"{at}/"
        self._at = at
        self._target = target.split(".")
        self._acts = tuple(acts)
        self._blank = members.blank() if keeps_nulls else dict
        self._required = [tuple(path.split(".")) for path in members.required]

    def apply(self, out: Translation, instances: Instances, *, is_faulty: bool) -> None:
        """Append the items to the document of `out`, and their lineage, carried values and findings to its own."""
        inside = {
            place.removeprefix(self._prefix): fields
            for place, fields in out.values.items()
            if place.startswith(self._prefix)
        }
        if not inside:
            return
        items: list[dict[str, Any]] = []
        for number, (first, last) in enumerate(instances.get(self._at, ((0, MOST_LINES),)), 1):
            values = {
                name: found
                for name, fields in inside.items()
                if (found := [field for field in fields if first <= field.line <= last])
            }
            item = Translation(values, out.context, self._blank(), {}, [], [])
            for act in self._acts:
                act(item)
            if not is_faulty and not item.findings:
                item.findings.extend(_wanting(item.document, self._required, f"{self._at} number {number}"))
            suffix = f"#{number}" if number > 1 else ""
            items.append(item.document)
            out.findings += item.findings
            out.carried |= {f"{name}{suffix}": text for name, text in item.carried.items()}
            out.lineage += [self._told(told, suffix) for told in item.lineage]
        spot = out.document
        for member in self._target[:-1]:
            if spot.get(member) is None:
                spot[member] = {}
            spot = spot[member]
        spot[self._target[-1]] = items

    def _told(self, told: Lineage, suffix: str) -> Lineage:
        """The lineage of an item's member, named from the document on."""
        target = told.target if told.kind == "carried" else ".".join((*self._target, told.target))
        sources = tuple(source if is_root(source) else f"{self._prefix}{source}" for source in told.sources)
        return Lineage(f"{target}{suffix}", sources, told.before, told.after, told.rule, told.function, told.kind)


def _wanting(document: Mapping[str, Any], required: Sequence[tuple[str, ...]], where: str) -> list[Finding]:
    """A finding for each mandatory member without a value."""
    return [
        Finding(NOTHING_GIVES, "error", "", f"nothing in {where} gives {'.'.join(path)}")
        for path in required
        if value_below(document, path) is None
    ]


def split_values(values: Values, at: str, instances: Instances) -> list[Values]:
    """What a message says once for each time the sequence `at` stands: that one's fields, and all outside of it."""
    prefix = f"{at}/"
    outside = {place: fields for place, fields in values.items() if not place.startswith(prefix)}
    parts: list[Values] = []
    for first, last in instances.get(at, ((0, MOST_LINES),)):
        inside = {
            place: found
            for place, fields in values.items()
            if place.startswith(prefix) and (found := [field for field in fields if first <= field.line <= last])
        }
        parts.append(outside | inside)
    return parts


class RequestMapping:
    """The rules of one template and message type."""

    def __init__(
        self,
        acts: Sequence[Act],
        members: Members,
        each: Sequence[EachMapping] = (),
        *,
        keeps_nulls: bool,
        sought: Collection[str] = (),
    ) -> None:
        """sought: members that are filled in later where no rule gives them."""
        self._acts = tuple(acts)
        self._each = tuple(each)
        self._blank = members.blank() if keeps_nulls else dict
        required = [path for path in members.required if path not in sought]
        self._required = [tuple(path.split(".")) for path in required]
        # A document with every member is asked for all the mandatory ones at once.
        is_flat = keeps_nulls and len(required) > 1 and not any("." in path for path in required)
        self._always = itemgetter(*required) if is_flat else None

    def apply(
        self,
        values: Values,
        context: Mapping[str, Any],
        instances: Instances = NO_INSTANCES,
        *,
        is_faulty: bool = False,
    ) -> Translation:
        """The document, what is carried, the lineage, and what failed.

        instances: where each instance of a sequence that repeats stands, by first and last line. is_faulty: the
        message is refused already and `values` hold its faultless fields only; a member that nothing gives is then
        no further fault.
        """
        out = Translation(values, context, self._blank(), {}, [], [])
        for act in self._acts:
            act(out)
        for each in self._each:
            each.apply(out, instances, is_faulty=is_faulty)
        if not is_faulty and not out.findings:
            document = out.document
            if self._always is None or None in self._always(document):
                out.findings.extend(_wanting(document, self._required, "the message"))
        return out
