"""Has reports made by themselves: those of trades through the day where there are new ones, all at its end.

What is due follows from the state alone: a report is due when it would be made of more than the one that was written
last. So a bridge that was down makes up for what it missed, and makes nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pg_bridge import telemetry
from pg_bridge.bridge.market_reports import Wanted, topic_of
from pg_bridge.bridge.report_orders import MakeReports, Orders, ReportOrder, ReportTold, targets
from pg_bridge.config import ParticipantConfig
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.dispatcher.sets import SetAtWork
from pg_bridge.errors import BridgeError, JournalError
from pg_bridge.exchange import records as r
from pg_bridge.exchange.terms import HONG_KONG
from pg_bridge.mapping.report_rules import ReportRules
from pg_bridge.profiles.market_concepts import Market

#: how often it is looked whether a report is due, in seconds
LOOK_S = 1.0
#: after a failure, in seconds
PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """names: of reports. every_s: between two of trades through the day; day_end: Hong Kong time, `HH:MM`, for all.

    days_back: days before today whose trades may still come. folder: of reports for download, empty: none.
    """

    names: tuple[str, ...] = ()
    every_s: float = 900.0
    day_end: str = "18:30"
    days_back: int = 4
    folder: str = ""


class Reporting:
    """The reports of a running bridge."""

    def __init__(
        self,
        options: ReportOptions,
        participants: Mapping[str, ParticipantConfig],
        dispatcher: Dispatcher,
        journal: str,
        make: MakeReports,
        clock: Callable[[], datetime],
    ) -> None:
        self._options = options
        self._participants = participants
        self._dispatcher = dispatcher
        self._journal = journal
        self._make = make
        self._clock = clock
        self._log = telemetry.logger()
        #: when reports of trades were made last
        self._made_at: datetime | None = None
        #: what could not be made -> when it is tried again
        self._not_before: dict[Wanted, datetime] = {}

    async def run(self) -> None:
        """Have what is due made until cancelled, or until the journal fails."""
        while True:
            pause_s = LOOK_S
            try:
                await self.look()
            except JournalError:
                return  # the bridge stops
            except Exception as error:  # noqa: BLE001 - the top of a task: the next report may be good
                self._log.error(telemetry.EVENT_FAILED, doing="making reports", error=repr(error))
                pause_s = PAUSE_S
            await asyncio.sleep(pause_s)

    async def look(self) -> None:
        """Have made what is due. Raises JournalError."""
        with self._dispatcher.sets.using() as at_work:
            now = self._clock()
            orders = [order for order in self._due(at_work) if now >= self._not_before.get(order.wanted, now)]
            if not orders:
                return
            book = at_work.terms.book
            try:
                told = await self._make(Orders(dict(book.source_files), self._journal, tuple(orders)))
            except BridgeError as error:
                self._log.error(telemetry.REPORT_FAILED, error=str(error))
                told = [ReportTold(wanted=order.wanted, error=str(error)) for order in orders]
        for each in told:
            if each.error:
                self._log.error(
                    telemetry.REPORT_FAILED, report=each.wanted.name, participant=each.wanted.participant,
                    day=each.wanted.day, error=each.error,
                )  # fmt: skip
                self._not_before[each.wanted] = now + timedelta(seconds=PAUSE_S)
                continue
            self._not_before.pop(each.wanted, None)
            self._log.info(
                telemetry.REPORT_WRITTEN, report=each.report, participant=each.wanted.participant,
                day=each.wanted.day, records=each.records,
            )  # fmt: skip
            self._dispatcher.note(
                r.ReportWritten(
                    participant=each.wanted.participant,
                    name=each.wanted.name,
                    report=each.report,
                    day=each.wanted.day,
                    size=each.size,
                    hash=each.hash,
                    records=each.records,
                    entries=each.entries,
                    market=each.wanted.market or "",
                    of_hash=each.of_hash,
                    paths=each.paths,
                )
            )
        await self._dispatcher.durable()

    def _due(self, at_work: SetAtWork) -> Iterator[ReportOrder]:
        now = self._clock()
        is_end = f"{now.astimezone(HONG_KONG):%H:%M}" >= self._options.day_end
        has_waited = self._made_at is None or (now - self._made_at).total_seconds() >= self._options.every_s
        today = at_work.terms.business_date(now)
        for name in self._options.names:
            rules = at_work.terms.book.reports.get(name)
            if rules is None:
                continue
            if not rules.is_of_trades:
                yield from self._due_lists(rules, today, now)
            elif is_end or has_waited:
                for order in self._due_trades(rules, at_work.ocp_hash, today, now):
                    self._made_at = now
                    yield order

    def _due_lists(self, rules: ReportRules, today: str, now: datetime) -> Iterator[ReportOrder]:
        """A list a day, and another where the data changed."""
        taken = self._dispatcher.state.market.reference.get(topic_of(rules).value)
        for participant in self._participants if taken is not None else ():
            written = self._dispatcher.state.market.reports.get((participant, rules.report_id(None), today))
            if taken is not None and (written is None or written.of_hash != taken.hash):
                yield from self._order(rules, participant, today, None, now)

    def _due_trades(self, rules: ReportRules, ocp_hash: str, today: str, now: datetime) -> Iterator[ReportOrder]:
        """Where more entries were taken than the last report was made of."""
        market_state = self._dispatcher.state.market
        for back in range(self._options.days_back, -1, -1):
            day = (date.fromisoformat(today) - timedelta(days=back)).isoformat()
            for market in Market:
                taken = market_state.cursor(market.value, day, ocp_hash)
                for participant in self._participants if taken else ():
                    written = market_state.reports.get((participant, rules.report_id(market), day))
                    if written is None or written.entries != taken:
                        yield from self._order(rules, participant, day, market, now)

    def _order(
        self, rules: ReportRules, participant: str, day: str, market: Market | None, now: datetime
    ) -> Iterator[ReportOrder]:
        own = self._participants[participant]
        places = targets(
            rules.report_id(market),
            participant,
            day,
            f"{now.astimezone(HONG_KONG):%H%M%S}",
            reports=self._options.folder,
            drop_folder=own.drop_folder,
        )
        if places:
            yield ReportOrder(Wanted(rules.file.name, participant, day, market, own.ncps), places)
