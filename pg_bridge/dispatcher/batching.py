"""When the batches of lanes close: a lane that is free and may call, within OCP's limits, closes at once.

Lanes are looked at just before what has gathered is made durable, so that a call is one commit with what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from pg_bridge.exchange import events as e
from pg_bridge.exchange.ports import Slots
from pg_bridge.exchange.state import LaneKey, State
from pg_bridge.exchange.turns import Turn, turn_of


class Batching:
    """Looks at the lanes that something happened to. `offer` takes the LaneOpen of those that may call."""

    def __init__(
        self,
        state: State,
        slots: Slots,
        offer: Callable[[e.Event], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._state = state
        self._slots = slots
        self._offer = offer
        self._spawn = spawn
        self._touched: set[LaneKey] = set()
        self._awaiting_slot: set[LaneKey] = set()

    def touch(self, key: LaneKey) -> None:
        """Something waits in this lane, or it is free again."""
        self._touched.add(key)

    def touch_all(self, keys: Iterable[LaneKey]) -> None:
        """The same of several lanes."""
        self._touched.update(keys)

    def close_batches(self) -> None:
        """Close the batch of every touched lane that is free and may call; where no slot is free, when one is."""
        # Urgent lanes first: the last free slot is theirs.
        for key in sorted(self._touched, key=_turn) if len(self._touched) > 1 else self._touched:
            lane = self._state.lanes.get(key)
            if lane is None or lane.calling or not lane.waiting or key in self._awaiting_slot:
                continue
            if self._slots.try_slot(_turn(key)):
                self._offer(e.LaneOpen(*key))
            else:
                self._awaiting_slot.add(key)
                self._spawn(self._open_later(key))
        self._touched.clear()

    async def _open_later(self, key: LaneKey) -> None:
        await self._slots.slot(_turn(key))
        self._awaiting_slot.discard(key)
        self._offer(e.LaneOpen(*key))


def _turn(key: LaneKey) -> Turn:
    return turn_of(key[1])
