"""What an answer or message section writes on each path: mandatory fields without a value, sequences that nothing
writes, blocks and fields that can never be written, keys that a table has no code for.

A path says which situation it is and, of each source that conditions or mandatory fields look at, what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.mapping.checks.paths import (
    DATES,
    OTHER,
    Budget,
    Domain,
    Path,
    domain,
    holds_on,
    mentions,
    paths,
    profile_domain,
    words,
)
from pg_bridge.mapping.checks.situations import Situation
from pg_bridge.mapping.conditions import Holds, condition_sources
from pg_bridge.mapping.document import Block, ByTable, FieldRule, Part, Value
from pg_bridge.mapping.pages import MARKS
from pg_bridge.mapping.places import places_of
from pg_bridge.mapping.rule_set import OwnTexts
from pg_bridge.mapping.schema import Members
from pg_bridge.profiles.concepts import ANSWER_ENTRY, SI_INPUT, Status
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.template import FieldSpec, SequenceSpec, Template

_ENTRY = "ocp."


class MessagePaths:
    """The values and blocks of one section in one message type."""

    def __init__(
        self,
        values: Sequence[Value],
        blocks: Sequence[Block],
        template: Template,
        type_: str,
        members: Members,
        tables: Mapping[str, CodeTable],
        situations: Sequence[Situation],
        ocp: OcpProfile,
        budget: Budget,
        own: OwnTexts,
        by_table: ByTable | None = None,
        surely: frozenset[str] = frozenset(),
    ) -> None:
        """surely: sources that are there whenever the request was taken."""
        self._surely = surely
        self._budget = budget
        self._own = own
        self._values = {f"value.{value.name}": value for value in values}
        self._blocks = blocks
        self._root = template.root
        self._type = type_
        self._places = places_of(template, type_)
        self._members = members
        self._tables = tables
        self._situations = situations
        every: list[Part | Block] = [*values, *blocks, *(rule for block in blocks for rule in block.fields)]
        self._mentions = mentions(part.when for part in every)
        #: the condition of each part, compiled when first asked; the parts live as long as this
        self._holds: dict[int, Holds[Path]] = {}
        self._chosen_by = by_table
        self._status = ".".join(ocp.place("answer", "status").members)
        self._pending = ocp.place("answer", "status").json(ocp.code("status", Status.PENDING))
        #: members that an outcome told late has: what was asked, and what was answered
        self._late = {
            ".".join(ocp.place("si", concept).members) for concept in {*SI_INPUT, *ANSWER_ENTRY} - {"record_errors"}
        }

    def faults(self) -> Iterator[tuple[int | None, Fault]]:
        """Every fault, with the number of the block that it is of, None for the section."""
        for number, block in enumerate(self._blocks):
            yield from ((number, fault) for fault in self._block_faults(block))
        yield from ((None, fault) for fault in self._unwritten(self._root))

    # --- blocks ------------------------------------------------------------------------------------------------

    def _block_faults(self, block: Block) -> Iterator[Fault]:
        rules = self._rules(block)
        if not rules:
            return
        found = self._paths([block, *rules])
        if found is None:
            # Too many at once: each mandatory field by itself, and the block taken as written.
            yield from self._mandatory_alone(block, rules)
            return
        on = [path for path in found if self._on(block, path)]
        if not on:
            yield Fault(f.NEVER_ACTS, f"the block {block.at} can never be written: its condition never holds")
            return
        written = [path for path in on if self._is_written(rules, path)]
        for field, alternatives in _by_field(rules).items():
            spec = self._places[block.place(field)]
            for path in written if spec.mandatory and not self._is_inner(field, rules) else ():
                if not any(self._gives(rule, path) for rule in alternatives):
                    yield self._not_given(spec, path)
                    break
            yield from self._useless(spec, alternatives, on)
        for rule in rules:
            yield from self._codes_missing(rule, on)

    def _mandatory_alone(self, block: Block, rules: Sequence[FieldRule]) -> Iterator[Fault]:
        for field, alternatives in _by_field(rules).items():
            spec = self._places[block.place(field)]
            found = self._paths([block, *alternatives]) if spec.mandatory and not self._is_inner(field, rules) else ()
            if found is None:
                yield Fault(f.TOO_MUCH, f"{spec.place} depends on too many conditions to check")
                continue
            for path in found:
                if self._on(block, path) and not any(self._gives(rule, path) for rule in alternatives):
                    yield self._not_given(spec, path)
                    break

    def _not_given(self, spec: FieldSpec, path: Path) -> Fault:
        text = f"the mandatory field {spec.place} gets no value in MT{self._type} {self._words(path)}"
        return Fault(f.NOT_FED, text.rstrip())

    @staticmethod
    def _is_inner(field: str, rules: Sequence[FieldRule]) -> bool:
        """A field of a sequence inside the block: due only where another of that sequence is written."""
        return (
            "/" in field and len({rule.field for rule in rules if rule.field.startswith(field.rpartition("/")[0])}) == 1
        )

    def _is_written(self, rules: Sequence[FieldRule], path: Path) -> bool:
        fields = _by_field(rules).values()
        values = [each for each in fields if not all(rule.constant for rule in each)]
        return not values or any(self._gives(rule, path) for each in values for rule in each)

    def _useless(self, spec: FieldSpec, alternatives: Sequence[FieldRule], on: Sequence[Path]) -> Iterator[Fault]:
        """Alternatives that can never be the one written."""
        for number, rule in enumerate(alternatives):
            if not any(
                self._gives(rule, path) and not any(self._gives(above, path) for above in alternatives[:number])
                for path in on
            ):
                how = f"from {', '.join(rule.sources())}" if rule.sources() else rule.constant
                text = f"{spec.place} {how} can never be written in MT{self._type}"
                yield Fault(f.NEVER_ACTS, f"{text}: its condition never holds, or one above always does")

    def _codes_missing(self, rule: FieldRule, on: Sequence[Path]) -> Iterator[Fault]:
        if not rule.codes or rule.use or len(rule.sources()) < 2:
            return
        table = self._tables[rule.codes]
        missing: dict[str, None] = {}
        for path in on:
            values = [path.get(source) for source in rule.sources()]
            if OTHER in values or all(value is None for value in values) or not self._on(rule, path):
                continue
            key = "/".join("" if value is None else str(value) for value in values)
            if table.to_legacy(key) is None:
                missing[key] = None
        for key in missing:
            yield Fault(f.TABLE_INCOMPLETE, f"the table {table.name} has no code for {key!r}")

    # --- sequences ---------------------------------------------------------------------------------------------

    def _unwritten(self, spec: SequenceSpec) -> Iterator[Fault]:
        """Mandatory sequences that no block writes on some path on which the sequence around them is written."""
        for item in spec.items:
            if not isinstance(item, SequenceSpec) or self._type not in item.types:
                continue
            if item.mandatory:
                yield from self._missing(spec, item)
            yield from self._unwritten(item)

    def _missing(self, around: SequenceSpec, spec: SequenceSpec) -> Iterator[Fault]:
        own = self._writers(spec.path)
        outer = self._writers(around.path) if around.path else []
        fields = {id(block): self._rules(block) for block in own}
        found = self._paths([*own, *outer, *(rule for rules in fields.values() for rule in rules)])
        if found is None:
            # Too many at once: a block whose condition holds is taken as written.
            fields = {}
            found = self._paths([*own, *outer])
        if found is None:
            yield Fault(f.TOO_MUCH, f"whether {spec.path} is written depends on too many conditions to check")
            return
        for path in found:
            is_due = not around.path or any(self._on(block, path) for block in outer)
            if is_due and not any(
                self._on(block, path) and self._is_written(fields.get(id(block), ()), path) for block in own
            ):
                text = (
                    f"the mandatory sequence {spec.path} is written by no block in MT{self._type} {self._words(path)}"
                )
                yield Fault(f.NOT_FED, text.rstrip())
                return

    def _rules(self, block: Block) -> list[FieldRule]:
        """The fields of a block that stand in this message type."""
        return [rule for rule in block.fields if block.place(rule.field) in self._places]

    def _writers(self, path: str) -> list[Block]:
        """The blocks that write a sequence, itself or by one inside it."""
        return [block for block in self._blocks if block.at == path or block.at.startswith(f"{path}/")]

    # --- one part on one path ----------------------------------------------------------------------------------

    def _on(self, part: Part | Block, path: Path) -> bool:
        """Whether the condition of a part holds."""
        if not part.when:
            return True
        holds = self._holds.get(id(part))
        if holds is None:
            holds = self._holds[id(part)] = holds_on(part.when)
        return holds(path)

    def _gives(self, rule: Part, path: Path) -> bool:
        if not self._on(rule, path):
            return False
        if rule.constant or rule.default:
            return True
        return any(self._is_there(source, path) for source in rule.sources())

    def _is_there(self, source: str, path: Path) -> bool:
        value = self._values.get(source)
        if value is not None:
            return self._gives(value, path)
        return path.get(source) is not None

    # --- paths -------------------------------------------------------------------------------------------------

    def _paths(self, parts: Sequence[Part | Block]) -> list[Path] | None:
        """The paths of these parts; None where there are too many."""
        sources = dict.fromkeys(source for part in parts for source in self._sources(part))
        choosing = self._chosen_by.sources() if self._chosen_by is not None else ()
        sources |= dict.fromkeys(choosing)
        coded = {
            source
            for part in parts
            if isinstance(part, Part) and part.codes and not part.use and len(part.sources()) > 1
            for source in part.sources()
        }
        domains = [self._domain(source, is_coded=source in coded or source in choosing) for source in sources]
        found: list[Path] = []
        for situation in self._situations:
            possible = [
                Domain(
                    each.source, tuple(value for value in each.values if self._can_be(each.source, value, situation))
                )
                for each in domains
            ]
            if not self._budget.takes(possible):
                return None
            found += paths(possible, self._is_possible if situation.has_entry else self._is_of_type)
        return found

    def _sources(self, part: Part | Block) -> Iterable[str]:
        """The sources of a part and of its condition, named values taken apart."""
        named = condition_sources(part.when) + (list(part.sources()) if isinstance(part, Part) else [])
        for source in named:
            value = self._values.get(source)
            if value is None:
                yield source
            else:
                yield from self._sources(value)

    def _domain(self, source: str, *, is_coded: bool) -> Domain:
        mention = self._mentions.get(source)
        root, _, path = source.partition(".")
        if source == "answer.outcome":
            return Domain(source, tuple(dict.fromkeys(each.outcome for each in self._situations)))
        if root == "ocp":
            member = self._members[path]
            # as they stand in a document: conditions compare whole numbers with whole numbers
            codes = member.enum if is_coded or (mention is not None and mention.values) else ()
            # An entry may lack it where the schema allows that, or where there is no entry at all.
            return domain(source, mention, codes=codes, is_optional=True)
        if root == "profile":
            return profile_domain(source, mention, self._own)
        if root in ("context", "item"):
            is_date = mention is not None and mention.is_date
            return Domain(source, (DATES[1],)) if is_date else domain(source, mention, is_optional=root == "item")
        if root in ("broadcast", "file"):
            return domain(source, mention, is_optional=source == "file.items")
        if source == "request.reference":
            return Domain(source, (OTHER, "", None))
        if source == "page.mark":
            return Domain(source, MARKS)
        if root == "page":
            return domain(source, mention, is_optional=path == "count")
        return domain(source, mention, is_optional=True)

    def _can_be(self, source: str, value: object, situation: Situation) -> bool:
        """Whether a source may hold this in a situation."""
        if source.startswith(_ENTRY):
            member = source.removeprefix(_ENTRY)
            if not situation.has_entry or (situation.is_late and member not in self._late):
                return value is None
            if situation.outcome == "waits" and member == self._status:
                return value in (self._pending, OTHER)
            return value is not None or not self._members[member].is_required
        if source == "answer.outcome":
            return value == situation.outcome
        if source == "report.part":
            return (value is not None) == (situation.outcome == "found")
        if source in ("answer.meaning", "answer.fault_texts"):
            return (value is not None) == (situation.outcome == "refused")
        if source == "answer.text":
            is_due = situation.outcome == "waits" and not situation.has_entry
            return value is not None if is_due else value is None or situation.outcome == "waits"
        if source == "request.reference":
            return value is not None or situation.has_request is not True
        if source in self._surely:
            return value is not None or situation.outcome == "refused"
        return True

    def _is_possible(self, path: Path) -> bool:
        """Whether the schema allows these members together, and the message is of this type then."""
        if not self._is_of_type(path):
            return False
        for group in self._members.one_of:
            if all(path.get(f"{_ENTRY}{member}", OTHER) is None for member in group):
                return False
        for member, codes, due in self._members.implied:
            if path.get(f"{_ENTRY}{member}") in codes and any(
                path.get(f"{_ENTRY}{each}", OTHER) is None for each in due
            ):
                return False
        return True

    def _is_of_type(self, path: Path) -> bool:
        if self._chosen_by is None:
            return True
        table = self._tables[self._chosen_by.codes]
        return table.to_legacy("/".join([str(path[source]) for source in self._chosen_by.sources()])) == self._type

    @staticmethod
    def _words(path: Path) -> str:
        return words({source: value for source, value in path.items() if value != OTHER})


def _by_field(rules: Sequence[FieldRule]) -> dict[str, list[FieldRule]]:
    found: dict[str, list[FieldRule]] = {}
    for rule in rules:
        found.setdefault(rule.field, []).append(rule)
    return found
