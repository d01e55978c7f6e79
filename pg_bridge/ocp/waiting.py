"""Who waits for a slot, and who of them goes next: urgent calls first, but nobody for ever.

Of urgent calls at most so many go in a row while others wait; questions and input take turns. So a flood of one turn
costs the others a known number of slots each, and each turn keeps its own order.
"""

from __future__ import annotations

import asyncio
from collections import deque

from pg_bridge.exchange.turns import Turn

#: of urgent calls, while others wait
MOST_IN_A_ROW = 3


class Waiting:
    """Those who wait, in the order of asking within each turn. True while anybody waits."""

    def __init__(self) -> None:
        self._queues: dict[Turn, deque[asyncio.Future[None]]] = {turn: deque() for turn in Turn}
        self._in_a_row = 0
        self._last = Turn.INPUT

    def __bool__(self) -> bool:
        return any(self._has(turn) for turn in Turn)

    def counts(self) -> dict[Turn, int]:
        """How many wait, by turn."""
        return {turn: sum(not waiter.done() for waiter in queue) for turn, queue in self._queues.items()}

    def add(self, turn: Turn) -> asyncio.Future[None]:
        """One more waits, until its future is done."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[turn].append(waiter)
        return waiter

    def next(self) -> asyncio.Future[None]:
        """Take out who goes next; somebody must wait."""
        others = [turn for turn in (Turn.QUESTION, Turn.INPUT) if self._has(turn)]
        if self._has(Turn.URGENT) and (not others or self._in_a_row < MOST_IN_A_ROW):
            self._in_a_row = self._in_a_row + 1 if others else 0
            return self._queues[Turn.URGENT].popleft()
        self._in_a_row = 0
        turn = others[0] if len(others) == 1 or others[0] is not self._last else others[1]
        self._last = turn
        return self._queues[turn].popleft()

    def _has(self, turn: Turn) -> bool:
        """Whether anybody of this turn waits; those who gave up are forgotten."""
        queue = self._queues[turn]
        while queue and queue[0].done():
            queue.popleft()
        return bool(queue)
