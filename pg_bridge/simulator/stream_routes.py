"""Status events by server-sent events and by websocket (RFC 6455), over the pretend OCP's HTTP.

A stream is asked for with the token of any call and is not signed: whoever listens has called us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response, WebSocket, WebSocketDisconnect
from starlette.types import Receive, Scope, Send

from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.simulator.faults import Fault, FaultKind
from pg_bridge.simulator.pretend import Answer, Call, PretendOcp
from pg_bridge.simulator.streams import Place, Stream, Told, read_place

#: RFC 6455 section 7.4.1
GOING_AWAY, POLICY_VIOLATION, UNEXPECTED = 1001, 1008, 1011
#: with these a stream opens, if later than it might; it has no entries that could be refused
OPENING_LATER = (FaultKind.LATE, FaultKind.SLOW)
#: the header of the HTML standard by which a stream is resumed
LAST_EVENT_ID = "last-event-id"

#: answers a call that is to go wrong so
GoWrong = Callable[[Fault, Request], Awaitable[Response]]
#: what a call that goes wrong is answered
WrongAnswer = Callable[[Fault], Answer]


def open_stream(ocp: PretendOcp, call: Call) -> Stream | Answer:
    """Begin to tell a participant's events to the caller, or say why not."""
    ocp.catch_up()
    operation = call.operation
    caller = ocp.admit(call)
    if isinstance(caller, Answer):
        return caller
    document = ocp.binding.read_parameters(operation, call.parameters)
    refusals = ocp.binding.check(operation, document)
    if refusals:
        return ocp.refused(400, refusals, operation)
    asked = ocp.profile.read("stream_query", document)
    participant: str = asked["participant_id"]
    if not ocp.is_ours(caller, participant):
        return ocp.refused(403, [(Refusal.NOT_OUR_PARTICIPANT, "not a participant of this company")], operation)
    last: str | None = asked["after_event"]
    if operation is Operation.STATUS_STREAM:
        last = call.headers.get(LAST_EVENT_ID) or last
    try:
        after = read_place(last) if last is not None else None
    except ValueError as error:
        return ocp.refused(400, [(Refusal.FIELD_MALFORMED, str(error))], operation)
    if after is None and operation is Operation.STATUS_SOCKET:
        after = ocp.streams.acknowledged(caller.company, participant).after()
    missed = [] if after is None else _behind(ocp, participant, after)
    return ocp.streams.open(caller.company, participant, operation, missed)


def _behind(ocp: PretendOcp, participant: str, after: Place) -> list[Told]:
    return [
        Told(Place(day, sequence), document)
        for day in ocp.event_days(participant)
        for sequence, document in enumerate(ocp.events(participant, day), start=1)
        if (day, sequence) > after
    ]


def stream_route(ocp: PretendOcp, cut_key: str, go_wrong: GoWrong) -> Callable[[Request], Awaitable[Response]]:
    """The route of the stream of server-sent events. cut_key: where the scope has what cuts the connection."""

    async def serve(request: Request) -> Response:
        fault = ocp.faults.next_call(Operation.STATUS_STREAM.value)
        if fault is not None and fault.kind in OPENING_LATER:
            await asyncio.sleep(fault.delay_s)
        elif fault is not None and fault.kind is not FaultKind.ENTRIES_REFUSED:
            return await go_wrong(fault, request)
        opened = open_stream(ocp, _call(ocp, Operation.STATUS_STREAM, request))
        if isinstance(opened, Answer):
            return Response(opened.body, opened.status, dict(opened.headers), opened.media_type)
        return _EventStream(ocp, opened, request.scope.get(cut_key))

    return serve


