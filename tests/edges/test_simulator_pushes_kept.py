"""What is on its way to subscribers outlives a restart, and how long it is tried."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import websockets

from pg_bridge.simulator.run import serving
from tests.doubles.ocp_caller import TOKEN_PATH, Wall, other_side, si_entry
from tests.doubles.running_ocp import running
from tests.doubles.subscriber import Receiver, subscribed

SOCKET = "/api/si/status-events/socket/v1?participantId=B01234"


def sequences(body: bytes) -> list[int]:
    return [event["sequence"] for event in json.loads(body)["data"]]


@pytest.mark.parametrize(
    ("fault", "first", "second"),
    [
        ("push_gap", [2], [4]),
        ("push_reorder", [2, 1], [4]),
        ("push_late", [2], [1, 4]),
    ],
)
async def test_what_was_lost_or_comes_in_another_order_is_known_after_a_kill(
    tmp_path: Path, fault: str, first: list[int], second: list[int]
) -> None:
    file, copy, receiver = tmp_path / "state", tmp_path / "copy", Receiver()
    async with serving(receiver.app) as url:
        async with running(state_file=str(file)) as (one, _):
            await one.post("/api/si/subscriptions/add/v1", {"url": f"{url}/events"})
            await one.control("faults", {"kind": fault, "delay_s": 300})
            await one.add(si_entry("R1"), si_entry("R2", quantity=2))
            got = await receiver.sequences(len(first))
            receiver.refuses = True
            # two events, of which the first will be lost to everybody
            await one.control("faults", {"kind": "push_gap"})
            await one.add(si_entry("R3", quantity=3), si_entry("R4", quantity=4))
            await receiver.next()
            # what a kill now leaves
            copy.write_bytes(file.read_bytes())
        receiver.refuses = False
        receiver.forget()
        async with running(state_file=str(copy)):
            later = await receiver.sequences(len(second))

    assert (first, second) == (got, sorted(later))


async def test_a_delivery_goes_on_with_its_events_its_tries_and_its_beginning(tmp_path: Path) -> None:
    file, receiver = str(tmp_path / "state"), Receiver()
    receiver.refuses = True
    async with serving(receiver.app) as url:
        async with running(state_file=file) as (one, _):
            await one.post("/api/si/subscriptions/add/v1", {"url": f"{url}/events"})
            await one.add(si_entry("R1"))
            tries = [await receiver.next() for _ in range(3)]
            await one.add(si_entry("R2", quantity=2))
            (before,) = (await one.control("snapshot"))["subscriptions"]
        async with running(state_file=file) as (one, _):
            (after,) = (await one.control("snapshot"))["subscriptions"]
            receiver.forget()
            receiver.refuses = False
            again, then = await receiver.next(), await receiver.next()

    assert (before["delivery"]["number"], before["delivery"]["since"]) == (
        after["delivery"]["number"],
        after["delivery"]["since"],
    )
    assert 3 <= before["delivery"]["tries"] < after["delivery"]["tries"]
    assert ([1], [2]) == (sequences(again[1]), sequences(then[1]))
    assert 5 == len({headers["x-ocp-delivery-id"] for headers, _ in [*tries, again, then]})


async def test_the_same_seed_gives_the_ids_of_deliveries_again_after_a_restore() -> None:
    async with running(seed=7) as (one, _), subscribed(one) as receiver:
        await one.add(si_entry("R1"))
        await receiver.next()
        snapshot = await one.control("snapshot")
        ids = []
        for _ in range(2):
            await one.add(si_entry("R2", quantity=2))
            ids.append((await receiver.next())[0]["x-ocp-delivery-id"])
            await one.control("restore", snapshot)
            await one.log_in()

    assert ids[0] == ids[1]


async def test_what_nobody_takes_for_a_day_of_its_clock_is_given_up() -> None:
    async with running(push_waits_s=[600], clock="stands") as (one, _), subscribed(one) as receiver:
        receiver.refuses = True
        await one.add(si_entry("R1"))
        first = await receiver.next()
        await one.control("clock", {"advance_s": 600})
        second = await receiver.next()
        await one.control("clock", {"advance_s": 86_400})
        third = await receiver.next()
        await one.add(si_entry("R2", quantity=2))
        other = await receiver.next()

        told = [json.loads(body)["data"][0]["participantReference"] for _, body in (first, second, third, other)]
        assert ["R1", "R1", "R1", "R2"] == told
        assert 0 == (await one.control("state"))["subscriptions"][0]["waiting"]


async def test_a_fast_clock_shortens_the_waits() -> None:
    async with running(push_waits_s=[3600]) as (one, _), subscribed(one) as receiver:
        await one.control("clock", {"mode": "runs", "rate": 1_000_000})
        receiver.statuses = [503]
        await one.add(si_entry("R1", settlementDate="2036-11-25", tradeDate=None))

        assert [[1], [1]] == [sequences((await receiver.next())[1]) for _ in range(2)]


async def test_a_socket_goes_on_behind_what_it_acknowledged_after_a_kill_and_after_a_restore(tmp_path: Path) -> None:
    file, copy = tmp_path / "state", tmp_path / "copy"

    async def listen(one, events: int, acknowledged: int) -> list[int]:
        url = str(one.http.base_url).replace("http", "ws").rstrip("/") + SOCKET
        async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {one.token}"}) as socket:
            if not acknowledged:
                await one.add(si_entry("R1"), si_entry("R2", quantity=2), si_entry("R3", quantity=3))
            found = [json.loads(await asyncio.wait_for(socket.recv(), 5))["sequence"] for _ in range(events)]
            for sequence in found[:-1]:
                await socket.send(json.dumps({"ack": f"2026-11-23:{sequence}"}))
            # what was acknowledged is behind this when it is answered
            await socket.ping()
            while acknowledged == 0 and (await one.control("state"))["streams"][0]["unacknowledged"] > 1:
                continue
            return found

    async with running(state_file=str(file)) as (one, _):
        assert [1, 2, 3] == await listen(one, 3, 0)
        copy.write_bytes(file.read_bytes())
        snapshot = await one.control("snapshot")
        await one.control("reset", {})
        await one.control("restore", snapshot)
        await one.log_in()
        restored = await listen(one, 1, 2)
    async with running(state_file=str(copy)) as (one, _):
        killed = await listen(one, 1, 2)

    assert ([3], [3]) == (restored, killed)


async def test_an_assertion_is_used_once_and_calls_are_counted_over_a_restart_and_a_restore(tmp_path: Path) -> None:
    file, wall = str(tmp_path / "state"), Wall()
    async with running(wall=wall, state_file=file, company_calls=3) as (one, _):
        form = one.form()
        assert 200 == (await one.http.post(TOKEN_PATH, data=form)).status_code
        await one.query(participantId="B01234")
        await one.query(participantId="B01234")
        snapshot = await one.control("snapshot")
        await one.control("reset", {})
        await one.control("restore", snapshot)
        await one.log_in()
        refused = [await one.http.post(TOKEN_PATH, data=form)]
        statuses = [await _echo(one) for _ in range(2)]
    async with running(wall=wall, state_file=file) as (one, _):
        refused.append(await one.http.post(TOKEN_PATH, data=form))
        statuses.append(await _echo(one))
        wall.pass_s(60)
        await one.log_in()
        statuses.append(await _echo(one))

    assert [400, 400] == [reply.status_code for reply in refused]
    assert [200, 429, 429, 200] == statuses


async def _echo(one) -> int:
    reply: httpx.Response = await one.http.get("/api/system/echo/v1", headers=one.headers())
    return reply.status_code


async def test_a_snapshot_brings_its_key_and_its_seed_with_it() -> None:
    async with running(seed=7, reference_data=True) as (one, _):
        snapshot = await one.control("snapshot")
        expected = await _kept(one)
    async with running(seed=8, reference_data=True) as (one, _):
        before = await _kept(one)
        await one.control("restore", snapshot)
        await one.log_in()
        after = await _kept(one)

    assert before != expected
    assert expected == after


async def _kept(one) -> list[dict]:
    paths = ("/api/crypto/meta", "/api/refdata/stocks/v1?size=5")
    found = [(await one.http.get(path, headers=one.headers())).json() for path in paths]
    entry = (await one.add(si_entry("R1"), other_side("S1"))).json()
    return [*found, entry]
