"""Which delivery may go to which session now.

The order of one SI's messages holds across sessions, and so does that of the answers to one message. What the
journal does not hold yet stays, whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pg_bridge.exchange.outbox import Delivery, Outbox


class Seat(NamedTuple):
    """One session that is on: how many more deliveries it may be given."""

    session: str
    terminal: str
    window_free: int


def choose(outbox: Outbox, seats: Sequence[Seat], durable: int) -> list[tuple[str, Delivery]]:
    """The (session, delivery) pairs that may go now, in order. `seats`: the participant's sessions, oldest first.
    durable: how many of the records that were folded are durable.

    A delivery goes to the terminal that entered its SI if that is on, else to the oldest session; never while
    an earlier one of the same SI, or of the same message's answers, is under way in another session.
    """
    if not seats:
        return []
    free = {seat.session: seat.window_free for seat in seats}
    by_terminal = {seat.terminal: seat.session for seat in seats}
    under_way: dict[str, str] = {}
    blocked: set[str] = set()
    chosen: list[tuple[str, Delivery]] = []
    left = sum(free.values())
    for delivery in outbox.queue.values():
        if left <= 0:
            break
        orders = delivery.keeps_order_of
        session = outbox.sent.get(delivery.id)
        if session is not None:
            under_way.update(dict.fromkeys(orders, session))
            continue
        target = by_terminal.get(delivery.terminal) or seats[0].session
        is_free = all(order not in blocked and under_way.get(order, target) == target for order in orders)
        if not is_free or free[target] <= 0 or delivery.needs_durable > durable:
            blocked.update(orders)
            continue
        free[target] -= 1
        left -= 1
        under_way.update(dict.fromkeys(orders, target))
        chosen.append((target, delivery))
    return chosen
