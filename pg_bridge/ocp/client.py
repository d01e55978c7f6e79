"""OCP's operations over HTTP: fulfils exchange.ports.Ocp. httpx over aiohttp's transport, kept connections."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from pg_bridge.errors import ConfigError, OcpDenied
from pg_bridge.ocp.outcome import door, read_answer
from pg_bridge.ocp.tokens import Identity, TokenSource
from pg_bridge.profiles.concepts import Operation
from pg_bridge.profiles.ocp import OcpProfile, OperationSpec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class OcpOptions:
    """Where OCP is and how long we wait for it. Times in seconds."""

    base_url: str
    auth_base_url: str = ""
    connect_s: float = 3.0
    read_s: float = 10.0
    write_s: float = 10.0
    pool_s: float = 10.0
    ca_file: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""
    proxy: str = ""


class OcpClient:
    """One company's machine at OCP. `clock` gives aware UTC; `jti` fresh ids for token requests."""

    def __init__(
        self,
        profile: OcpProfile,
        options: OcpOptions,
        identity: Identity,
        *,
        clock: Callable[[], datetime],
        jti: Callable[[], str],
    ) -> None:
        self._profile = profile
        self._options = options
        self._clock = clock
        self._signing_key = identity.machine_key
        self._http = httpx.AsyncClient(
            transport=AiohttpTransport(
                verify=_tls(options), proxy=httpx.Proxy(options.proxy) if options.proxy else None, trust_env=False
            ),
            timeout=httpx.Timeout(
                connect=options.connect_s, read=options.read_s, write=options.write_s, pool=options.pool_s
            ),
            headers={"Accept": "application/json", "Accept-Language": "en-US"},
            trust_env=False,
        )
        self._tokens = TokenSource(
            self._http,
            (options.auth_base_url or options.base_url).rstrip("/") + profile.token.path,
            profile.token,
            identity,
            clock=clock,
            jti=jti,
        )
        base = options.base_url.rstrip("/")
        self._urls = {operation: httpx.URL(base + spec.path) for operation, spec in profile.operations.items()}

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[dict[str, Any]]:
        """Call a write with this very body; one entry of the answer for each entry asked, in order."""
        spec = self._profile.operations[operation]
        doing = f"calling {operation.value} {request_id}"
        due: int | None = None
        if spec.bulk:
            due = len(self._profile.get("envelope", "entries", _decode(body)))
        headers = self._write_headers(spec, request_id, body)
        response = await self._send(doing, spec.method, self._urls[operation], headers, body)
        entries, _ = read_answer(self._profile, doing, response, schema=spec.answer, due=due)
        return entries

    async def ask(self, operation: Operation, participant: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Ask a query, following its cursor to the end."""
        spec = self._profile.operations[operation]
        doing = f"asking {operation.value}"
        asked = dict(document)
        found: list[dict[str, Any]] = []
        first = self._profile.envelope.first_cursor
        seen: set[str] = set()
        while True:
            if spec.method == "GET":
                url = self._urls[operation].copy_merge_params(
                    {name: str(value) for name, value in asked.items() if value is not None}
                )
                response = await self._send(doing, "GET", url, {}, None)
            else:
                headers = {"Content-Type": "application/json"}
                response = await self._send(doing, spec.method, self._urls[operation], headers, _encode(asked))
            entries, cursor = read_answer(self._profile, doing, response, schema=spec.answer, due=None)
            found += entries
            if cursor == first or cursor in seen:
                return found
            seen.add(cursor)
            asked |= self._profile.write("query", {"cursor": cursor})

    async def document(self, operation: Operation) -> Any:
        """The plain JSON document of an operation that has no envelope (key sets)."""
        doing = f"asking {operation.value}"
        response = await self._send(doing, "GET", self._urls[operation], {}, None)
        with door(doing):
            response.raise_for_status()
        try:
            return _decode(response.content)
        except msgspec.DecodeError as error:
            raise OcpDenied(f"{doing}: no JSON came") from error

    def _write_headers(self, spec: OperationSpec, request_id: str, body: bytes) -> dict[str, str]:
        names = self._profile.headers
        timestamp = str(int(self._clock().timestamp() * 1000))
        headers = {
            "Content-Type": "application/json",
            names.request_id: request_id,
            names.timestamp: timestamp,
        }
        if names.sign_writes:
            text = f"{request_id}.{timestamp}.{spec.method}.{spec.path}.{sha256(body).hexdigest()}"
            headers[names.signature] = self._signing_key.sign_text(text.encode())
        return headers

    async def _send(
        self, doing: str, method: str, url: httpx.URL, headers: dict[str, str], body: bytes | None
    ) -> httpx.Response:
        token = await self._tokens.token()
        with door(doing):
            response = await self._request(method, url, headers, body, token)
        if response.status_code == 401:
            token = await self._tokens.token(not_this=token)
            with door(doing):
                response = await self._request(method, url, headers, body, token)
        return response

    async def _request(
        self, method: str, url: httpx.URL, headers: dict[str, str], body: bytes | None, token: str
    ) -> httpx.Response:
        return await self._http.request(
            method, url, content=body, headers={**headers, "Authorization": f"Bearer {token}"}
        )


def _tls(options: OcpOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if options.client_certificate_file:
            context.load_cert_chain(options.client_certificate_file, options.client_key_file or None)
    except OSError as error:
        raise ConfigError(f"reading the TLS files of [ocp]: {error}") from error
    return context
