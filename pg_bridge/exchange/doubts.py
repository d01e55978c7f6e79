"""An instruction in doubt, resolved by a person: what may be said of it, and what follows.

A person decides what no enquiry could; so whatever the bridge or OCP knows against it is held up first. Once resolved
it is an outcome like any other: told to the PSS, late where it was told to wait, and final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import events as e
from pg_bridge.exchange.call_outcome import accept
from pg_bridge.exchange.exchange import Exchange, Stage
from pg_bridge.exchange.kinds.doubts import DoubtResolved
from pg_bridge.exchange.outcome import conclude
from pg_bridge.exchange.seeking import is_done, lost_by
from pg_bridge.exchange.state import State
from pg_bridge.exchange.terms import Note, Terms
from pg_bridge.profiles.concepts import Operation

#: the findings of a person's word: the exchange is not in doubt, or is none, or is not named alone; the SI is
#: another's; what is known says otherwise; OCP could not be asked; what was asked for does not show any more
NOT_IN_DOUBT = "PGB-XCH-031"
NO_SUCH_EXCHANGE = "PGB-XCH-032"
SEVERAL_EXCHANGES = "PGB-XCH-033"
OF_ANOTHER = "PGB-XCH-034"
CONTRADICTED = "PGB-XCH-035"
NOT_CHECKED = "PGB-XCH-036"
SHOWS_OTHERWISE = "PGB-XCH-037"
#: the fault that the PSS is told of one that was not done
NOT_DONE = "PGB-XCH-038"

_TOLD_NOT_DONE = "THE OUTCOME WAS NOT KNOWN; THE OPERATOR FOUND THAT NOTHING WAS DONE"
_ASK_LATER = "Try again when OCP answers, or say --unchecked if you know it from OCP otherwise."


def find(state: State, key: str) -> Exchange | Finding:
    """The exchange in doubt that `key` names: its id, or its reference, request id or SI number where it is alone."""
    exact = state.exchanges.get(key)
    named = [exact] if exact is not None else _named(state, key)
    if not named:
        remedy = "Name one that `pg-bridge exchanges list --in-doubt` shows."
        return Finding(NO_SUCH_EXCHANGE, "error", "", f"{key!r} names no exchange that the bridge holds", remedy=remedy)
    open_ = [exchange for exchange in named if exchange.stage is Stage.IN_DOUBT]
    if len(open_) > 1:
        text = f"{key} names several exchanges in doubt: {' '.join(exchange.id for exchange in open_)}"
        return Finding(SEVERAL_EXCHANGES, "error", "", text, remedy="Name one by its exchange id.")
    if open_ and open_[0].effect == "instruct":
        return open_[0]
    one = (open_ or named)[-1]
    what = f"{one.stage}{' ' + one.outcome if one.outcome else ''}" if not open_ else "no instruction"
    remedy = f"`pg-bridge exchanges show {one.id}` tells what became of it."
    text = f"{one.id} ({one.reference}) is not in doubt: it is {what}; nothing changed"
    return Finding(NOT_IN_DOUBT, "error", "", text, remedy=remedy)


def _named(state: State, key: str) -> list[Exchange]:
    return [
        exchange
        for exchange in state.exchanges.values()
        if key in (exchange.reference, exchange.request_id, exchange.si_number)
    ]


def against(state: State, exchange: Exchange, *, is_done: bool, si_number: str) -> list[Finding]:
    """What the bridge itself knows against a person's word. si_number: the SI that was entered, or is about."""
    findings = []
    if exchange.outcome:  # its outcome came, and could not be told
        was_done = exchange.outcome != "refused"
        if was_done != is_done or (is_done and exchange.si_number and exchange.si_number != si_number):
            text = f"OCP's answer is known: {exchange.outcome} {exchange.si_number}".rstrip()
            findings.append(_finding(CONTRADICTED, text, "Say what OCP said; its answer stands in the journal."))
    if not is_done:
        return findings
    if exchange.operation == Operation.SI_ADD:
        own = state.instructions.get((exchange.participant, si_number))
        if own is not None and own.exchange != exchange.id:
            text = f"{si_number} was entered by {own.reference} ({own.exchange})"
            findings.append(_finding(OF_ANOTHER, text, "Name the SI that this instruction entered."))
    elif exchange.si_number and exchange.si_number != si_number:
        text = f"{exchange.reference} is about {exchange.si_number}, not {si_number}"
        findings.append(_finding(OF_ANOTHER, text, "Name the SI that the instruction is about."))
    return findings


