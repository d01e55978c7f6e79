"""The calibration: every question in the order in which one answer helps the next, and the profile that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pg_bridge.link.calibration import questions as q
from pg_bridge.link.calibration.codes import (
    find_direction,
    find_duplicate,
    find_message_type,
    find_template,
    tell_sides,
)
from pg_bridge.link.calibration.controls import Conversation, converse
from pg_bridge.link.calibration.grid import Grid
from pg_bridge.link.calibration.guesses import guess
from pg_bridge.link.calibration.numbers import find_length, find_sequence, span_of
from pg_bridge.link.calibration.parties import find_participant, find_party, find_session, find_terminal
from pg_bridge.link.calibration.profile_found import Found, profile_of
from pg_bridge.link.calibration.sight import Layout, Row, sight
from pg_bridge.link.calibration.stream import Answer, Stream
from pg_bridge.link.calibration.times import find_time
from pg_bridge.link.calibration.trailer import LEAST_SHARE, Trailer, find_checksum
from pg_bridge.link.profile import LinkProfile
from pg_bridge.link.profile_check import link_faults

#: what is done, in order: `step` is called with each before it begins
STEPS = ("frames", "checksum", "times", "sequence numbers", "lengths", "codes", "conversation")


class Calibration(NamedTuple):
    """What the traffic shows.

    profile: None where the framing cannot be written as one, for the reasons in `faults`. frames: whole ones;
    damaged: those of them that their checksum or length denies; between: bytes outside frames that are no line end.
    """

    answers: tuple[Answer, ...]
    profile: LinkProfile | None
    faults: tuple[str, ...]
    frames: int
    damaged: int
    between: int

    @property
    def is_sure(self) -> bool:
        """Every answer is: nothing that traffic can tell is open any more."""
        return self.profile is not None and all(answer.grade == "sure" for answer in self.answers)


def calibrate(
    streams: Sequence[Stream],
    default: LinkProfile,
    *,
    participants: Sequence[str] = (),
    terminals: Sequence[str] = (),
    step: Callable[[str], object] = str,
) -> Calibration:
    """Find the framing of recorded streams. default: what stays unknown is taken from it.

    participants, terminals: ids and names that are known to stand in the traffic, in full. step: told each of STEPS.
    """
    begin = iter(STEPS)
    step(next(begin))
    sighting = sight(streams)
    layout = sighting.layout
    if layout is None or not sighting.rows:
        fault = "no frame was seen: nothing of the shape {id:...}{id:<line end>...-}{id:...}"
        return Calibration((), None, (fault,), 0, 0, sighting.between)
    step(next(begin))
    trailer = find_checksum(layout, sighting.rows, default.checksum)
    grid = Grid(layout, _sound(layout, sighting.rows, trailer, default))
    answers = q.blocks(sighting)
    found = Found(grid, trailer)
    step(next(begin))
    found.stamped = find_time(grid, dated=True)
    named = {
        "participant": find_party(grid, "participant", [name for name in participants if name.strip()]),
        "terminal": find_party(grid, "terminal", [name for name in terminals if name.strip()]),
    }
    step(next(begin))
    sequence = find_sequence(grid)
    step(next(begin))
    found.counted = find_length(grid, default.length)
    if found.stamped is None:
        found.stamped = find_time(grid, dated=False)
    step(next(begin))
    message_type = find_message_type(grid)
    tell_sides(grid)
    direction = find_direction(grid)
    session = find_session(grid)
    duplicate = find_duplicate(grid)
    template = find_template(grid)
    parties = dict(named)
    if parties["participant"] is None:
        parties["participant"] = find_participant(grid)
    if parties["terminal"] is None:
        parties["terminal"] = find_terminal(grid)
    faults = guess(grid, default)
    if found.counted is not None:
        found.span = span_of(grid, found.counted.extra, default.length)
    step(next(begin))
    conversation = converse(grid, [stream.connection for stream in streams])
    answers += q.numbers(grid, sequence, found.counted, found.span)
    answers += q.codes(grid, message_type, template, direction, duplicate)
    answers += q.times(grid, found.stamped, default.timestamp)
    answers += q.parties(grid, session, parties)
    answers += q.constants(grid, faults)
    answers += q.checksum(layout, trailer, len(sighting.rows))
    answers += q.controls(conversation, len(grid.rows), answers)
    profile, more = _profile(found, conversation, default, faults)
    damaged = len(sighting.rows) - len(grid.rows)
    return Calibration(tuple(answers), profile, (*faults, *more), len(sighting.rows), damaged, sighting.between)


def _sound(layout: Layout, rows: Sequence[Row], trailer: Trailer | None, default: LinkProfile) -> list[Row]:
    """The frames that their checksum does not deny; without one, that their length does not deny."""
    if trailer is not None and trailer.algorithm != "none" and trailer.agree >= LEAST_SHARE * len(rows):
        return [row for row, fits in zip(rows, trailer.fits, strict=True) if fits]
    trial = Grid(layout, rows)
    find_time(trial, dated=True)
    counted, length = find_length(trial, default.length), trial.found("length")
    if counted is None or length is None:
        return list(rows)
    return [row for row in rows if int(row.header[length.start : length.end]) - len(row.body) == counted.extra]


def _profile(
    found: Found, conversation: Conversation, default: LinkProfile, faults: Sequence[str]
) -> tuple[LinkProfile | None, tuple[str, ...]]:
    if faults:
        return None, ()
    profile = profile_of(found, conversation, default)
    wrong = tuple(f"{fault.place}: {fault.text}" for fault in link_faults(profile))
    return (None, wrong) if wrong else (profile, ())
