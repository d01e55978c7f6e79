"""What the pretend gateway has to tell unasked until it is due: at once, late, or behind a participant's next one."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Notice(NamedTuple):
    """One message that comes unasked. terminal: the one that entered the SI; None: any. due: when it is told.

    si_number: of the SI that it is about, empty where it is about none.
    """

    participant: str
    terminal: str | None
    template: str
    message_type: str
    body: bytes
    due: datetime
    si_number: str = ""


class Notices:
    """Notices in the order in which they are to be sent."""

    def __init__(self, queue: Iterable[Notice] = (), behind: Iterable[Notice] = ()) -> None:
        """queue, behind: those that waited before, in order."""
        self._count = 0
        self._queue: list[tuple[datetime, int, Notice]] = []
        #: participant -> the notice that its next one overtakes, and until when it waits for that
        self._behind = {notice.participant: notice for notice in behind}
        for notice in queue:
            self._push(notice)

    def waiting(self) -> tuple[list[Notice], list[Notice]]:
        """Those that wait for their time, in order, and those that wait for another."""
        return [notice for _, _, notice in sorted(self._queue)], list(self._behind.values())

    def put(self, notice: Notice, *, late_s: float = 0.0, behind_s: float = 0.0) -> None:
        """Take one more. late_s: it comes so much later; behind_s: it waits so long for the participant's next one."""
        if behind_s and notice.participant not in self._behind:
            self._behind[notice.participant] = notice._replace(due=notice.due + timedelta(seconds=behind_s))
            return
        self._push(notice._replace(due=notice.due + timedelta(seconds=late_s)))
        overtaken = None if late_s else self._behind.pop(notice.participant, None)
        if overtaken is not None:
            self._push(overtaken._replace(due=notice.due))

    def take(self, now: datetime) -> list[Notice]:
        """Those that are due, no longer kept."""
        for participant, notice in list(self._behind.items()):
            if notice.due <= now:
                del self._behind[participant]
                self._push(notice)
        due = []
        while self._queue and self._queue[0][0] <= now:
            due.append(heapq.heappop(self._queue)[2])
        return due

    @property
    def next_due(self) -> datetime | None:
        """When the next one is due."""
        waiting = [notice.due for notice in self._behind.values()]
        return min([*waiting, *(due for due, _, _ in self._queue[:1])], default=None)

    def _push(self, notice: Notice) -> None:
        self._count += 1
        heapq.heappush(self._queue, (notice.due, self._count, notice))
