"""How a lost call is settled: by enquiry, never by a second request id.

A lost call (time-out, 500, 504, a cut) may have been done. What is found was done; the rest goes again as the same
call, same id and body. If that try is refused, the first one may still have done it: OCP is asked again before the
refusal is told, or the call split. Only what no enquiry settles becomes IN_DOUBT. A second request id is never made for
an instruction while the outcome of its first is unknown (ocp-profile section 3, assumed).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.call_outcome import accept, lose, refuse_whole
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.precedence import behind
from pg_bridge.exchange.seeking import was_last
from pg_bridge.exchange.state import Batch, State
from pg_bridge.exchange.terms import Note, Terms

#: the finding of a lost request whose SI stands as it asks for, and was last touched by another
STANDS_BY_ANOTHER = "PGB-XCH-006"
#: the finding of an instruction that waited for one that fell in doubt
BEHIND_A_DOUBT = "PGB-XCH-004"


def _by_another(terms: Terms, exchange: Exchange, entry: e.Json) -> Finding:
    last = terms.ocp.get("si", "last_request_reference", entry) or "an unknown request"
    text = f"the SI stands as {exchange.reference} asks for, and its call was used; {last} was the last to touch the SI"
    return Finding(STANDS_BY_ANOTHER, "warning", "", text)


def _lost(state: State, event: e.CallLost, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is not None:
        lose(batch, note, event.text)


def _looked(state: State, event: e.Looked, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    for member in batch.members:
        entry = event.found.get(member)
        if entry is not None and member in batch.open:
            exchange = state.exchanges[member]
            findings = () if was_last(terms, exchange, entry) else (_by_another(terms, exchange, entry),)
            accept(state, exchange, terms, now, note, entry, group="si", findings=findings)
    if event.request_id not in state.batches:
        return
    limits = terms.ocp.limits
    age_s = (note.at_us - batch.called_us) / 1e6
    if age_s >= limits.request_id_life_s:
        _doubt(state, batch, terms, now, note, "not found, and its request id is too old to be sent again")
        return
    if not (batch.is_duplicate or batch.faults):
        note.record(
            r.OutcomeUnknown(
                participant=batch.participant,
                request_id=batch.request_id,
                text="not found: the same call goes again with the same id and body",
                is_resent=True,
            )
        )
        note.act(a.Call(batch.request_id, _pause_s(terms, batch)))
        return
    looks = batch.looks + 1
    if looks >= limits.in_doubt_looks and batch.faults:
        refuse_whole(state, batch, batch.faults, terms, now, note)
        return
    if looks >= limits.in_doubt_looks:
        text = f"its request id or reference is used, and {looks} looks did not find it"
        _doubt(state, batch, terms, now, note, text)
        return
    note.record(
        r.OutcomeUnknown(
            participant=batch.participant,
            request_id=batch.request_id,
            text="not found, looks again",
            looks=looks,
        )
    )
    note.act(a.Look(batch.request_id, limits.in_doubt_window_s / max(1, limits.in_doubt_looks - 1)))


def _pause_s(terms: Terms, batch: Batch) -> float:
    """A pause before a lost call goes again; the first time none."""
    batch.failures += 1
    if batch.failures == 1:
        return 0.0
    return min(terms.options.retry_most_s, terms.options.retry_first_s * float(2 ** min(batch.failures - 2, 10)))


def _doubt(state: State, batch: Batch, terms: Terms, now: datetime, note: Note, text: str) -> None:
    for member in batch.members:
        if member in batch.open:
            exchange = state.exchanges[member]
            _refuse_behind(state, exchange, terms, now, note)
            note.record(
                r.ExchangeInDoubt(
                    exchange=member,
                    participant=exchange.participant,
                    reference=exchange.reference,
                    request_id=batch.request_id,
                    text=text,
                )
            )


def _refuse_behind(state: State, exchange: Exchange, terms: Terms, now: datetime, note: Note) -> None:
    """Refuse what waits for an instruction that falls in doubt: it may rest on what nobody knows.

    What comes later is called: who sends it was told that the outcome is awaited.
    """
    text = f"nothing was done: it came behind {exchange.reference} about the same SI, whose outcome nobody knows"
    fault = terms.fault(BEHIND_A_DOUBT, BEHIND_A_DOUBT, text)
    while waiting := behind(state, exchange):
        conclude(state, waiting[0], terms, now, note, outcome="refused", faults=(fault,))


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.CallLost: _lost,
    e.Looked: _looked,
}
