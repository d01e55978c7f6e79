"""Status updates: duplicates, gaps, and the order of days.

The events of a participant's day are told in the order of their numbers, and those of a day only when the day before is
closed: when OCP, asked after that day was over, had no more of it. So the order of an SI's events holds over the change
of the day, whatever comes late. What comes too early waits in a bounded buffer and is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange import records as r
from pg_bridge.exchange.state import Feed, State
from pg_bridge.exchange.telling import owner_of, standing_of, tell_event, tell_snapshot
from pg_bridge.exchange.terms import Note, Terms

#: so many events of a participant's day may wait for earlier ones; beyond that none is taken until OCP has told those
MOST_EARLY = 10_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def has_room(state: State, terms: Terms, events: Sequence[e.Json]) -> bool:
    """Whether all of these events can be taken now, also those that would have to wait for earlier ones."""
    for document in events:
        values = terms.ocp.read("event", document)
        participant = str(terms.ocp.get("si", "participant_id", values["si"]))
        feed = state.feeds.get((participant, str(values["event_business_date"])))
        if feed is not None and len(feed.early) >= MOST_EARLY and int(values["event_sequence"]) > feed.next_sequence:
            return False
    return True


def is_over(state: State, terms: Terms, participant: str, business_date: str, now: datetime) -> bool:
    """Whether the day is surely over at OCP: an event of a later one came, or it was the day before yesterday."""
    if business_date < terms.business_date(now - timedelta(days=1)):
        return True
    return any(feed.early or feed.next_sequence > 1 for feed in state.later_days(participant, business_date))


def is_waited_for(state: State, participant: str, business_date: str) -> bool:
    """Whether events that came wait for others of this day, or for its close."""
    feed = state.feeds.get((participant, business_date))
    if feed is not None and feed.early:
        return True
    if state.open_days.get(participant) != business_date:
        return False
    return any(later.early for later in state.later_days(participant, business_date))


def _arrived(state: State, event: e.UpdatesArrived, terms: Terms, now: datetime, note: Note) -> None:
    _take(state, event.events, terms, now, note, delivery_id=event.delivery_id, is_late=event.is_late)


def _take(
    state: State,
    events: Sequence[e.Json],
    terms: Terms,
    now: datetime,
    note: Note,
    *,
    delivery_id: str = "",
    is_late: bool = False,
) -> None:
    repeated: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    early: dict[tuple[str, str], int] = {}
    for document in events:
        values = terms.ocp.read("event", document)
        si = values["si"]
        participant = str(terms.ocp.get("si", "participant_id", si))
        business_date = str(values["event_business_date"])
        sequence = int(values["event_sequence"])
        feed = state.feed(participant, business_date)
        if sequence < feed.next_sequence or sequence in feed.early:
            repeated[participant, business_date].append(sequence)
            continue
        is_held = sequence != feed.next_sequence or business_date > state.open_days.get(participant, business_date)
        if is_held:
            early[participant, business_date] = sequence
            if len(feed.early) >= MOST_EARLY:
                continue  # it is not lost: OCP is asked for all that is missing, and this is
        event_id = str(values["event_id"] or "")
        is_repeat = bool(event_id) and event_id in feed.ids
        note.record(
            r.UpdateReceived(
                exchange=getattr(owner_of(state, terms, participant, si), "id", ""),
                participant=participant,
                business_date=business_date,
                sequence=sequence,
                event_id=event_id,
                si_number=str(terms.ocp.get("si", "si_number", si) or ""),
                event=msgspec.Raw(_encode(document)),
                delivery_id=delivery_id,
                is_held=is_held,
                is_late=is_late,
                is_repeat=is_repeat,
                standing=None if is_held else standing_of(terms, si, business_date),
            )
        )
        if is_held:
            continue
        if not is_repeat:
            _tell(state, participant, document, terms, now, note)
        _release_early(state, feed, terms, now, note)
    for (participant, business_date), sequences in repeated.items():
        note.record(
            r.UpdateRepeated(
                participant=participant,
                business_date=business_date,
                sequences=tuple(sequences),
                delivery_id=delivery_id,
            )
        )
    for (participant, business_date), found in early.items():
        _ask_for_missing(state, state.feed(participant, business_date), found, note)


def _ask_for_missing(state: State, feed: Feed, found: int, note: Note) -> None:
    """Have OCP asked for what the events of this day wait for. found: the last that came too early."""
    if not feed.early:
        return
    participant = feed.participant
    open_day = state.open_days.get(participant, feed.business_date)
    if open_day < feed.business_date:
        note.act(a.Fetch(participant, open_day, state.feed(participant, open_day).next_sequence - 1))
        return
    note.record(
        r.GapFound(participant=participant, business_date=feed.business_date, expected=feed.next_sequence, found=found)
    )
    note.act(a.Fetch(participant, feed.business_date, feed.next_sequence - 1))


def _release_early(state: State, feed: Feed, terms: Terms, now: datetime, note: Note) -> None:
    if feed.business_date > state.open_days.get(feed.participant, feed.business_date):
        return
    while (raw := feed.early.get(feed.next_sequence)) is not None:
        document = _decode(raw)
        si = terms.ocp.get("event", "si", document)
        note.record(
            r.UpdateReleased(
                participant=feed.participant,
                business_date=feed.business_date,
                sequence=feed.next_sequence,
                si_number=str(terms.ocp.get("si", "si_number", si) or ""),
                standing=standing_of(terms, si, feed.business_date),
            )
        )
        _tell(state, feed.participant, document, terms, now, note)


def _fetched(state: State, event: e.EventsFetched, terms: Terms, now: datetime, note: Note) -> None:
    _take(state, event.events, terms, now, note)
    feed = state.feed(event.participant, event.business_date)
    if event.is_over and not feed.early:
        _close(state, feed, terms, now, note)


def _close(state: State, feed: Feed, terms: Terms, now: datetime, note: Note) -> None:
    """Close a day, if it is the participant's earliest open one, and tell what waited for that."""
    if feed.is_closed or state.open_days.get(feed.participant) != feed.business_date:
        return
    note.record(
        r.DayClosed(participant=feed.participant, business_date=feed.business_date, sequence=feed.next_sequence - 1)
    )
    _go_on(state, feed.participant, terms, now, note)


