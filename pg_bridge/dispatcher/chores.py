"""The timers and tasks in which the dispatcher's own work waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pg_bridge import telemetry


class Chores:
    """Timers and tasks, all ended together."""

    def __init__(self) -> None:
        self._work: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._log = telemetry.logger()

    def later(self, after_s: float, do: Callable[[], object]) -> None:
        """Do something after `after_s` seconds; at once for 0."""
        if after_s <= 0:
            do()
            return

        def run() -> None:
            self._timers.discard(handle)
            do()

        handle = asyncio.get_running_loop().call_later(after_s, run)
        self._timers.add(handle)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a task; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error(telemetry.EVENT_FAILED, error=repr(error))

    async def close(self) -> None:
        """End every timer and task."""
        for handle in self._timers:
            handle.cancel()
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
