"""Fresh ids that follow from a seed: the same ones in each playing, in place of random ones."""

from __future__ import annotations

from random import Random
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class SeededIds:
    """Ids of a world that is played. Each kind has its own row, so that none depends on how many others were made."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}
        self._chances: dict[str, Random] = {}

    def exchange_id(self) -> str:
        """A new exchange id; they sort in the order in which they were made."""
        return "X" + self._row("exchange", 20)

    def delivery_id(self) -> str:
        """A new delivery id; they sort as well."""
        return "D" + self._row("delivery", 20)

    def request_id(self) -> str:
        """A new request id."""
        return str(UUID(int=self._chance("request").getrandbits(128), version=4))

    def reference(self) -> str:
        """A new reference of the PG, 16x."""
        return "PG" + self._row("reference", 14)

    def claim(self) -> str:
        """A new claim on a file."""
        return "F" + self._row("claim", 20)

    def session_id(self) -> str:
        """A new session id, 10x."""
        return self._row("session", 10)

    def _chance(self, kind: str) -> Random:
        if kind not in self._chances:
            self._chances[kind] = Random(f"{self._seed} {kind}")  # noqa: S311 - it must repeat
        return self._chances[kind]

    def _row(self, kind: str, width: int) -> str:
        """The next of its kind: a number of 7 digits, then chance."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        chance = self._chance(kind)
        return f"{count:07d}" + "".join(chance.choice(_ALPHABET) for _ in range(width - 7))
