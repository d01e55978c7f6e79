"""Our webhook's subscription at OCP: there, complete, and ours."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pg_bridge.exchange.ports import Ocp, Slots
from pg_bridge.profiles.concepts import EventType, Operation
from pg_bridge.profiles.ocp import OcpProfile


async def ensure_subscribed(
    ocp: Ocp, slots: Slots, profile: OcpProfile, url: str, fresh_id: Callable[[], str]
) -> Operation | None:
    """Have every event type pushed to `url`: add the subscription, or change one that leaves events out.

    Gives the operation that was needed, None when all was well. Raises OcpError; it may simply be done again.
    """
    await slots.slot()
    found = [profile.read("subscription", entry) for entry in await ocp.ask(Operation.SUBSCRIPTION_QUERY, "", {})]
    ours = next((entry for entry in found if entry["subscription_url"] == url), None)
    events = [profile.code("event_type", event) for event in EventType]
    # None or an empty list stands for all of them.
    if ours is not None and (not ours["subscription_events"] or set(events) <= set(ours["subscription_events"])):
        return None
    operation = Operation.SUBSCRIPTION_ADD if ours is None else Operation.SUBSCRIPTION_CHANGE
    wanted = {"subscription_url": url, "subscription_events": events}
    if ours is not None and ours["subscription_key_id"] is not None:
        wanted["subscription_key_id"] = ours["subscription_key_id"]
    await slots.slot()
    await ocp.write(operation, "", fresh_id(), msgspec.json.encode(profile.write("subscription", wanted)))
    return operation


async def end_subscription(
    ocp: Ocp, slots: Slots, profile: OcpProfile, url: str, fresh_id: Callable[[], str]
) -> Operation | None:
    """Have OCP push no more to `url`, a former one of ours; None where it does not.

    Raises OcpError; it may simply be done again.
    """
    await slots.slot()
    found = [profile.read("subscription", entry) for entry in await ocp.ask(Operation.SUBSCRIPTION_QUERY, "", {})]
    if all(entry["subscription_url"] != url for entry in found):
        return None
    await slots.slot()
    body = msgspec.json.encode(profile.write("subscription", {"subscription_url": url}))
    await ocp.write(Operation.SUBSCRIPTION_INVALIDATE, "", fresh_id(), body)
    return Operation.SUBSCRIPTION_INVALIDATE
