"""How status events of OCP, and the profile that gives them their shape, change the state; part of `fold.apply`."""

from __future__ import annotations

from pg_bridge.exchange import records as r
from pg_bridge.exchange.state import State


def update_received(state: State, record: r.UpdateReceived, at_us: int) -> None:
    """A status event came in its turn, or too early."""
    feed = state.feed(record.participant, record.business_date)
    if record.is_held:
        feed.early[record.sequence] = bytes(record.event)
    elif record.sequence == feed.next_sequence:
        feed.next_sequence += 1


def update_released(state: State, record: r.UpdateReleased, at_us: int) -> None:
    """An event that had come too early is next now."""
    feed = state.feed(record.participant, record.business_date)
    if feed.early.pop(record.sequence, None) is not None:
        feed.next_sequence = record.sequence + 1


def set_in_force(state: State, record: r.NodeStarted | r.MappingsLoaded, at_us: int) -> None:
    """A set came into force. Events that wait for earlier ones have the shape of the profile that they came under:
    under another they are let go, and OCP is asked for them again.
    """
    if not record.ocp_hash:
        return
    if state.ocp_hash not in ("", record.ocp_hash):
        for feed in state.feeds.values():
            feed.early.clear()
    state.ocp_hash = record.ocp_hash
