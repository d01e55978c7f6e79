"""When a call may go: token buckets for company and machine, Retry-After, and who of those that wait goes first.

OCP counts calls in a window. A bucket that held the whole window's calls and refilled at the window's rate would let
nearly twice as many through in one window, so burst and refill share them: burst + rate x window = calls. Then no
window of OCP's, wherever it starts, holds too many, and after a burst calls are spaced instead of standing still.
`Allowance` is arithmetic only; `CallLimits` waits. Times are monotonic seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pg_bridge.exchange.turns import Turn
from pg_bridge.ocp.waiting import Waiting

#: the part of a window's calls that may go at once
BURST_SHARE = 0.5
#: calls take unequal times to reach OCP: its windows are taken to be longer than said by this part of them
ARRIVAL_SHARE = 1 / 30
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
    """One limit's tokens. level: how many there were at `at`; below 0 when more was taken than there was."""

    __slots__ = ("at", "capacity", "level", "limit", "rate")

    def __init__(self, limit: Limit, now: float) -> None:
        self.limit = limit
        self.capacity = max(1.0, limit.calls * BURST_SHARE)
        #: tokens a second; a limit of one call has no second token to refill with, so it is refilled once a period
        self.rate = max(limit.calls - self.capacity, 1.0) / (limit.period_s * (1 + ARRIVAL_SHARE))
        self.level = self.capacity
        self.at = now

    def wait_s(self, now: float) -> float:
        """Seconds until a token is there; 0 when one is."""
        self.fill(now)
        missing_s = (1.0 - self.level) / self.rate
        return missing_s if missing_s > _GRAIN_S else 0.0

    def take(self, now: float) -> None:
        """Use one token."""
        self.fill(now)
        self.level -= 1.0

    def empty(self, now: float) -> None:
        """Use every token."""
        self.level, self.at = min(0.0, self.level), now

    def fill(self, now: float) -> None:
        """Count the tokens that came since."""
        if now > self.at:
            self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
            self.at = now


class Allowance:
    """All limits together, and the moment before which OCP wants no call."""

    __slots__ = ("buckets", "not_before")

    def __init__(self, limits: Sequence[Limit], now: float) -> None:
        self.buckets = [Bucket(limit, now) for limit in limits if limit.calls > 0]
        self.not_before = now

    def wait_s(self, now: float) -> float:
        """Seconds until a call may go; 0 when it may."""
        return max([self.not_before - now, *(bucket.wait_s(now) for bucket in self.buckets)], default=0.0)

    def take(self, now: float) -> None:
        """Count one call."""
        for bucket in self.buckets:
            bucket.take(now)

    def empty(self, now: float) -> None:
        """Let none go that was not refilled after `now`."""
        for bucket in self.buckets:
            bucket.empty(now)

    def hold(self, until: float) -> None:
        """Let none go before `until`; an earlier end never shortens a later one."""
        self.not_before = max(self.not_before, until)


class Keeper(Protocol):
    """Keeps the levels of an allowance over the end of the process, however it ends."""

    def recall(self, allowance: Allowance, now: float) -> None:
        """Bring an allowance, just made, to what is left of it."""
        ...

    def keep(self, allowance: Allowance, now: float) -> None:
        """Keep how it stands now."""
        ...


class CallLimits:
    """Gives slots for calls: at once when free, else by turn. While it is `shut`, it gives none."""

    def __init__(self, limits: Sequence[Limit], monotonic: Callable[[], float], keeper: Keeper | None = None) -> None:
        self._monotonic = monotonic
        self._limits = list(limits)
        self._keeper = keeper
        self._allowance = Allowance(limits, monotonic())
        if keeper is not None:
            keeper.recall(self._allowance, monotonic())
        self._waiting = Waiting()
        self._timer: asyncio.TimerHandle | None = None
        self.is_shut = False

    def try_slot(self, priority: int = Turn.QUESTION) -> bool:
        """Take a slot if one is free now and nobody waits for it."""
        now = self._monotonic()
        if self.is_shut or self._waiting or self._allowance.wait_s(now) > 0:
            return False
        self._take(now)
        return True

    async def slot(self, priority: int = Turn.QUESTION) -> None:
        """Take a slot of this turn, waiting until one is free."""
        if self.try_slot(priority):
            return
        waiter = self._waiting.add(Turn(priority))
        self.release()
        await waiter

    async def trial(self) -> None:
        """Take a slot within the limits before all who wait, also while shut: to try whether OCP answers again."""
        while (wait_s := self._allowance.wait_s(self._monotonic())) > 0:  # noqa: ASYNC110 - time alone brings a slot
            await asyncio.sleep(wait_s)
        self._take(self._monotonic())

    def left(self) -> list[tuple[Limit, float]]:
        """Each limit with the calls that may go at once now, 0 at least."""
        now = self._monotonic()
        for bucket in self._allowance.buckets:
            bucket.fill(now)
        return [(bucket.limit, max(0.0, bucket.level)) for bucket in self._allowance.buckets]

    def waiting(self) -> dict[Turn, int]:
        """How many wait for a slot, by turn."""
        return self._waiting.counts()

    def hold(self, retry_after_s: float | None) -> None:
        """OCP throttled a call: let none go for this long (None: it did not say)."""
        pause_s = UNSAID_HOLD_S if retry_after_s is None else min(retry_after_s, MOST_HOLD_S)
        now = self._monotonic()
        self._allowance.hold(now + pause_s)
        self._keep(now)

    def shut(self, *, is_shut: bool) -> None:
        """Give no slot from now on, or give them again."""
        self.is_shut = is_shut
        self.release()

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
        self._keep(now)
        self.release()

    def release(self) -> None:
        """Let those go that may go now; come back for the next."""
        self.close()
        while not self.is_shut and self._waiting:
            now = self._monotonic()
            wait_s = self._allowance.wait_s(now)
            if wait_s > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self.release)
                return
            self._take(now)
            self._waiting.next().set_result(None)

    def close(self) -> None:
        """Stop the timer; whoever still waits is cancelled by its own task."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, now: float) -> None:
        self._allowance.take(now)
        self._keep(now)

    def _keep(self, now: float) -> None:
        if self._keeper is not None:
            self._keeper.keep(self._allowance, now)
