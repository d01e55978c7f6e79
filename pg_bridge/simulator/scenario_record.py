"""Every byte of a world that plays: of each connection of a PSS both ways, of OCP's calls and of its pushes.

Of a call and its answer: method, path, all headers that the program itself gives, and the body. What the HTTP library
adds on the wire (`date`, chunks) is not of the world and not kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pg_bridge.simulator.ocp import CONTROL_PATH

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class WireRecord:
    """The bytes so far, by channel: `PSS <participant> <terminal> <number> sent`, `... came`, `OCP`, `push`."""

    def __init__(self) -> None:
        self.channels: dict[str, bytearray] = {}

    def add(self, channel: str, data: bytes) -> None:
        """More bytes of a channel."""
        self.channels.setdefault(channel, bytearray()).extend(data)

    def push(self, url: str, headers: dict[str, str], body: bytes, status: int) -> None:
        """One try of a push."""
        self.add("push", _written(f"POST {url}", list(headers.items()), body) + f"{status}\n\n".encode())

    def as_text(self) -> str:
        """All of it, to be looked at."""
        return "\n".join(
            f"=== {name} ({len(data)} bytes)\n{data.decode('utf-8', 'replace')}"
            for name, data in sorted(self.channels.items())
        )


class RecordingApp:
    """The ASGI app of a pretend OCP, and a record of all its calls but those of its control."""

    def __init__(self, app: Any, record: WireRecord) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Serve; what came and what went is recorded when the answer is whole, or the call has ended without one."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, send)
            return
        asked, told = bytearray(), bytearray()

        async def listen() -> MutableMapping[str, Any]:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def tell(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.extend(_written(str(message["status"]), _texts(message["headers"]), b""))
            told.extend(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, listen, tell)
        finally:
            query = scope["query_string"].decode("latin-1")
            head = f"{scope['method']} {scope['path']}{'?' if query else ''}{query}"
            self._record.add("OCP", _written(head, _texts(scope["headers"]), bytes(asked)) + bytes(told) + b"\n\n")


def _texts(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]


def _written(head: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [head, *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\n".join(lines).encode() + body + b"\n"
