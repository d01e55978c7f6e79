"""What a header says in codes: message type, direction, template, possible duplicate."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pg_bridge.link.calibration.grid import Claim, Grid
from pg_bridge.link.calibration.stream import Side

#: an ISO 15022 message of settlement is of category 5 and begins with a sequence
_SETTLEMENT = re.compile("5[0-9]{2}")
_BUSINESS = b":16R:"
#: ISO 15022: the account owner instructs and asks, the account servicer reports
_FROM_OWNER = frozenset({"530", "540", "541", "542", "543", "549"})
_FROM_SERVICER = frozenset({"537", "544", "545", "546", "547", "548"})


class Coded(NamedTuple):
    """How well a code was found: agree of frames, how many different codes, what fits as well."""

    agree: int
    frames: int
    different: int
    rivals: tuple[str, ...]


def is_business(body: bytes) -> bool:
    """The body is an ISO 15022 message, not a control message."""
    return body.startswith(_BUSINESS)


def find_message_type(grid: Grid) -> Coded | None:
    """Claim the message type: three digits, of category 5 where the text is a business message."""
    business = [number for number, row in enumerate(grid.rows) if is_business(row.body)]
    other = sorted(set(range(len(grid.rows))) - set(business))
    found: list[tuple[int, frozenset[str]]] = []
    for start in range(grid.width - 2):
        if any(start < edge < start + 3 for edge in grid.edges):
            continue
        if not all(grid.is_free(column) and grid.is_digits(column) for column in range(start, start + 3)):
            continue
        types = grid.texts(start, start + 3)
        of_business, of_other = frozenset(types[n] for n in business), frozenset(types[n] for n in other)
        if all(map(_SETTLEMENT.fullmatch, of_business)) and len(of_other) <= 1 and of_business and of_other:
            found.append((start, of_business | of_other))
    if not found:
        return None
    start, types_seen = max(found, key=lambda one: len(one[1]))
    if len(types_seen) < 2:
        return None
    grid.proven.add(start)
    end = grid.filled_to(start + 3)
    if end == start + 3:
        grid.proven.add(end)
    grid.claim(Claim("message_type", start, end, "n" if end == start + 3 else "x"))
    rivals = tuple(f"three digits at {other}" for other, _ in found if other != start)
    return Coded(len(grid.rows), len(grid.rows), len(types_seen), rivals)


def tell_sides(grid: Grid) -> None:
    """Where a capture does not say who sent a frame, its message type often does."""
    claim = grid.found("message_type")
    if claim is None:
        return
    for number, told in enumerate(grid.texts(claim.start, claim.start + 3)):
        if not grid.sides[number]:
            grid.sides[number] = "to_pg" if told in _FROM_OWNER else "to_pss" if told in _FROM_SERVICER else ""


def find_direction(grid: Grid) -> Coded | None:
    """Claim the code that differs between the two directions, and nothing else."""
    claim = grid.found("message_type")
    by_side: dict[Side, list[int]] = defaultdict(list)
    for number, side in enumerate(grid.sides):
        by_side[side].append(number)
    up, down = by_side["to_pg"], by_side["to_pss"]
    if not up or not down or claim is None:
        return None
    types = grid.texts(claim.start, claim.end)
    kinds = min(len({types[number] for number in numbers}) for numbers in (up, down))
    differ = [
        column
        for column in range(grid.width)
        if grid.is_free(column) and _single(grid, column, up) and _single(grid, column, down)
        and grid.columns[column][up[0]] != grid.columns[column][down[0]]
    ]  # fmt: skip
    runs = _runs(grid, differ)
    if not runs:
        return None
    start, end = min(runs, key=lambda run: run[1] - run[0])
    texts = grid.texts(start, end)
    values = {"to_pg": texts[up[0]].rstrip(), "to_pss": texts[down[0]].rstrip()}
    if not all(values.values()):
        return None
    sides: dict[str, Side] = {texts[up[0]]: "to_pg", texts[down[0]]: "to_pss"}
    agree = sum(text in sides for text in texts)
    for number, text in enumerate(texts):
        grid.sides[number] = grid.sides[number] or sides.get(text, "")
    grid.claim(Claim("direction", start, grid.filled_to(end), "x", values))
    rivals = tuple(f"the code at {low}" for low, _ in runs if low != start)
    if kinds < 2:
        rivals += ("a code of the message type: a direction had one type only",)
    return Coded(agree, len(texts), len(up) if len(up) < len(down) else len(down), rivals)


def _single(grid: Grid, column: int, numbers: list[int]) -> bool:
    cells = grid.columns[column]
    return all(cells[number] == cells[numbers[0]] for number in numbers)


def _runs(grid: Grid, columns: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for column in columns:
        if runs and runs[-1][1] == column and column not in grid.edges:
            runs[-1] = (runs[-1][0], column + 1)
        else:
            runs.append((column, column + 1))
    return runs


def varying(grid: Grid) -> list[int]:
    """The free columns that change within one direction of one session."""
    session = grid.found("session_id")
    groups: dict[tuple[object, str], list[int]] = defaultdict(list)
    for number, row in enumerate(grid.rows):
        told: object = row.stream
        if session is not None:
            # requests to log on have no session yet: each is alone
            told = row.header[session.start : session.end].strip() or -1 - number
        groups[told, grid.sides[number]].append(number)
    return [
        column
        for column in range(grid.width)
        if grid.is_free(column) and not all(_single(grid, column, numbers) for numbers in groups.values())
    ]


def find_duplicate(grid: Grid) -> Coded | None:
    """Claim the mark that differs where a text was sent again."""
    candidates = set(varying(grid))
    first: dict[tuple[str, bytes], int] = {}
    marks: dict[int, set[tuple[str, str]]] = defaultdict(set)
    again: dict[int, int] = defaultdict(int)
    for number, row in enumerate(grid.rows):
        before = first.setdefault((grid.sides[number], row.body), number)
        for column in candidates if before != number else ():
            pair = (grid.rows[before].header[column], row.header[column])
            if pair[0] != pair[1]:
                marks[column].add(pair)
                again[column] += 1
    found = [
        column for column in sorted(marks) if len(marks[column]) == 1 and grid.distinct[column] == set(*marks[column])
    ]
    runs = _runs(grid, found)
    if not runs:
        return None
    start, end = max(runs, key=lambda run: again[run[0]])
    pairs = [next(iter(marks[column])) for column in range(start, end)]
    values = {"yes": "".join(yes for _, yes in pairs).rstrip(), "no": "".join(no for no, _ in pairs).rstrip()}
    if not all(values.values()):
        return None
    marked = sum(text.rstrip() == values["yes"] for text in grid.texts(start, end))
    grid.claim(Claim("possible_duplicate", start, grid.filled_to(end), "x", values))
    rivals = tuple(f"the code at {low}" for low, _ in runs if low != start)
    return Coded(again[start], marked, 2, rivals)


def find_template(grid: Grid) -> Coded | None:
    """Claim the name that changes from frame to frame and goes with one message type."""
    message_type = grid.found("message_type")
    columns = varying(grid)
    if not columns or message_type is None:
        return None
    runs: list[tuple[int, int]] = []
    for start, end in _runs(grid, columns):
        # columns that never change may stand inside a name
        between = range(runs[-1][1], start + 1) if runs else range(0)
        joins = all(grid.is_free(c) and (c == start or grid.is_constant(c)) and c not in grid.edges for c in between)
        if runs and joins:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    types = grid.texts(message_type.start, message_type.end)
    start, end = max(runs, key=lambda run: (_follows(grid, *run), len(set(grid.texts(*run)))))
    end = grid.filled_to(end)
    agree = _follows(grid, start, end)
    grid.claim(Claim("template", start, end, "x"))
    rivals = [f"the name at {low}" for low, _ in runs if low != start]
    if _may_hold_mark(grid, start, end, types):
        rivals.append("a mark of one character beside a shorter name")
    return Coded(agree, len(types), len(set(grid.texts(start, end))), tuple(rivals))


def _follows(grid: Grid, start: int, end: int) -> int:
    """How many frames have a name that goes with one kind of text: control or business."""
    kinds: dict[str, set[bool]] = defaultdict(set)
    texts = grid.texts(start, end)
    for text, row in zip(texts, grid.rows, strict=True):
        kinds[text].add(is_business(row.body))
    return sum(len(kinds[text]) == 1 for text in texts)


def _may_hold_mark(grid: Grid, start: int, end: int, types: list[str]) -> bool:
    """Two names of one message type and direction differ in their first or last column alone."""
    names = {
        (side, told, _kind(row.body), text)
        for side, told, row, text in zip(grid.sides, types, grid.rows, grid.texts(start, end), strict=True)
    }
    first: tuple[int, Callable[[str], str]] = (start, lambda text: text[1:])
    last: tuple[int, Callable[[str], str]] = (end - 1, lambda text: text[:-1])
    return any(
        len(grid.distinct[column]) == 2 and len({(*rest, cut(text)) for *rest, text in names}) < len(names)
        for column, cut in (first, last)
    )


def _kind(body: bytes) -> bytes:
    """What tells control messages of one message type apart: their second line."""
    return b"" if is_business(body) else b"".join(body.splitlines()[1:2])
