"""A stub of OCP that answers at once and remembers nothing: the other end of benchmarks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import httptools
import msgspec

from pg_bridge.profiles.concepts import Operation, Status
from pg_bridge.profiles.ocp import OcpProfile

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Stub(asyncio.Protocol):
    """One connection."""

    def __init__(self, profile: OcpProfile, numbers: count[int]) -> None:
        self._profile = profile
        self._numbers = numbers
        self._parser: Any = None
        self._transport: Any = None
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url
        self._body = []

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path = self._url.partition(b"?")[0].decode()
        answer = _encode(self._answer(path, b"".join(self._body)))
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
        )

    def _answer(self, path: str, body: bytes) -> Any:
        profile = self._profile
        if path == profile.token.path:
            return {"access_token": "stub", "token_type": "Bearer", "expires_in": 3600}
        if path == profile.operations[Operation.CRYPTO_META].path:
            return {"keys": []}
        entries: list[Any] = []
        if path == profile.operations[Operation.SI_ADD].path:
            status = profile.code("status", Status.UNMATCHED)
            document = _decode(body)
            asked = profile.get("envelope", "entries", document)
            # A body that is no bulk of ours (a plain proxy's) counts as one entry.
            entries = [
                profile.write(
                    "answer",
                    {
                        "request_reference": profile.get("si", "request_reference", entry),
                        "participant_reference": profile.get("si", "participant_reference", entry),
                        "si_number": f"I{next(self._numbers) % 100_000_000:08d}",
                        "status": status,
                        "version": 1,
                        "record_errors": [],
                    },
                )
                for entry in (asked if isinstance(asked, list) else [document])
            ]
        return profile.write(
            "envelope",
            {
                "code": profile.envelope.code_ok,
                "message": "",
                "entries": entries,
                "total_size": len(entries),
                "timestamp": "2026-11-23T09:30:00.000+08:00",
                "next_cursor": profile.envelope.first_cursor,
                "errors": [],
            },
        )


async def run_stub(profile: OcpProfile, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until cancelled; `say` is told the URL."""
    numbers = count(1)
    server = await asyncio.get_running_loop().create_server(lambda: _Stub(profile, numbers), host, port)
    say(f"http://{host}:{server.sockets[0].getsockname()[1]}")
    async with server:
        await server.serve_forever()
