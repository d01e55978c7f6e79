"""OCP's operations over HTTP: fulfils exchange.ports.Ocp.

A caller takes the slot of its call (exchange.ports.Slots) before it calls; slots for what the client adds by itself
(the second try after a 401, further pages) are taken here.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from pg_bridge.errors import OcpDenied, OcpError, OcpOutcomeUnknown, OcpRefused, OcpThrottled, OcpUnavailable
from pg_bridge.exchange.turns import Turn
from pg_bridge.ocp.call_record import HIDDEN, CallRecord, RawHeaders, shown
from pg_bridge.ocp.circuit import Circuit
from pg_bridge.ocp.door import Renamed
from pg_bridge.ocp.keys import base64url
from pg_bridge.ocp.limits import CallLimits, Limit
from pg_bridge.ocp.options import OcpOptions
from pg_bridge.ocp.outcome import Answers, Page, Reply
from pg_bridge.ocp.references import reference_reader
from pg_bridge.ocp.server_clock import ServerClock
from pg_bridge.ocp.streaming import StreamDoor
from pg_bridge.ocp.tokens import Identity, Token, open_tokens
from pg_bridge.ocp.wire import Wire
from pg_bridge.profiles.concepts import SI_WRITES, STREAMS, Operation
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.ocp_file import OperationSpec
from pg_bridge.profiles.page_limit import page_limit

#: the binding group of a query's document, where it has one
_QUERY_GROUPS = {Operation.SI_QUERY: "query", Operation.STATUS_EVENTS: "events_query"}
#: what the client adds by itself goes before new input: somebody waits for the rest of it
_PRIORITY = Turn.URGENT
_HEADERS = (
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"identity"),
    (b"Accept-Language", b"en-US"),
    (b"Content-Type", b"application/json"),
)


@dataclass(frozen=True, slots=True)
class _Route:
    """Everything of one operation that does not change from call to call."""

    operation: Operation
    spec: OperationSpec
    url: httpx.URL
    address: str
    answers: Answers
    size: int | None


@dataclass(frozen=True, slots=True)
class _Request:
    """One call; `asked`: the request references of a write, in order. patience_s: see `page`."""

    route: _Route
    participant: str
    request_id: str
    url: httpx.URL
    body: bytes
    asked: Sequence[str | None] | None
    patience_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Going:
    """One HTTP request of a call, when it began, and what came back (status 0: nothing)."""

    request: _Request
    token: Token
    headers: RawHeaders
    started: float
    reply: Reply


def company_limits(profile: OcpProfile, company_calls: int = 0) -> list[Limit]:
    """The limits of the profile; `company_calls` overrides the company's (0: as the profile says, -1: none)."""
    limits = profile.limits
    calls = limits.company_calls if company_calls == 0 else max(0, company_calls)
    return [Limit(calls, limits.company_period_s), Limit(limits.machine_calls, limits.machine_period_s)]


