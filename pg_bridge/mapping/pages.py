"""OCP -> legacy for an answer that lists entries: each entry translated by itself, grouped, and cut into pages.

Strategy: the blocks of a section fall into three kinds by where they write. Those of the entry's sequence are written
for each entry; those of the group's, for each too, and entries that get the same lines there stand together in the
order in which the first of each came; all others once a page. So a rule sees one entry at a time, as in any answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.mapping.document import Block, Pages, Value
from pg_bridge.mapping.field import NO_PROFILE, Draft, Sources, numbered
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.mapping.message import MessageMapping, closed, moves_to, names_of
from pg_bridge.profiles.legacy import CodeTable
from pg_bridge.profiles.template import Template

#: what `page.mark` may be: more pages follow, this is the last of several, this is the only one
MORE, LAST, ONLY = "more", "last", "only"
MARKS = (LAST, MORE, ONLY)


#: in the context, who gives the reference of each further message of an answer
NEXT_REFERENCE = "next_reference"


@dataclass(frozen=True, slots=True)
class _Piece:
    """One entry's part of a page. opening: the lines that open its group, by which groups are told apart."""

    opening: tuple[str, ...]
    opening_lineage: tuple[Lineage, ...]
    lines: list[str]
    lineage: list[Lineage]
    findings: list[Finding]
    written: set[str]


def is_within(path: str, sequence: str) -> bool:
    """A path is that of the sequence or of one inside it."""
    return bool(sequence) and (path == sequence or path.startswith(f"{sequence}/"))


class PagedMapping(MessageMapping):
    """As MessageMapping, for a section with pages: `ocp` of the sources is an array of entries, or absent."""

    def __init__(
        self,
        values: Sequence[Value],
        blocks: Sequence[tuple[str, Block]],
        template: Template,
        message_type: str,
        tables: Mapping[str, CodeTable],
        pages: Pages,
        profile: Mapping[str, str] = NO_PROFILE,
    ) -> None:
        super().__init__(values, blocks, template, message_type, tables, profile, pages.when)
        self._most = pages.most
        self._around = names_of(pages.group)
        self._entry = [block for block in self._blocks if is_within(block.at, pages.entry)]
        self._group = [block for block in self._blocks if is_within(block.at, pages.group) and block not in self._entry]
        others = [block for block in self._blocks if block not in self._entry and block not in self._group]
        first = next((number for number, block in enumerate(self._blocks) if block not in others), len(self._blocks))
        self._before, self._behind = others[:first], others[first:]

    def apply_all(self, sources: Sources) -> list[Draft]:
        """The pages, in order; one that lists nothing where there is nothing to list. Raises MappingFailed."""
        groups: dict[tuple[str, ...], list[_Piece]] = {}
        for entry in _entries(sources.get("ocp")):
            piece = self._piece({**sources, "ocp": entry})
            if piece is not None:
                groups.setdefault(piece.opening, []).append(piece)
        pieces = [piece for group in groups.values() for piece in group]
        pages = [pieces[start : start + self._most] for start in range(0, len(pieces), self._most)] or [[]]
        return [self._page(sources, page, number, len(pages)) for number, page in enumerate(pages, 1)]

    def _piece(self, sources: Sources) -> _Piece | None:
        """One entry's part; None where it is not listed."""
        slots = self._filled(sources)
        if self._is_listed is not None and not self._is_listed(slots):
            return None
        group = Draft(slots, [], (), set(), [], [])
        for block in self._group:
            self._write(block, group)
        depth = len(self._around)
        # Where the group has nothing to say it is opened all the same: the entry stands in it.
        opening = [*group.lines, *closed(group.open, depth)] if group.lines else moves_to((), self._around)
        entry = Draft(slots, [], self._around, group.written, [], group.findings)
        for block in self._entry:
            self._write(block, entry)
        self._check(entry.written)
        lines = [*entry.lines, *closed(entry.open, depth)]
        return _Piece(tuple(opening), tuple(group.lineage), lines, entry.lineage, entry.findings, entry.written)

    def _page(self, sources: Sources, pieces: Sequence[_Piece], number: int, of: int) -> Draft:
        mark = ONLY if of == 1 else LAST if number == of else MORE
        page = {"number": number, "mark": mark, "count": len(pieces) or None}
        context = sources.get("context") or {}
        if number > 1 and NEXT_REFERENCE in context:
            context = {**context, "reference": context[NEXT_REFERENCE]()}
        own = {**sources, "ocp": None, "page": page, "context": context}
        draft = Draft(self._filled(own), [], (), {""}, [], [])
        for block in self._before:
            self._write(block, draft)
        opened: tuple[str, ...] | None = None
        counts: Counter[str] = Counter()
        for piece in pieces:
            if piece.opening != opened:
                draft.lines += closed(draft.open)
                draft.lines += piece.opening
                _number(piece.opening_lineage, draft, counts)
                draft.open, opened = self._around, piece.opening
            draft.lines += piece.lines
            _number(piece.lineage, draft, counts)
            for finding in piece.findings:
                suffix = _suffix(counts[finding.path])
                draft.findings.append(Finding(finding.code, finding.severity, finding.path + suffix, finding.text))
            draft.written |= piece.written
        for block in self._behind:
            self._write(block, draft)
        draft.lines += closed(draft.open)
        self._check(draft.written)
        return draft


def _entries(ocp: Any) -> Sequence[Mapping[str, Any]]:
    if ocp is None:
        return ()
    return [ocp] if isinstance(ocp, Mapping) else list(ocp)


def _number(lineage: Sequence[Lineage], draft: Draft, counts: Counter[str]) -> None:
    """Add the lineage of one entry: the second of a place is `place#2`, as everywhere."""
    for told in lineage:
        counts[told.target] += bool(told.target)
        suffix = _suffix(counts[told.target])
        draft.lineage.append(numbered(told, suffix) if suffix else told)


def _suffix(count: int) -> str:
    return f"#{count}" if count > 1 else ""
