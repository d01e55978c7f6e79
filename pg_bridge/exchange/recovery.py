"""What outlives a process and a day: what is taken up again after a replay, and what is let go when it is old."""

from __future__ import annotations

from datetime import date, timedelta

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import file_reports
from pg_bridge.exchange.delivery_fold import queue_answer
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.reports import asking
from pg_bridge.exchange.state import State
from pg_bridge.exchange.upload_fold import UPLOAD, forget_files

_EPOCH = date(1970, 1, 1)
#: days of the market that are remembered besides
_MARKET_DAYS = 14


def forget(state: State, before: str) -> None:
    """Let go of what the days before `before` (Hong Kong, YYYY-MM-DD) left behind and nothing asks for any more.

    Open exchanges, answers not known to have left and deliveries stay, however old; so do the SIs, whose updates come,
    until they are over, and the days of which OCP may still have updates.
    """
    for id_, exchange in list(state.exchanges.items()):
        day = exchange.business_date or hong_kong_day(exchange.received_us)
        is_over = exchange.has_left and exchange.stage is Stage.ANSWERED and not exchange.held
        if day < before and is_over and not exchange.claims:
            del state.exchanges[id_]
    for key in [key for key in state.uses if key[1] < before]:
        del state.uses[key]
    forget_files(state, before)
    state.market.forget((date.fromisoformat(before) - timedelta(days=_MARKET_DAYS)).isoformat())
    for feed_key in [key for key, feed in state.feeds.items() if key[1] < before and feed.is_closed and not feed.early]:
        del state.feeds[feed_key]
    for si in [si for si, standing in state.standings.items() if standing.is_final and standing.heard < before]:
        del state.standings[si]
        state.instructions.pop(si, None)


def hong_kong_day(at_us: int) -> str:
    """The Hong Kong calendar day of UTC microseconds since 1970."""
    return (_EPOCH + timedelta(days=(at_us + 28_800_000_000) // 86_400_000_000)).isoformat()


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


def resume(state: State) -> list[a.Action]:
    """After recovery: every call under way is lost until an enquiry settles it; open enquiries are asked again."""
    actions: list[a.Action] = [a.Look(request_id) for request_id in state.batches]
    for exchange in state.exchanges.values():
        is_told_by_itself = not exchange.file and exchange.effect != UPLOAD
        if exchange.stage is not Stage.ANSWERED and exchange.reply is None and is_told_by_itself:
            actions.append(a.Watch(exchange.id))
        if exchange.claims and exchange.reply is not None and not exchange.has_left:
            actions += file_reports.to_folders(exchange, exchange.claims)
        if exchange.effect == "enquire" and exchange.stage is Stage.RECEIVED:
            actions.append(asking(exchange))
        if exchange.sought and exchange.stage is Stage.RECEIVED and not exchange.awaits:
            actions.append(a.Seek(exchange.id))
    actions += [a.Pump(participant) for participant in state.outboxes]
    return actions
