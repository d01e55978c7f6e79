"""Numbers of the header: the sequence, which grows by one, and the length, which grows with the text."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from pg_bridge.link.calibration.grid import Claim, Grid
from pg_bridge.link.profile import Length, Place

#: frames looked at while searching
_MOST_ROWS = 3000
#: a number has at most so many digits
_MOST_DIGITS = 12
#: directions of sessions that may be interleaved in one stream
_MOST_CHAINS = 6
_LEAST_SHARE = 0.8


class Sequence(NamedTuple):
    """How well a number counts frames. steps: frames that follow another; misses: frames that follow none."""

    steps: int
    misses: int
    starts: int
    rivals: tuple[str, ...]


class Counted(NamedTuple):
    """What a length counts: body bytes plus `extra`. sizes: how many different sizes agree."""

    extra: int
    agree: int
    frames: int
    sizes: int
    rivals: tuple[str, ...]


def find_sequence(grid: Grid) -> Sequence | None:
    """Claim the number that grows by one a frame in each direction."""
    best: tuple[int, int, int] | None = None
    scores: dict[int, int] = {}
    for end in range(1, grid.width + 1):
        low = _digits_from(grid, end)
        for start in range(max(low, end - _MOST_DIGITS), end - (end - low > 1)):
            steps, misses, starts = _chains(grid, start, end)
            # digits that are nearly always 1 count nothing
            if not steps or steps < _LEAST_SHARE * (steps + misses) or steps < starts:
                continue
            scores[end] = max(scores.get(end, 0), steps - misses)
            # an earlier start holds more digits
            if best is None or (steps - misses, end - start) > (best[0], best[2] - best[1]):
                best = (steps - misses, start, end)
    if best is None:
        return None
    score, start, end = best
    changed: set[int] = set()
    _chains(grid, start, end, changed)
    varying = min(changed)
    steps, misses, starts = _chains(grid, varying, end)
    first = grid.filled_from(varying)
    if not starts:
        # a capture from the middle of a day: leading digits may all be the same and not zero
        while first > start and first not in grid.proven:
            first -= 1
    rivals = tuple(
        f"a number that ends at {other}" for other, its in scores.items() if other != end and its * 2 >= score
    )
    if not starts:
        rivals += ("fewer digits: no number 1 was seen",)
    grid.proven.add(end)
    grid.claim(Claim("sequence", first, end, "n"))
    return Sequence(steps, misses, starts, rivals)


def _digits_from(grid: Grid, end: int) -> int:
    """Where the digits begin that end before `end`."""
    start = end
    while start and grid.is_free(start - 1) and grid.is_digits(start - 1) and not (start < end and start in grid.edges):
        start -= 1
    return start


def _chains(grid: Grid, start: int, end: int, changed: set[int] | None = None) -> tuple[int, int, int]:
    """Steps, misses and starts with 1 of a number, with several sessions in one stream.

    changed: gets the columns that a step changes.
    """
    modulus = 10 ** (end - start)
    steps = misses = starts = 0
    stream = -1
    chains: list[tuple[int, str]] = []
    for row in grid.rows[:_MOST_ROWS]:
        written = row.header[start:end]
        number = int(written)
        if row.stream != stream:
            # what came before the recording is not known
            stream, chains = row.stream, []
            starts += number == 1
        else:
            due = (number - 1) % modulus
            before = next((chain for chain in chains if chain[0] == due), None)
            if before is not None:
                chains.remove(before)
                steps += 1
                if changed is not None:
                    changed.update(start + at for at in range(end - start) if before[1][at] != written[at])
            elif number == 1:
                starts += 1
            else:
                misses += 1
        chains = [*chains[-_MOST_CHAINS + 1 :], (number, written)]
    return steps, misses, starts


def find_length(grid: Grid, default: Length) -> Counted | None:
    """Claim the number that grows with the text."""
    sizes = [len(row.body) for row in grid.rows]
    found = [
        (agree, -abs(span_of(grid, extra, default)[2]), start, end, extra)
        for end in range(1, grid.width + 1)
        for start in _starts(grid, end)
        for agree, extra in (_agreement(grid, sizes, start, end),)
        if agree >= _LEAST_SHARE * len(sizes) and len(_agreeing(grid, sizes, start, end, extra)) > 1
    ]
    if not found:
        return None
    # what adds least is the likeliest: a constant digit in front of short texts' lengths may be theirs or not
    agree, _, start, end, extra = max(found)
    grid.proven.add(end)
    grid.claim(Claim("length", grid.filled_from(start), end, "n"))
    rivals = [f"a number that ends at {other}" for other in sorted({one[3] for one in found} - {end})]
    rivals += [
        f"the body and {other} bytes, with other digits in front"
        for other in sorted({one[4] for one in found if one[3] == end and one[0] == agree} - {extra})
    ]
    told = _agreeing(grid, sizes, start, end, extra)
    return Counted(extra, agree, len(sizes), len(told), tuple(rivals))


def _starts(grid: Grid, end: int) -> list[int]:
    """Where a number that ends at `end` may begin: not before a proven boundary."""
    out: list[int] = []
    for start in range(end - 1, max(_digits_from(grid, end), end - _MOST_DIGITS) - 1, -1):
        out.append(start)
        if start in grid.proven:
            break
    return out


def _agreement(grid: Grid, sizes: list[int], start: int, end: int) -> tuple[int, int]:
    """How many frames agree in how many bytes a number counts beside the body."""
    counted = Counter(int(row.header[start:end]) - size for row, size in zip(grid.rows, sizes, strict=True))
    extra, agree = counted.most_common(1)[0]
    return agree, extra


def _agreeing(grid: Grid, sizes: list[int], start: int, end: int, extra: int) -> set[int]:
    """The different sizes of the bodies that agree."""
    return {size for row, size in zip(grid.rows, sizes, strict=True) if int(row.header[start:end]) - size == extra}


def span_of(grid: Grid, extra: int, default: Length) -> tuple[Place, Place, int]:
    """From, to and add of a length of body bytes plus `extra`; all headers are of one width, so several would do.

    One that counts from place to place with nothing to add goes first, then the default's.
    """
    opening = grid.layout.body_open - grid.layout.text_open
    spans: list[tuple[Place, Place, int]] = [
        ("body_open", "body_close", 0),
        ("body_open", "text_close", 2),
        ("text_open", "body_close", opening),
        ("text_open", "text_close", opening + 2),
        ("frame_open", "body_close", grid.layout.body_open),
        ("frame_open", "text_close", grid.layout.body_open + 2),
    ]
    usual = (default.from_, default.to, default.add)
    return min(
        ((from_, to, extra - counted) for from_, to, counted in spans),
        key=lambda one: (one[2] != 0, one != usual, abs(one[2])),
    )
