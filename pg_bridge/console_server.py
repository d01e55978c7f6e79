"""The HTTP server of the console: takes pushes, and tells how the bridge is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from pg_bridge.config import PushConfig
from pg_bridge.console.app import PushPort, Scraped, create_app
from pg_bridge.dispatcher.dispatcher import Dispatcher
from pg_bridge.errors import ConfigError
from pg_bridge.metrics import CONTENT_TYPE, Metrics


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: cli decides when the bridge ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def serve_console(
    config: PushConfig, taker: PushPort, dispatcher: Dispatcher, metrics: Metrics
) -> tuple[int, Callable[[], Any]]:
    """Serve from here on; gives the port, and what stops it. Raises ConfigError when the address is taken."""

    async def health() -> dict[str, Any]:
        return {
            "status": "down" if dispatcher.failed.done() else "up",
            "open": sum(exchange.reply is None for exchange in dispatcher.state.exchanges.values()),
            "in_doubt": len(dispatcher.state.in_doubt()),
            "undelivered": sum(len(outbox.queue) for outbox in dispatcher.state.outboxes.values()),
        }

    settings = uvicorn.Config(
        create_app(taker, health, Scraped(metrics.text, CONTENT_TYPE)),
        host=config.host,
        port=config.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = _Server(settings)
    try:
        sock = settings.bind_socket()
    except SystemExit as error:
        raise ConfigError(f"listening on {config.host}:{config.port}: the address is taken") from error
    # what is accepted inherits it; uvicorn's own socket does not say that it is TCP, so that asyncio leaves it alone,
    # and the second packet of each answer would wait some 40 ms for the first one to be acknowledged
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[sock]))

    async def stop() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        sock.close()

    return int(sock.getsockname()[1]), stop
