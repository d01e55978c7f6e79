"""What the contract leaves out: pushes, signed writes and expired tokens between the client and the pretend OCP."""

import time
import uuid

from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.push import PushDoor
from pg_bridge.ocp.subscription import ensure_subscribed
from pg_bridge.profiles.concepts import Operation
from tests.doubles import ocp_world as world
from tests.doubles.pretend_ocp import client_and_pretend, wall
from tests.doubles.scripted_http import Answer, ScriptedHttp

PROFILE = world.ocp_profile()
HOOK = "/ocp/status-events"


async def test_what_the_pretend_ocp_pushes_comes_through_the_door() -> None:
    """Subscribed, entered, pushed, verified with the keys that it publishes."""
    async with client_and_pretend(PROFILE) as (client, _), ScriptedHttp() as hook:
        hook.on(HOOK, Answer(200))
        door = PushDoor(PROFILE, client.signing_keys)
        slots = CallLimits([], time.monotonic)

        added = await ensure_subscribed(client, slots, PROFILE, hook.url + HOOK, world.fresh_id)
        again = await ensure_subscribed(client, slots, PROFILE, hook.url + HOOK, world.fresh_id)
        body = world.bulk([world.si_entry()])
        (answer,) = await client.write(Operation.SI_ADD, "B01234", str(uuid.uuid4()), body)
        await hook.arrived.wait()
        (request,) = hook.seen(HOOK)
        delivery = await door.receive(request.headers, request.body, wall())

    assert (added, again) == (Operation.SUBSCRIPTION_ADD, None)
    assert not delivery.is_late
    assert {event["siNumber"] for event in delivery.events} == {answer["siNumber"]}


async def test_signed_writes_are_taken() -> None:
    profile = world.ocp_profile_with("sign_writes = false", "sign_writes = true")
    async with client_and_pretend(profile) as (client, pretend):
        await client.write(Operation.SI_ADD, "B01234", str(uuid.uuid4()), world.bulk([world.si_entry()]))

    assert len(pretend.ledger) == 1


async def test_health_and_echo_answer() -> None:
    async with client_and_pretend(PROFILE) as (client, _):
        assert await client.ask(Operation.HEALTH, "", {}) == []
        assert await client.ask(Operation.ECHO, "", {}) == []
