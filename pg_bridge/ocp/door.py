"""The one place where foreign exceptions become ours, by what they tell of the request's fate.

Only exceptions raised before the first byte left may say "nothing was done". Judged by aiohttp's own exception, not
by httpx's: httpx_aiohttp gives `ConnectTimeout` for every lost connection, also for one lost after sending.
"""

from __future__ import annotations

from types import TracebackType

import aiohttp
import httpx
import jwt
import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from pg_bridge.errors import OcpError, OcpOutcomeUnknown, OcpUnavailable

#: foreign -> ours; the first that fits decides
FOREIGN: tuple[tuple[type[BaseException], type[OcpError]], ...] = (
    # before anything was sent: refused, unknown name, TLS, connect or pool time-out, a proxy's refusal
    (aiohttp.ClientConnectorError, OcpUnavailable),
    (aiohttp.ConnectionTimeoutError, OcpUnavailable),
    (aiohttp.ClientHttpProxyError, OcpUnavailable),
    (aiohttp.ServerFingerprintMismatch, OcpUnavailable),
    (aiohttp.InvalidURL, OcpUnavailable),
    # at any other time: it may have been done
    (aiohttp.ClientError, OcpOutcomeUnknown),
    (httpx.HTTPError, OcpOutcomeUnknown),
    (httpx.InvalidURL, OcpUnavailable),
    (httpx.StreamError, OcpOutcomeUnknown),
    (OSError, OcpOutcomeUnknown),  # also TimeoutError and ssl.SSLError
    # what came back could not be read
    (msgspec.MsgspecError, OcpOutcomeUnknown),
    (UnicodeError, OcpOutcomeUnknown),
    (RecursionError, OcpOutcomeUnknown),
    # a key that does not sign: nothing could be sent
    (jwt.PyJWTError, OcpUnavailable),
    (InvalidSignature, OcpUnavailable),
    (UnsupportedAlgorithm, OcpUnavailable),
)


class Renamed:
    """`with Renamed("calling si_add"):` raises ours for every foreign exception of the table."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, OcpError):
            return
        origin = error
        if isinstance(error, httpx.HTTPError) and isinstance(error.__cause__, aiohttp.ClientError | OSError):
            origin = error.__cause__
        for foreign, ours in FOREIGN:
            if isinstance(origin, foreign):
                text = f"{self._doing}: {_said(origin)}"
                if isinstance(origin, aiohttp.ClientResponseError):
                    # Its repr shows the request's headers, so the token: it must not travel in a chain.
                    raise ours(text) from None
                raise ours(text) from error


def _said(error: BaseException) -> str:
    """The exception's name, and its text where that cannot hold what we sent."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientResponseError | jwt.PyJWTError):
        return name
    text = " ".join(str(error).split())[:200]
    return f"{name}: {text}" if text else name
