"""Where the traffic does not tell: the default's own places, or what is left, so that the file is whole."""

from __future__ import annotations

from pg_bridge.link.calibration.grid import Claim, Grid
from pg_bridge.link.calibration.parties import segments
from pg_bridge.link.concepts import HEADER_CONCEPTS
from pg_bridge.link.profile import HeaderField, LinkProfile


def guess(grid: Grid, default: LinkProfile) -> list[str]:
    """Claim columns for every concept that was not found; what could not be placed, as texts."""
    fields = {field.concept: field for block in default.header for field in block.fields if field.concept}
    _as_default(grid, default)
    if grid.found("possible_duplicate") is None:
        _mark(grid, fields["possible_duplicate"])
    _stretch_template(grid, fields["template"])
    missing = [name for name in ("session_id", "participant", "terminal") if grid.found(name) is None]
    for name in sorted(missing, key=lambda each: -fields[each].width):
        _left_over(grid, name, fields[name], missing)
        missing = [each for each in missing if grid.found(each) is None]
    faults = [
        f"no columns were found for {name}, and none are left to guess"
        for name in sorted(HEADER_CONCEPTS)
        if grid.found(name) is None
    ]
    faults += [
        f"columns {start} to {end} of the headers change and are none of the fields known"
        for start, end in grid.free_runs()
        if not all(map(grid.is_constant, range(start, end)))
    ]
    return faults


def _as_default(grid: Grid, default: LinkProfile) -> None:
    """A header of the very blocks and widths of the default's is taken for the default's."""
    if grid.layout.header != tuple((block.block, block.width) for block in default.header):
        return
    start = 0
    for field in (field for block in default.header for field in block.fields):
        end = start + field.width
        if field.concept and grid.found(field.concept) is None and all(map(grid.is_free, range(start, end))):
            fits = field.kind == "x" or all(map(grid.is_digits, range(start, end)))
            if fits and (not field.values or set(grid.texts(start, end)) <= set(field.values.values())):
                grid.claim(Claim(field.concept, start, end, field.kind, dict(field.values), is_guess=True))
        start = end


def _mark(grid: Grid, field: HeaderField) -> None:
    """A mark that never changed: a column that holds the default's code for `no`, a lonely one before others."""
    usual = field.values["no"]
    found: list[tuple[bool, bool, int]] = [
        (grid.columns[column][0] == usual, end - start == 1, column)
        for start, end in segments(grid)
        for column in range(start, end)
        if grid.is_constant(column)
    ]
    if not found:
        return
    _, _, column = max(found)
    no = grid.columns[column][0]
    yes = field.values["yes"] if no == usual or not no.isdigit() else str((int(no) + 1) % 10)
    if no.strip() and no != yes:
        grid.claim(Claim("possible_duplicate", column, column + 1, "x", {"yes": yes, "no": no}, is_guess=True))


def _stretch_template(grid: Grid, field: HeaderField) -> None:
    """A name may begin or end with letters that all names share."""
    claim = grid.found("template")
    if claim is None or grid.is_bounded(claim):
        return
    start, end = claim.start, claim.end
    while end - start < field.width and start not in grid.proven and _may_join(grid, start - 1):
        start -= 1
    while end - start < field.width and end not in grid.proven and _may_join(grid, end):
        end += 1
    if (start, end) != (claim.start, claim.end):
        for column in (*range(start, claim.start), *range(claim.end, end)):
            grid.take(column, claim)
        claim.start, claim.end = start, end


def _may_join(grid: Grid, column: int) -> bool:
    return grid.is_free(column) and grid.is_constant(column) and grid.columns[column][0].isupper()


def _left_over(grid: Grid, concept: str, field: HeaderField, missing: list[str]) -> None:
    """The stretch that is nearest in width, its constants in front left alone where others are waiting."""
    free = segments(grid)
    if not free:
        return
    start, end = min(free, key=lambda run: (run[1] - run[0] < field.width, abs(run[1] - run[0] - field.width)))
    if len(missing) > len(free) or end - start > field.width:
        end = min(end, start + max(1, min(field.width, end - start - (len(missing) - 1))))
    grid.claim(Claim(concept, start, end, "x", is_guess=True))
