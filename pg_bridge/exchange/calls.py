"""Calls to OCP: when a batch closes, what its answer means, and how a lost call is settled.

A lost call (time-out, 500, 504, a cut) is settled by enquiry. What is found was done; the rest goes again as the
same call, same id and body. If that try is refused, the first one may still have done it: OCP is asked again before the
refusal is told, or the call split. Only what no enquiry settles becomes IN_DOUBT. A second request id is never made
for an instruction while the outcome of its first is unknown (ocp-profile section 3, assumed).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import file_reports
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.precedence import behind
from pg_bridge.exchange.reports import asking
from pg_bridge.exchange.seeking import was_last
from pg_bridge.exchange.state import Batch, State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.exchange.upload_fold import UPLOAD
from pg_bridge.profiles.concepts import Operation, Refusal, Status

#: the finding of a lost request whose SI stands as it asks for, and was last touched by another
STANDS_BY_ANOTHER = "PGB-XCH-006"
#: the finding of an instruction that waited for one that fell in doubt
BEHIND_A_DOUBT = "PGB-XCH-004"

#: what a fault means when OCP takes no token of ours, or does not grant the function
OCP_DENIED = "ocp_denied"
#: refusals of a whole call that no smaller call would escape
_SPLIT_IS_USELESS = frozenset[str](
    {
        OCP_DENIED,
        Refusal.NOT_GRANTED,
        Refusal.NOT_OUR_PARTICIPANT,
        Refusal.OUTSIDE_HOURS,
        Refusal.MARKET_CLOSED,
        Refusal.REQUEST_ID_MISSING,
        Refusal.TIMESTAMP_MISSING,
        Refusal.TIMESTAMP_STALE,
        Refusal.SIGNATURE_MISSING,
        Refusal.SIGNATURE_WRONG,
    }
)


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
    for member, entry in zip(batch.members, event.entries, strict=True):
        if member not in batch.open:
            continue
        exchange = state.exchanges[member]
        faults = terms.record_errors(entry)
        if not faults:
            _accept(state, exchange, terms, now, note, entry, group="answer")
        elif batch.is_resent and any(fault.meaning == Refusal.REFERENCE_USED for fault in faults):
            unsure.append(member)  # the reference may have been used by our own first try
        else:
            conclude(state, exchange, terms, now, note, outcome="refused", faults=faults)
    if unsure and event.request_id in state.batches:
        _lose(batch, note, "the reference is used: perhaps by our own first call", is_duplicate=True)


def _accept(
    state: State,
    exchange: Exchange,
    terms: Terms,
    now: datetime,
    note: Note,
    entry: e.Json,
    *,
    group: str,
    findings: tuple[Finding, ...] = (),
) -> None:
    number = str(terms.ocp.get(group, "si_number", entry) or "")
    status = terms.ocp.meaning("status", terms.ocp.get(group, "status", entry))
    # An SI that waits for a second user at OCP is accepted, and waits (legacy-dialect section 4).
    outcome = "waits" if status is Status.PENDING and not exchange.is_awaited else "accepted"
    conclude(
        state, exchange, terms, now, note, outcome=outcome, si_number=number, ocp=entry, group=group, findings=findings
    )


def _by_another(terms: Terms, exchange: Exchange, entry: e.Json) -> Finding:
    last = terms.ocp.get("si", "last_request_reference", entry) or "an unknown request"
    text = f"the SI stands as {exchange.reference} asks for, and its call was used; {last} was the last to touch the SI"
    return Finding(STANDS_BY_ANOTHER, "warning", "", text)


def _refused(state: State, event: e.CallRefused, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    meanings = {fault.meaning for fault in event.faults}
    if Refusal.REQUEST_ID_REPEATED in meanings:
        _lose(batch, note, "OCP says that the request id was used", is_duplicate=True)
        return
    _refuse_whole(state, batch, event.faults, terms, now, note)


def _refuse_whole(
    state: State, batch: Batch, faults: tuple[r.Fault, ...], terms: Terms, now: datetime, note: Note
) -> None:
    """What follows from a refusal of the whole call: this try did nothing."""
    if batch.is_resent and not batch.faults:
        # Of the try before it nobody knows yet: it may have been slow. Nothing is told, and nothing goes again under
        # another id, before OCP was asked as often as for a used id.
        note.record(
            r.OutcomeUnknown(
                participant=batch.participant,
                request_id=batch.request_id,
                text="sent again and refused whole: looks whether the first try did anything",
                faults=faults,
            )
        )
        note.act(a.Look(batch.request_id))
        return
    if len(batch.open) > 1 and not {fault.meaning for fault in faults} & _SPLIT_IS_USELESS:
        note.record(
            r.BatchRefused(
                participant=batch.participant,
                request_id=batch.request_id,
                faults=faults,
                text="refused whole, nothing was done: its members go again in smaller calls",
            )
        )
        return
    for member in batch.members:
        if member in batch.open:
            conclude(state, state.exchanges[member], terms, now, note, outcome="refused", faults=faults)


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
    note.act(a.Call(batch.request_id, after_s))


def _denied(state: State, event: e.CallDenied, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is not None:
        _refuse_whole(state, batch, (event.fault,), terms, now, note)


def _lost(state: State, event: e.CallLost, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is not None:
        _lose(batch, note, event.text)


def _lose(batch: Batch, note: Note, text: str, *, is_duplicate: bool = False) -> None:
    note.record(
        r.OutcomeUnknown(
            participant=batch.participant,
            request_id=batch.request_id,
            text=text,
            looks=batch.looks,
            is_duplicate=is_duplicate,
        )
    )
    note.act(a.Look(batch.request_id))


def _looked(state: State, event: e.Looked, terms: Terms, now: datetime, note: Note) -> None:
    batch = state.batches.get(event.request_id)
    if batch is None:
        return
    for member in batch.members:
        entry = event.found.get(member)
        if entry is not None and member in batch.open:
            exchange = state.exchanges[member]
            findings = () if was_last(terms, exchange, entry) else (_by_another(terms, exchange, entry),)
            _accept(state, exchange, terms, now, note, entry, group="si", findings=findings)
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
        _refuse_whole(state, batch, batch.faults, terms, now, note)
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


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.LaneOpen: _close,
    e.CallAnswered: _answered,
    e.CallRefused: _refused,
    e.CallFailed: _failed,
    e.CallDenied: _denied,
    e.CallLost: _lost,
    e.Looked: _looked,
}
