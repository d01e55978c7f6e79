"""The pretend OCP's own clock and day: it stands, runs, runs fast or jumps, by command.

All business time comes from it. The wall clock is an argument (`wall`), used for nothing but its running;
what concerns the transport (tokens, timestamps of headers, limits) stays with the wall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from enum import StrEnum

#: Hong Kong has had no daylight saving since 1979
HONG_KONG = timezone(timedelta(hours=8))


class SimulatedClock:
    """Hong Kong time as the pretend OCP has it."""

    def __init__(self, wall: Callable[[], datetime], start: datetime | None, rate: float) -> None:
        self._wall = wall
        self._set_at = wall()
        self._set_to = (start or self._set_at).astimezone(HONG_KONG)
        self.rate = rate

    def now(self) -> datetime:
        """The time, in whole milliseconds."""
        passed = self._wall() - self._set_at if self.rate else timedelta()
        # multiplying costs ten times the rest
        now = self._set_to + (passed if self.rate == 1 else passed * self.rate)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @property
    def record(self) -> tuple[datetime, datetime, float]:
        """The moment that it was last set to, when that was by the wall, and its rate since."""
        return self._set_to, self._set_at, self.rate

    def run(self, rate: float) -> None:
        """Go on from now at `rate` seconds in one of the wall; 0: stand."""
        self._set_to, self._set_at = self.now(), self._wall()
        self.rate = rate

    def jump(self, to: datetime) -> None:
        """Go on from `to`. Raises ValueError when that is in its past: what happened cannot be undone."""
        if to < self.now():
            raise ValueError(f"{to.isoformat()} is past on this clock")
        self._set_to, self._set_at = to.astimezone(HONG_KONG), self._wall()

    def restore(self, at: datetime, wall: datetime, rate: float) -> None:
        """Go on as a clock that showed `at` when the wall's was `wall`, at `rate`; into its own past too."""
        self._set_to, self._set_at, self.rate = at.astimezone(HONG_KONG), wall, rate

    def advance(self, seconds: float) -> None:
        """Go on from `seconds` later. Raises OverflowError beyond the calendar's end."""
        self.jump(self.now() + timedelta(seconds=seconds))


class Run(StrEnum):
    """What the platform does by itself at its times; in this order where the times are the same."""

    MATCH = "match"
    SETTLE = "settle"
    PAY = "pay"
    NOT_PAID = "not_paid"
    DAY_END = "day_end"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The runs of every day, by Hong Kong time."""

    runs: tuple[tuple[time, Run], ...]

    def between(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, Run]]:
        """Every run behind `after` up to `until`, in order."""
        day = after.date()
        while day <= until.date():
            for at, run in self.runs:
                moment = datetime.combine(day, at, HONG_KONG)
                if after < moment <= until:
                    yield moment, run
            day += timedelta(days=1)

    def next_after(self, after: datetime) -> datetime | None:
        """When the next run is."""
        return next((moment for moment, _ in self.between(after, after + timedelta(days=1))), None)


def build_schedule(
    matching: Sequence[str], settlement: Sequence[str], day_end: str, payment: Sequence[str] = ()
) -> Schedule:
    """A schedule from times `HH:MM`. Raises ValueError for what is no time."""
    runs = [(time.fromisoformat(at), Run.MATCH) for at in matching]
    runs += [(time.fromisoformat(at), Run.SETTLE) for at in settlement]
    runs += [(time.fromisoformat(at), Run.PAY) for at in payment]
    runs += [(time.fromisoformat(day_end), Run.DAY_END)]
    order = list(Run)
    return Schedule(tuple(sorted(runs, key=lambda run: (run[0], order.index(run[1])))))