class _EventStream(Response):
    """The events as they happen, until either side ends it."""

    media_type = "text/event-stream"

    def __init__(self, ocp: PretendOcp, stream: Stream, cut: Callable[[], None] | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        # unlike a response with a body, it does not know how long it will be
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self._ocp = ocp
        self._stream = stream
        self._cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is told until the feed ends or the receiver is gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # the headers go out now, so that who listens knows that it does
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await _until_either_ends(self._send_all(send), _until_gone(receive))
        self._ocp.streams.close(self._stream)

    async def _send_all(self, send: Send) -> None:
        feed = self._stream.feed
        while told := await feed.take(1):
            if feed.fault(FaultKind.PUSH_CUT) and self._cut is not None:
                # what was sent before leaves in the loop's next turns
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                self._cut()
                return
            frame = b"id: %b\ndata: %b\n\n" % (str(told[0].place).encode(), bytes(told[0].document))
            for _ in range(2 if feed.fault(FaultKind.PUSH_REPEAT) else 1):
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            # whoever has left is noticed between two of many events, and others are served
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def socket_route(ocp: PretendOcp, wrong_answer: WrongAnswer) -> Callable[[WebSocket], Awaitable[None]]:
    """The route of the websocket."""

    async def serve(socket: WebSocket) -> None:
        fault = ocp.faults.next_call(Operation.STATUS_SOCKET.value)
        if fault is not None and fault.kind in (*OPENING_LATER, FaultKind.NO_ANSWER):
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.kind not in (*OPENING_LATER, FaultKind.ENTRIES_REFUSED):
            await _deny(socket, wrong_answer(fault))
            return
        opened = open_stream(ocp, _call(ocp, Operation.STATUS_SOCKET, socket))
        if isinstance(opened, Answer):
            await _deny(socket, opened)
            return
        await socket.accept()
        with suppress(WebSocketDisconnect):
            await _until_either_ends(_send_events(ocp, opened, socket), _take_acknowledgements(ocp, opened, socket))
        ocp.streams.close(opened)

    return serve


def plain_route(ocp: PretendOcp, go_wrong: GoWrong) -> Callable[[Request], Awaitable[Response]]:
    """The route of whoever asks the socket's path for an answer instead of a socket."""

    async def serve(request: Request) -> Response:
        fault = ocp.faults.next_call(Operation.STATUS_SOCKET.value)
        if fault is not None and fault.kind in OPENING_LATER:
            await asyncio.sleep(fault.delay_s)
        elif fault is not None and fault.kind is not FaultKind.ENTRIES_REFUSED:
            return await go_wrong(fault, request)
        ocp.catch_up()
        answer = ocp.admit(_call(ocp, Operation.STATUS_SOCKET, request))
        if not isinstance(answer, Answer):
            # RFC 9110 section 15.5.22
            answer = ocp.failed(426, "this is a websocket", {"Upgrade": "websocket", "Connection": "Upgrade"})
        return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)

    return serve


async def _deny(socket: WebSocket, answer: Answer) -> None:
    response = Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
    await socket.send_denial_response(response)


async def _send_events(ocp: PretendOcp, stream: Stream, socket: WebSocket) -> None:
    feed = stream.feed
    while told := await feed.take(1):
        await stream.room()
        if feed.fault(FaultKind.PUSH_CUT):
            await socket.close(UNEXPECTED)
            return
        place, document = told[0]
        stream.sent(place)
        for _ in range(2 if feed.fault(FaultKind.PUSH_REPEAT) else 1):
            await socket.send_text(bytes(document).decode())
    await socket.close(GOING_AWAY)


async def _take_acknowledgements(ocp: PretendOcp, stream: Stream, socket: WebSocket) -> None:
    """Take what the client answers until it is gone; what is no acknowledgement ends the conversation."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            document = msgspec.json.decode(message.get("text") or message.get("bytes") or b"")
            stream.take(read_place(_acknowledged(ocp, document)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            # a close frame has room for 123 bytes of reason
            await socket.close(POLICY_VIOLATION, f"no acknowledgement: {error}"[:100])
            return


def _acknowledged(ocp: PretendOcp, document: Any) -> str:
    place = ocp.profile.get("stream_answer", "acknowledged_event", document)
    if not isinstance(place, str):
        raise ValueError("it names no event")  # noqa: TRY004 - one kind of fault to whoever reads
    return place


async def _until_either_ends(one: Awaitable[None], other: Awaitable[None]) -> None:
    """Run both until the first ends, then end the other. Raises what the first raised."""
    tasks = [asyncio.ensure_future(one), asyncio.ensure_future(other)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _call(ocp: PretendOcp, operation: Operation, request: Request | WebSocket) -> Call:
    parameters = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    scheme = {"ws": "http", "wss": "https"}.get(request.url.scheme, request.url.scheme)
    token_url = str(request.url.replace(scheme=scheme, path=ocp.profile.token.path, query=None))
    return Call(operation, request.headers, parameters, b"", token_url)
