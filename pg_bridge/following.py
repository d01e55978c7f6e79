"""Updates by the driver in force, one at a time: our subscription at OCP, or a driver that fetches them itself.

Which it is, `[push] driver` says, or the OCP profile in force. When another profile comes into force, the driver begins
anew by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from pg_bridge import telemetry
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError, OcpError
from pg_bridge.exchange import records as r
from pg_bridge.intake import UpdateIntake
from pg_bridge.ocp.client import OcpClient, company_limits
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.push_driver import keep_following, keep_polling
from pg_bridge.ocp.push_sse import follow_stream
from pg_bridge.ocp.push_websocket import follow_socket
from pg_bridge.ocp.subscription import end_subscription, ensure_subscribed
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

WEBHOOK, SSE, WEBSOCKET, POLL = "webhook", "sse", "websocket", "poll"
_NEEDS = {SSE: Operation.STATUS_STREAM, WEBSOCKET: Operation.STATUS_SOCKET}
_FOLLOW = {SSE: follow_stream, WEBSOCKET: follow_socket}
#: how often it is looked if another profile is in force, or a subscription is to be tried again, in seconds
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Following:
    """How updates are to come. driver: empty: as the profile says. is_subscriber: OCP is to be told of `push_url`."""

    participants: Sequence[str]
    driver: str
    push_url: str
    is_subscriber: bool
    company_calls: int = 0

    def chosen(self, profile: OcpProfile) -> str:
        """The driver by this profile. Raises ConfigError for one that the profile has no operation for."""
        driver = self.driver or profile.push.driver
        if driver not in (WEBHOOK, POLL, *_NEEDS):
            raise ConfigError(f"the OCP profile's push driver {driver!r} is none")
        needed = _NEEDS.get(driver)
        if needed is not None and needed not in profile.operations:
            raise ConfigError(f"the OCP profile has no {needed}: choose another [push] driver than {driver}")
        return driver


async def follow_updates(
    following: Following,
    dispatcher: Dispatcher,
    intake: UpdateIntake,
    slots: CallLimits,
    *,
    fresh_id: Callable[[], str],
) -> None:
    """Have updates come by the driver in force. Ends when cancelled."""
    log = telemetry.logger()
    while True:
        now_used = dispatcher.sets.in_force.ocp
        profile = dispatcher.terms.ocp
        try:
            driver = following.chosen(profile)
        except ConfigError as error:
            log.warning(telemetry.OCP_FAILED, doing="following", error=str(error))
            driver = POLL  # every profile has what it needs
        log.info(telemetry.PUSH_DRIVER_STARTED, driver=driver)
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(_subscribe(following, driver, dispatcher, intake, slots, fresh_id))]
            if driver != WEBHOOK and isinstance(now_used, OcpClient):
                work.append(group.create_task(_follow(following, driver, now_used, profile, intake)))
            while dispatcher.sets.in_force.ocp is now_used:  # noqa: ASYNC110 - another set is looked for, not waited for
                await asyncio.sleep(_LOOK_S)
            for task in work:
                task.cancel()


async def _follow(
    following: Following, driver: str, client: OcpClient, profile: OcpProfile, intake: UpdateIntake
) -> None:
    if driver == POLL:
        limit = company_limits(profile, following.company_calls)[0]
        await keep_polling(
            following.participants, intake, poll_s=profile.push.poll_s, calls=limit.calls, period_s=limit.period_s
        )
        return
    door = client.streams()
    try:
        await keep_following(following.participants, partial(_FOLLOW[driver], door, intake), intake)
    finally:
        await door.aclose()


async def _subscribe(
    following: Following,
    driver: str,
    dispatcher: Dispatcher,
    intake: UpdateIntake,
    slots: CallLimits,
    fresh_id: Callable[[], str],
) -> None:
    """Have OCP push to our URL, and to no former one of ours; to none with another driver. Tried until it is done."""
    if not following.is_subscriber:
        return
    url = following.push_url if driver == WEBHOOK else ""
    while True:
        done: Operation | None = None
        ended: Operation | None = None
        before = dispatcher.state.subscribed_url
        try:
            with dispatcher.sets.using() as at_work:
                ocp, profile = at_work.ocp, at_work.terms.ocp
                if url:
                    done = await ensure_subscribed(ocp, slots, profile, url, fresh_id)
                if before and before != url:
                    ended = await end_subscription(ocp, slots, profile, before, fresh_id)
        except OcpError as error:
            telemetry.logger().warning(telemetry.OCP_FAILED, doing="subscribing", error=str(error))
            await asyncio.sleep(_LOOK_S)
            continue
        if done is not None:
            intake.to_ask.update(following.participants)  # what happened before OCP knew where to push
        if done is not None or before != url:
            operation = done or ended
            dispatcher.note(
                r.Subscribed(
                    url=url, operation=operation.value if operation is not None else "", ended=before if ended else ""
                )
            )
        return
