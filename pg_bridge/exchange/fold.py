"""`apply`: the one way in which the state changes, live and in replay alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from pg_bridge.exchange import precedence
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.record import Reply
from pg_bridge.exchange.state import Batch, SettlementInstruction, State, Use
from pg_bridge.exchange.upload_fold import (
    UPLOAD,
    file_has_left,
    file_received,
    file_refused,
    file_repeated,
    forget_files,
    record_ended,
    record_in_doubt,
    report_made,
)
from pg_bridge.profiles.concepts import Operation


def apply(state: State, record: r.Record, at_us: int) -> None:
    """Fold one record into `state`. Records that only tell a story (sessions, refusals) change nothing."""
    state.folded += 1
    fold = _FOLDS.get(type(record))
    if fold is not None:
        fold(state, record, at_us)


def _received(state: State, record: r.RequestReceived, at_us: int) -> None:
    exchange = Exchange(
        id=record.exchange,
        participant=record.participant,
        terminal=record.terminal,
        session=record.session,
        sequence=record.sequence,
        effect=record.effect,
        function=record.function,
        operation=record.operation,
        template=record.template,
        message_type=record.message_type,
        reference=record.reference,
        business_date=record.business_date,
        carried=record.carried,
        document=bytes(record.document),
        received_us=at_us,
        translated_by=set_of(record.mapping),
        ends_by=set_of(record.mapping),
        sought=record.sought,
        part=record.part,
        parts=record.parts,
        received=state.folded,
        si_number=record.si_number,
        file=record.file,
        number=record.number,
        si_reference=record.si_reference,
    )
    state.exchanges[exchange.id] = exchange
    if record.file:
        state.uploads[record.file].open.add(exchange.id)
    if record.effect == "instruct":
        key = (record.participant, record.business_date, record.reference)
        if record.part == 1:
            state.uses[key] = Use(exchange.id, record.fingerprint)
        precedence.enter(state, exchange)


def _si_found(state: State, record: r.SiFound, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    exchange.document = bytes(record.document)
    exchange.sought = ()
    precedence.name(state, exchange, record.si_number, record.si_reference)


def _message_refused(state: State, record: r.MessageRefused, at_us: int) -> None:
    # A refusal is an answer like any other: it must reach the PSS, if need be after a break.
    state.exchanges[record.exchange] = Exchange(
        id=record.exchange,
        participant=record.participant,
        terminal=record.terminal,
        session=record.session,
        sequence=record.sequence,
        effect="refuse",
        function=record.function,
        operation="",
        template=record.template,
        message_type=record.message_type,
        reference=record.reference,
        business_date="",
        carried={},
        document=b"",
        received_us=at_us,
        stage=Stage.ANSWERED,
        outcome="refused",
        reply=record.reply,
    )


def _called(state: State, record: r.BatchCalled, at_us: int) -> None:
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


def _batch_refused(state: State, record: r.BatchRefused, at_us: int) -> None:
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


def _unknown(state: State, record: r.OutcomeUnknown, at_us: int) -> None:
    batch = state.batches[record.request_id]
    batch.is_unknown = True
    batch.looks = record.looks
    batch.is_duplicate = batch.is_duplicate or record.is_duplicate
    batch.is_resent = batch.is_resent or record.is_resent
    batch.faults = batch.faults or record.faults


def _awaited(state: State, record: r.ExchangeAwaited, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    exchange.is_awaited = True
    exchange.reply = record.reply


def _answered(state: State, record: r.ExchangeAnswered, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    precedence.end(state, exchange)
    exchange.stage = Stage.ANSWERED
    exchange.outcome = record.outcome
    exchange.si_number = record.si_number
    exchange.document = b""
    if record.reply is not None:
        exchange.reply = record.reply
        exchange.more = record.more
    if record.si_number and exchange.operation == Operation.SI_ADD:
        state.instructions[exchange.participant, record.si_number] = SettlementInstruction(
            record.si_number, exchange.id, exchange.terminal, exchange.reference
        )
    if exchange.file:
        record_ended(state, exchange, record.faults if record.outcome == "refused" else ())
    elif exchange.effect == UPLOAD:
        report_made(state, exchange)
    _conclude(state, exchange)


def _in_doubt(state: State, record: r.ExchangeInDoubt, at_us: int) -> None:
    exchange = state.exchanges[record.exchange]
    precedence.end(state, exchange)
    exchange.stage = Stage.IN_DOUBT
    if exchange.file:
        record_in_doubt(state, exchange, record.text)
    state.reports_due.pop(exchange.id, None)
    _conclude(state, exchange)


def _conclude(state: State, exchange: Exchange) -> None:
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


def _left(state: State, record: r.AnswersLeft, at_us: int) -> None:
    for id_ in record.exchanges:
        exchange = state.exchanges.get(id_)
        if exchange is not None:
            _has_left(state, exchange)


def _has_left(state: State, exchange: Exchange) -> None:
    exchange.has_left = True
    if exchange.effect == "enquire" and exchange.reply is not None:
        # Asked again, it is asked afresh: its answer, which may be large, is of no further use.
        exchange.reply = Reply(exchange.reply.template, exchange.reply.message_type, "")
        exchange.more = ()
    file_has_left(state, exchange)
    release(state, exchange)


def release(state: State, exchange: Exchange) -> None:
    """Queue the updates that waited for the exchange's own answer to go first."""
    if exchange.held:
        outbox = state.outbox(exchange.participant)
        for delivery in exchange.held:
            outbox.queue[delivery.id] = delivery
        exchange.held.clear()


