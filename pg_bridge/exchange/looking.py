"""What is asked of OCP about a lost call, and which of its answers show that a member was done.

Strategy: one question a member, or one listing of a business day where that takes fewer calls: of a bulk of hundreds
nearly always. A listing holds all that was entered that day, page by page; how much that is at least, the bridge knows
from what it entered itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pg_bridge.exchange.events import Json
from pg_bridge.exchange.exchange import Exchange
from pg_bridge.exchange.seeking import is_done, lost_by
from pg_bridge.exchange.state import Batch, State
from pg_bridge.exchange.terms import Terms
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.page_limit import page_limit


@dataclass(frozen=True, slots=True)
class Question:
    """One question (concepts of a query), and the members (exchange ids) whose SIs its answer may hold."""

    concepts: dict[str, Any]
    members: tuple[str, ...]


@dataclass(slots=True)
class Look:
    """One look at a lost call: the questions still to be asked, and what was found. All by member (exchange id).

    found: OCP's entry that shows that the member was done; seen: that of an SI which does not show it.
    """

    questions: list[Question]
    found: dict[str, Json] = field(default_factory=dict)
    seen: dict[str, Json] = field(default_factory=dict)
    #: questions asked so far, failed ones too
    asked: int = 0
    failures: int = 0


def look_at(state: State, batch: Batch, terms: Terms) -> Look:
    """The questions that settle a lost call's open members, as few as can be told beforehand."""
    open_ = [state.exchanges[member] for member in batch.members if member in batch.open]
    by_day: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in open_:
        by_day[_entered_on(state, exchange)].append(exchange)
    questions: list[Question] = []
    for day, exchanges in by_day.items():
        if day and _pages(state, terms, batch.participant, day) < len(exchanges):
            concepts = {"participant_id": batch.participant, "business_date": day}
            questions.append(Question(concepts, tuple(exchange.id for exchange in exchanges)))
        else:
            questions += [Question(lost_by(terms, exchange), (exchange.id,)) for exchange in exchanges]
    return Look(questions)


def take(state: State, batch: Batch, terms: Terms, look: Look, entries: Sequence[Json]) -> None:
    """Take the answer to the look's first question; it is asked no more."""
    question = look.questions.pop(0)
    if len(question.members) == 1:
        answers: Iterator[tuple[str, Json]] = ((question.members[0], entry) for entry in entries)
    else:
        answers = _sorted_out(state, terms, question, entries)
    for member, entry in answers:
        if member not in batch.open:
            continue
        if is_done(terms, state.exchanges[member], entry, is_used=batch.is_duplicate):
            look.found[member] = entry
        else:
            look.seen[member] = entry


def _sorted_out(state: State, terms: Terms, question: Question, entries: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Of a listing, what may be about a member: an input by its request's reference, others by the SI's number."""
    exchanges = [state.exchanges[member] for member in question.members]
    is_input = exchanges[0].operation == Operation.SI_ADD
    concept = "request_reference" if is_input else "si_number"
    members: dict[str, list[str]] = defaultdict(list)
    for exchange in exchanges:
        members[exchange.reference if is_input else exchange.si_number].append(exchange.id)
    for entry in entries:
        for member in members.get(str(terms.ocp.get("si", concept, entry) or ""), ()):
            yield member, entry


def _entered_on(state: State, exchange: Exchange) -> str:
    """The business date on which the SI of a request was entered, empty where the bridge does not know."""
    if exchange.operation == Operation.SI_ADD:
        return exchange.business_date
    own = state.instructions.get((exchange.participant, exchange.si_number))
    entering = state.exchanges.get(own.exchange) if own is not None else None
    return entering.business_date if entering is not None else ""


def _pages(state: State, terms: Terms, participant: str, day: str) -> int:
    """How many calls a listing of a participant's day takes, by what the bridge knows of that day."""
    size = page_limit(terms.ocp, Operation.SI_QUERY, terms.ocp.place("query", "size").members) or 1
    entered = sum(1 for whose, on, _ in state.uses if whose == participant and on == day)
    return entered // size + 1
