"""The bare reverse proxy that the bridge is measured against: FastAPI and httpx, nothing else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response


def create_proxy(target: str) -> FastAPI:
    """Pass every POST on as it is."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=target, trust_env=False) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/{path:path}")
    async def forward(path: str, request: Request) -> Response:
        answer = await app.state.client.post(
            f"/{path}", content=await request.body(), headers={"content-type": "application/json"}
        )
        return Response(answer.content, answer.status_code, media_type="application/json")

    return app


if __name__ == "__main__":
    settings = uvicorn.Config(create_proxy(sys.argv[1]), port=0, log_level="critical", access_log=False)
    sock = settings.bind_socket()
    sock.listen(1024)  # from here on connections wait instead of being refused
    print(f'{{"listening": "http://127.0.0.1:{sock.getsockname()[1]}"}}', flush=True)
    uvicorn.Server(settings).run(sockets=[sock])
