"""Connections on which TLS is not agreed yet.

A server of asyncio tells nobody of a handshake that fails. So connections are accepted here, and hands are shaken with
each in a task of its own: who is refused is told with address and reason, who is not is handed to its session.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from typing import Protocol

#: at once waiting to be accepted
BACKLOG = 1024
TOO_MANY = "too many connections"
#: how long to wait when the process has no more descriptors, or the kernel no more memory
_SHORT_S = 1.0


class Taker(Protocol):
    """Who takes a connection once TLS is agreed."""

    @property
    def handshake_s(self) -> float:
        """How long a handshake may take."""
        ...

    @property
    def room(self) -> int:
        """How many more connections are taken."""
        ...

    def agreed(self) -> asyncio.Protocol:
        """A protocol for a connection that is in order."""
        ...

    def refused(self, address: str, text: str) -> None:
        """No TLS was agreed."""
        ...


class TlsServer:
    """Listens on one address, as asyncio's Server does, and speaks TLS only."""

    def __init__(self, taker: Taker, context: ssl.SSLContext) -> None:
        self.sockets: list[socket.socket] = []
        self._taker = taker
        self._context = context
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def handshakes(self) -> int:
        """How many are under way."""
        return len(self._handshakes)

    async def start(self, host: str, port: int) -> None:
        """Begin to accept. Raises OSError when the address cannot be bound."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, place in dict.fromkeys((family, place) for family, _, _, _, place in found):
                listening = socket.create_server(place[:2], family=family, backlog=BACKLOG)
                listening.setblocking(False)
                self.sockets.append(listening)
        except OSError:
            self.close()
            raise
        self._accepting = [loop.create_task(self._accept(listening)) for listening in self.sockets]

    def close(self) -> None:
        """Accept no more; end what is not agreed."""
        for task in (*self._accepting, *self._handshakes):
            task.cancel()
        for listening in self.sockets:
            listening.close()

    async def wait_closed(self) -> None:
        """Return when all of it has ended."""
        await asyncio.gather(*self._accepting, *self._handshakes, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                dialled, peer = await loop.sock_accept(listening)
            except OSError as error:
                # who hung up before being accepted keeps nobody else waiting
                if error.errno != errno.ECONNABORTED:
                    await asyncio.sleep(_SHORT_S)
                continue
            address = f"{peer[0]}:{peer[1]}"
            if self._taker.room <= 0:
                self._taker.refused(address, TOO_MANY)
                dialled.close()
                continue
            task = loop.create_task(self._agree(dialled, address))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _agree(self, dialled: socket.socket, address: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._taker.agreed, dialled, ssl=self._context, ssl_handshake_timeout=self._taker.handshake_s
            )
        except OSError as error:
            self._taker.refused(address, f"TLS was not agreed: {_reason(error)}")
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                dialled.close()
            raise


def _reason(error: OSError) -> str:
    """Why TLS was not agreed, in a line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the PSS was not taken: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "what came is not TLS").replace("_", " ").lower()
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return "the handshake took too long"
    return "the connection was closed"
