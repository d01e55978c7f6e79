"""The HTTP door: health, and the webhook that OCP pushes status events to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """The HTTP status that answers a push, and why."""

    status: int
    text: str


class PushPort(Protocol):
    """Who takes a push: checks it, makes it durable, and says how to answer."""

    async def take(self, headers: Mapping[str, str], body: bytes) -> PushAnswer:
        """2xx only when every event of it is durable."""
        ...


#: OCP pushes at most 100 events of some 2 KiB; anything far beyond is no push of OCP
MOST_BODY = 4_194_304


@dataclass(frozen=True, slots=True)
class Scraped:
    """What is scraped for Prometheus, and its content type."""

    text: Callable[[], bytes]
    content_type: str


def create_app(push: PushPort, health: Callable[[], Awaitable[dict[str, Any]]], scraped: Scraped) -> FastAPI:
    """The app with `GET /health`, `GET /metrics` and `POST /ocp/status-events`."""
    app = FastAPI(title="pg-bridge", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    async def healthy() -> JSONResponse:
        state = await health()
        return JSONResponse(state, status_code=200 if state["status"] == "up" else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(scraped.text(), headers={"content-type": scraped.content_type})

    @app.post("/ocp/status-events")
    async def status_events(request: Request) -> Response:
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MOST_BODY:
                return JSONResponse({"message": "the delivery is too large"}, status_code=413)
            pieces.append(piece)
        answer = await push.take(request.headers, b"".join(pieces))
        return JSONResponse({"message": answer.text}, status_code=answer.status)

    return app
