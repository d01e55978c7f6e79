"""Who is not let in: a few of each address are told one by one, the rest of a minute in numbers.

Whatever knocks, as often as it likes and from wherever, costs the journal a bounded number of entries a minute.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pg_bridge.pss.desk import Desk

#: told one by one in a minute: of one address, and of all together
MOST_EACH = 5
MOST_ALL = 100
#: addresses that are counted each for itself
_MOST_COUNTED = 50
#: the address of those that are not
_OTHERS = "other addresses"


class _Counted(NamedTuple):
    """What was only counted of an address: how many, and the text of the last one."""

    times: int
    last: str


class TurnedAway:
    """Tells the desk who was turned away. An address is `host:port`, and counts by its host."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._minute: datetime | None = None
        self._told: dict[str, int] = {}
        self._counted: dict[str, _Counted] = {}

    @property
    def counted(self) -> int:
        """How many are only counted so far in this minute."""
        return sum(counted.times for counted in self._counted.values())

    def tell(self, participant: str, terminal: str, address: str, text: str, now: datetime) -> None:
        """A connection or log-on was not accepted."""
        if self.is_told(address, text, now):
            self._desk.turned_away(participant, terminal, address, text)

    def is_told(self, address: str, text: str, now: datetime) -> bool:
        """One more of that address: True, it is told by itself; False, it is counted."""
        self.look_after(now)
        host = address.rpartition(":")[0] or address
        if sum(self._told.values()) < MOST_ALL and self._told.get(host, 0) < MOST_EACH:
            self._told[host] = self._told.get(host, 0) + 1
            return True
        if host not in self._counted and len(self._counted) >= _MOST_COUNTED:
            host = _OTHERS
        before = self._counted.get(host, _Counted(0, ""))
        self._counted[host] = _Counted(before.times + 1, text)
        return False

    def look_after(self, now: datetime) -> None:
        """When a minute is over, tell how many were only counted in it."""
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self.end()
            self._minute = minute

    def end(self) -> None:
        """Tell now how many were only counted."""
        counted, self._counted, self._told = self._counted, {}, {}
        for host, (times, last) in counted.items():
            self._desk.turned_away("", "", host, f"{times} more within a minute, the last of them: {last}")
