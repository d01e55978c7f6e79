"""Each action done by whoever does its kind: sessions, errands, downloads, the drop folders, a timer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pg_bridge.dispatcher.batching import Batching
from pg_bridge.dispatcher.chores import Chores
from pg_bridge.dispatcher.committing import Committer
from pg_bridge.dispatcher.downloads import Downloads
from pg_bridge.dispatcher.errands import Errands
from pg_bridge.dispatcher.fetching import Fetching
from pg_bridge.dispatcher.handing import Handing
from pg_bridge.dispatcher.loop import Loop
from pg_bridge.exchange import actions as a
from pg_bridge.exchange import events as e
from pg_bridge.exchange.exchange import Stage
from pg_bridge.exchange.ports import Files
from pg_bridge.exchange.terms import epoch_us

#: a pause before something goes again is longer by up to this part of it
MOST_LONGER = 0.25


class Acting:
    """Does what was decided. It is told of an action only when all that it rests on is durable."""

    def __init__(
        self,
        loop: Loop,
        *,
        committer: Committer,
        handing: Handing,
        errands: Errands,
        fetching: Fetching,
        downloads: Downloads,
        batching: Batching,
        chores: Chores,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        self._loop = loop
        self._committer = committer
        self._handing = handing
        self._errands = errands
        self._fetching = fetching
        self._downloads = downloads
        self._batching = batching
        self._chores = chores
        self._clock = clock
        self._chance = chance
        #: where the reports of drop folders' files go; known once the bridge begins
        self.files: Files | None = None

    def act(self, action: a.Action) -> None:
        """Do it, or begin it."""
        chores, errands = self._chores, self._errands
        match action:
            case a.Answer():
                self._handing.answer(action)
            case a.NoAnswer():
                self._handing.pass_over(action)
            case a.Judge():
                chores.spawn(errands.judge(action.file))
            case a.WatchParts():
                overdue = e.PartsOverdue(action.participant, action.mark)
                chores.later(action.after_s, lambda: self._loop.offer(overdue))
            case a.FileEnded():
                if self.files is not None:
                    self.files.ended(action)
            case a.Refuse():
                self._handing.refuse(action)
            case a.Pump():
                self._handing.pump(action.participant)
            case a.Call():
                chores.later(self._scattered(action.after_s), lambda: chores.spawn(errands.call(action.request_id)))
            case a.Look():
                chores.later(action.after_s, lambda: chores.spawn(errands.look(action.request_id)))
            case a.Ask():
                chores.later(self._scattered(action.after_s), lambda: chores.spawn(errands.ask(action.exchange)))
            case a.ReadReport():
                chores.spawn(self._downloads.read(action.exchange))
            case a.Seek():
                chores.later(self._scattered(action.after_s), lambda: chores.spawn(errands.seek(action.exchange)))
            case a.OpenLane():
                self._batching.touch((action.participant, action.operation))
                self._committer.wake()
            case a.Watch():
                self._watch(action.exchange)
            case a.Fetch():
                chores.spawn(self._fetch(action))

    async def _fetch(self, action: a.Fetch) -> None:
        await self._fetching.fetch(action.participant, action.business_date, action.after)

    def _scattered(self, after_s: float) -> float:
        """A pause, longer by chance: what failed together does not go again together, and never before OCP says."""
        return after_s * (1 + MOST_LONGER * self._chance()) if after_s else 0.0

    def _watch(self, exchange_id: str) -> None:
        exchange = self._loop.state.exchanges.get(exchange_id)
        if exchange is None or exchange.reply is not None:
            return
        waited_s = (epoch_us(self._clock()) - exchange.received_us) / 1e6
        within_s = self._loop.sets.in_force.terms.options.answer_within_s
        self._chores.later(max(0.001, within_s - waited_s), lambda: self._overdue(exchange_id))

    def _overdue(self, exchange_id: str) -> None:
        exchange = self._loop.state.exchanges.get(exchange_id)
        if exchange is not None and exchange.stage is not Stage.ANSWERED:
            self._loop.offer(e.Overdue(exchange_id))
