"""What an HTTP answer, or the lack of one, says about what OCP did: one table (ocp-profile section 3, assumed).

The question that matters is never "did it fail" but "may it have been done": only what surely did nothing may be
sent again or refused; everything else is of unknown outcome.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import msgspec

from pg_bridge.errors import OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpUnavailable
from pg_bridge.profiles.ocp import OcpProfile

#: raised before a byte of the request can have reached OCP. The transport's own exception decides: httpx-aiohttp
#: calls every lost connection a ConnectTimeout, also one that was cut after sending.
_BEFORE_SENDING: tuple[type[BaseException], ...] = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_AFTER_SENDING: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
)


@contextlib.contextmanager
def door(doing: str) -> Iterator[None]:
    """Rename every foreign exception: by whether OCP may have seen the request."""
    try:
        yield
    except OcpError:
        raise
    except _AFTER_SENDING as error:
        if isinstance(error, _BEFORE_SENDING) or isinstance(error.__cause__, _BEFORE_SENDING):
            raise OcpUnavailable(f"{doing}: {_words(error)}") from error
        raise OcpOutcomeUnknown(f"{doing}: {_words(error)}") from error


def _words(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()


def read_answer(
    profile: OcpProfile, doing: str, response: httpx.Response, *, schema: str, due: int | None
) -> tuple[list[dict[str, Any]], str]:
    """The entries of an answer and its next cursor. Raises by the table. `due`: how many entries there must be."""
    status = response.status_code
    if status == 429:
        raise OcpUnavailable(f"{doing}: throttled (HTTP 429)", retry_after_s=_retry_after_s(response))
    if status == 503:
        raise OcpUnavailable(f"{doing}: closed for maintenance (HTTP 503)", retry_after_s=_retry_after_s(response))
    envelope = _envelope(response)
    refusals = _refusals(profile, envelope)
    if status == 401:
        raise OcpDenied(f"{doing}: the token is not taken (HTTP 401)")
    if status == 403:
        code = refusals[0][0] if refusals else ""
        if refusals:
            raise OcpRefused(f"{doing}: {refusals[0][1]}", refusals=refusals)
        raise OcpDenied(f"{doing}: not entitled (HTTP 403)", ocp_code=code)
    if status in (200, 400) and refusals:
        raise OcpRefused(f"{doing}: {refusals[0][0]} {refusals[0][1]}", refusals=refusals)
    if status == 200 and envelope is not None and profile.get("envelope", "code", envelope) == profile.envelope.code_ok:
        return _entries(profile, doing, envelope, schema=schema, due=due)
    if status in (404, 405, 413, 415):
        # OCP's front door did not know the call: nothing behind it can have.
        raise OcpRefused(f"{doing}: HTTP {status}", refusals=((f"HTTP{status}", f"HTTP {status}"),))
    raise OcpOutcomeUnknown(
        f"{doing}: HTTP {status}, {'no readable answer' if envelope is None else 'an unknown answer'}"
    )


def _entries(
    profile: OcpProfile, doing: str, envelope: dict[str, Any], *, schema: str, due: int | None
) -> tuple[list[dict[str, Any]], str]:
    entries = profile.get("envelope", "entries", envelope)
    if not isinstance(entries, list) or (due is not None and len(entries) != due):
        raise OcpOutcomeUnknown(f"{doing}: the answer has not the entries that are due")
    if schema:
        for entry in entries:
            faults = profile.faults(schema, entry)
            if faults:
                raise OcpOutcomeUnknown(f"{doing}: the answer is not of its schema: {faults[0]}")
    return entries, str(profile.get("envelope", "next_cursor", envelope) or profile.envelope.first_cursor)


def _envelope(response: httpx.Response) -> dict[str, Any] | None:
    try:
        envelope = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return None
    return envelope if isinstance(envelope, dict) else None


def _refusals(profile: OcpProfile, envelope: dict[str, Any] | None) -> list[tuple[str, str]]:
    errors = profile.get("envelope", "errors", envelope)
    if not isinstance(errors, list):
        return []
    return [
        (
            str(profile.get("record_error", "record_error_code", error)),
            str(profile.get("record_error", "record_error_message", error) or ""),
        )
        for error in errors
    ]


def _retry_after_s(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
