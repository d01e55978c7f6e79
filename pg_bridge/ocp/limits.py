"""OCP's call limits on our side: token buckets for company and machine, and who goes first when calls must wait.

`Bucket` is arithmetic over a monotonic time in seconds; `CallSlots` waits.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """At most `calls` in any `period_s`, spent at once or evenly; 0 calls: no limit."""

    calls: int
    period_s: float
    level: float
    at: float

    @classmethod
    def full(cls, calls: int, period_s: float, now: float) -> Bucket:
        """A bucket that allows a burst of half its calls, so that burst and refill together stay inside any window."""
        return cls(calls, period_s, calls / 2, now)

    def wait_s(self, now: float) -> float:
        """Seconds until a call may go; 0: now."""
        if not self.calls:
            return 0.0
        self._fill(now)
        if self.level >= 1:
            return 0.0
        return (1 - self.level) * self.period_s / (self.calls / 2)

    def take(self, now: float) -> None:
        """Spend one call."""
        if self.calls:
            self._fill(now)
            self.level -= 1

    def _fill(self, now: float) -> None:
        # Half of the calls as burst, half as refill: no window of a period ever sees more than `calls`.
        half = self.calls / 2
        self.level = min(half, self.level + (now - self.at) * half / self.period_s)
        self.at = now


class CallSlots:
    """Fulfils exchange.ports.Slots."""

    def __init__(self, buckets: list[Bucket], clock: Callable[[], float]) -> None:
        self._buckets = buckets
        self._clock = clock
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def hold(self, seconds: float) -> None:
        """OCP asked for a pause: nothing goes before it ends."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    def try_slot(self, priority: int = 1) -> bool:
        """Take a slot if one is free now and nobody waits."""
        now = self._clock()
        if self._waiting or self._wait_s(now) > 0:
            return False
        self._take(now)
        return True

    async def slot(self, priority: int = 1) -> None:
        """Take a slot, waiting until one is free; a lower priority number goes first."""
        if self.try_slot(priority):
            return
        self._count += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, self._count, turn))
        self._arm()
        await turn

    def _take(self, now: float) -> None:
        for bucket in self._buckets:
            bucket.take(now)

    def _wait_s(self, now: float) -> float:
        return max([self._not_before - now, *(bucket.wait_s(now) for bucket in self._buckets)])

    def _arm(self) -> None:
        if self._timer is None and self._waiting:
            wait_s = max(0.001, self._wait_s(self._clock()))
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._let_go)

    def _let_go(self) -> None:
        self._timer = None
        while self._waiting:
            now = self._clock()
            if self._wait_s(now) > 0:
                break
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._take(now)
                turn.set_result(None)
        self._arm()
