"""Which delivery may go to which session now: the order of one SI's messages holds across sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pg_bridge.exchange.state import Delivery, Outbox


class Seat(NamedTuple):
    """One session that is on: how many more deliveries it may be given."""

    session: str
    terminal: str
    window_free: int


def choose(outbox: Outbox, seats: Sequence[Seat]) -> list[tuple[str, Delivery]]:
    """The (session, delivery) pairs that may go now, in order. `seats`: the participant's sessions, oldest first.

    A delivery goes to the terminal that entered its SI if that is on, else to the oldest session; never while
    an earlier one of the same SI is under way in another session.
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
        order = delivery.si_number or delivery.id
        session = outbox.sent.get(delivery.id)
        if session is not None:
            under_way[order] = session
            continue
        target = by_terminal.get(delivery.terminal) or seats[0].session
        if order in blocked or under_way.get(order, target) != target or free[target] <= 0:
            blocked.add(order)
            continue
        free[target] -= 1
        left -= 1
        under_way[order] = target
        chosen.append((target, delivery))
    return chosen
