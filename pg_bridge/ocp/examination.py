"""Whether OCP can be reached and knows us: one look at each, for a person who sets the bridge up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from cryptography import x509

from pg_bridge.errors import ConfigError, OcpError
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.tokens import Identity, open_tokens
from pg_bridge.ocp.wire import Wire
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile

_HEADERS = ((b"Accept", b"application/json"), (b"Accept-Encoding", b"identity"))


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found. *_error: empty where it is well. skew_s: OCP's clock ahead of ours; None: it did not say.

    health_status: of its health, asked for without a token; 0: no answer came. health_s: how long that took.
    token_error: why there is no token, or a call with it is not taken.
    """

    health_status: int
    health_error: str
    health_s: float
    token_error: str
    skew_s: float | None


async def examine(
    profile: OcpProfile,
    options: OcpOptions,
    identity: Identity,
    clock: Callable[[], datetime],
    fresh_id: Callable[[], str],
) -> Examination:
    """Ask OCP for its health, for a token, and for an echo with it: one call of the company's limit.

    Raises ConfigError when options, keys and profile do not fit.
    """
    server_clock = ServerClock(clock)
    wire = Wire(options, server_clock)
    tokens = open_tokens(
        profile.token, identity, options.auth_base_url or options.base_url, wire, server_clock, fresh_id
    )
    began = time.perf_counter()
    status, health_error, token_error = 0, "", ""

    async def ask(operation: Operation, token: str = "") -> int:
        spec = profile.operations[operation]
        headers = [*_HEADERS, *([(b"Authorization", b"Bearer " + token.encode("ascii"))] if token else [])]
        url = httpx.URL(options.base_url.rstrip("/") + spec.path)
        return (await wire.send(spec.method, url, headers, b"", f"calling {operation}")).status

    try:
        try:
            status = await ask(Operation.HEALTH)
        except OcpError as error:
            health_error = str(error)
        took_s = time.perf_counter() - began
        try:
            token = await tokens.token()
            echoed = await ask(Operation.ECHO, token.value)
            token_error = "" if echoed == 200 else f"calling {Operation.ECHO} with it: {echoed}"
        except OcpError as error:
            token_error = str(error)
    finally:
        await tokens.aclose()
        await wire.aclose()
    return Examination(
        status, health_error, took_s, token_error, server_clock.skew_s if server_clock.is_dated else None
    )


def certificate_ends(file: Path) -> datetime:
    """When the certificate of a PEM file ends. Raises ConfigError."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.astimezone(UTC)
    except (OSError, ValueError) as error:
        raise ConfigError(f"reading the certificate {file}: {type(error).__name__}") from error
