"""The circuit towards OCP: after several failures in a row no call is let go until OCP is seen to answer again.

Open, the limits give no slot: what was received waits, and the PSS is told within `answer_within` that its outcome is
awaited. After a pause, longer each time and never quite the same, the bridge tries OCP with the operation that says
if it is up, which does nothing there. Once that answers, calls go again; but until a real call succeeds, one more
failure opens the circuit at once. A throttled call (429) is no failure: OCP answers, and says when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pg_bridge.errors import OcpError
from pg_bridge.ocp.limits import MOST_HOLD_S, CallLimits

#: no pause is shorter than this part of what it would be without chance
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOptions:
    """failures: in a row until it opens, 0: never. The pause before OCP is tried: the first, and the longest."""

    failures: int = 5
    first_s: float = 1.0
    most_s: float = 30.0


@dataclass(frozen=True, slots=True)
class CircuitChange:
    """It opened (after `failures` in a row, the last said `text`), or closed after `open_s` seconds."""

    is_open: bool
    failures: int = 0
    text: str = ""
    open_s: float = 0.0


class Circuit:
    """Hears how calls end. chance: 0 to 1, anew each time; on_change: hears of each opening and closing."""

    def __init__(
        self,
        options: CircuitOptions,
        limits: CallLimits,
        *,
        monotonic: Callable[[], float],
        chance: Callable[[], float],
        on_change: Callable[[CircuitChange], None],
    ) -> None:
        self._options = options
        self._limits = limits
        self._monotonic = monotonic
        self._chance = chance
        self._on_change = on_change
        self._opened = asyncio.Event()
        self._since = 0.0
        self._failures = 0
        #: openings since a call last succeeded, and tries of each
        self._openings = 0
        self._tries = 0
        #: OCP said that it is closed until then
        self._not_before = 0.0

    @property
    def is_open(self) -> bool:
        """No call is let go."""
        return self._opened.is_set()

    def succeeded(self) -> None:
        """OCP answered a call, in whatever way."""
        self._failures = self._openings = 0
        if self.is_open:
            self._close()

    def failed(self, text: str, retry_after_s: float | None = None) -> None:
        """A call failed: OCP was not there, did not answer, or nothing that can be read."""
        if retry_after_s is not None:
            self._not_before = self._monotonic() + min(retry_after_s, MOST_HOLD_S)
        if self.is_open or not self._options.failures:
            return
        self._failures += 1
        if self._failures >= self._options.failures:
            self._openings += 1
            self._tries = 0
            self._since = self._monotonic()
            self._opened.set()
            self._limits.shut(is_shut=True)
            self._on_change(CircuitChange(True, self._failures, text))

    def pause_s(self) -> float:
        """Seconds until OCP is tried."""
        doublings = min(self._openings + self._tries - 1, 16)
        pause_s = min(self._options.most_s, self._options.first_s * float(2**doublings))
        pause_s *= _LEAST_SHARE + (1 - _LEAST_SHARE) * self._chance()
        return max(pause_s, self._not_before - self._monotonic())

    async def keep_trying(self, is_up: Callable[[], Awaitable[object]]) -> None:
        """Whenever it is open, try OCP (`is_up` raises OcpError when it is not), and close it. Ends when cancelled."""
        while True:
            await self._opened.wait()
            await asyncio.sleep(self.pause_s())
            await self._limits.trial()
            if not self.is_open:
                continue
            try:
                await is_up()
            except OcpError:
                self._tries += 1
            else:
                if self.is_open:
                    self._failures = self._options.failures - 1
                    self._close()

    def _close(self) -> None:
        self._opened.clear()
        self._on_change(CircuitChange(False, open_s=self._monotonic() - self._since))
        self._limits.shut(is_shut=False)
