"""The checksum: which columns of the trailer hold it, which algorithm makes it, over which bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from pg_bridge.link.calibration.sight import Layout, Row
from pg_bridge.link.checksum import ALGORITHMS
from pg_bridge.link.concepts import PLACES
from pg_bridge.link.profile import Checksum, Place

#: frames that every candidate is tried on; those that fit all of these are tried on the rest
_TRIED = 40
#: a share of frames, below which a checksum was not found
LEAST_SHARE = 0.8

Algorithm = Literal["sum", "xor", "crc32", "mod97", "none"]


class Trailer(NamedTuple):
    """The checksum found. start, end: its columns in the trailer; fits: for each frame, whether it agrees."""

    algorithm: Algorithm
    from_: Place
    to: Place
    start: int
    end: int
    fits: tuple[bool, ...]
    rivals: tuple[str, ...]

    @property
    def agree(self) -> int:
        """How many frames agree."""
        return sum(self.fits)


def find_checksum(layout: Layout, rows: Sequence[Row], default: Checksum) -> Trailer | None:
    """The checksum of the trailer, None where nothing known fits."""
    spans = _digit_spans(layout, rows)
    if not spans:
        return None
    tried = rows[:_TRIED]
    found: list[tuple[int, int, int, int, Algorithm, Place, Place]] = []
    widest = max(end - start for start, end in spans)
    for from_, to in _pairs():
        cuts = [_covered(layout, row, from_, to) for row in tried]
        for algorithm in (name for name in get_args(Algorithm) if name != "none"):
            sums = [f"{ALGORITHMS[algorithm](cut):0{widest + 20}d}" for cut in cuts]
            for start, end in spans:
                width = end - start
                hits = sum(row.trailer[start:end] == told[-width:] for row, told in zip(tried, sums, strict=True))
                if hits >= LEAST_SHARE * len(tried):
                    found.append((hits, width, start, end, algorithm, from_, to))
    if not found:
        return _absent(layout, rows, default)
    # of those that agree as often: the most digits, for fewer of the same would agree as well
    found.sort(key=lambda one: (-one[0], -one[1]))
    best = found[0]
    rivals = tuple(
        f"{algorithm} from {from_} to {to}"
        for hits, width, start, end, algorithm, from_, to in found[1:]
        if hits == best[0] and (start, end) == best[2:4]
    )
    _, width, start, end, algorithm, from_, to = best
    fits = tuple(
        row.trailer[start:end] == f"{ALGORITHMS[algorithm](_covered(layout, row, from_, to)):0{width}d}"[-width:]
        for row in rows
    )
    return Trailer(algorithm, from_, to, start, end, fits, rivals)


def _absent(layout: Layout, rows: Sequence[Row], default: Checksum) -> Trailer | None:
    """No checksum is kept where zeros stand in its place in every frame."""
    columns = [{row.trailer[column] for row in rows} == {"0"} for column in range(layout.trailer[1])]
    runs = [
        (end - start, start, end)
        for start in range(len(columns))
        for end in range(start + 1, len(columns) + 1)
        if all(columns[start:end])
    ]
    if not runs:
        return None
    longest = max(runs)
    rivals = tuple(f"zeros at {start}" for width, start, _ in runs if width == longest[0] and start != longest[1])
    return Trailer("none", default.from_, default.to, longest[1], longest[2], (True,) * len(rows), rivals)


def _digit_spans(layout: Layout, rows: Sequence[Row]) -> list[tuple[int, int]]:
    digits = [all(row.trailer[column] in "0123456789" for row in rows) for column in range(layout.trailer[1])]
    return [
        (start, end)
        for start in range(len(digits))
        for end in range(start + 1, min(start + 18, len(digits)) + 1)
        if all(digits[start:end])
    ]


def _pairs() -> list[tuple[Place, Place]]:
    places: tuple[Place, ...] = get_args(Place)
    return [
        (from_, to)
        for from_ in places
        for to in places
        # a checksum that covers no byte of the text protects nothing that matters
        if PLACES.index(from_) < PLACES.index("body_close") <= PLACES.index(to)
    ]


def _covered(layout: Layout, row: Row, from_: Place, to: Place) -> bytes:
    close = layout.body_open + len(row.body)
    places = {
        "frame_open": 0,
        "text_open": layout.text_open,
        "body_open": layout.body_open,
        "body_close": close,
        "text_close": close + 2,
    }
    return row.raw[places[from_] : places[to]]
