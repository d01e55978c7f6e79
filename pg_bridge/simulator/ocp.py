"""The pretend OCP over HTTP: the operations of the profile, the token door, faults on demand, and the control API.

`create_app` needs no socket; a cut connection does (see run.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import parse_qsl

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from pg_bridge.errors import OcpOutcomeUnknown
from pg_bridge.profiles.concepts import Operation, Refusal
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.control import create_control
from pg_bridge.simulator.faults import TOKEN, Fault, FaultKind
from pg_bridge.simulator.options import SimulatorOptions
from pg_bridge.simulator.pretend import Answer, Call, PretendOcp
from pg_bridge.simulator.stream_routes import plain_route, socket_route, stream_route
from pg_bridge.simulator.tokens import TokenRefusedError

CONTROL_PATH = "/_simulator"
#: key of the ASGI scope under which run.py's protocol leaves a function that cuts the connection
CUT = "pg_bridge.cut"
HTML = b"<html><body><h1>503</h1><p>Closed for maintenance.</p></body></html>"
#: how often a running clock looks for runs that are due, seconds of the wall
TICK_S = 0.5

#: the pieces of a slow answer
PIECES = 20
#: where 200 would say that a stream has begun
_STREAMS = frozenset({Operation.STATUS_STREAM, Operation.STATUS_SOCKET})
#: what a request refused whole for this reason has as its HTTP status; any other: 200, of a stream 400
_STATUSES = {Refusal.NOT_GRANTED: 403, Refusal.NOT_OUR_PARTICIPANT: 403}

Work = Callable[[], Answer]


def create_app(profile: OcpProfile, options: SimulatorOptions, wall: Callable[[], datetime]) -> FastAPI:
    """The app; its state is `app.state.ocp`. Raises ConfigError for options that do not fit.

    Without a lifespan (ASGI transports of tests) the caller closes `app.state.ocp` and the clock ticks only when
    it is asked.
    """
    ocp = PretendOcp(profile, options, wall)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ocp.resume()
        ticking = asyncio.create_task(_tick(ocp))
        yield
        ticking.cancel()
        await ocp.aclose()

    app = FastAPI(title="Pretend OCP", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.ocp = ocp
    for operation, spec in profile.operations.items():
        if operation is Operation.STATUS_STREAM:
            app.add_route(spec.path, stream_route(ocp, CUT, _stream_gone_wrong(ocp)), methods=[spec.method])
        elif operation is Operation.STATUS_SOCKET:
            app.add_route(spec.path, plain_route(ocp, _stream_gone_wrong(ocp)), methods=[spec.method])
            app.router.routes.append(WebSocketRoute(spec.path, socket_route(ocp, _socket_gone_wrong(ocp))))
        else:
            app.add_route(spec.path, _operation(ocp, operation), methods=[spec.method])
    app.add_route(profile.token.path, _token(ocp), methods=["POST"])
    app.mount(CONTROL_PATH, create_control(ocp))
    return app


async def _tick(ocp: PretendOcp) -> None:
    while True:
        ocp.catch_up()
        await asyncio.sleep(TICK_S / max(1.0, ocp.clock.rate / 60))


def _operation(ocp: PretendOcp, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        parameters = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token_url = str(request.url.replace(path=ocp.profile.token.path, query=None))
        call = Call(operation, request.headers, parameters, await request.body(), token_url)
        fault = ocp.faults.next_call(operation.value)
        if fault is None:
            answer = ocp.answer(call)
            return _response(answer if answer.later is None else await answer.later())
        refusal = fault.refusal if fault.kind is FaultKind.ENTRIES_REFUSED else None
        return await _go_wrong(ocp, fault, request, lambda: ocp.answer(call, refusal), operation)

    return serve


def _stream_gone_wrong(ocp: PretendOcp) -> Callable[[Fault, Request], Awaitable[Response]]:
    async def go_wrong(fault: Fault, request: Request) -> Response:
        failed = ocp.failed(500, "an internal error")
        return await _go_wrong(ocp, fault, request, lambda: failed, Operation.STATUS_STREAM)

    return go_wrong


def _socket_gone_wrong(ocp: PretendOcp) -> Callable[[Fault], Answer]:
    return lambda fault: _wrong_answer(ocp, fault, None, Operation.STATUS_SOCKET)


def _token(ocp: PretendOcp) -> Callable[[Request], Awaitable[Response]]:
    def exchange(form: dict[str, str], token_url: str) -> Answer:
        try:
            document: dict[str, object] = ocp.tokens.exchange(form, token_url, ocp.wall())
            ocp.keep()
        except TokenRefusedError as refused:
            return _no_token(refused, 400)
        return Answer(200, msgspec.json.encode(document), {"Cache-Control": "no-store"})

    async def serve(request: Request) -> Response:
        text = (await request.body()).decode("utf-8", "replace")
        form = dict(parse_qsl(text, keep_blank_values=True))
        token_url = str(request.url.replace(query=None))
        fault = ocp.faults.next_call(TOKEN)
        if fault is None:
            return _response(exchange(form, token_url))
        if fault.kind in (FaultKind.DENIED, FaultKind.REFUSED):
            refused = ocp.tokens.refused_by_order()
            return _response(_no_token(refused, 401 if fault.kind is FaultKind.DENIED else 400))
        return await _go_wrong(ocp, fault, request, lambda: exchange(form, token_url))

    return serve


def _no_token(refused: TokenRefusedError, status: int) -> Answer:
    told = {"error": refused.error, "error_description": refused.description}
    return Answer(status, msgspec.json.encode(told), {"Cache-Control": "no-store"})


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), answer.media_type)


class _SlowResponse(Response):
    """An answer that comes in pieces, the last one `over_s` behind the first."""

    def __init__(self, answer: Answer, over_s: float) -> None:
        super().__init__(answer.body, answer.status, dict(answer.headers), answer.media_type)
        self._over_s = over_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send piece by piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        size = max(1, -(-len(body) // PIECES))
        starts = range(0, len(body), size)
        for start in starts:
            if start:
                await asyncio.sleep(self._over_s / max(1, len(starts) - 1))
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _go_wrong(
    ocp: PretendOcp, fault: Fault, request: Request, work: Work, operation: Operation | None = None
) -> Response:
    """Answer as the fault orders, with or without the work done."""
    kind = fault.kind
    if kind is FaultKind.LATE and not fault.does_work:
        await asyncio.sleep(fault.delay_s)
        return _response(work())
    done = work() if fault.does_work or kind in (FaultKind.ENTRIES_REFUSED, FaultKind.SLOW) else None
    if kind in (FaultKind.CUT_BEFORE, FaultKind.CUT_AFTER):
        return await _cut(request)
    if kind is FaultKind.NO_ANSWER:
        while (await request.receive())["type"] != "http.disconnect":
            continue
        return Response(status_code=500)
    if kind is FaultKind.LATE:
        await asyncio.sleep(fault.delay_s)
    if kind is FaultKind.SLOW and done is not None:
        return _SlowResponse(done, fault.delay_s)
    return _response(_wrong_answer(ocp, fault, done, operation))


def _wrong_answer(ocp: PretendOcp, fault: Fault, done: Answer | None, operation: Operation | None) -> Answer:
    again = {"Retry-After": str(fault.retry_after_s)}
    match fault.kind:
        case FaultKind.DENIED:
            return ocp.failed(401, "the token is no longer good", {"WWW-Authenticate": "Bearer"})
        case FaultKind.THROTTLED:
            return ocp.failed(429, "too many calls", again)
        case FaultKind.BROKEN:
            return ocp.failed(500, "an internal error")
        case FaultKind.CLOSED:
            return Answer(503, HTML, again, "text/html")
        case FaultKind.TIMED_OUT:
            return ocp.failed(504, "a time-out inside OCP")
        case FaultKind.REFUSED:
            usual = 400 if operation in _STREAMS else 200
            return ocp.refused(_STATUSES.get(fault.refusal, usual), [(fault.refusal, "refused by order")], operation)
        case FaultKind.WRONG_SHAPE:
            return Answer(200, b'{"unexpected": [1, 2, 3]}')
        case FaultKind.BROKEN_JSON:
            body = done.body if done is not None else b"{}"
            return Answer(200, body[: max(1, len(body) // 2)])
        case _:
            return done if done is not None else ocp.failed(500, "an internal error")


async def _cut(request: Request) -> Response:
    """Cut the connection without a byte of answer. Raises OcpOutcomeUnknown where there is no connection."""
    cut = request.scope.get(CUT)
    if cut is None:
        raise OcpOutcomeUnknown("the connection is cut by order")
    cut()
    # the connection's end is told in the loop's next turns; what is answered before that goes nowhere
    while (await request.receive())["type"] != "http.disconnect":
        continue
    return Response(status_code=500)
