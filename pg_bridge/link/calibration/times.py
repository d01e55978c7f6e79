"""The header's time: a format whose times are plausible and ascend."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from pg_bridge.link.calibration.grid import Claim, Grid

_PARTS = {
    "%Y": r"(?P<Y>20[0-4][0-9]|199[0-9])",
    "%y": r"(?P<y>[0-4][0-9])",
    "%m": r"(?P<m>0[1-9]|1[0-2])",
    "%d": r"(?P<d>0[1-9]|[12][0-9]|3[01])",
    "%j": r"(?P<j>[0-2][0-9]{2}|3[0-6][0-9])",
    "%H": r"(?P<H>[01][0-9]|2[0-3])",
    "%M": r"(?P<M>[0-5][0-9])",
    "%S": r"(?P<S>[0-5][0-9])",
}
_DATES = (
    "%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%d%m%Y", "%d/%m/%Y", "%d-%m-%Y", "%m%d%Y", "%m/%d/%Y", "%Y%j",
    "%y%m%d", "%y-%m-%d", "%y/%m/%d", "%d%m%y", "%m%d%y", "%y%j",
)  # fmt: skip
_TIMES = ("%H%M%S", "%H:%M:%S", "%H.%M.%S", "%H%M", "%H:%M")
_BETWEEN = ("", " ", "T", "-", "/")
_DATED = tuple(date + between + time for date in _DATES for time in _TIMES for between in _BETWEEN)
_SOME_TIME = datetime(2026, 11, 23, 9, 30, 15, tzinfo=UTC)
#: minutes: zones differ by quarters of an hour, clocks and networks by less than this
_QUARTER, _NEAR = 15, 3
_LEAST_SHARE = 0.9
#: digits of a date and a time to the second
_WHOLE = 14


class Stamped(NamedTuple):
    """The time found. different: how many different times; ascending of steps: how many do not go back.

    offset_minutes: from UTC, None where the capture tells no time; near of timed frames agree with it.
    """

    format: str
    different: int
    ascending: int
    steps: int
    rivals: tuple[str, ...]
    offset_minutes: int | None
    near: int
    timed: int


def find_time(grid: Grid, *, dated: bool) -> Stamped | None:
    """Claim the header's time; `dated`: with its date, otherwise the time of the day alone."""
    found: list[tuple[int, str, int, int, int]] = []
    for written in _DATED if dated else _TIMES:
        width = len(_SOME_TIME.strftime(written))
        pattern = re.compile(re.sub("%[a-zA-Z]", lambda part: _PARTS[part[0]], written.replace(".", r"\.")))
        for start in range(grid.width - width + 1):
            end = start + width
            if any(start < edge < end for edge in grid.edges) or not all(map(grid.is_free, range(start, end))):
                continue
            ascending, steps, different = _ascent(grid, pattern, written, start, end)
            if different and ascending >= _LEAST_SHARE * steps:
                found.append((start, written, ascending, steps, different))
    if not found:
        return None
    # the longest tells most; the order of _DATED breaks ties
    best = max(found, key=_width)
    same = [one for one in found if one[0] == best[0] and _width(one) == _width(best)]
    timed = [(_offset(grid, one), one) for one in same]
    (offset, near, known), best = max(timed, key=lambda one: one[0][1])
    rivals = tuple(one[1] for (_, other_near, _), one in timed if one is not best and other_near == near)
    end = best[0] + _width(best)
    # two digits of a year are seen in many numbers, but hardly beside a whole date and time
    is_whole = "%Y" in best[1] and _width(best) >= _WHOLE
    rivals += tuple(
        f"{one[1]} at {one[0]}"
        for one in found
        if not best[0] <= one[0] < one[0] + _width(one) <= end and ("%Y" in one[1] or not is_whole)
    )
    grid.proven.difference_update(range(best[0] + 1, end))
    grid.proven.update((best[0], end))
    grid.claim(Claim("timestamp", best[0], end, "n" if all(map(grid.is_digits, range(best[0], end))) else "x"))
    return Stamped(best[1], best[4], best[2], best[3], rivals, offset, near, known)


def _width(one: tuple[int, str, int, int, int]) -> int:
    return len(_SOME_TIME.strftime(one[1]))


def _ascent(grid: Grid, pattern: re.Pattern[str], written: str, start: int, end: int) -> tuple[int, int, int]:
    ascending = steps = 0
    keys: set[tuple[str, ...]] = set()
    last: dict[int, tuple[str, ...]] = {}
    order = [name for name in "YyjmdHMS" if f"%{name}" in written]
    for row in grid.rows:
        read = pattern.fullmatch(row.header, start, end)
        if read is None:
            return 0, 1, 0
        key = tuple(read[name] for name in order)
        if row.stream in last:
            steps += 1
            ascending += key >= last[row.stream]
        last[row.stream] = key
        keys.add(key)
    return ascending, steps, len(keys)


def _offset(grid: Grid, one: tuple[int, str, int, int, int]) -> tuple[int | None, int, int]:
    """Minutes from UTC by the capture's own clock; how many frames agree, of how many."""
    start, written = one[0], one[1]
    minutes: list[float] = []
    for row in grid.rows:
        if row.time is None:
            continue
        try:
            stamp = datetime.strptime(row.header[start : start + _width(one)], written).replace(tzinfo=UTC)
        except ValueError:
            continue
        minutes.append((stamp.timestamp() - row.time) / 60)
    if not minutes:
        return None, 0, 0
    quarter = Counter(round(each / _QUARTER) * _QUARTER for each in minutes).most_common(1)[0][0]
    near = sum(abs(each - quarter) <= _NEAR for each in minutes)
    return (quarter, near, len(minutes)) if abs(quarter) < 24 * 60 else (None, 0, len(minutes))
