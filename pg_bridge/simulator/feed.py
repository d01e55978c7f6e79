"""What waits to be pushed to one receiver, and the faults that make it come otherwise than it happened."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from pg_bridge.simulator.faults import FaultKind, Faults

Event = TypeVar("Event")


class Feed(Generic[Event]):
    """Events for one receiver. channel: the pretended operation whose faults concern it, besides those of any push."""

    def __init__(self, faults: Faults, channel: str) -> None:
        self._faults = faults
        self._channel = channel
        self.waiting: deque[Event] = deque()
        self._kept_back: Event | None = None
        self._late: list[Event] = []
        self._woken = asyncio.Event()
        self.is_ended = False

    def fault(self, kind: FaultKind) -> bool:
        """Whether a push to this receiver is to go wrong so now."""
        return self._faults.next_push(kind, channel=self._channel) is not None

    def offer(self, event: Event) -> None:
        """Have it pushed, unless it is to be lost; behind the next one, or later, if so ordered."""
        if self.fault(FaultKind.PUSH_GAP):
            return
        late = self._faults.next_push(FaultKind.PUSH_LATE, channel=self._channel)
        if late is not None:
            self._late.append(event)
            asyncio.get_running_loop().call_later(late.delay_s, self._put_late, event)
            return
        if self._kept_back is None and self.fault(FaultKind.PUSH_REORDER):
            self._kept_back = event
            return
        self.put(event)

    def put(self, event: Event) -> None:
        """Have it pushed next."""
        self.waiting.append(event)
        if self._kept_back is not None:
            self.waiting.append(self._kept_back)
            self._kept_back = None
        self._woken.set()

    def _put_late(self, event: Event) -> None:
        self._late.remove(event)
        self.put(event)

    def untaken(self) -> list[Event]:
        """Everything that is still to be pushed."""
        kept_back = [] if self._kept_back is None else [self._kept_back]
        return [*self.waiting, *kept_back, *self._late]

    async def take(self, most: int) -> list[Event]:
        """The next events, at least one and at most so many, when there are some and no silence is ordered.

        Empty: the feed has ended.
        """
        while True:
            while not self.waiting and not self.is_ended:
                self._woken.clear()
                await self._woken.wait()
            if self.is_ended:
                return []
            silence = self._faults.next_push(FaultKind.PUSH_SILENCE, channel=self._channel)
            if silence is None:
                return [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
            await self._faults.silence(silence)

    def end(self) -> None:
        """Push nothing any more."""
        self.is_ended = True
        self._woken.set()
