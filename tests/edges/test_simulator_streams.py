"""Status events of the pretend OCP by server-sent events and by websocket, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.doubles.ocp_caller import OcpCaller, other_side, registrations, shipped_profile, si_entry
from tests.doubles.running_ocp import running
from tests.doubles.subscriber import subscribed

STREAM, SOCKET = "/api/si/status-events/stream/v1", "/api/si/status-events/socket/v1"
DAY = "2026-11-23"
BOTH = ["stream", "socket"]


class Listener:
    """Whoever listens, by either way: gives each event with the id that it came under."""

    async def next(self) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    async def sequences(self, count: int) -> list[int]:
        return [(await self.next())[1]["sequence"] for _ in range(count)]


class StreamListener(Listener):
    """Reads by the HTML standard's rules of event streams, as far as they are used."""

    def __init__(self, reply: httpx.Response) -> None:
        self.reply = reply
        self._lines = reply.aiter_lines()

    async def next(self) -> tuple[str, dict[str, Any]]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                if not line:
                    return fields["id"], json.loads(fields["data"])
                name, _, value = line.partition(": ")
                fields[name] = value
        raise EOFError


class SocketListener(Listener):
    """Acknowledges each event unless told not to."""

    def __init__(self, socket: ClientConnection, acknowledges: bool = True) -> None:
        self.socket = socket
        self.acknowledges = acknowledges

    async def next(self) -> tuple[str, dict[str, Any]]:
        async with asyncio.timeout(5):
            event = json.loads(await self.socket.recv(decode=True))
            place = f"{event['businessDate']}:{event['sequence']}"
            if self.acknowledges:
                # a socket that was cut takes none; what it told is read to the end all the same
                with suppress(ConnectionClosed):
                    await self.socket.send(json.dumps({"ack": place}))
        return place, event


@asynccontextmanager
async def stream(caller: OcpCaller, last: str | None = None, **parameters: str) -> AsyncIterator[StreamListener]:
    headers = caller.headers(**({"Last_Event_ID": last} if last else {}))
    asked = {"participantId": "B01234", **parameters}
    async with caller.http.stream("GET", STREAM, params=asked, headers=headers) as reply:
        assert (200, "text/event-stream; charset=utf-8") == (reply.status_code, reply.headers["content-type"])
        yield StreamListener(reply)


def dialled(caller: OcpCaller, parameters: dict[str, str]) -> connect:
    """A socket to be opened with these parameters."""
    url = (
        f"{caller.http.base_url}".replace("http://", "ws://").rstrip("/") + f"{SOCKET}?{httpx.QueryParams(parameters)}"
    )
    return connect(url, additional_headers={"Authorization": f"Bearer {caller.token}"}, proxy=None)


async def denied(caller: OcpCaller, **parameters: str) -> tuple[int, str]:
    """The status and the body with which a socket is not opened."""
    with pytest.raises(InvalidStatus) as caught:
        await dialled(caller, parameters)
    return caught.value.response.status_code, (caught.value.response.body or b"").decode()


@asynccontextmanager
async def socket(caller: OcpCaller, after: str | None = None) -> AsyncIterator[SocketListener]:
    parameters = {"participantId": "B01234", **({"after": after} if after else {})}
    async with dialled(caller, parameters) as opened:
        yield SocketListener(opened)


def listening(way: str, caller: OcpCaller, after: str | None = None) -> Any:
    return stream(caller, after) if way == "stream" else socket(caller, after)


async def acknowledged(caller: OcpCaller) -> None:
    """Return when every acknowledgement that was sent has been taken."""
    for _ in range(200):
        if not any(one["unacknowledged"] for one in (await caller.control("state"))["streams"]):
            return
    raise AssertionError("an acknowledgement is not taken")


async def gone(caller: OcpCaller, left: int = 0) -> None:
    """Return when no more than so many connections are known to be open."""
    for _ in range(500):
        if len((await caller.control("state"))["streams"]) <= left:
            return
    raise AssertionError("a connection is not known to be gone")


