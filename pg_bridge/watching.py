"""Sees to it that no update stays away: asks OCP for what it may have pushed in vain, and compares at day end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Clock, Dispatcher
from pg_bridge.dispatcher.reconciling import MOST_DAYS
from pg_bridge.errors import OcpError
from pg_bridge.intake import UpdateIntake

#: how often it is looked if something is to be asked for, in seconds
_LOOK_S = 1.0
#: a reconciliation that OCP did not let us make is tried again after this, in seconds
_RECONCILE_AGAIN_S = 60.0


async def watch_updates(
    participants: Iterable[str], dispatcher: Dispatcher, intake: UpdateIntake, *, reconcile_at: time, clock: Clock
) -> None:
    """Ask for status events at start, at the change of the day, and after silence; reconcile when that is due.

    reconcile_at: Hong Kong time. Ends when cancelled.
    """
    days = dict.fromkeys(participants, "")
    due: dict[str, str] = {}
    not_before = clock()
    async with asyncio.TaskGroup() as group:
        reconciling: asyncio.Task[None] | None = None
        while True:
            now = clock()
            today = dispatcher.terms.business_date(now)
            silence_s = dispatcher.terms.ocp.push.silence_s
            async with asyncio.TaskGroup() as asking:
                for participant, day in days.items():
                    if day != today:
                        asking.create_task(_ask_all(dispatcher, participant, day, today))
                        intake.hear(participant)
                    elif participant in intake.to_ask or (now - intake.heard(participant)).total_seconds() >= silence_s:
                        asking.create_task(intake.ask(participant))
            if any(day != today for day in days.values()):
                dispatcher.forget()
                days = dict.fromkeys(days, today)
            last = _last_due(dispatcher, now, reconcile_at)
            for participant in days:
                # The first one of a new journal is due when the time comes, not at once.
                due.setdefault(participant, dispatcher.state.reconciled.get(participant, last))
            waiting = [participant for participant in days if due[participant] < last]
            if waiting and now >= not_before and (reconciling is None or reconciling.done()):
                not_before = now + timedelta(seconds=_RECONCILE_AGAIN_S)
                reconciling = group.create_task(_reconcile(dispatcher, waiting, last, due))
            await asyncio.sleep(_LOOK_S)


async def _ask_all(dispatcher: Dispatcher, participant: str, before: str, today: str) -> None:
    """Ask for every day of which events may be missing: since the one that is open, or on which we were last alive."""
    state = dispatcher.state
    first = min(state.open_days.get(participant, today), before or _alive(dispatcher, today))
    begin, end = date.fromisoformat(first), date.fromisoformat(today)
    if (end - begin).days > MOST_DAYS:
        await dispatcher.reconciling.events_gone((participant, first), is_whole=True)
        begin = end - timedelta(days=MOST_DAYS)
    for passed in range((end - begin).days + 1):
        day = (begin + timedelta(days=passed)).isoformat()
        feed = state.feeds.get((participant, day))
        if feed is None or not feed.is_closed:
            await dispatcher.fetch(participant, day)


def _alive(dispatcher: Dispatcher, today: str) -> str:
    """The business date of the last entry before this start; today where there was none."""
    if not dispatcher.last_alive_us:
        return today
    return dispatcher.terms.business_date(datetime.fromtimestamp(dispatcher.last_alive_us / 1e6, UTC))


def _last_due(dispatcher: Dispatcher, now: datetime, at: time) -> str:
    """The business date of the last moment at which a reconciliation was due."""
    return dispatcher.terms.business_date(now - timedelta(hours=at.hour, minutes=at.minute))


async def _reconcile(dispatcher: Dispatcher, participants: Iterable[str], day: str, due: dict[str, str]) -> None:
    log = telemetry.logger()
    for participant in participants:
        try:
            done, _ = await dispatcher.reconciling.reconcile(participant, day)
        except OcpError as error:
            log.warning(telemetry.OCP_FAILED, doing="reconciling", participant=participant, error=str(error))
            continue
        due[participant] = day
        log.info(telemetry.RECONCILED, participant=participant, open=done.open, disagreed=done.disagreed)
