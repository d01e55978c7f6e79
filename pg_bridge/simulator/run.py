"""The pretend OCP as a process, or beside a test: uvicorn around the app, on a socket."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, cast

import msgspec
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.ocp import CONTROL_PATH, CUT, create_app
from pg_bridge.simulator.options import SimulatorOptions

#: of the collector's three generations; see `serve`
GC_THRESHOLDS = (20_000, 20, 100)


class CuttableProtocol(HttpToolsProtocol):
    """HTTP whose connection a route can cut."""

    def on_message_begin(self) -> None:
        """Leave the cutting in the scope of each request."""
        super().on_message_begin()
        cast(dict[str, object], self.scope)[CUT] = self.transport.abort


class DenyingProtocol(WebSocketsSansIOProtocol):
    """Websockets that a route may deny with an answer: uvicorn's own takes that for a failure, and says so."""

    async def send(self, message: Any) -> None:
        """Send, and know that a denial is an end of the handshake too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True


class _AnnouncingServer(uvicorn.Server):
    """Says when it listens. `ends_by_signal`: SIGINT and SIGTERM end it in order; else signals are left alone."""

    def __init__(self, app: ASGIApp, announce: Callable[[], None], ends_by_signal: bool) -> None:
        super().__init__(_config(app))
        self._app = app
        self._announce = announce
        self._ends_by_signal = ends_by_signal

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's own, do not raise the signal again at the end: to be told to end is no failure."""
        loop = asyncio.get_running_loop()
        names = (signal.SIGINT, signal.SIGTERM) if self._ends_by_signal else ()
        for name in names:
            loop.add_signal_handler(name, self.handle_exit, name, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # who waits or listens would hold the end up
        ocp = getattr(getattr(self._app, "state", None), "ocp", None)
        if ocp is not None:
            ocp.end_waiting()
        await super().shutdown(sockets=sockets)


def serve(profile: OcpProfile, options: SimulatorOptions, wall: Callable[[], datetime]) -> None:
    """Run the pretend OCP until SIGINT or SIGTERM.

    Prints one JSON line when it listens: `{"listening": "http://127.0.0.1:PORT", "control": ..., "kid": ...}`.
    Raises ConfigError when the address cannot be bound or the options do not fit.
    """
    app = create_app(profile, options, wall)
    # nearly all that is made here stays for good: looking through it again and again frees nothing and takes a third
    # of the time. What was made up to now is never looked at again, the rest seldom.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    listener = _bind(options.host, options.port)
    url = _url(listener)
    line = {"listening": url, "control": url + CONTROL_PATH, "profile": profile.name, "kid": app.state.ocp.key.kid}

    def announce() -> None:
        print(msgspec.json.encode(line).decode(), flush=True)

    try:
        _AnnouncingServer(app, announce, ends_by_signal=True).run(sockets=[listener])
    finally:
        listener.close()


@asynccontextmanager
async def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0, *, dated: bool = True) -> AsyncIterator[str]:
    """Serve the app inside the running loop; gives its URL. dated: answers tell the machine's own time."""
    listener = _bind(host, port)
    ready = asyncio.Event()
    server = _AnnouncingServer(app, ready.set, ends_by_signal=False)
    server.config.date_header = dated
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        yield _url(listener)
    finally:
        server.should_exit = True
        await task
        listener.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=CuttableProtocol,
        ws=DenyingProtocol,
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ConfigError(f"binding {host}:{port}: {error.strerror}") from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