class OcpClient:
    """One company's and machine's way to OCP. Raises ConfigError when options, keys and profile do not fit."""

    def __init__(
        self,
        profile: OcpProfile,
        options: OcpOptions,
        identity: Identity,
        *,
        limits: CallLimits,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        fresh_id: Callable[[], str],
        on_call: Callable[[CallRecord], None] | None = None,
        circuit: Circuit | None = None,
    ) -> None:
        self._profile = profile
        self._identity = identity
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._on_call = on_call
        self._options = options
        self._circuit = circuit
        self._server_clock = ServerClock(clock)
        self._wire = Wire(options, self._server_clock)
        self._tokens = open_tokens(
            profile.token,
            identity,
            options.auth_base_url or options.base_url,
            self._wire,
            self._server_clock,
            fresh_id,
        )
        self._references = {is_bulk: reference_reader(profile, is_bulk=is_bulk) for is_bulk in (True, False)}
        self._request_id = profile.headers.request_id.encode("ascii")
        self._timestamp = profile.headers.timestamp.encode("ascii")
        self._signature = profile.headers.signature.encode("ascii") if profile.headers.sign_writes else b""
        base = options.base_url.rstrip("/")
        self._routes = {
            operation: self._route(operation, base) for operation in profile.operations if operation not in STREAMS
        }

    def _route(self, operation: Operation, base: str) -> _Route:
        spec = self._profile.operations[operation]
        size: int | None = None
        if operation is Operation.STATUS_EVENTS:
            size = self._profile.push.events_page
        elif operation in _QUERY_GROUPS:
            place = self._profile.place(_QUERY_GROUPS[operation], "size")
            size = page_limit(self._profile, operation, place.members)
        address = base + spec.path
        return _Route(operation, spec, httpx.URL(address), address, Answers(self._profile, operation), size)

    async def __aenter__(self) -> OcpClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give up the renewal under way and close every connection."""
        await self._tokens.aclose()
        await self._wire.aclose()

    async def write(self, operation: Operation, participant: str, request_id: str, body: bytes) -> list[dict[str, Any]]:
        """Call a write with this very body; the answer's entries, as many as were asked, in order.

        Raises OcpUnavailable (surely nothing done, the same id again), OcpOutcomeUnknown, OcpDenied, OcpRefused.
        """
        route = self._routes[operation]
        asked: list[str | None] = [None]
        if operation in SI_WRITES:
            try:
                asked = self._references[route.spec.bulk](body)
            except msgspec.DecodeError as error:
                text = "our own body is no call; it was not sent"
                raise OcpRefused(f"calling {operation}: {text}", refusals=[(OcpRefused.code, text)]) from error
        request = _Request(route, participant, request_id, route.url, body, asked)
        return (await self._call(request)).entries

    async def ask(self, operation: Operation, participant: str, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Ask a query with a document (POST) or parameters (GET), following its cursor to the end.

        Gives the entries. Raises as `write`; a query of unknown outcome may simply be asked again.
        """
        route = self._routes[operation]
        asked = self._with_size(route, dict(document))
        page = await self._page(route, participant, asked)
        entries = page.entries
        cursors = set()
        while page.next_cursor is not None:
            if page.next_cursor in cursors or not page.entries:
                raise OcpOutcomeUnknown(f"calling {operation}: the listing does not go on")
            cursors.add(page.next_cursor)
            self._turn(route, asked, page)
            await self._limits.slot(_PRIORITY)
            page = await self._page(route, participant, asked)
            entries += page.entries
        return entries

    async def page(
        self, operation: Operation, document: Mapping[str, Any], *, participant: str = "", patience_s: float = 0.0
    ) -> Page:
        """Ask for one page of a listing, whose cursor and size the document says itself. Raises as `ask`.

        patience_s: how much longer than other answers this one may take, as a long poll does.
        """
        return await self._page(self._routes[operation], participant, document, patience_s)

    async def signing_keys(self) -> list[dict[str, Any]]:
        """The public keys (JWK) that OCP signs deliveries with. Raises as `ask`."""
        await self._limits.slot(_PRIORITY)
        return await self.ask(Operation.CRYPTO_META, "", {})

    def streams(self) -> StreamDoor:
        """A door to streams and sockets, by the same identity; whoever asked closes it."""
        return StreamDoor(self._profile, self._options, self._tokens, self._limits, self._server_clock.now)

    def _with_size(self, route: _Route, asked: dict[str, Any]) -> dict[str, Any]:
        if route.size is not None:
            place = self._profile.place(_QUERY_GROUPS[route.operation], "size")
            if place.read(asked) is None:
                place.write(asked, route.size)
        return asked

    def _turn(self, route: _Route, asked: dict[str, Any], page: Page) -> None:
        """Ask for the page behind `page`: by its cursor, or for events by the last sequence given."""
        if route.operation is Operation.STATUS_EVENTS:
            last = max(self._profile.get("event", "event_sequence", event) for event in page.entries)
            self._profile.place("events_query", "after_sequence").write(asked, last)
        elif route.operation in _QUERY_GROUPS:
            self._profile.place(_QUERY_GROUPS[route.operation], "cursor").write(asked, page.next_cursor)
        else:
            # No cursor is bound for it: what else there is cannot be asked for.
            raise OcpOutcomeUnknown(f"calling {route.operation}: the answer has more pages than one")

    async def _page(self, route: _Route, participant: str, asked: Mapping[str, Any], patience_s: float = 0.0) -> Page:
        if route.spec.method == "GET":
            parameters = {name: _parameter(value) for name, value in asked.items() if value is not None}
            url = httpx.URL(f"{route.address}?{urlencode(parameters, doseq=True)}") if parameters else route.url
            return await self._call(_Request(route, participant, "", url, b"", None, patience_s))
        body = msgspec.json.encode(asked)
        return await self._call(_Request(route, participant, "", route.url, body, None, patience_s))

    async def _call(self, request: _Request) -> Page:
        """One call, as often as it takes to be let in; the circuit hears how it ended."""
        try:
            page = await self._called(request)
        except (OcpUnavailable, OcpOutcomeUnknown) as error:
            if self._circuit is not None and not isinstance(error, OcpThrottled):
                self._circuit.failed(str(error), getattr(error, "retry_after_s", None))
            raise
        except OcpError:
            self._succeeded(request)
            raise
        self._succeeded(request)
        return page

    def _succeeded(self, request: _Request) -> None:
        # That OCP says it is up does not show yet that it does what it is called for.
        if self._circuit is not None and request.route.operation is not Operation.HEALTH:
            self._circuit.succeeded()

    async def _called(self, request: _Request) -> Page:
        token = await self._tokens.token()
        going = await self._send(request, token)
        if going.reply.status == 401:
            self._record(going, OcpDenied.code)
            token = await self._tokens.renew(token)
            await self._limits.slot(_PRIORITY)
            going = await self._send(request, token)
        if going.reply.status == 429:
            self._limits.hold(going.reply.retry_after_s)
        try:
            page = request.route.answers.read(going.reply, request.asked)
        except OcpError as refusal:
            self._record(going, refusal.code)
            raise
        self._record(going, "", len(page.entries))
        return page

    async def _send(self, request: _Request, token: Token) -> _Going:
        """One HTTP request; gives it with what came back. However it ends, it is recorded: here where none came."""
        route = request.route
        headers = [*_HEADERS, (b"Authorization", b"Bearer " + token.value.encode("ascii"))]
        if route.spec.writes:
            headers += self._write_headers(request)
        started = self._monotonic()
        try:
            reply = await self._wire.send(
                route.spec.method,
                request.url,
                headers,
                request.body,
                f"calling {route.operation}",
                patience_s=request.patience_s,
            )
        except (OcpError, asyncio.CancelledError) as error:
            code = error.code if isinstance(error, OcpError) else OcpOutcomeUnknown.code
            self._record(_Going(request, token, headers, started, Reply(0, b"")), code)
            raise
        return _Going(request, token, headers, started, reply)

    def _write_headers(self, request: _Request) -> list[tuple[bytes, bytes]]:
        timestamp = str(int(self._server_clock.now() * 1000))
        headers = [
            (self._request_id, request.request_id.encode("ascii")),
            (self._timestamp, timestamp.encode("ascii")),
        ]
        if self._signature:
            spec = request.route.spec
            digest = hashlib.sha256(request.body).hexdigest()
            said = ".".join((request.request_id, timestamp, spec.method, spec.path, digest))
            with Renamed(f"signing a call of {request.route.operation}"):
                signature = self._identity.machine_key.sign(said.encode("ascii"))
            headers.append((self._signature, base64url(signature).encode("ascii")))
        return headers

    def _record(self, going: _Going, error: str, answered: int = 0) -> None:
        if self._on_call is None:
            return
        request, reply = going.request, going.reply
        token = going.token.value.encode("ascii")
        self._on_call(
            CallRecord(
                operation=request.route.operation,
                participant=request.participant,
                request_id=request.request_id,
                method=request.route.spec.method,
                url=str(request.url),
                sent=shown(going.headers, token),
                asked=request.body,
                status=reply.status,
                received=shown(reply.headers, token),
                answered=reply.body.replace(token, HIDDEN),
                entries=answered if request.asked is None else len(request.asked),
                at=self._clock().timestamp(),
                duration_s=self._monotonic() - going.started,
                error=error,
            )
        )


def _parameter(value: Any) -> Any:
    """A value as a query parameter has it: booleans as JSON spells them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