@pytest.mark.parametrize("way", BOTH)
async def test_events_are_told_as_they_happen_and_fit_their_schema(way: str) -> None:
    async with running() as (one, other):
        async with listening(way, one) as listener:
            await one.add(si_entry("R1"))
            await other.add(other_side("S1"))
            told = [await listener.next() for _ in range(2)]
            log = (await one.events("B01234"))["data"]
        await gone(one)

    assert [f"{DAY}:1", f"{DAY}:2"] == [place for place, _ in told]
    assert ["CREATED", "MATCHED"] == [event["eventType"] for _, event in told]
    assert log == [event for _, event in told]
    assert [] == [fault for _, event in told for fault in shipped_profile().faults("StatusEvent", event)]


@pytest.mark.parametrize("way", BOTH)
async def test_a_listener_goes_on_behind_the_event_that_it_names_even_over_days(way: str) -> None:
    async with running() as (one, _):
        await one.add(si_entry("R1"), si_entry("R2"), si_entry("R3"))
        await one.control("clock", {"jump": "2026-11-24T09:00:00+08:00"})
        await one.log_in()
        await one.add(si_entry("R4"))
        async with listening(way, one, f"{DAY}:2") as listener:
            await one.add(si_entry("R5"))
            places = [(await listener.next())[0] for _ in range(3)]
        async with listening(way, one, "2026-11-24:2") as listener:
            await one.add(si_entry("R6"))
            later = (await listener.next())[0]

    assert [f"{DAY}:3", "2026-11-24:1", "2026-11-24:2"] == places
    assert "2026-11-24:3" == later


@pytest.mark.parametrize("way", BOTH)
async def test_who_names_no_event_gets_what_happens_from_now_on(way: str) -> None:
    async with running() as (one, _):
        await one.add(si_entry("R1"))
        async with listening(way, one) as listener:
            await one.add(si_entry("R2"))
            assert [2] == await listener.sequences(1)


async def test_a_stream_may_be_resumed_by_parameter_and_the_header_wins() -> None:
    async with running() as (one, _):
        await one.add(si_entry("R1"), si_entry("R2"), si_entry("R3"))
        async with stream(one, after=f"{DAY}:1") as listener:
            assert [2, 3] == await listener.sequences(2)
        async with stream(one, f"{DAY}:2", after=f"{DAY}:0") as listener:
            assert [3] == await listener.sequences(1)


async def test_a_socket_goes_on_behind_what_was_acknowledged() -> None:
    async with running() as (one, _):
        async with socket(one) as listener:
            await one.add(si_entry("R1"), si_entry("R2"), si_entry("R3"))
            assert [1, 2] == await listener.sequences(2)
            listener.acknowledges = False
            assert [3] == await listener.sequences(1)
        await gone(one)
        async with socket(one) as listener:
            assert [3] == await listener.sequences(1)
            await acknowledged(one)
        await gone(one)
        async with socket(one) as listener:
            await one.add(si_entry("R4"))
            assert [4] == await listener.sequences(1)


async def test_a_socket_that_acknowledges_nothing_gets_no_more_than_a_thousand_events() -> None:
    async with running() as (one, _), socket(one) as listener:
        listener.acknowledges = False
        await one.add(*(si_entry(f"R{number}") for number in range(1000)))
        await one.add(si_entry("S1"), si_entry("S2"))
        await listener.sequences(1000)
        state = (await one.control("state"))["streams"][0]
        await listener.socket.send(json.dumps({"ack": f"{DAY}:1"}))
        more = await listener.sequences(1)

    assert (1000, True) == (state["unacknowledged"], state["waiting"] >= 1)
    assert [1001] == more


