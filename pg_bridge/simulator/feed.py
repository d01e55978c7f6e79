"""What waits to be pushed to one receiver, and the faults that make it come otherwise than it happened."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from pg_bridge.simulator.faults import FaultKind, Faults

Event = TypeVar("Event")


class Held(NamedTuple):
    """What holds a feed up: how many seconds a silence still lasts (0: until the faults are cleared; None: there is
    none), which of its events, by place, is kept back for the next one, and how late which of them come."""

    silent_s: float | None = None
    kept_back: int | None = None
    late_s: Mapping[int, float] = MappingProxyType({})


class Feed(Generic[Event]):
    """Events for one receiver. channel: the pretended operation whose faults concern it, besides those of any push."""

    def __init__(self, faults: Faults, channel: str) -> None:
        self._faults = faults
        self._channel = channel
        self.waiting: deque[Event] = deque()
        self._kept_back: Event | None = None
        #: with the loop's time at which each comes
        self._late: list[tuple[Event, float]] = []
        #: until which time of the loop nothing comes (0: until the faults are cleared)
        self._silent_until: float | None = None
        self._woken = asyncio.Event()
        self.is_ended = False

    def fault(self, kind: FaultKind) -> bool:
        """Whether a push to this receiver is to go wrong so now."""
        return self._faults.next_push(kind, channel=self._channel) is not None

    def offer(self, event: Event) -> bool:
        """Have it pushed; behind the next one, or later, if so ordered. False: it is lost by order."""
        if self.fault(FaultKind.PUSH_GAP):
            return False
        late = self._faults.next_push(FaultKind.PUSH_LATE, channel=self._channel)
        if late is not None:
            self._come_late(event, late.delay_s)
        elif self._kept_back is None and self.fault(FaultKind.PUSH_REORDER):
            self._kept_back = event
        else:
            self.put(event)
        return True

    def put(self, event: Event) -> None:
        """Have it pushed next."""
        self.waiting.append(event)
        if self._kept_back is not None:
            self.waiting.append(self._kept_back)
            self._kept_back = None
        self._woken.set()

    def _come_late(self, event: Event, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        late = (event, loop.time() + delay_s)
        self._late.append(late)
        loop.call_later(delay_s, self._put_late, late)

    def _put_late(self, late: tuple[Event, float]) -> None:
        self._late.remove(late)
        self.put(late[0])

    def untaken(self) -> tuple[list[Event], Held]:
        """Everything that is still to be pushed, and what holds it up."""
        events = list(self.waiting)
        kept_back, silent_s = None, self._silent_until
        late_s: dict[int, float] = {}
        if self._kept_back is not None:
            kept_back = len(events)
            events.append(self._kept_back)
        for event, at in self._late:
            late_s[len(events)] = max(0.0, at - asyncio.get_running_loop().time())
            events.append(event)
        if silent_s:
            silent_s = max(0.001, silent_s - asyncio.get_running_loop().time())
        return events, Held(silent_s, kept_back, late_s)

    def restore(self, events: Iterable[Event], held: Held) -> None:
        """Go on, in an empty feed, with what another one had."""
        if held.silent_s is not None:
            self._silent_until = asyncio.get_running_loop().time() + held.silent_s if held.silent_s else 0.0
        for place, event in enumerate(events):
            if place in held.late_s:
                self._come_late(event, held.late_s[place])
            elif place == held.kept_back:
                self._kept_back = event
            else:
                self.waiting.append(event)
        self._woken.set()

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
            loop = asyncio.get_running_loop()
            if self._silent_until is None:
                silence = self._faults.next_push(FaultKind.PUSH_SILENCE, channel=self._channel)
                if silence is None:
                    return [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
                self._silent_until = loop.time() + silence.delay_s if silence.delay_s else 0.0
            await self._faults.silence(max(0.0, self._silent_until - loop.time()) if self._silent_until else None)
            self._silent_until = None

    def end(self) -> None:
        """Push nothing any more."""
        self.is_ended = True
        self._woken.set()
