"""An HTTP server that answers what it is told, also what no server should: cut, silent, broken, late.

A path has a list of steps; each request takes the next one, the last is repeated. Every request is kept.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as received; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """A whole answer. `body` that is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        payload = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} X", f"Content-Length: {len(payload)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload


@dataclass(frozen=True)
class Cut:
    """Send these bytes, then close the connection (`hard`: reset it)."""

    sent: bytes = b""
    hard: bool = False


@dataclass(frozen=True)
class Silence:
    """Send these bytes, then nothing until the server closes."""

    sent: bytes = b""


@dataclass(frozen=True)
class Drip:
    """Send these bytes one by one, `every_s` seconds apart, until the peer gives up."""

    sent: bytes
    every_s: float


Step = Answer | Cut | Silence | Drip | Callable[[Request], Answer]


class ScriptedHttp:
    """`async with ScriptedHttp() as server:`, then `server.url`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        #: set by every request
        self.arrived = asyncio.Event()
        self.url = ""
        self._tls = tls
        self._steps: dict[str, list[Step]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, path: str, *steps: Step) -> None:
        """The steps of this path from now on."""
        self._steps[path] = list(steps)

    def seen(self, path: str) -> list[Request]:
        """The requests of this path."""
        return [request for request in self.requests if request.path == path]

    async def __aenter__(self) -> ScriptedHttp:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path, _, query = target.partition("?")
        request = Request(method, path, query, headers, body)
        self.requests.append(request)
        self.arrived.set()
        steps = self._steps[path]
        step = Answer(404) if not steps else steps.pop(0) if len(steps) > 1 else steps[0]
        if callable(step):
            step = step(request)
        if isinstance(step, Answer):
            writer.write(step.bytes())
            await writer.drain()
            return True
        if isinstance(step, Drip):
            for byte in step.sent:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(step.every_s)
            return True
        writer.write(step.sent)
        if step.sent:
            await writer.drain()
        if isinstance(step, Silence):
            await asyncio.get_running_loop().create_future()
        if isinstance(step, Cut) and step.hard:
            writer.transport.abort()
        return False