@pytest.mark.parametrize(
    "answer", ["", "{", "[]", '{"ack": 7}', '{"ack": "yesterday:1"}', '{"ack": "2026-11-23:-1"}', b"\xff", "[" * 5000]
)
async def test_what_is_no_acknowledgement_ends_the_socket(answer: str | bytes) -> None:
    async with running() as (one, _):
        async with socket(one) as listener:
            await listener.socket.send(answer)
            with pytest.raises(ConnectionClosed) as ended:
                await asyncio.wait_for(listener.socket.recv(), 5)
        await gone(one)

    assert ended.value.rcvd is not None
    assert 1008 == ended.value.rcvd.code


# ---- who may listen


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"participantId": "C00019"}, 403, "403002"),
        ({"participantId": "b"}, 400, "400002"),
        ({"participantId": "B01234", "after": "2026-11-23"}, 400, "400002"),
        ({"participantId": "B01234", "after": "2026-13-23:1"}, 400, "400002"),
        ({"participantId": "B01234", "size": "1"}, 400, "400004"),
        ({}, 400, "400001"),
    ],
)
async def test_who_asks_wrongly_is_refused_by_either_way(parameters, status, code) -> None:
    async with running() as (one, _):
        reply = await one.http.get(STREAM, params=parameters, headers=one.headers())
        socket_status, body = await denied(one, **parameters)

    assert (status, code) == (reply.status_code, reply.json()["code"])
    assert (status, code) == (socket_status, json.loads(body)["code"])


async def test_a_token_and_the_function_are_needed() -> None:
    granted = registrations()
    granted["companies"]["CP00001"]["functions"] = ["echo"]
    async with running(registrations=granted) as (one, other):
        parameters = {"participantId": "B01234"}
        statuses = [
            (await one.http.get(STREAM, params=parameters, headers=headers)).status_code
            for headers in ({}, one.headers())
        ]
        other.token = "none"
        statuses += [(await denied(caller, **parameters))[0] for caller in (one, other)]

    assert [401, 403, 403, 401] == statuses


async def test_a_bad_last_event_id_is_refused() -> None:
    async with running() as (one, _):
        headers = one.headers(Last_Event_ID="somewhere")
        reply = await one.http.get(STREAM, params={"participantId": "B01234"}, headers=headers)

    assert (400, "400002") == (reply.status_code, reply.json()["code"])


# ---- faults on demand


async def fault(caller: OcpCaller, kind: str, **order: Any) -> None:
    await caller.control("faults", {"kind": kind, **order})


@pytest.mark.parametrize("way", BOTH)
@pytest.mark.parametrize(
    ("kind", "sequences"),
    [("push_gap", [2, 3, 4]), ("push_reorder", [2, 1, 3, 4]), ("push_repeat", [1, 1, 2, 3, 4])],
)
async def test_events_are_lost_repeated_or_out_of_order_when_so_ordered(
    way: str, kind: str, sequences: list[int]
) -> None:
    async with running() as (one, _), listening(way, one) as listener:
        await fault(one, kind)
        await one.add(*(si_entry(f"R{number}") for number in range(4)))
        assert sequences == await listener.sequences(len(sequences))
        assert [1, 2, 3, 4] == [event["sequence"] for event in (await one.events("B01234"))["data"]]


@pytest.mark.parametrize("way", BOTH)
async def test_an_event_comes_late_and_those_behind_it_do_not_wait(way: str) -> None:
    async with running() as (one, _), listening(way, one) as listener:
        await fault(one, "push_late", skip=1, delay_s=0.05)
        await one.add(si_entry("R1"), si_entry("R2"), si_entry("R3"))
        assert [1, 3, 2] == await listener.sequences(3)


@pytest.mark.parametrize("way", BOTH)
async def test_silence_lasts_until_the_faults_are_cleared(way: str) -> None:
    async with running() as (one, _), listening(way, one) as listener:
        await fault(one, "push_silence", delay_s=0, count=0)
        await one.add(si_entry("R1"), si_entry("R2"))
        state = (await one.control("state"))["streams"][0]
        await one.http.delete("/_simulator/faults")
        told = await listener.sequences(2)

    assert 2 == state["waiting"]
    assert [1, 2] == told


