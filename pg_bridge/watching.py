"""Sees to it that updates come: subscribes, and asks OCP for status events where it may have pushed none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Clock, Dispatcher
from pg_bridge.errors import OcpError
from pg_bridge.exchange.ports import Ocp
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.subscription import ensure_subscribed
from pg_bridge.ways import PushTaker

#: how often it is looked if something is to be asked for, in seconds
_LOOK_S = 1.0


async def watch_updates(
    participants: Iterable[str],
    dispatcher: Dispatcher,
    slots: CallLimits,
    taker: PushTaker,
    *,
    push_url: str,
    is_subscriber: bool,
    fresh_id: Callable[[], str],
    clock: Clock,
) -> None:
    """Subscribe; ask for status events at start, at the change of the day, and after silence. Ends when cancelled.

    is_subscriber: whether OCP is to be told of `push_url`; else somebody else tells it.
    """
    log = telemetry.logger()
    #: the way to OCP by which we subscribed; another profile may know another subscription
    subscribed: Ocp | None = None
    days = dict.fromkeys(participants, "")
    asked_at = clock()
    while True:
        if is_subscriber and subscribed is not dispatcher.sets.in_force.ocp:
            try:
                with dispatcher.sets.using() as now_used:
                    await ensure_subscribed(now_used.ocp, slots, now_used.terms.ocp, push_url, fresh_id)
                subscribed = now_used.ocp
            except OcpError as error:
                log.warning(telemetry.OCP_FAILED, doing="subscribing", error=str(error))
        now = clock()
        today = dispatcher.terms.business_date(now)
        silent_s = (now - max(taker.last_at, asked_at)).total_seconds()
        for participant, day in days.items():
            if day != today or silent_s >= dispatcher.terms.ocp.push.silence_s:
                asked_at = now
                for date in sorted({day or today, today}):
                    after = dispatcher.state.feed(participant, date).next_sequence - 1
                    await dispatcher.fetch(participant, date, after)
                if day != today:
                    dispatcher.forget()
                days[participant] = today
        await asyncio.sleep(_LOOK_S)
