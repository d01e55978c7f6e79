"""How the records of calls to OCP change the state; part of `fold.apply`."""

from __future__ import annotations

from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.state import Batch, State


def batch_called(state: State, record: r.BatchCalled, at_us: int) -> None:
    """A call is made: its members travel in it, for ever."""
    state.batches[record.request_id] = Batch(
        request_id=record.request_id,
        participant=record.participant,
        operation=record.operation,
        members=record.members,
        body=bytes(record.body),
        called_us=at_us,
        open=set(record.members),
        ends_by=state.exchanges[record.members[0]].ends_by,
    )
    lane = state.lane(record.participant, record.operation)
    lane.calling = record.request_id
    for member in record.members:
        lane.waiting.remove(member)  # the leftmost ones: found at once
        exchange = state.exchanges[member]
        exchange.stage = Stage.CALLED
        exchange.request_id = record.request_id
    lane.suspect = max(0, lane.suspect - len(record.members))


def batch_refused(state: State, record: r.BatchRefused, at_us: int) -> None:
    """Nothing was done: its members wait first in their lane again, suspect."""
    batch = state.batches.pop(record.request_id)
    lane = state.lane(batch.participant, batch.operation)
    lane.calling = ""
    members = [member for member in batch.members if member in batch.open]
    for member in reversed(members):
        exchange = state.exchanges[member]
        exchange.stage = Stage.RECEIVED
        exchange.request_id = ""
        lane.waiting.appendleft(member)
    lane.suspect += len(members)
    lane.most_suspect = max(1, len(members) // 2)


def outcome_unknown(state: State, record: r.OutcomeUnknown, at_us: int) -> None:
    """OCP may or may not have done the call."""
    batch = state.batches[record.request_id]
    batch.is_unknown = True
    batch.looks = record.looks
    batch.is_duplicate = batch.is_duplicate or record.is_duplicate
    batch.is_resent = batch.is_resent or record.is_resent
    batch.faults = batch.faults or record.faults


def call_concluded(state: State, exchange: Exchange) -> None:
    """Nothing more is awaited of the exchange's call; the last member frees the lane."""
    batch = state.batches.get(exchange.request_id)
    if batch is None:
        return
    batch.open.discard(exchange.id)
    if not batch.open:
        del state.batches[batch.request_id]
        lane = state.lane(batch.participant, batch.operation)
        if lane.calling == batch.request_id:
            lane.calling = ""
