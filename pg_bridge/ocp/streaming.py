"""Opens streams and sockets of status events at OCP: authorised, within the limits, with the TLS of every call.

Unlike a call they have no end, so that no time-out bounds them as a whole: a stream that is silent for long, and a
socket that answers no ping, count as lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiohttp import StreamReader

from pg_bridge.errors import ConfigError, OcpDenied, OcpError, OcpUnavailable
from pg_bridge.ocp.door import Renamed
from pg_bridge.ocp.limits import CallLimits
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.push_driver import Json
from pg_bridge.ocp.retry_after import read_retry_after
from pg_bridge.ocp.tokens import Token, Tokens
from pg_bridge.ocp.wire import tls_context
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

Opened = TypeVar("Opened")

#: a stream that brings nothing for so many times the profile's silence is taken for lost
_SILENCES = 5
#: between two pings of a socket, in seconds
PING_S = 20.0
#: of one event, in bytes
LARGEST_EVENT = 1_048_576


class StreamDoor:
    """One company's and machine's way to streams. Raises ConfigError where the profile has no such operation."""

    def __init__(
        self,
        profile: OcpProfile,
        options: OcpOptions,
        tokens: Tokens,
        limits: CallLimits,
        now: Callable[[], float],
    ) -> None:
        self.profile = profile
        self._options = options
        self._tokens = tokens
        self._limits = limits
        #: epoch seconds by OCP's clock
        self._now = now
        self._schema = profile.operations[Operation.STATUS_EVENTS].answer
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close every stream and socket."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def stream(self, participant: str, after: str, headers: Mapping[str, str]) -> AsyncIterator[StreamReader]:
        """A participant's stream behind `after`, open. Raises OcpUnavailable, OcpDenied, OcpOutcomeUnknown."""
        url = self._url(Operation.STATUS_STREAM, participant, after)
        silence_s = self.profile.push.silence_s * _SILENCES
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._options.connect_s, sock_read=silence_s)

        async def ask(token: Token) -> aiohttp.ClientResponse:
            response = await self._client().get(
                url,
                headers={**headers, **_authorisation(token)},
                timeout=timeout,
                allow_redirects=False,
                proxy=self._options.proxy or None,
            )
            if response.status != HTTPStatus.OK:
                response.close()
                raise _NotOpened(response.status, response.headers.get("Retry-After"))
            return response

        with Renamed(f"listening to {Operation.STATUS_STREAM}"):
            response = await self._opened(Operation.STATUS_STREAM, ask)
            try:
                yield response.content
            finally:
                response.close()

    @asynccontextmanager
    async def socket(self, participant: str, after: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A participant's socket behind `after`, open. Raises as `stream`."""
        url = self._url(Operation.STATUS_SOCKET, participant, after)

        async def ask(token: Token) -> aiohttp.ClientWebSocketResponse:
            try:
                async with asyncio.timeout(self._options.connect_s + self._options.read_s):
                    return await self._client().ws_connect(
                        url,
                        headers=_authorisation(token),
                        heartbeat=PING_S,
                        max_msg_size=LARGEST_EVENT,
                        timeout=aiohttp.ClientWSTimeout(ws_close=self._options.connect_s),
                        proxy=self._options.proxy or None,
                    )
            except aiohttp.WSServerHandshakeError as error:
                said = error.headers.get("Retry-After") if error.headers is not None else None
                raise _NotOpened(error.status, said) from None  # the repr of what was raised shows the token

        with Renamed(f"listening to {Operation.STATUS_SOCKET}"):
            socket = await self._opened(Operation.STATUS_SOCKET, ask)
            try:
                yield socket
            finally:
                await socket.close()

    async def _opened(self, operation: Operation, ask: Callable[[Token], Awaitable[Opened]]) -> Opened:
        """What `ask` opens; with another token where the first one is no longer good."""
        token = await self._tokens.token()
        await self._limits.slot()
        try:
            return await ask(token)
        except _NotOpened as refused:
            if refused.status != HTTPStatus.UNAUTHORIZED:
                raise self._refusal(operation, refused) from None
        token = await self._tokens.renew(token)
        await self._limits.slot()
        try:
            return await ask(token)
        except _NotOpened as refused:
            raise self._refusal(operation, refused) from None

    def _refusal(self, operation: Operation, refused: _NotOpened) -> OcpError:
        text = f"listening to {operation}: OCP answers {refused.status}"
        if refused.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return OcpDenied(text)
        said = refused.retry_after
        pause_s = None if said is None else read_retry_after(said, self._now())
        if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._limits.hold(pause_s)
        return OcpUnavailable(text, retry_after_s=pause_s)

    def read(self, data: str | bytes) -> Json:
        """One event. Raises ValueError for what is none, telling where it is wrong, never what it holds."""
        try:
            document: Json = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise ValueError("it is no JSON") from error
        faults = self.profile.faults(self._schema, document)
        if faults:
            where = faults[0].partition(":")[0]
            raise ValueError(f"it does not fit {self._schema}: {len(faults)} faults, first {where}")
        return document

    def _url(self, operation: Operation, participant: str, after: str) -> str:
        spec = self.profile.operations.get(operation)
        if spec is None:
            raise ConfigError(f"the OCP profile has no {operation}: choose another [push] driver")
        asked = self.profile.write("stream_query", {"participant_id": participant, "after_event": after})
        return f"{self._options.base_url.rstrip('/')}{spec.path}?{urlencode(asked)}"

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=tls_context(self._options))
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=LARGEST_EVENT
            )
        return self._session


class _NotOpened(Exception):
    """OCP opens no stream, and answers this."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after


def _authorisation(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}
