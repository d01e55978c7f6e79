"""When a call may go: token buckets for company and machine, Retry-After, and a queue by priority.

OCP counts calls in a window. A bucket that held the whole window's calls and refilled at the window's rate would let
nearly twice as many through in one window, so burst and refill share them: burst + rate x window = calls. Then no
window of OCP's, wherever it starts, holds too many, and after a burst calls are spaced instead of standing still.
`Allowance` is arithmetic only; `CallLimits` waits. Times are monotonic seconds.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

#: the part of a window's calls that may go at once
BURST_SHARE = 0.5
#: a call is let go this much early rather than woken twice for a rounding error
_GRAIN_S = 1e-6
#: no Retry-After holds calls back longer than this
MOST_HOLD_S = 3600.0
#: a throttled call without Retry-After holds the others back this long
UNSAID_HOLD_S = 1.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any `period_s`; 0 calls: no limit."""

    calls: int
    period_s: float


class Bucket:
    """One limit's tokens."""

    __slots__ = ("_at", "_level", "capacity", "rate")

    def __init__(self, limit: Limit, now: float) -> None:
        self.capacity = max(1.0, limit.calls * BURST_SHARE)
        #: tokens a second; a limit of one call has no second token to refill with, so it is refilled once a period
        self.rate = max(limit.calls - self.capacity, 1.0) / limit.period_s
        self._level = self.capacity
        self._at = now

    def wait_s(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        self._fill(now)
        missing_s = (1.0 - self._level) / self.rate
        return missing_s if missing_s > _GRAIN_S else 0.0

    def take(self, now: float) -> None:
        """Use one token."""
        self._fill(now)
        self._level -= 1.0

    def empty(self, now: float) -> None:
        """Use every token."""
        self._level, self._at = 0.0, now

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
            self._at = now


class Allowance:
    """All limits together, and the moment before which OCP wants no call."""

    __slots__ = ("_buckets", "not_before")

    def __init__(self, limits: Sequence[Limit], now: float) -> None:
        self._buckets = [Bucket(limit, now) for limit in limits if limit.calls > 0]
        self.not_before = now

    def wait_s(self, now: float) -> float:
        """Seconds until a call may go; 0 when it may."""
        return max([self.not_before - now, *(bucket.wait_s(now) for bucket in self._buckets)], default=0.0)

    def take(self, now: float) -> None:
        """Count one call."""
        for bucket in self._buckets:
            bucket.take(now)

    def empty(self, now: float) -> None:
        """Let none go that was not refilled after `now`."""
        for bucket in self._buckets:
            bucket.empty(now)

    def hold(self, until: float) -> None:
        """Let none go before `until`; an earlier end never shortens a later one."""
        self.not_before = max(self.not_before, until)


class CallLimits:
    """Gives slots for calls: at once when free, else in order of priority (lower first), then of asking."""

    def __init__(self, limits: Sequence[Limit], monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._limits = list(limits)
        self._allowance = Allowance(limits, monotonic())
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def try_slot(self, priority: int = 1) -> bool:
        """Take a slot if one is free now and nobody waits for it."""
        now = self._monotonic()
        if self._has_waiters() or self._allowance.wait_s(now) > 0:
            return False
        self._allowance.take(now)
        return True

    async def slot(self, priority: int = 1) -> None:
        """Take a slot, waiting until one is free; a lower priority number goes first."""
        if self.try_slot(priority):
            return
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), waiter))
        self.release()
        await waiter

    def hold(self, retry_after_s: float | None) -> None:
        """OCP throttled a call: let none go for this long (None: it did not say)."""
        pause_s = UNSAID_HOLD_S if retry_after_s is None else min(retry_after_s, MOST_HOLD_S)
        self._allowance.hold(self._monotonic() + pause_s)

    def change(self, limits: Sequence[Limit]) -> None:
        """Other limits hold from now on. Their buckets begin empty: what was used so far counts for both."""
        if list(limits) == self._limits:
            return
        self._limits = list(limits)
        now = self._monotonic()
        changed = Allowance(limits, now)
        changed.hold(self._allowance.not_before)
        changed.empty(now)
        self._allowance = changed
        self.release()

    def release(self) -> None:
        """Let those go that may go now; come back for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._has_waiters():
            now = self._monotonic()
            wait_s = self._allowance.wait_s(now)
            if wait_s > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self.release)
                return
            self._allowance.take(now)
            heapq.heappop(self._waiting)[2].set_result(None)

    def close(self) -> None:
        """Stop the timer; whoever still waits is cancelled by its own task."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _has_waiters(self) -> bool:
        """Whether anybody waits; those who gave up are forgotten."""
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return bool(self._waiting)