@pytest.mark.parametrize("way", BOTH)
async def test_silence_of_some_time_ends_by_itself(way: str) -> None:
    async with running() as (one, _), listening(way, one) as listener:
        await fault(one, "push_silence", delay_s=0.02)
        await one.add(si_entry("R1"))
        assert [1] == await listener.sequences(1)


@pytest.mark.parametrize("way", BOTH)
async def test_a_connection_is_cut_before_an_event_and_the_event_is_not_lost(way: str) -> None:
    async with running() as (one, _):
        await fault(one, "push_cut", skip=1)
        async with listening(way, one) as listener:
            await one.add(si_entry("R1"), si_entry("R2"))
            assert [1] == await listener.sequences(1)
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, ConnectionClosed)):
                await listener.next()
        async with listening(way, one, f"{DAY}:1") as listener:
            assert [2] == await listener.sequences(1)


async def test_a_fault_of_one_way_leaves_the_other_alone() -> None:
    async with running() as (one, _), stream(one) as by_stream, socket(one) as by_socket:
        await fault(one, "push_gap", operation="status_socket")
        await one.add(si_entry("R1"), si_entry("R2"))
        assert [1, 2] == await by_stream.sequences(2)
        assert [2] == await by_socket.sequences(1)


@pytest.mark.parametrize(("kind", "status"), [("throttled", 429), ("broken", 500), ("closed", 503), ("denied", 401)])
async def test_opening_goes_wrong_when_so_ordered(kind: str, status: int) -> None:
    async with running() as (one, _):
        await fault(one, kind, operation="status_stream")
        await fault(one, kind, operation="status_socket")
        reply = await one.http.get(STREAM, params={"participantId": "B01234"}, headers=one.headers())
        socket_status, _ = await denied(one, participantId="B01234")
        async with stream(one), socket(one):
            listeners = (await one.control("state"))["streams"]

    assert (status, status) == (reply.status_code, socket_status)
    assert {"status_stream", "status_socket"} == {each["operation"] for each in listeners}


# ---- ends


@pytest.mark.parametrize("way", BOTH)
async def test_a_reset_ends_who_listens(way: str) -> None:
    async with running() as (one, _):
        async with listening(way, one) as listener:
            await one.control("reset", {})
            with pytest.raises((ConnectionClosed, EOFError)):
                await listener.next()
        assert [] == (await one.control("state"))["streams"]


async def test_who_asks_the_sockets_path_without_a_socket_is_told_so() -> None:
    async with running() as (one, _):
        parameters = {"participantId": "B01234"}
        told = await one.http.get(SOCKET, params=parameters, headers=one.headers())
        without_token = await one.http.get(SOCKET, params=parameters)

    assert (426, "websocket", 401) == (told.status_code, told.headers["upgrade"], without_token.status_code)
    assert [] == shipped_profile().faults("Envelope", told.json())


# ---- the same faults by webhook


async def test_a_late_push_and_a_silence_concern_deliveries_to_webhooks_too() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        await fault(one, "push_silence", delay_s=0, count=0)
        await fault(one, "push_late", delay_s=0.05)
        await one.add(si_entry("R1"), si_entry("R2"))
        state = await one.control("state")
        await one.http.delete("/_simulator/faults")
        told = await receiver.sequences(2)

    assert state["subscriptions"][0]["waiting"] in (1, 2)
    assert [1, 2] == sorted(told)


async def test_what_is_late_when_a_snapshot_is_taken_is_pushed_after_it_is_restored() -> None:
    async with running() as (one, _), subscribed(one) as receiver:
        await fault(one, "push_late", delay_s=300)
        await one.add(si_entry("R1"), si_entry("R2"))
        assert [2] == await receiver.sequences(1)
        image = await one.control("snapshot")
        (waiting,) = image["subscriptions"]
        assert 290 < waiting["late_s"]["0"] <= 300
        waiting["late_s"]["0"] = 0.01
        await one.control("restore", image)
        assert [1] == await receiver.sequences(1)
