"""What became of a call, for its members: accepted, refused with all of it, or not known."""

from __future__ import annotations

from datetime import datetime

from pg_bridge.errors import Finding
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.state import Batch, State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.profiles.concepts import Refusal, Status

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


def accept(
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
    """OCP did this member's part: `entry` is what it tells, in the words of `group` of its profile."""
    number = str(terms.ocp.get(group, "si_number", entry) or "")
    status = terms.ocp.meaning("status", terms.ocp.get(group, "status", entry))
    # An SI that waits for a second user at OCP is accepted, and waits (legacy-dialect section 4).
    outcome = "waits" if status is Status.PENDING and not exchange.is_awaited else "accepted"
    conclude(
        state, exchange, terms, now, note, outcome=outcome, si_number=number, ocp=entry, group=group, findings=findings
    )


def refuse_whole(
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
    may_be_for_one = len(batch.open) > 1 and terms.ocp.limits.refuses_whole_bulk
    if may_be_for_one and not {fault.meaning for fault in faults} & _SPLIT_IS_USELESS:
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


def lose(batch: Batch, note: Note, text: str, *, is_duplicate: bool = False) -> None:
    """Nobody knows whether OCP did the call: it is asked. is_duplicate: it says that the id or reference was used."""
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
