"""How a lost call is settled: by enquiry, never by a second request id.

A lost call (time-out, 500, 504, a cut) may have been done. What is found was done; the rest goes again as the same
call, same id and body. If that try is refused, the first one may still have done it: OCP is asked again before the
refusal is told, or the call split. Only what no enquiry settles becomes IN_DOUBT. A second request id is never made for
an instruction while the outcome of its first is unknown (ocp-profile section 3, assumed).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.call_outcome import accept, lose, refuse_whole
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.kinds.calls import SeenSi
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.precedence import behind
from pg_bridge.exchange.seeking import was_last
from pg_bridge.exchange.state import Batch, State
from pg_bridge.exchange.terms import Note, Options, Terms

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
    seen = {member: _seen(terms, member, entry) for member, entry in event.seen.items() if member in batch.open}
    told = tuple(seen.values())
    pause_s = _pause_s(terms, batch)
    if is_too_old(terms, batch, note, pause_s):
        text = "not found, and its request id is too old to be sent again"
        _doubt(state, batch, terms, now, note, text, seen)
        return
    if not (batch.is_duplicate or batch.faults):
        batch.failures += 1
        note.record(
            r.OutcomeUnknown(
                participant=batch.participant,
                request_id=batch.request_id,
                text="not found: the same call goes again with the same id and body",
                is_resent=True,
                asked=event.asked,
                seen=told,
            )
        )
        note.act(a.Call(batch.request_id, pause_s))
        return
    looks = batch.looks + 1
    if looks >= limits.in_doubt_looks and batch.faults:
        refuse_whole(state, batch, batch.faults, terms, now, note)
        return
    if looks >= limits.in_doubt_looks:
        text = f"its request id or reference is used, and {looks} looks did not find it"
        _doubt(state, batch, terms, now, note, text, seen)
        return
    note.record(
        r.OutcomeUnknown(
            participant=batch.participant,
            request_id=batch.request_id,
            text="not found, looks again",
            looks=looks,
            asked=event.asked,
            seen=told,
        )
    )
    note.act(a.Look(batch.request_id, limits.in_doubt_window_s / max(1, limits.in_doubt_looks - 1)))


def is_too_old(terms: Terms, batch: Batch, note: Note, pause_s: float = 0.0) -> bool:
    """Whether OCP may have forgotten the id of a call, `pause_s` from now: sent again it would be done twice."""
    age_s = (note.at_us - batch.called_us) / 1e6
    return age_s + pause_s >= terms.ocp.limits.request_id_life_s


def pause_after(options: Options, failures: int) -> float:
    """Seconds to wait after a failure, when there were `failures` before it."""
    return min(options.retry_most_s, options.retry_first_s * float(2 ** min(failures, 10)))


def _pause_s(terms: Terms, batch: Batch) -> float:
    """A pause before a lost call goes again; the first time none."""
    return pause_after(terms.options, batch.failures - 1) if batch.failures else 0.0


def _seen(terms: Terms, member: str, entry: e.Json) -> SeenSi:
    def told(concept: str) -> str:
        value = terms.ocp.get("si", concept, entry)
        return "" if value is None else str(value)

    return SeenSi(member, *(told(concept) for concept in ("si_number", "status", "last_request_reference", "version")))


def _doubt(
    state: State,
    batch: Batch,
    terms: Terms,
    now: datetime,
    note: Note,
    text: str,
    seen: Mapping[str, SeenSi],
) -> None:
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
                    seen=seen.get(member),
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
