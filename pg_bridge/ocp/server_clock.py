"""OCP's clock as far as we can know it: ours, corrected by what its `Date` header says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: `Date` counts whole seconds and is some time under way: a server this far behind, in seconds, is not behind
RESOLUTION_S = 2.0


class ServerClock:
    """Epoch seconds by OCP's clock; `clock` is ours (aware)."""

    __slots__ = ("_clock", "_last", "is_dated", "skew_s")

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = ""
        #: seconds that OCP's clock is ahead of ours
        self.skew_s = 0.0
        #: whether OCP has told its time at all
        self.is_dated = False

    def now(self) -> float:
        """Now by OCP's clock; rather a second late than early, so that nothing is dated in its future."""
        return self._clock().timestamp() + self.skew_s

    def observe(self, date: str) -> None:
        """Take in one `Date` header; an unreadable one says nothing."""
        if not date or date == self._last:
            return
        self._last = date
        try:
            at = parsedate_to_datetime(date)
        except ValueError:
            return
        self.is_dated = True
        ahead_s = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - self._clock().timestamp()
        self.skew_s = 0.0 if -RESOLUTION_S <= ahead_s <= 0 else ahead_s
