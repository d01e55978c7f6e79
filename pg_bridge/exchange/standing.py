"""How exchanges and deliveries stand that are not over: what a person looks at, from the state alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.outbox import Delivery
from pg_bridge.exchange.state import State

#: which exchanges or deliveries
Which = Literal["in_doubt", "open", "undelivered"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange that is not over, as it stands.

    at_us: when it was received, UTC microseconds since 1970. request_id: of its last call. looks: at that call, while
    its outcome is unknown. awaits: the exchange that goes before it. why: of one in doubt. is_told: its PSS was told
    that the outcome is awaited.
    """

    exchange: str
    participant: str
    terminal: str
    reference: str
    function: str
    stage: str
    at_us: int
    si_number: str = ""
    request_id: str = ""
    is_unknown: bool = False
    looks: int = 0
    awaits: str = ""
    why: str = ""
    is_told: bool = False


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """One message that its PSS has not acknowledged. is_sent: it is under way to a session. waits_for: the exchange
    whose answer must leave before it, where there is one."""

    delivery: str
    participant: str
    terminal: str
    exchange: str
    template: str
    si_number: str = ""
    is_copy: bool = False
    is_sent: bool = False
    waits_for: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What is not over. in_doubt, open, undelivered: how many there are in all of those kinds that were asked for."""

    exchanges: list[Standing]
    deliveries: list[Undelivered]
    in_doubt: int = 0
    open: int = 0
    undelivered: int = 0


def listing(state: State, which: frozenset[Which], *, participant: str = "", most: int = 200) -> Listing:
    """The oldest `most` exchanges and deliveries of the kinds asked for, of one participant or of all."""
    found = [exchange for exchange in state.exchanges.values() if participant in ("", exchange.participant)]
    doubts = [exchange for exchange in found if exchange.stage is Stage.IN_DOUBT] if "in_doubt" in which else []
    over = (Stage.IN_DOUBT, Stage.ANSWERED)
    open_ = [exchange for exchange in found if exchange.stage not in over] if "open" in which else []
    deliveries = list(_undelivered(state, participant)) if "undelivered" in which else []
    return Listing(
        exchanges=[_standing(state, exchange) for exchange in (*doubts, *open_)[:most]],
        deliveries=deliveries[:most],
        in_doubt=len(doubts),
        open=len(open_),
        undelivered=len(deliveries),
    )


def _standing(state: State, exchange: Exchange) -> Standing:
    batch = state.batches.get(exchange.request_id)
    return Standing(
        exchange=exchange.id,
        participant=exchange.participant,
        terminal=exchange.terminal,
        reference=exchange.reference,
        function=exchange.function,
        stage=exchange.stage.value,
        at_us=exchange.received_us,
        si_number=exchange.si_number,
        request_id=exchange.request_id,
        is_unknown=batch is not None and batch.is_unknown,
        looks=batch.looks if batch is not None else 0,
        awaits=exchange.awaits,
        why=exchange.doubt,
        is_told=exchange.is_awaited,
    )


def _undelivered(state: State, participant: str) -> Iterator[Undelivered]:
    for whose, outbox in state.outboxes.items():
        if participant in ("", whose):
            for delivery in outbox.queue.values():
                yield _waiting(delivery, is_sent=delivery.id in outbox.sent)
    for exchange in state.exchanges.values():
        if participant in ("", exchange.participant):
            for delivery in exchange.held:
                yield _waiting(delivery, waits_for=exchange.id)


def _waiting(delivery: Delivery, *, is_sent: bool = False, waits_for: str = "") -> Undelivered:
    return Undelivered(
        delivery=delivery.id,
        participant=delivery.participant,
        terminal=delivery.terminal,
        exchange=delivery.exchange,
        template=delivery.reply.template,
        si_number=delivery.si_number,
        is_copy=delivery.is_copy,
        is_sent=is_sent,
        waits_for=waits_for,
    )
