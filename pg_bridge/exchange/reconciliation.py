"""Reconciliation: every open SI of a participant against what OCP says of it.

What OCP's events said and what its enquiry says must agree. Where they do not, though OCP was asked again for events
that are missing, that is a finding, and the PSS is told how the SI stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pg_bridge.errors import Finding
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.si_standing import SiStanding
from pg_bridge.exchange.state import State
from pg_bridge.exchange.telling import standing_of, tell_snapshot
from pg_bridge.exchange.terms import Note, Terms

#: the findings of a reconciliation: OCP went on unheard, contradicts what it said, does not know an SI
NOT_HEARD, CONTRADICTED, NOT_THERE = "PGB-XCH-021", "PGB-XCH-022", "PGB-XCH-023"
_REMEDIES = {
    NOT_HEARD: "The PSS was told how it stands. If it happens again, ask HKEX why events are missing.",
    CONTRADICTED: "Ask HKEX which is right, and compare with the PSS's book.",
    NOT_THERE: "Ask HKEX what became of the SI, and compare with the PSS's book.",
}


def open_sis(state: State, participant: str) -> dict[str, SiStanding]:
    """The participant's SIs that are open by what we know, by number: those entered here and those that were told."""
    found = {
        number: standing
        for (whose, number), standing in state.standings.items()
        if whose == participant and not standing.is_final and standing.version >= 0
    }
    for (whose, number), own in state.instructions.items():
        if whose == participant and (whose, number) not in state.standings:
            exchange = state.exchanges.get(own.exchange)
            found[number] = SiStanding(0, day=exchange.business_date if exchange is not None else "")
    return found


def by_number(terms: Terms, entries: Iterable[e.Json]) -> dict[str, e.Json]:
    """Entries of siQuery by SI number; of several of one SI, the latest."""
    found: dict[str, e.Json] = {}
    for entry in entries:
        number = str(terms.ocp.get("si", "si_number", entry) or "")
        other = found.get(number)
        if other is None or _version(terms, entry) >= _version(terms, other):
            found[number] = entry
    return found


def _version(terms: Terms, entry: e.Json) -> int:
    return standing_of(terms, entry, "").version


def compare(state: State, terms: Terms, event: e.SisListed) -> tuple[r.Reconciled, dict[str, Finding]]:
    """The sums, and what is wrong by SI number, by what is known now.

    What came between the question and now is not held against OCP's answer.
    """
    participant = event.participant
    entries = by_number(terms, event.entries)
    wrong: dict[str, Finding] = {}
    unknown = 0
    for number, entry in entries.items():
        told = standing_of(terms, entry, event.business_date)
        if number not in event.known:
            # of an SI that we never heard of, nothing was said; of one that is over for us, all was
            is_known = (participant, number) in state.standings or (participant, number) in state.instructions
            unknown += not is_known and not told.is_final
            continue
        known = state.standings.get((participant, number), SiStanding(0))
        if told.version > max(1, known.version):
            wrong[number] = _finding(NOT_HEARD, number, known, told)
        elif told.version < event.known[number] or (told.version == known.version and told.status != known.status):
            wrong[number] = _finding(CONTRADICTED, number, known, told)
    for number, known in open_sis(state, participant).items():
        if number in event.known and number not in entries:
            wrong[number] = _finding(NOT_THERE, number, known, None)
    record = r.Reconciled(
        participant=participant,
        business_date=event.business_date,
        open=len(event.known),
        agreed=len(event.known) - len(wrong),
        disagreed=len(wrong),
        unknown=unknown,
        who=event.who,
    )
    return record, wrong


def _finding(code: str, number: str, known: SiStanding, found: SiStanding | None) -> Finding:
    said = f"{known.status} (version {known.version})" if known.version else "nothing but that it was entered"
    is_now = f"{found.status} (version {found.version})" if found is not None else "that there is no such SI"
    text = f"OCP's events told {said}, its enquiry tells {is_now}"
    return Finding(code, "error", number, text, remedy=_REMEDIES[code])


def _listed(state: State, event: e.SisListed, terms: Terms, now: datetime, note: Note) -> None:
    record, wrong = compare(state, terms, event)
    entries = by_number(terms, event.entries)
    for number, finding in wrong.items():
        _disagree(state, event, terms, now, note, finding, entries.get(number))
    note.record(record)


def _disagree(
    state: State,
    event: e.SisListed,
    terms: Terms,
    now: datetime,
    note: Note,
    finding: Finding,
    entry: e.Json | None,
) -> None:
    participant, number = event.participant, finding.path
    known = state.standings.get((participant, number), SiStanding(0))
    found = standing_of(terms, entry, event.business_date) if entry is not None else None
    own = state.instructions.get((participant, number))
    note.record(
        r.DisagreementFound(
            exchange=own.exchange if own is not None else "",
            participant=participant,
            si_number=number,
            reference=own.reference if own is not None else "",
            known=known,
            found=found,
            findings=(finding,),
        )
    )
    # What is older than the PSS knows is not told: a person must see which is right.
    if entry is not None and found is not None and found.version >= known.version:
        tell_snapshot(state, participant, entry, terms, now, note, cause="disagreement")


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {e.SisListed: _listed}
