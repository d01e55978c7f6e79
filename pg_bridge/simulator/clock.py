"""The simulated Hong Kong clock: it stands, runs, runs fast or jumps, by command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

HONG_KONG = timezone(timedelta(hours=8), "HKT")


class SimulatedClock:
    """Time of the pretend OCP. `real` gives aware UTC; rate 0 stands, 1 runs, more runs fast."""

    def __init__(self, real: Callable[[], datetime], *, start: datetime | None = None, rate: float = 1.0) -> None:
        self._real = real
        self._from_real = real()
        self._from = (start or self._from_real).astimezone(HONG_KONG)
        self.rate = rate

    def now(self) -> datetime:
        """The simulated time, in Hong Kong."""
        return self._from + (self._real() - self._from_real) * self.rate

    def jump(self, to: datetime) -> None:
        """Set the time."""
        self._from, self._from_real = to.astimezone(HONG_KONG), self._real()

    def run(self, rate: float) -> None:
        """Change how fast time goes."""
        self.jump(self.now())
        self.rate = rate

    def today(self) -> str:
        """The business date, YYYY-MM-DD."""
        return self.now().date().isoformat()

    def stamp(self) -> str:
        """RFC 3339 with +08:00 and milliseconds."""
        return self.now().isoformat(timespec="milliseconds")


def utc_now() -> datetime:
    """The real time: for tokens and signatures, which live in it whatever the simulated day is."""
    return datetime.now(UTC)
