"""Waiting for a slot on behalf of somebody who is to be told soon when there is none."""

from __future__ import annotations

import asyncio

from pg_bridge.exchange.ports import Slots


async def slot_unless_shut(slots: Slots, look_s: float) -> bool:
    """Take a slot for a question, in its place in the queue; False when the way to OCP is shut.

    That is seen every `look_s` seconds: a queue is waited for however long it is.
    """
    waiting = asyncio.ensure_future(slots.slot())
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=look_s)
            if done:
                return True
            if slots.is_shut:
                return False
    finally:
        waiting.cancel()
