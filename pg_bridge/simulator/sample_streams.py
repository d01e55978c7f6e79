"""Samples of the streams of status events: server-sent events, and a websocket with its acknowledgements."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.simulator import samples as s
from pg_bridge.simulator.streams import Place

#: what is no request and answer, but a stream of events
STREAMS = frozenset({Operation.STATUS_STREAM, Operation.STATUS_SOCKET})
#: of the day's events, how many a sample shows
_EVENTS = 3


async def stream_samples(bench: s.Bench) -> None:
    """The last events of a day by either way, and what is refused of them. Ends all streams of the bench."""
    if not STREAMS & set(bench.profile.operations):
        return
    ocp = bench.ocp
    places = [Place(day, at + 1) for day in ocp.event_days(s.SELLER) for at in range(len(ocp.events(s.SELLER, day)))]
    asked = bench.query("stream_query", {"participant_id": s.SELLER, "after_event": str(places[-_EVENTS - 1])})
    foreign = bench.query("stream_query", {"participant_id": s.BUYER})
    if Operation.STATUS_STREAM in bench.profile.operations:
        ending = asyncio.create_task(_end(bench))
        await bench.call(Operation.STATUS_STREAM, asked, "found", "the events behind a place, each with its own")
        await ending
        for document, refusal, meaning in _refused(foreign):
            await bench.call(Operation.STATUS_STREAM, document, refusal.value, meaning)
    if Operation.STATUS_SOCKET in bench.profile.operations:
        meaning = "the events behind a place, each acknowledged"
        await _by_socket(bench, asked, "found", meaning, places[-_EVENTS:])
        for document, refusal, meaning in _refused(foreign):
            await _by_socket(bench, document, refusal.value, meaning)
        await bench.call(Operation.STATUS_SOCKET, asked, "no_socket", "426: it is asked for by plain HTTP")


def _refused(foreign: Any) -> list[tuple[Any, Refusal, str]]:
    return [
        (foreign, Refusal.NOT_OUR_PARTICIPANT, "a participant of another company"),
        ({}, Refusal.FIELD_MISSING, "it does not say whose"),
    ]


async def _end(bench: s.Bench) -> None:
    """End the stream once everything that waits for it is out."""
    while not list(bench.ocp.streams) or any(one.feed.waiting for one in bench.ocp.streams):  # noqa: ASYNC110
        # a feed that is empty rings nowhere
        await asyncio.sleep(0)
    for one in bench.ocp.streams:
        one.feed.end()


async def _by_socket(
    bench: s.Bench, document: Mapping[str, Any], outcome: str, meaning: str, places: list[Place] | None = None
) -> None:
    """Ask for events by websocket, acknowledge each, and go when the last has come; keep all of it."""
    spec = bench.profile.operations[Operation.STATUS_SOCKET]
    headers = {"Authorization": f"Bearer {bench.seller.token}"}
    coming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    coming.put_nowait({"type": "websocket.connect"})
    left = list(places or ())
    acknowledged: list[Any] = []
    told: dict[str, Any] = {"status": 101, "headers": {}, "frames": []}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            told["frames"].append(msgspec.json.decode(message["text"]))
            answer = bench.profile.write("stream_answer", {"acknowledged_event": str(left.pop(0))})
            acknowledged.append(answer)
            coming.put_nowait({"type": "websocket.receive", "text": msgspec.json.encode(answer).decode()})
            if not left:
                coming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        elif message["type"] == "websocket.http.response.start":
            told.update(status=message["status"], headers={"Content-Type": "application/json"})
            del told["frames"]
        elif message["type"] == "websocket.http.response.body":
            told["body"] = msgspec.json.decode(message["body"])

    scope = {
        "type": "websocket",
        "path": spec.path,
        "raw_path": spec.path.encode(),
        "query_string": urlencode(document).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "scheme": "ws",
        "server": ("ocp.example", 80),
        "client": ("pss.example", 40000),
        "extensions": {"websocket.http.response": {}},
    }
    await bench.app(scope, coming.get, send)
    request: dict[str, Any] = {
        "method": spec.method,
        "path": spec.path,
        "headers": {"Authorization": "Bearer <access token>"},
        "parameters": dict(document),
    }
    if acknowledged:
        request["frames"] = acknowledged
    bench.samples.append(s.Sample(Operation.STATUS_SOCKET.value, outcome, meaning, request, told, int(told["status"])))
