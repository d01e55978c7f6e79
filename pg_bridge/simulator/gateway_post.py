"""What participants must acknowledge: who gets it, in which order, and what goes again. No socket, no clock.

A message goes to the terminal that entered its subject if that is on, else to the participant's oldest session. Those
of one subject keep their order over all sessions: while one is not acknowledged on a session, the next goes nowhere
else. What was not acknowledged, or is not known to have left, when a session ends goes again, marked, before the rest.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pg_bridge.simulator.gateway_desk import Reply, Unasked

#: letters of a participant looked at in one go: one session that is full does not make the others' letters dear
_MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to a participant. number: in the order of giving, over all participants; is_copy: it may be one."""

    number: int
    participant: str
    terminal: str
    subject: str
    reply: Reply
    is_copy: bool = False


class Seat(Protocol):
    """A session that can be given letters."""

    terminal: str

    @property
    def room(self) -> int:
        """How many more it may be given now."""
        ...

    def give(self, letter: Letter) -> None:
        """Send it; it counts as not acknowledged until `Post.acknowledged`."""
        ...


class Post:
    """The letters of all participants that are not acknowledged."""

    def __init__(self) -> None:
        self._numbered = 0
        self._waiting: defaultdict[str, deque[Letter]] = defaultdict(deque)
        #: who has a letter that is waiting and was not looked at since
        self._fresh: set[str] = set()
        #: subject -> the session that has letters about it, and how many
        self._open: dict[tuple[str, str], tuple[Seat, int]] = {}

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._waiting.values())

    def waiting(self) -> dict[str, int]:
        """How many letters wait, by participant."""
        return {participant: len(waiting) for participant, waiting in self._waiting.items() if waiting}

    def number(self) -> int:
        """The next number in the order of giving."""
        self._numbered += 1
        return self._numbered

    def put(self, unasked: Iterable[Unasked]) -> None:
        """Have these sent, behind what waits."""
        for one in unasked:
            letter = Letter(self.number(), one.participant, one.terminal, one.subject, one.reply)
            self._waiting[one.participant].append(letter)
            self._fresh.add(one.participant)

    def put_back(self, letters: Iterable[Letter]) -> None:
        """Have these sent again, marked as possible duplicates, before what waits with a higher number."""
        for letter in sorted(letters, key=lambda one: -one.number):
            self._waiting[letter.participant].appendleft(replace(letter, is_copy=True))
            self._fresh.add(letter.participant)

    def acknowledged(self, letter: Letter, seat: Seat) -> None:
        """A session's letter need not go again, or no longer lies with it."""
        key = letter.participant, letter.subject
        held = self._open.get(key)
        if held is not None and held[0] is seat:
            if held[1] > 1:
                self._open[key] = seat, held[1] - 1
            else:
                del self._open[key]

    def fresh(self) -> set[str]:
        """Participants that were put letters since the last call."""
        fresh, self._fresh = self._fresh, set()
        return fresh

    def hand_out(self, participant: str, seats: Sequence[Seat]) -> None:
        """Give the participant's sessions, oldest first, as much as they have room for."""
        waiting = self._waiting.get(participant)
        if not waiting or not seats:
            return
        kept: list[Letter] = []
        blocked: set[str] = set()
        while waiting and len(kept) < _MOST_LOOKED_AT and any(seat.room > 0 for seat in seats):
            letter = waiting.popleft()
            seat = next((one for one in seats if one.terminal == letter.terminal), seats[0])
            held = self._open.get((participant, letter.subject)) if letter.subject else None
            if held is not None and held[0] in seats:
                seat = held[0]
            if seat.room <= 0 or letter.subject in blocked:
                kept.append(letter)
                if letter.subject:
                    blocked.add(letter.subject)
                continue
            if letter.subject:
                self._open[(participant, letter.subject)] = seat, held[1] + 1 if held is not None else 1
            seat.give(letter)
        waiting.extendleft(reversed(kept))

    def forget(self) -> None:
        """Send nothing of what waits."""
        self._waiting.clear()
        self._fresh.clear()
