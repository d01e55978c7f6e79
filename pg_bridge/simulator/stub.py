"""An OCP that answers at once and knows nothing: the other side of a benchmark.

Raw asyncio with httptools; every answer is cut from templates that the profile's binding makes at start. It gives a
fixed token, accepts every entry with SI numbers that count up, and lists nothing.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, cast

import httptools
import msgspec
import uvloop

from pg_bridge.errors import ConfigError
from pg_bridge.profiles.concepts import SI_WRITES, Operation, Status
from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.profiles.ocp_file import OperationSpec
from pg_bridge.simulator.clock import HONG_KONG
from pg_bridge.simulator.keys import SigningKey

Answering = Callable[[bytes], bytes]

_HOLE = "@@{}@@"
#: what an accepted entry tells of the request, in the order of the holes
_IN_ANSWER = ("request_reference", "participant_reference", "si_number")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Template:
    """A JSON document with holes, filled by joining bytes."""

    def __init__(self, document: object, holes: int) -> None:
        pieces = [_encode(document)]
        order: list[int] = []
        text = pieces.pop()
        found = sorted((text.index(_encode(_HOLE.format(hole))), hole) for hole in range(holes))
        end = 0
        for start, hole in found:
            pieces.append(text[end:start])
            order.append(hole)
            end = start + len(_encode(_HOLE.format(hole)))
        self._pieces = pieces
        self._order = order
        self._tail = text[end:]

    def fill(self, *values: bytes) -> bytes:
        """The document with `values` (JSON) in its holes."""
        filled = [part for piece, hole in zip(self._pieces, self._order, strict=True) for part in (piece, values[hole])]
        filled.append(self._tail)
        return b"".join(filled)


class Stub:
    """What the stub answers, by method and path."""

    def __init__(self, profile: OcpProfile, now: datetime, si_number_form: str = "I{:08d}") -> None:
        self._numbers = count(1)
        self._form = si_number_form
        self._entries = profile.place("request", "entries").read
        self._request_reference = profile.place("si", "request_reference").read
        self._participant_reference = profile.place("si", "participant_reference").read
        self._si_number = profile.place("si", "si_number").read
        self._total = profile.place("envelope", "total_size").json
        self._shown = [profile.place("answer", name).json for name in _IN_ANSWER]
        constants = profile.envelope
        self._envelope = Template(
            profile.write(
                "envelope",
                {
                    "code": constants.code_ok,
                    "message": "",
                    "entries": _HOLE.format(0),
                    "total_size": _HOLE.format(1),
                    "timestamp": now.astimezone(HONG_KONG).isoformat(timespec="milliseconds"),
                    "next_cursor": constants.first_cursor,
                    "errors": [],
                },
            ),
            2,
        )
        self._answer = Template(
            profile.write(
                "answer",
                {
                    "request_reference": _HOLE.format(0),
                    "participant_reference": _HOLE.format(1),
                    "si_number": _HOLE.format(2),
                    "status": profile.code("status", Status.UNMATCHED),
                    "version": 1,
                    "record_errors": [],
                },
            ),
            3,
        )
        self._empty = self._whole(b"[]", 0)
        keys = self._whole(_encode([SigningKey(None, profile.push.algorithm).jwk]), 1)
        token = _http(_encode({"access_token": "stub", "token_type": "Bearer", "expires_in": 3600, "scope": "STUB"}))
        self.answers: dict[tuple[bytes, bytes], Answering] = {
            (b"POST", profile.token.path.encode()): lambda _: token,
        }
        for operation, spec in profile.operations.items():
            answering: Answering = lambda _: self._empty  # noqa: E731 - one of several
            if operation in SI_WRITES:
                answering = self._answering(spec, self._next if operation is Operation.SI_ADD else self._si_number)
            elif operation is Operation.CRYPTO_META:
                answering = lambda _: keys  # noqa: E731
            elif spec.writes:
                answering = self._echo
            self.answers[(spec.method.encode(), spec.path.encode())] = answering

    def _next(self, _: Any) -> str:
        return self._form.format(next(self._numbers))

    def _answering(self, spec: OperationSpec, si_number: Callable[[Any], str]) -> Answering:
        """Accepts every entry of a call of this operation."""
        is_list = spec.answers == "list"

        def accept(body: bytes) -> bytes:
            document = _decode(body)
            answers = []
            for entry in self._entries(document) if spec.bulk else (document,):
                values = (self._request_reference(entry), self._participant_reference(entry), si_number(entry))
                shown = [_encode(show(value)) for show, value in zip(self._shown, values, strict=True)]
                answers.append(self._answer.fill(*shown))
            joined = b"[" + b",".join(answers) + b"]" if is_list else answers[0]
            return self._whole(joined, len(answers))

        return accept

    def _echo(self, body: bytes) -> bytes:
        return self._whole(b"[" + body + b"]", 1)

    def _whole(self, entries: bytes, count: int) -> bytes:
        return _http(self._envelope.fill(entries, _encode(self._total(count))))


class StubProtocol(asyncio.Protocol):
    """One connection; requests are answered in order, in the turn they are read."""

    def __init__(self, answers: Mapping[tuple[bytes, bytes], Answering]) -> None:
        self._answers = answers
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        # uvloop's transports are asyncio's in everything but their class
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole now."""
        if self._transport is None:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()
            return
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        path = self._url.partition(b"?")[0]
        answering = self._answers.get((self._parser.get_method(), path))
        body = b"".join(self._body)
        self._url, self._body = b"", []
        if answering is None:
            self._out.append(_http(b"{}", b"404 Not Found"))
            return
        try:
            self._out.append(answering(body))
        except (msgspec.MsgspecError, TypeError):
            self._out.append(_http(b"{}", b"400 Bad Request"))


def serve_stub(profile: OcpProfile, now: datetime, host: str = "127.0.0.1", port: int = 0) -> None:
    """Answer until SIGINT or SIGTERM; prints `{"listening": "http://127.0.0.1:PORT"}` when ready.

    Raises ConfigError when the address cannot be bound.
    """
    uvloop.run(_serve(Stub(profile, now), host, port))


async def start_stub(stub: Stub, host: str = "127.0.0.1", port: int = 0) -> tuple[asyncio.Server, str]:
    """A server inside the running loop and its URL. Raises ConfigError when the address cannot be bound."""
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: StubProtocol(stub.answers), host, port, family=socket.AF_INET, backlog=1024
        )
    except OSError as error:
        raise ConfigError(f"binding {host}:{port}: {error.strerror}") from error
    bound = server.sockets[0].getsockname()
    return server, f"http://{bound[0]}:{bound[1]}"


async def _serve(stub: Stub, host: str, port: int) -> None:
    server, url = await start_stub(stub, host, port)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    print(_encode({"listening": url}).decode(), flush=True)
    await ended.wait()
    server.close()


def _http(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)