def question(terms: Terms, exchange: Exchange, *, is_done: bool, si_number: str) -> dict[str, Any]:
    """What OCP is asked (concepts of a query) about a person's word."""
    if is_done:
        return {"participant_id": exchange.participant, "si_number": si_number}
    return lost_by(terms, exchange)


def told_by_ocp(
    terms: Terms, exchange: Exchange, *, said_done: bool, si_number: str, entries: Sequence[e.Json]
) -> tuple[e.Json | None, list[Finding]]:
    """The SI that shows a person's word, and what OCP's answer says against it."""
    if not said_done:
        shown = [entry for entry in entries if is_done(terms, exchange, entry, is_used=False)]
        if not shown:
            return None, []
        number = terms.ocp.get("si", "si_number", shown[-1])
        text = f"OCP shows that {exchange.reference} was done: {number}"
        return None, [_finding(CONTRADICTED, text, f"Resolve it with --done {number}.")]
    found = [entry for entry in entries if str(terms.ocp.get("si", "si_number", entry) or "") == si_number]
    if not found:
        text = f"OCP knows no {si_number} of {exchange.participant}"
        return None, [_finding(OF_ANOTHER, text, "Name an SI of this participant as OCP shows it.")]
    entry = found[-1]
    if is_done(terms, exchange, entry, is_used=True):
        return entry, []
    if exchange.operation == Operation.SI_ADD:
        entered_by = terms.ocp.get("si", "request_reference", entry)
        on = str(terms.ocp.get("si", "created_at", entry) or "")[:10]
        text = f"{si_number} was entered by {entered_by} on {on}, not by {exchange.reference}"
        return None, [_finding(OF_ANOTHER, text, "Name the SI that this instruction entered.")]
    status = terms.ocp.get("si", "status", entry)
    text = f"{si_number} is {status} now and does not show what {exchange.reference} asked for"
    remedy = "It may have changed since; be sure that it was done before you say so."
    return entry, [Finding(SHOWS_OTHERWISE, "warning", "", text, remedy=remedy)]


def not_checked(text: str, *, is_allowed: bool) -> Finding:
    """OCP could not be asked, because of `text`."""
    return Finding(
        NOT_CHECKED, "warning" if is_allowed else "error", "", f"OCP could not be asked: {text}", remedy=_ASK_LATER
    )


def _finding(code: str, text: str, remedy: str) -> Finding:
    return Finding(code, "error", "", text, remedy=remedy)


def _resolved(state: State, event: e.DoubtResolved, terms: Terms, now: datetime, note: Note) -> None:
    exchange = state.exchanges.get(event.exchange)
    if exchange is None or exchange.stage is not Stage.IN_DOUBT:
        return  # another person was quicker
    note.record(
        DoubtResolved(
            exchange=exchange.id,
            participant=exchange.participant,
            reference=exchange.reference,
            request_id=exchange.request_id,
            is_done=event.is_done,
            si_number=event.si_number,
            is_checked=event.is_checked,
            who=event.who,
            findings=event.findings,
        )
    )
    if not event.is_done:
        fault = terms.fault(NOT_DONE, NOT_DONE, _TOLD_NOT_DONE)
        conclude(state, exchange, terms, now, note, outcome="refused", faults=(fault,))
    elif event.entry is not None:
        accept(state, exchange, terms, now, note, event.entry, group="si")
    else:
        values = {
            "request_reference": exchange.reference,
            "participant_reference": exchange.si_reference or exchange.reference,
            "si_number": event.si_number,
            "record_errors": [],
        }
        accept(state, exchange, terms, now, note, terms.ocp.write("answer", values), group="answer")


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {e.DoubtResolved: _resolved}
