"""What the rules of a section may take: the members of its schema, its named values, and roots that are not OCP's."""

from __future__ import annotations

from collections.abc import Mapping

from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault, Faults
from pg_bridge.mapping.checks.part_check import CONTEXT
from pg_bridge.mapping.checks.request_check import unknown_values
from pg_bridge.mapping.checks.situations import OUTCOMES
from pg_bridge.mapping.rule_set import OwnTexts
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import Refusal

#: sources that are not OCP's and may be anything
NOT_CLOSED: Mapping[str, tuple[str, ...]] = {}
#: What rules may take from the roots that are not OCP's.
ROOTS: Mapping[str, tuple[str, ...]] = {
    "request": ("reference", "message_type", "template"),
    "answer": ("outcome", "meaning", "si_number", "participant_reference", "text", "faults", "fault_texts"),
    "item": ("code", "meaning", "reason", "text"),
    "context": CONTEXT,
    "broadcast": ("head", "text"),
    "report": ("part",),
    "file": ("name", "read", "accepted", "refused", "items"),
    "page": ("number", "mark", "count"),
}
#: `request.carried.<name>`: what the rules of the request keep.
CARRIED = "request.carried."
#: the array that is not OCP's
FAULTS = "answer.faults"


class SourceCheck:
    """What was seen of a section's sources so far.

    roots: what rules may take from the roots that are not OCP's. values: the named ones above; used: OCP's members;
    taken: what was named of the other roots.
    """

    def __init__(
        self,
        members: Members,
        carried: frozenset[str],
        own: OwnTexts,
        roots: Mapping[str, tuple[str, ...]] = ROOTS,
    ) -> None:
        self._members = members
        self._carried = carried
        self._own = own
        self._roots = roots
        self.values: set[str] = set()
        self.used: set[str] = set()
        self.taken: set[str] = set()

    def condition(self, condition: Mapping[str, object]) -> Faults:
        """The values that a condition names can be there."""
        for source, wanted in condition.items():
            root, _, path = source.partition(".")
            known: frozenset[str] = frozenset()
            if root == "ocp" and path in self._members:
                known = self._members[path].codes
            elif root == "profile":
                known = frozenset(self._own.values.get(path, ()))
            elif source == "answer.outcome":
                known = OUTCOMES
            elif source == "answer.meaning":
                known = frozenset(Refusal)
            for value in unknown_values(wanted, known) if known else ():
                yield Fault(f.WRONG_CONDITION, f"{source} is never {value}: it is one of {', '.join(sorted(known))}")

    def source(self, source: str, items: tuple[str, ...] | None = None) -> Faults:
        """A source exists."""
        root, _, path = source.partition(".")
        if root == "ocp":
            if path in self._members:
                self.used.add(path)
            else:
                yield Fault(f.NO_SUCH_MEMBER, f"the schema has no member {path}, named as {source}")
        elif root == "value":
            if path not in self.values:
                yield Fault(f.NO_SUCH_SOURCE, f"there is no {source} above here")
        elif root == "profile":
            if path not in self._own.texts:
                text = f"there is no {source}; the profile of set.toml has {', '.join(self._own.texts) or 'none'}"
                yield Fault(f.NO_SUCH_SOURCE, text)
        elif source.startswith(CARRIED):
            if source.removeprefix(CARRIED) not in self._carried:
                yield Fault(f.NO_SUCH_SOURCE, f"no request carries {source.removeprefix(CARRIED)}")
        elif root not in self._roots:
            text = f"{source!r} has no root; roots are ocp, value, profile, {', '.join(self._roots)}"
            yield Fault(f.NO_SUCH_SOURCE, text)
        elif root == "item" and items is None:
            yield Fault(f.NO_SUCH_SOURCE, f"{source} has a meaning only in a block with `each`")
        elif path not in (items or () if root == "item" else self._roots[root]):
            known = ", ".join(items or () if root == "item" else self._roots[root])
            yield Fault(f.NO_SUCH_SOURCE, f"there is no {source}; {root} has {known}")
        else:
            self.taken.add(source)