def _update(state: State, record: r.UpdateReceived, at_us: int) -> None:
    feed = state.feed(record.participant, record.business_date)
    if record.is_held:
        feed.early[record.sequence] = bytes(record.event)
    elif record.sequence == feed.next_sequence:
        feed.next_sequence += 1


def _took_early(state: State, participant: str, business_date: str, sequence: int) -> None:
    feed = state.feed(participant, business_date)
    if feed.early.pop(sequence, None) is not None:
        feed.next_sequence = sequence + 1


def _released(state: State, record: r.UpdateReleased, at_us: int) -> None:
    _took_early(state, record.participant, record.business_date, record.sequence)


def _queued(state: State, record: r.DeliveryQueued, at_us: int) -> None:
    delivery = Delivery(
        id=record.delivery,
        participant=record.participant,
        terminal=record.terminal,
        si_number=record.si_number,
        reply=record.reply,
        exchange=record.after or record.exchange,
        needs_durable=state.folded,
    )
    own = state.exchanges.get(delivery.exchange)
    if own is not None and own.file:
        own = state.answered_with(own)
        delivery.exchange = own.id
    if own is not None and not (own.has_left or own.is_sent):
        own.held.append(delivery)
    else:
        state.outbox(record.participant).queue[delivery.id] = delivery


def _acknowledged(state: State, record: r.DeliveryAcknowledged, at_us: int) -> None:
    outbox = state.outbox(record.participant)
    delivery = outbox.queue.pop(record.delivery, None)
    outbox.sent.pop(record.delivery, None)
    own = state.exchanges.get(record.exchange)
    if own is None:
        return
    frames = {id_ for id_, _ in own.frames}
    if record.delivery in frames:  # its answer, sent again after a break
        own.taken.add(record.delivery)
        if own.taken >= frames:
            _has_left(state, own)
    elif delivery is None:
        # In replay the answer may have been held longer than it was: it was sent before this update was.
        own.held = [held for held in own.held if held.id != record.delivery]


def _in_force(state: State, record: r.NodeStarted | r.MappingsLoaded, at_us: int) -> None:
    """A set came into force. Events that wait for earlier ones have the shape of the profile that they came under:
    under another they are let go, and OCP is asked for them again.
    """
    if not record.ocp_hash:
        return
    if state.ocp_hash not in ("", record.ocp_hash):
        for feed in state.feeds.values():
            feed.early.clear()
    state.ocp_hash = record.ocp_hash


def set_of(mapping: str) -> str:
    """The set in a record's `mapping`, `<rule file>@<set>/<version>/<12 hexadecimal characters>`: those characters."""
    return mapping.rpartition("/")[2]


