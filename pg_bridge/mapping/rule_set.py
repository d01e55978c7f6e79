"""The rule files of one mapping set, read, with where everything stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.mapping import document as d
from pg_bridge.mapping.checks import faults as f
from pg_bridge.mapping.checks.faults import Fault
from pg_bridge.typed_toml import UNREADABLE, Lines, read_toml, shown

#: Rules, values, blocks and their fields, of one file and of a whole set: more, no person could check.
MOST_ENTRIES = 1000
MOST_OF_A_SET = 5000


@dataclass(frozen=True, slots=True)
class Located:
    """A rule file and its lines. path: below mappings/."""

    path: str
    file: d.RuleFile
    lines: Lines

    def rule_name(self, at: str) -> str:
        """How lineage names an entry: file and line."""
        return f"{self.path.removeprefix(d.RULES_FOLDER)}:{self.lines.of(at)}"

    def part_of(self, section: d.MessageSection | d.RecordSection) -> str:
        """How its file names a section: `answer`, `message`, `record[0]`."""
        for number, record in enumerate(self.file.record):
            if record is section:
                return f"record[{number}]"
        return "answer" if section is self.file.answer else "message"


@dataclass(frozen=True, slots=True)
class LocatedBlocks:
    """Shared values and blocks, and their lines."""

    path: str
    file: d.SharedBlocks
    lines: Lines


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an entry stands, for a finding."""

    path: str
    line: int


@dataclass(slots=True)
class RuleSet:
    """All rule files and shared blocks of a set. is_whole: every file could be read."""

    name: str = ""
    version: str = ""
    is_whole: bool = True
    #: the set's own texts for `profile.*`
    profile: dict[str, str] = field(default_factory=dict)
    files: list[Located] = field(default_factory=list)
    shared: dict[str, LocatedBlocks] = field(default_factory=dict)

    def parts(
        self, located: Located, section: d.MessageSection | d.RecordSection
    ) -> tuple[list[tuple[str, d.Value, Spot]], list[tuple[str, d.Block, Spot]]]:
        """A section's values and blocks, the shared ones in their places: name for lineage, entry, and where.

        Shared values stand before the section's own. An unknown include gives nothing; `check` tells it.
        """
        part = located.part_of(section)
        values: list[tuple[str, d.Value, Spot]] = []
        blocks: list[tuple[str, d.Block, Spot]] = []
        own_values: list[tuple[str, d.Value, Spot]] = []
        for number, value in enumerate(section.value):
            at = f"{part}.value[{number}]"
            own_values.append((located.rule_name(at), value, Spot(located.path, located.lines.of(at))))
        for number, block in enumerate(section.block):
            at = f"{part}.block[{number}]"
            if not block.include:
                blocks.append((located.rule_name(at), block, Spot(located.path, located.lines.of(at))))
                continue
            shared = self.shared.get(block.include)
            if shared is None:
                continue
            name = shared.path.removeprefix(d.RULES_FOLDER)
            for index, each in enumerate(shared.file.value):
                line = shared.lines.of(f"value[{index}]")
                values.append((f"{name}:{line}", each, Spot(shared.path, line)))
            for index, inner in enumerate(shared.file.block):
                line = shared.lines.of(f"block[{index}]")
                blocks.append((f"{name}:{line}", inner, Spot(shared.path, line)))
        return values + own_values, blocks


def read_rule_set(files: Mapping[str, str], findings: list[Finding]) -> RuleSet:
    """The rule files and shared blocks of a set; what cannot be read becomes findings."""
    rules = RuleSet()
    known = len(findings)
    names: dict[str, str] = {}
    entries = 0
    for path in sorted(files):
        if not path.startswith(d.RULES_FOLDER) or not path.endswith(".toml") or path.endswith(d.CASES_SUFFIX):
            continue
        text = files[path]
        if path == d.SET_FILE:
            head = read_toml(path, text, d.SetFile, findings)
            if head is not None:
                rules.name, rules.version, rules.profile = head.name, head.version, head.profile
            continue
        is_shared = path.startswith(d.SHARED_FOLDER)
        file: Any = read_toml(path, text, d.SharedBlocks if is_shared else d.RuleFile, findings)
        if file is None:
            continue
        count = _parts(file.value, file.block) if isinstance(file, d.SharedBlocks) else _entries(file)
        if count > MOST_ENTRIES:
            told = f"the file has {count:,} rules and blocks, {MOST_ENTRIES:,} are the most: split the function"
            findings.append(Fault(f.TOO_MUCH, told).finding(path, 0))
            continue
        entries += count
        lines = Lines(text)
        kind = "shared blocks" if is_shared else "rule file"
        first = names.setdefault(f"{kind} {file.name}", path)
        if first != path:
            told = f"there is a {kind} {shown(file.name)} already: {first}"
            findings.append(Fault(f.TWICE, told).finding(path, lines.of("name")))
        elif is_shared:
            rules.shared[file.name] = LocatedBlocks(path, file, lines)
        else:
            rules.files.append(Located(path, file, lines))
    if entries > MOST_OF_A_SET:
        told = f"the set has {entries:,} rules and blocks, {MOST_OF_A_SET:,} are the most: split it into several sets"
        findings.append(Fault(f.TOO_MUCH, told).finding(d.SET_FILE, 0))
        rules.files, rules.shared = [], {}
    rules.is_whole = not findings[known:]
    if d.SET_FILE not in files:
        told, remedy = "the file is missing: it names the set", "Copy the shipped one and name your set in it."
        findings.append(Finding(UNREADABLE, "error", d.SET_FILE, told, remedy=remedy))
    return rules


def _entries(file: d.RuleFile) -> int:
    """Rules, values, blocks and fields of a file."""
    sections = [section for section in (file.answer, file.message, *file.record) if section is not None]
    rules = len(file.request.rule) if file.request is not None else 0
    rules += sum(len(each.rule) for each in file.request.each) if file.request is not None else 0
    return rules + sum(_parts(section.value, section.block) for section in sections)


def _parts(values: Sequence[d.Value], blocks: Sequence[d.Block]) -> int:
    return len(values) + sum(1 + len(block.fields) for block in blocks)
