"""How what is handed to the PSS changes the state: answers that left, deliveries queued and acknowledged.

A part of `fold.apply`; and what the dispatcher does when a session is gone.
"""

from __future__ import annotations

from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.record import Reply
from pg_bridge.exchange.state import State
from pg_bridge.exchange.upload_fold import file_has_left


def answers_left(state: State, record: r.AnswersLeft, at_us: int) -> None:
    """These answers are known to have left."""
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


def delivery_queued(state: State, record: r.DeliveryQueued, at_us: int) -> None:
    """A message to the PSS waits: for its own exchange's answer, where that has not gone, or in the outbox."""
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


def delivery_acknowledged(state: State, record: r.DeliveryAcknowledged, at_us: int) -> None:
    """The PSS has a delivery, or one frame of an answer that was sent again."""
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
