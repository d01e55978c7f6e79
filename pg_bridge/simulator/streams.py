"""Who listens to status events by stream or socket: what each gets, from where it goes on, what it acknowledged.

A place is a business date and a sequence of one participant, written `<business date>:<sequence>`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import msgspec

from pg_bridge.profiles.concepts import Operation
from pg_bridge.simulator.faults import Faults
from pg_bridge.simulator.feed import Feed

#: so many events go to a socket before it must acknowledge one of them
MOST_UNACKNOWLEDGED = 1000


class Place(NamedTuple):
    """Where an event stands among those of its participant."""

    day: date
    sequence: int

    def __str__(self) -> str:
        return f"{self.day.isoformat()}:{self.sequence}"


class Told(NamedTuple):
    """One event to be pushed."""

    place: Place
    document: msgspec.Raw


def read_place(text: str) -> Place:
    """The place written so. Raises ValueError for what is none."""
    day, _, sequence = text.partition(":")
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) <= 12):
        raise ValueError(f"{text!r} is no place of an event")
    return Place(date.fromisoformat(day), int(sequence))


class Acknowledged:
    """What the sockets of a company got of one participant's events and acknowledged."""

    def __init__(self) -> None:
        self._highest: Place | None = None
        self._outstanding: set[Place] = set()

    def sent(self, place: Place) -> None:
        """The event went out."""
        self._outstanding.add(place)

    def take(self, place: Place) -> None:
        """It was acknowledged."""
        self._outstanding.discard(place)
        if self._highest is None or place > self._highest:
            self._highest = place

    def after(self) -> Place | None:
        """Behind which place everything is still to be acknowledged; None: nothing ever went out."""
        if self._outstanding:
            first = min(self._outstanding)
            return Place(first.day, first.sequence - 1)
        return self._highest


@dataclass(slots=True, eq=False)
class Stream:
    """One connection that is told a participant's events."""

    company: str
    participant: str
    channel: Operation
    feed: Feed[Told]
    acknowledged: Acknowledged
    on_moved: Callable[[], None]
    unacknowledged: set[Place] = field(default_factory=set)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    async def room(self) -> None:
        """Return when fewer than MOST_UNACKNOWLEDGED events wait for their acknowledgement."""
        while len(self.unacknowledged) >= MOST_UNACKNOWLEDGED:
            self._room.clear()
            await self._room.wait()

    def sent(self, place: Place) -> None:
        """The event goes out on this connection now."""
        self.unacknowledged.add(place)
        self.acknowledged.sent(place)
        self.on_moved()

    def take(self, place: Place) -> None:
        """The receiver acknowledged it."""
        self.unacknowledged.discard(place)
        self.acknowledged.take(place)
        self._room.set()
        self.on_moved()


class Streams:
    """The connections that are open."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._open: list[Stream] = []
        self._of_participant: defaultdict[str, list[Stream]] = defaultdict(list)
        self._acknowledged: dict[tuple[str, str], Acknowledged] = {}
        #: called when something went out or was acknowledged
        self.on_moved: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._open)

    def acknowledged(self, company: str, participant: str) -> Acknowledged:
        """What the company's sockets acknowledged of the participant's events."""
        return self._acknowledged.setdefault((company, participant), Acknowledged())

    def positions(self) -> list[tuple[str, str, Place]]:
        """Behind which place which company's sockets have everything of which participant still to acknowledge."""
        found = ((*names, acknowledged.after()) for names, acknowledged in self._acknowledged.items())
        return [(company, participant, after) for company, participant, after in found if after is not None]

    def open(self, company: str, participant: str, channel: Operation, missed: Iterable[Told]) -> Stream:
        """Begin a connection; it gets what it missed, then whatever happens."""
        feed: Feed[Told] = Feed(self._faults, channel.value)
        for told in missed:
            feed.put(told)
        acknowledged = self.acknowledged(company, participant)
        stream = Stream(company, participant, channel, feed, acknowledged, lambda: self.on_moved())
        self._open.append(stream)
        self._of_participant[participant].append(stream)
        return stream

    def listens(self, participant: str) -> bool:
        """Whether anyone is told the participant's events."""
        return bool(self._of_participant.get(participant))

    def offer(self, participant: str, told: Told) -> None:
        """Tell whoever listens."""
        for stream in self._of_participant.get(participant, ()):
            stream.feed.offer(told)

    def close(self, stream: Stream) -> None:
        """The connection is gone."""
        stream.feed.end()
        if stream in self._open:
            self._open.remove(stream)
            self._of_participant[stream.participant].remove(stream)

    def end(self) -> None:
        """End every connection."""
        for stream in list(self._open):
            self.close(stream)

    def forget(self) -> None:
        """End every connection and begin without acknowledgements."""
        self.end()
        self._acknowledged.clear()