def _go_on(state: State, participant: str, terms: Terms, now: datetime, note: Note) -> None:
    """Tell what waited in the day that is the earliest open one now; ask for what is missing there."""
    open_day = state.open_days.get(participant)
    feed = state.feeds.get((participant, open_day)) if open_day is not None else None
    if feed is not None:
        _release_early(state, feed, terms, now, note)
        _ask_for_missing(state, feed, max(feed.early, default=0), note)
        if not feed.early and is_waited_for(state, participant, feed.business_date):
            note.act(a.Fetch(participant, feed.business_date, feed.next_sequence - 1))


def _gone(state: State, event: e.EventsGone, terms: Terms, now: datetime, note: Note) -> None:
    """Go on behind events that are not to be had, having told how the SIs stand that those were about."""
    participant = event.participant
    feed = state.feed(participant, event.business_date)
    if feed.is_closed or feed.next_sequence in feed.early or not (feed.early or event.is_whole):
        return  # they came after all
    last = min(feed.early) - 1 if feed.early else 0
    note.record(
        r.EventsLost(participant=participant, business_date=event.business_date, first=feed.next_sequence, last=last)
    )
    for entry in event.entries:
        found = standing_of(terms, entry, event.business_date)
        number = str(terms.ocp.get("si", "si_number", entry) or "")
        known = state.standings.get((participant, number))
        is_ours = (participant, number) in state.instructions
        changed = str(terms.ocp.get("si", "updated_at", entry) or "")[:10]
        # of an SI that was entered elsewhere and never heard of, what is older than the gap is old
        if known is None and not is_ours and changed < event.business_date:
            continue
        if found.version > max(1, known.version if known is not None else 0):
            tell_snapshot(state, participant, entry, terms, now, note, cause="events_lost")
    _go_on(state, participant, terms, now, note)


def _tell(state: State, participant: str, document: e.Json, terms: Terms, now: datetime, note: Note) -> None:
    """Tell an event, unless the PSS was told already how its SI stood then or later."""
    values = terms.ocp.read("event", document)
    number = str(terms.ocp.get("si", "si_number", values["si"]) or "")
    version = terms.ocp.get("si", "version", values["si"])
    known = state.standings.get((participant, number))
    if known is not None and isinstance(version, int) and (version <= known.snapshot or version < known.version):
        note.record(
            r.UpdatePassedOver(
                participant=participant,
                event_id=str(values["event_id"] or ""),
                si_number=number,
                version=version,
                told=max(known.snapshot, known.version),
            )
        )
        return
    tell_event(state, document, terms, now, note)


DECISIONS: dict[type, Callable[[State, Any, Terms, datetime, Note], None]] = {
    e.UpdatesArrived: _arrived,
    e.EventsFetched: _fetched,
    e.EventsGone: _gone,
}
