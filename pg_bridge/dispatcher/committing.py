"""What was decided, until it is durable: the entries, the actions that rest on them, and who waits.

Strategy: all that has gathered becomes durable in one append, and only then its actions are given out. While an append
is under way the next lot gathers; so a disk that syncs slowly makes larger lots, not earlier answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from pg_bridge import telemetry
from pg_bridge.errors import JournalError, JournalFull
from pg_bridge.exchange.actions import Action
from pg_bridge.exchange.entries import Entry, Position
from pg_bridge.exchange.ports import Journal

#: how long the journal is left alone when it is full, in seconds
_FULL_S = 0.01


class Committer:
    """Gathers, and makes durable what has gathered."""

    def __init__(self) -> None:
        #: how many of the records that the state was folded from are durable
        self.durable_records = 0
        #: set when durability is in doubt: the bridge must stop
        self.failed: asyncio.Future[JournalError] = asyncio.get_running_loop().create_future()
        self._entries: list[Entry] = []
        self._actions: list[Action] = []
        #: who waits, with the number of gathered entries that must be durable
        self._waiters: list[tuple[int, asyncio.Future[Position]]] = []
        self._wake = asyncio.Event()
        self._log = telemetry.logger()

    @property
    def pending(self) -> int:
        """How many entries have gathered."""
        return len(self._entries)

    def gather(self, entries: Iterable[Entry] = (), actions: Iterable[Action] = ()) -> None:
        """Take entries to make durable, and the actions that may leave when they and all before them are."""
        self._entries += entries
        self._actions += actions
        self._wake.set()

    def wake(self) -> None:
        """Have the loop go round, though nothing was gathered."""
        self._wake.set()

    def waiter(self) -> asyncio.Future[Position]:
        """Done when all that has gathered is durable: the position of the last of it, 0 where nothing had gathered.

        It raises JournalError.
        """
        waiter: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        self._waiters.append((len(self._entries), waiter))
        self._wake.set()
        return waiter

    async def woken(self) -> None:
        """Return when something has gathered, somebody waits, or the loop was woken."""
        await self._wake.wait()
        self._wake.clear()

    async def commit(self, journal: Journal) -> Sequence[Action] | None:
        """Make durable what has gathered, tell who waited; gives the actions that leave now.

        None when the journal failed: what was decided is not durable, none of it may leave, and `failed` is set. The
        next process replays what is durable.
        """
        entries, actions, waiters = self._entries, self._actions, self._waiters
        self._entries, self._actions, self._waiters = [], [], []
        try:
            positions = await self._append(journal, entries) if entries else ()
        except JournalError as error:
            self._log.critical(telemetry.JOURNAL_FAILED, error=str(error))
            self.failed.set_result(error)
            # Those too that came to wait while the append was under way: nobody will wake them later.
            for _, waiter in (*waiters, *self._waiters):
                if not waiter.done():
                    waiter.set_exception(error)
            return None
        self.durable_records += len(entries)
        for count, waiter in waiters:
            if not waiter.done():
                waiter.set_result(positions[count - 1] if count else 0)
        return actions

    async def _append(self, journal: Journal, entries: Sequence[Entry]) -> Sequence[Position]:
        while True:
            try:
                return await journal.append(entries)
            except JournalFull:
                await asyncio.sleep(_FULL_S)
