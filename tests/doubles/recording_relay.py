"""A way to OCP that keeps every byte that goes over it, and can have the token door quote back what it was sent."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from urllib.parse import parse_qs

_JWT = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")


class RecordingRelay:
    """`async with RecordingRelay(port, token_path) as relay:`, then `relay.url`."""

    def __init__(self, port: int, token_path: str) -> None:
        self._port = port
        self._token_path = token_path.encode()
        self._tasks: set[asyncio.Task[None]] = set()
        self.kept = bytearray()
        #: so many requests for a token are answered with what they said
        self.quotes = 0
        self.url = ""

    def jwts(self) -> set[bytes]:
        """Every assertion and token that went over."""
        return set(_JWT.findall(bytes(self.kept)))

    async def __aenter__(self) -> RecordingRelay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
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
        there, to_there = await asyncio.open_connection("127.0.0.1", self._port)
        back = asyncio.create_task(self._pump(there, writer))
        try:
            while await self._one(reader, writer, to_there):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            to_there.close()
            writer.close()
            self._tasks.discard(task)

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_there: asyncio.StreamWriter
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.kept += head + body + b"\n"
        if self.quotes and self._token_path in head.split(b"\r\n", 1)[0]:
            self.quotes -= 1
            said = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            text = f"was: {said.get('assertion')} {said['client_assertion']} {said}"
            answer = json.dumps({"error": text, "error_description": text}).encode()
            writer.write(b"HTTP/1.1 400 X\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
            return True
        to_there.write(head + body)
        await to_there.drain()
        return True

    async def _pump(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await there.read(65_536):
                self.kept += data
                writer.write(data)
                await writer.drain()
        writer.close()
