"""Who talks: session id, participant, terminal; and the constants, which are what is left.

These stay the same through a session, so traffic alone seldom shows where one ends and the next begins: what the
person knows (a participant's id, a terminal's name) is taken as evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pg_bridge.link.calibration.grid import Claim, Grid

#: an HKSCC participant: a letter and five digits
_PARTICIPANT = re.compile("[A-Z][0-9]{5}")
_PARTICIPANT_WIDTH = 6
#: of the frames behind a log-on, how many must have a session id
_LEAST_SHARE = 0.9


class Party(NamedTuple):
    """How well it was found. different: how many different values; is_sure: nothing else explains it."""

    agree: int
    different: int
    is_sure: bool
    rivals: tuple[str, ...] = ()


def find_session(grid: Grid) -> Party | None:
    """Claim the text that is empty in log-on requests and filled behind them."""
    sequence = grid.found("sequence")
    if sequence is None:
        return None
    first = [
        number
        for number, row in enumerate(grid.rows)
        if int(row.header[sequence.start : sequence.end]) == 1 and grid.sides[number] != "to_pss"
    ]
    later = sorted(set(range(len(grid.rows))) - set(first))
    runs: list[tuple[int, int]] = []
    for column in range(grid.width):
        blank = bool(first) and all(grid.columns[column][number] == " " for number in first)
        if not blank or not grid.is_free(column):
            continue
        if runs and runs[-1][1] == column and column not in grid.edges:
            runs[-1] = (runs[-1][0], column + 1)
        elif sum(grid.columns[column][number] != " " for number in later) >= _LEAST_SHARE * len(later):
            runs.append((column, column + 1))
    if not runs:
        return None
    start, end = max(runs, key=lambda run: run[1] - run[0])
    ids = set(grid.texts(start, end)) - {" " * (end - start)}
    agree = sum(text.strip() != "" for text in grid.texts(start, end))
    rivals = tuple(f"the text at {low}" for low, _ in runs if low != start)
    # an id that changed with every frame would be none
    is_sure = agree >= 2 * len(ids) and not rivals
    grid.claim(Claim("session_id", start, end, "x"))
    return Party(agree, len(ids), is_sure, rivals)


def find_party(grid: Grid, concept: str, known: Sequence[str]) -> Party | None:
    """Claim what holds the values that the person knows of a concept."""
    # the longest first: one name may begin as another does
    any_of = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))
    first = {each[:1] for each in known}
    found: list[tuple[int, int, int]] = []
    for start in range(grid.width):
        if not grid.is_free(start) or not known or grid.distinct[start].isdisjoint(first):
            continue
        seen = [each for each in (any_of.match(row.header, start) for row in grid.rows) if each is not None]
        longest = max((len(each[0]) for each in seen), default=0)
        if longest:
            found.append((len(seen), start, longest))
    if not found:
        return None
    hits, start, longest = max(found)
    end = start + longest
    if not all(map(grid.is_free, range(start, end))) or any(start < edge < end for edge in grid.edges):
        return None
    rivals = tuple(f"the same text at {other}" for count, other, _ in found if other != start and count == hits)
    different = len({text.rstrip() for text in grid.texts(start, end)})
    grid.proven.add(start)
    padded = grid.filled_to(end)
    if padded == end:
        grid.proven.add(end)
    grid.claim(Claim(concept, start, padded, "x"))
    return Party(hits, different, not rivals and hits == len(grid.rows))


def find_participant(grid: Grid) -> Party | None:
    """Claim what is of the shape of a participant's id in every frame."""
    found = [
        start
        for start in range(grid.width - _PARTICIPANT_WIDTH + 1)
        if all(map(grid.is_free, range(start, start + _PARTICIPANT_WIDTH)))
        and not any(start < edge < start + _PARTICIPANT_WIDTH for edge in grid.edges)
        and all(_PARTICIPANT.match(row.header, start) for row in grid.rows)
    ]
    if not found:
        return None
    start = found[0]
    different = len(set(grid.texts(start, start + _PARTICIPANT_WIDTH)))
    is_sure = len(found) == 1 and different > 1 and not grid.is_constant(start)
    end = grid.filled_to(start + _PARTICIPANT_WIDTH)
    if is_sure:
        grid.proven.update((start, end))
    rivals = tuple(f"the id at {other}" for other in found[1:])
    if different == 1:
        rivals += ("another text that looks like an id: one only was seen",)
    grid.claim(Claim("participant", start, end, "x", is_guess=not is_sure))
    return Party(len(grid.rows), different, is_sure, rivals)


def segments(grid: Grid) -> list[tuple[int, int]]:
    """The free stretches, cut where a space is followed by something else."""
    cut: list[tuple[int, int]] = []
    for start, end in grid.free_runs():
        places = [start, *(place for place in range(start + 1, end) if place in grid.proven), end]
        cut += pairwise(places)
    return cut


def find_terminal(grid: Grid) -> Party | None:
    """Claim the one text that is left and differs between sessions."""
    left = [run for run in segments(grid) if not all(map(grid.is_constant, range(*run)))]
    if len(left) != 1:
        return None
    start, end = left[0]
    grid.claim(Claim("terminal", start, end, "x", is_guess=True))
    rivals = ("a constant, or a field of another kind",)
    return Party(len(grid.rows), len(set(grid.texts(start, end))), is_sure=False, rivals=rivals)
