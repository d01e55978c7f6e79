"""A connection on which TLS is not agreed yet.

asyncio tells a protocol nothing of a handshake that fails, so TLS is begun here by hand: a refused one is told with its
address and reason, and a connection that was agreed goes to its session with every byte that came meanwhile.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol

TOO_MANY = "too many connections"


class Taker(Protocol):
    """Who takes a connection once TLS is agreed."""

    @property
    def handshake_s(self) -> float:
        """How long a handshake may take."""
        ...

    @property
    def is_crowded(self) -> bool:
        """No more connections are taken."""
        ...

    def agreed(self) -> asyncio.Protocol:
        """A protocol for a connection that is in order."""
        ...

    def refused(self, address: str, text: str) -> None:
        """No TLS was agreed."""
        ...


def address_of(transport: asyncio.BaseTransport) -> str:
    """The other side's `host:port`."""
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "unknown"


class Handshake(asyncio.Protocol):
    """One connection until TLS is agreed. `ended` is called with it when it is, or when it failed."""

    def __init__(self, taker: Taker, context: ssl.SSLContext, ended: Callable[[Handshake], None]) -> None:
        self._taker = taker
        self._context = context
        self._ended = ended
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        # what the session would have been told had it been there
        self._came = bytearray()
        self._is_over = self._is_lost = False
        self._error: Exception | None = None

    # --- asyncio.Protocol ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody dialled: the first bytes are TLS's, none may come to us before it is there."""
        self._transport = transport  # type: ignore[assignment]
        if self._taker.is_crowded:
            self._taker.refused(address_of(transport), TOO_MANY)
            self._ended(self)
            self.cut()
            return
        transport.pause_reading()  # type: ignore[attr-defined]
        self._task = asyncio.get_running_loop().create_task(self._agree())

    def data_received(self, data: bytes) -> None:
        """The PSS had something to say before its session was there."""
        self._came += data

    def eof_received(self) -> bool:
        """The PSS closed its side already."""
        self._is_over = True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone already."""
        self._is_lost, self._error = True, error

    # --- inner ---------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _agree(self) -> None:
        transport = self._transport
        assert transport is not None  # noqa: S101 - connection_made set it
        address = address_of(transport)
        try:
            agreed = await asyncio.get_running_loop().start_tls(
                transport, self, self._context, server_side=True, ssl_handshake_timeout=self._taker.handshake_s
            )
        except OSError as error:
            transport.abort()
            self._taker.refused(address, f"TLS was not agreed: {_reason(error)}")
        else:
            if agreed is None:
                self._taker.refused(address, "TLS was not agreed: the connection was closed")
            else:
                self._hand_over(agreed)
        finally:
            self._ended(self)

    def _hand_over(self, agreed: asyncio.Transport) -> None:
        session = self._taker.agreed()
        agreed.set_protocol(session)
        session.connection_made(agreed)
        if self._came:
            session.data_received(bytes(self._came))
        if self._is_over:
            session.eof_received()
        if self._is_lost:
            session.connection_lost(self._error)


def _reason(error: OSError) -> str:
    """Why TLS was not agreed, in a line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the PSS was not taken: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "what came is not TLS").replace("_", " ").lower()
    if isinstance(error, ConnectionResetError):
        return "the connection was closed"
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return "the handshake took too long"
    return str(error)
