"""How status events of OCP, and the profile that gives them their shape, change the state; part of `fold.apply`."""

from __future__ import annotations

import msgspec

from pg_bridge.exchange import records as r
from pg_bridge.exchange.si_standing import UNKNOWN, SiStanding
from pg_bridge.exchange.state import State


def update_received(state: State, record: r.UpdateReceived, at_us: int) -> None:
    """A status event came in its turn, or too early."""
    feed = state.feed(record.participant, record.business_date)
    if record.event_id:
        feed.ids.add(record.event_id)
    if record.is_held:
        feed.early[record.sequence] = bytes(record.event)
        return
    if record.sequence == feed.next_sequence:
        feed.next_sequence += 1
    if not record.is_repeat:
        _hear(state, record.participant, record.si_number, record.standing)


def update_released(state: State, record: r.UpdateReleased, at_us: int) -> None:
    """An event that had come too early is next now."""
    feed = state.feed(record.participant, record.business_date)
    if feed.early.pop(record.sequence, None) is not None:
        feed.next_sequence = record.sequence + 1
        _hear(state, record.participant, record.si_number, record.standing)


def _hear(state: State, participant: str, number: str, standing: SiStanding | None) -> None:
    """Keep how an SI stands now; what is older than that, or than a snapshot, changes nothing."""
    if not number:
        return
    before = state.standings.get((participant, number))
    if standing is None:
        standing = before or UNKNOWN
    elif before is not None:
        if standing.version < before.version:
            return
        standing = msgspec.structs.replace(standing, snapshot=before.snapshot)
    state.standings[participant, number] = standing


def day_closed(state: State, record: r.DayClosed, at_us: int) -> None:
    """All events of the day came."""
    state.feed(record.participant, record.business_date).is_closed = True
    state.reopen_days(record.participant)


def events_lost(state: State, record: r.EventsLost, at_us: int) -> None:
    """Events will never come: go on behind them."""
    feed = state.feed(record.participant, record.business_date)
    if record.last:
        feed.next_sequence = record.last + 1
    else:
        feed.is_closed = True
        state.reopen_days(record.participant)


def snapshot_taken(state: State, record: r.SnapshotTaken, at_us: int) -> None:
    """How an SI stands now, whatever brought it there."""
    standing = record.standing
    state.standings[record.participant, record.si_number] = msgspec.structs.replace(standing, snapshot=standing.version)


def reconciled(state: State, record: r.Reconciled, at_us: int) -> None:
    """A participant's SIs were compared."""
    before = state.reconciled.get(record.participant, "")
    state.reconciled[record.participant] = max(before, record.business_date)


def subscribed(state: State, record: r.Subscribed, at_us: int) -> None:
    """OCP pushes there from now on."""
    state.subscribed_url = record.url


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
