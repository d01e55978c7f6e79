"""Calls to OCP: when a batch closes, what its answer means, and when a call goes again.

What follows when nobody knows whether OCP did a call stands in lost_calls.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.call_outcome import accept, lose, refuse_whole
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.lost_calls import is_too_old
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.profiles.concepts import Operation, Refusal

#: what is said of an answer that accepts, and names an SI that cannot be meant
WRONG_SI = "PGB-XCH-039"
_MOST_TEXT = 500


def call_body(terms: Terms, operation: Operation, documents: list[bytes]) -> bytes:
    """The body of a call with these entries (JSON each), as OCP wants it; without bulk it is the one entry itself."""
    if not terms.ocp.operations[operation].bulk:
        (document,) = documents
        return document
    marker = '"#entries#"'
    frame = msgspec.json.encode(terms.ocp.write("request", {"entries": "#entries#"})).decode()
    head, tail = frame.split(marker)
    return head.encode() + b"[" + b",".join(documents) + b"]" + tail.encode()


def _close(state: State, event: e.LaneOpen, terms: Terms, now: datetime, note: Note) -> None:
    lane = state.lanes.get((event.participant, event.operation))
    if lane is None or lane.calling or not lane.waiting:
        return
    operation = Operation(event.operation)
    most = terms.ocp.operations[operation].most
    if lane.suspect:
        most = min(most, lane.most_suspect, lane.suspect)
    members = _of_one_set(state, [lane.waiting[i] for i in range(min(most, len(lane.waiting)))])
    body = call_body(terms, operation, [state.exchanges[member].document for member in members])
    request_id = terms.fresh.request_id()
    note.record(
        r.BatchCalled(
            exchange=members[0] if len(members) == 1 else "",
            participant=event.participant,
            request_id=request_id,
            operation=event.operation,
            members=members,
            body=msgspec.Raw(body),
            payload_hash=hashlib.sha256(body).hexdigest(),
        )
    )
    note.act(a.Call(request_id))


def _of_one_set(state: State, waiting: list[str]) -> tuple[str, ...]:
    """The first of `waiting` that one mapping set translated: another set's documents may have another shape."""
    first = state.exchanges[waiting[0]]
    sets = (first.translated_by, first.ends_by)

    def is_of_it(member: str) -> bool:
        exchange = state.exchanges[member]
        return (exchange.translated_by, exchange.ends_by) == sets

    return tuple(takewhile(is_of_it, waiting))


def _answered(state: State, event: e.CallAnswered, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    unsure: list[str] = []
    wrong: list[str] = []
    for member, entry in zip(batch.members, event.entries, strict=True):
        if member not in batch.open:
            continue
        exchange = state.exchanges[member]
        faults = terms.record_errors(entry)
        if not faults and _is_wrong(state, exchange, str(terms.ocp.get("answer", "si_number", entry) or "")):
            wrong.append(member)
        elif not faults:
            accept(state, exchange, terms, now, note, entry, group="answer")
        elif batch.is_resent and any(fault.meaning == Refusal.REFERENCE_USED for fault in faults):
            unsure.append(member)  # the reference may have been used by our own first try
        else:
            conclude(state, exchange, terms, now, note, outcome="refused", faults=faults)
    if wrong:
        told = " ".join(state.exchanges[member].reference for member in wrong)
        lose(batch, note, f"{WRONG_SI}: the answer names no SI, or another's: {told}"[:_MOST_TEXT])
    elif unsure and event.request_id in state.batches:
        lose(batch, note, "the reference is used: perhaps by our own first call", is_duplicate=True)


def _is_wrong(state: State, exchange: Exchange, number: str) -> bool:
    """Whether an entry that says all is well names an SI that this exchange's cannot be: none, or another's."""
    if exchange.operation == Operation.SI_ADD:
        own = state.instructions.get((exchange.participant, number))
        return not number or (own is not None and own.exchange != exchange.id)
    return bool(exchange.si_number) and number != exchange.si_number


def _refused(state: State, event: e.CallRefused, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    meanings = {fault.meaning for fault in event.faults}
    if Refusal.REQUEST_ID_REPEATED in meanings:
        lose(batch, note, "OCP says that the request id was used", is_duplicate=True)
        return
    refuse_whole(state, batch, event.faults, terms, now, note)


def _failed(state: State, event: e.CallFailed, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    batch.failures += 1
    after_s = event.retry_after_s
    if after_s is None:
        after_s = min(terms.options.retry_most_s, terms.options.retry_first_s * 2 ** min(batch.failures - 1, 10))
    if batch.failures & (batch.failures - 1) == 0:  # the 1st, 2nd, 4th, 8th ...: a long outage fills no disk
        note.record(
            r.OcpFailed(participant=batch.participant, request_id=batch.request_id, error=event.error, text=event.text)
        )
    if batch.is_unknown and is_too_old(terms, batch, note, after_s):
        # One of its tries may have been done: it is looked for once more, and never sent again.
        note.act(a.Look(batch.request_id))
        return
    note.act(a.Call(batch.request_id, after_s))


def _denied(state: State, event: e.CallDenied, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is not None:
        refuse_whole(state, batch, (event.fault,), terms, now, note)


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.LaneOpen: _close,
    e.CallAnswered: _answered,
    e.CallRefused: _refused,
    e.CallFailed: _failed,
    e.CallDenied: _denied,
}
