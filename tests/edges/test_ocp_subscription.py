"""Our webhook is subscribed when the bridge starts: added, completed, or left as it is."""

import time

import pytest

from pg_bridge.errors import OcpUnavailable
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.subscription import ensure_subscribed
from pg_bridge.profiles.concepts import EventType, Operation
from tests.doubles import ocp_world as world
from tests.doubles.fake_ocp import FakeOcp

PROFILE = world.ocp_profile()
URL = "https://bridge.example/ocp/status-events"
EVERY_EVENT = {PROFILE.code("event_type", event) for event in EventType}


async def ensure(ocp: FakeOcp) -> Operation | None:
    return await ensure_subscribed(ocp, CallLimits([], time.monotonic), PROFILE, URL, world.fresh_id)


@pytest.fixture
def ocp() -> FakeOcp:
    return FakeOcp(PROFILE, world.FakeClock())


async def test_it_is_added_with_every_event_where_there_is_none(ocp: FakeOcp) -> None:
    ocp.subscriptions = [{"url": "https://other.example", "events": [], "keyId": None}]

    assert await ensure(ocp) is Operation.SUBSCRIPTION_ADD
    assert await ensure(ocp) is None

    other, ours = ocp.subscriptions
    assert other["url"] == "https://other.example"
    assert ours["url"] == URL
    assert set(ours["events"]) == EVERY_EVENT
    assert PROFILE.faults("Subscription", ours) == []


@pytest.mark.parametrize("events", [None, [], sorted(EVERY_EVENT)])
async def test_a_whole_one_is_left_as_it_is(ocp: FakeOcp, events: list[str] | None) -> None:
    ocp.subscriptions = [{"url": URL, "events": events, "keyId": "k"}]

    assert await ensure(ocp) is None
    assert [called.operation for called in ocp.called] == [Operation.SUBSCRIPTION_QUERY]


async def test_one_that_leaves_events_out_is_changed_and_keeps_its_key(ocp: FakeOcp) -> None:
    ocp.subscriptions = [{"url": URL, "events": ["MATCHED"], "keyId": "k"}]

    assert await ensure(ocp) is Operation.SUBSCRIPTION_CHANGE
    (ours,) = ocp.subscriptions
    assert set(ours["events"]) == EVERY_EVENT
    assert ours["keyId"] == "k"


async def test_it_may_simply_be_tried_again(ocp: FakeOcp) -> None:
    ocp.fail_next(OcpUnavailable(), operation=Operation.SUBSCRIPTION_ADD)

    with pytest.raises(OcpUnavailable):
        await ensure(ocp)

    assert await ensure(ocp) is Operation.SUBSCRIPTION_ADD
