"""References seen: which come again, with the same text or another. Bounded; never keeps a reference itself."""

from __future__ import annotations

from enum import Enum

#: references remembered; a larger sample is judged for the first of them
MOST_REFERENCES = 250_000


class Repeat(Enum):
    """What a reference turned out to be."""

    FIRST = "first"
    SAME = "same"
    OTHER = "other"


class References:
    """The references of one day each, as two hashes of 64 bits. taken_leniently: only the lenient profile took it."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}
        self._taken_leniently: dict[int, int] = {}
        self.is_whole = True

    def judge(self, day: str, reference: str, body: bytes, *, lenient: bool) -> Repeat:
        """What the profile thinks of a reference; nothing is remembered."""
        key = hash((day, reference))
        # Where both profiles know it, the lenient one took the other message first.
        there = self._taken_leniently.get(key) if lenient else None
        if there is None:
            there = self._taken.get(key)
        if there is None:
            return Repeat.FIRST
        return Repeat.SAME if there == hash(body) else Repeat.OTHER

    def take(self, day: str, reference: str, body: bytes, *, is_lenient_only: bool) -> None:
        """Remember a reference that was taken; the first stays."""
        if len(self._taken) + len(self._taken_leniently) >= MOST_REFERENCES:
            self.is_whole = False
            return
        kept = self._taken_leniently if is_lenient_only else self._taken
        kept.setdefault(hash((day, reference)), hash(body))