_FOLDS: dict[type[r.Record], Callable[[State, Any, int], None]] = {
    r.RequestReceived: _received,
    r.MessageRefused: _message_refused,
    r.SiFound: _si_found,
    r.BatchCalled: _called,
    r.BatchRefused: _batch_refused,
    r.OutcomeUnknown: _unknown,
    r.ExchangeAwaited: _awaited,
    r.ExchangeAnswered: _answered,
    r.ExchangeInDoubt: _in_doubt,
    r.AnswersLeft: _left,
    r.UpdateReceived: _update,
    r.UpdateReleased: _released,
    r.DeliveryQueued: _queued,
    r.DeliveryAcknowledged: _acknowledged,
    r.NodeStarted: _in_force,
    r.FileReceived: file_received,
    r.FileRefused: file_refused,
    r.FileRepeated: file_repeated,
    r.MappingsLoaded: _in_force,
}


def forget(state: State, before: str) -> None:
    """Let go of what the days before `before` (Hong Kong, YYYY-MM-DD) left behind and nothing asks for any more.

    Open exchanges, answers not known to have left and deliveries stay, however old; so do the SIs, whose updates come.
    """
    for id_, exchange in list(state.exchanges.items()):
        day = exchange.business_date or hong_kong_day(exchange.received_us)
        is_over = exchange.has_left and exchange.stage is Stage.ANSWERED and not exchange.held
        if day < before and is_over and not exchange.claims:
            del state.exchanges[id_]
    for key in [key for key in state.uses if key[1] < before]:
        del state.uses[key]
    forget_files(state, before)
    for feed_key in [key for key, feed in state.feeds.items() if key[1] < before and not feed.early]:
        del state.feeds[feed_key]


def hong_kong_day(at_us: int) -> str:
    """The Hong Kong calendar day of UTC microseconds since 1970."""
    return (_EPOCH + timedelta(days=(at_us + 28_800_000_000) // 86_400_000_000)).isoformat()


_EPOCH = date(1970, 1, 1)


def recover(state: State, set_hash: str = "") -> int:
    """After a replay: what no process holds any more. Every answer not known to have left becomes a delivery.

    All that waits may have left before: it goes out marked as a possible duplicate. Whatever set it was received
    under, what is open ends by the one that is there, `set_hash`. Gives the number of open exchanges.
    """
    if set_hash:
        for exchange in state.exchanges.values():
            exchange.ends_by = set_hash
        for batch in state.batches.values():
            batch.ends_by = set_hash
    state.freed.clear()
    for outbox in state.outboxes.values():
        for delivery in outbox.queue.values():
            delivery.is_copy = True
    for exchange in state.exchanges.values():
        if exchange.reply is not None and not exchange.has_left and not _is_told_otherwise(exchange):
            queue_answer(state, exchange)
    return sum(exchange.stage is not Stage.ANSWERED for exchange in state.exchanges.values())


def _is_told_otherwise(exchange: Exchange) -> bool:
    """A record of a file is told by the file's report; the report of a drop folder's file goes there."""
    return bool(exchange.file) or bool(exchange.claims and not exchange.session)


def queue_answer(state: State, exchange: Exchange) -> None:
    """Make a delivery of each frame of an answer whose session is gone; what waited for it follows it.

    While an earlier block of its message has no answer it stays: it is told, or queued, behind that one's.
    """
    if any(part.reply is None for part in state.parts_of(exchange) if part.part <= exchange.part):
        return
    outbox = state.outbox(exchange.participant)
    for id_, reply in exchange.frames:
        if id_ not in exchange.taken:
            outbox.queue[id_] = Delivery(
                id=id_,
                participant=exchange.participant,
                terminal=exchange.terminal,
                si_number=exchange.si_number,
                reply=reply,
                exchange=exchange.id,
                message=exchange.message,
                is_copy=True,
                # Its answer may have been decided a moment ago.
                needs_durable=state.folded,
            )
    exchange.is_told = exchange.is_sent = True
    for delivery in exchange.held:
        delivery.is_copy = True
    release(state, exchange)
