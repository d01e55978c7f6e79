"""The headers of all frames, one under the other: what each column holds, and which field it was given to.

A boundary counts as proven where a field ends that says so itself (a number's last digit, a time), at a block's edge,
and where a space is followed by something else in any frame: texts are filled with spaces behind them. Zeros before
a number and spaces behind a text count as filling: a constant of them would look the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pg_bridge.link.calibration.sight import Layout, Row
from pg_bridge.link.calibration.stream import Side


@dataclass(slots=True)
class Claim:
    """Columns given to a concept. is_guess: taken from the default, not found."""

    concept: str
    start: int
    end: int
    kind: Literal["x", "n"]
    values: dict[str, str] = field(default_factory=dict)
    is_guess: bool = False


class Grid:
    """All headers by column, 0 to width; `edges` are where blocks begin, and the width."""

    def __init__(self, layout: Layout, rows: Sequence[Row]) -> None:
        self.layout = layout
        self.rows = rows
        self.sides: list[Side] = [row.side for row in rows]
        self.edges = [0]
        for _, width in layout.header:
            self.edges.append(self.edges[-1] + width)
        self.width = self.edges[-1]
        self.columns = list(zip(*(row.header for row in rows), strict=True)) if rows else []
        self.distinct = [frozenset(column) for column in self.columns]
        self.claims: list[Claim] = []
        self.proven: set[int] = set(self.edges)
        self._owner: list[Claim | None] = [None] * self.width
        for row in rows:
            header = row.header
            self.proven.update(i for i in range(1, self.width) if header[i - 1] == " " != header[i])

    def texts(self, start: int, end: int) -> list[str]:
        """What stands from `start` to `end` in each frame."""
        return [row.header[start:end] for row in self.rows]

    def claim(self, claim: Claim) -> None:
        """Give columns to a concept."""
        self.claims.append(claim)
        self._owner[claim.start : claim.end] = [claim] * (claim.end - claim.start)

    def take(self, column: int, claim: Claim) -> None:
        """Give one more column to a claim."""
        self._owner[column] = claim

    def found(self, concept: str) -> Claim | None:
        """The claim of a concept."""
        return next((claim for claim in self.claims if claim.concept == concept), None)

    def is_free(self, column: int) -> bool:
        """No concept has it."""
        return 0 <= column < self.width and self._owner[column] is None

    def is_digits(self, column: int) -> bool:
        """It holds digits in all frames."""
        return all(sign in "0123456789" for sign in self.distinct[column])

    def is_constant(self, column: int) -> bool:
        """It holds the same in all frames."""
        return len(self.distinct[column]) == 1

    def is_blank(self, column: int) -> bool:
        """It is a space in all frames."""
        return self.distinct[column] == {" "}

    def free_runs(self) -> list[tuple[int, int]]:
        """The stretches of columns without a concept, none across a block's edge."""
        runs: list[tuple[int, int]] = []
        for start, end in zip(self.edges, self.edges[1:], strict=False):
            for column in range(start, end):
                if not self.is_free(column):
                    continue
                if runs and runs[-1][1] == column and column != start:
                    runs[-1] = (runs[-1][0], column + 1)
                else:
                    runs.append((column, column + 1))
        return runs

    def filled_from(self, start: int) -> int:
        """Where a number really begins whose first digit that matters is at `start`: zeros before it fill it."""
        while start not in self.proven and self.is_free(start - 1) and self.distinct[start - 1] == {"0"}:
            start -= 1
        return start

    def filled_to(self, end: int) -> int:
        """Where a text really ends whose last sign is before `end`: spaces behind it fill it."""
        while end not in self.edges and self.is_free(end) and self.is_blank(end):
            end += 1
        return end

    def is_bounded(self, claim: Claim) -> bool:
        """Both ends of a claim are proven, or touch a field that was found."""
        return all(self._is_firm(place, beyond) for place, beyond in ((claim.start, -1), (claim.end, 0)))

    def _is_firm(self, place: int, beyond: int) -> bool:
        if place in self.proven:
            return True
        neighbour = self._owner[place + beyond]
        return neighbour is not None and not neighbour.is_guess
