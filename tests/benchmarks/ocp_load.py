"""The load of the pretend OCP's benchmark: lean, so that it is not what is measured; requests are made beforehand."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from tests.doubles.ocp_caller import COMPANY, MACHINE, OcpCaller, jwks, rsa_key, si_entry

PARTICIPANTS = [f"{'BC'[number % 2]}{number:05d}" for number in range(1, 41)]
ADD = "/api/si/instructions/add/v1"
_LENGTH = b"content-length:"


class RealWall:
    """The wall, as the caller's tools want it."""

    @property
    def at(self):
        from pg_bridge.cli.world import utc_now

        return utc_now()


def registered(company: str = COMPANY, machine: str = MACHINE) -> dict:
    """One company that speaks for every participant."""
    return {
        "companies": {company: {"jwks": jwks(company), "participants": PARTICIPANTS}},
        "machines": {machine: {"jwks": jwks(machine), "company": company}},
    }


async def token_of(url: str) -> str:
    """Log in; gives the token."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10.0) as http:
        caller = OcpCaller(http, RealWall())
        await caller.log_in()
        return caller.token


def sides(pairs: Iterable[int]) -> Iterable[dict]:
    """Both sides of each pair, the deliverer's first; every pair is one that no other agrees with."""
    for number in pairs:
        one = number % len(PARTICIPANTS)
        other = (one + 1 + number // len(PARTICIPANTS) % (len(PARTICIPANTS) - 1)) % len(PARTICIPANTS)
        shared = {"quantity": 100 + number, "amount": f"{1000 + number}.50"}
        mine, theirs = PARTICIPANTS[one], PARTICIPANTS[other]
        reference = f"D{number:09d}"
        yield si_entry(reference, participantId=mine, counterpartyId=theirs, **shared)
        reference = f"R{number:09d}"
        yield si_entry(reference, participantId=theirs, counterpartyId=mine, direction="RECEIVE", **shared)


def request_of(token: str, path: str, body: bytes, *, signed: bool) -> bytes:
    """A write as it goes over the wire, with an id of its own."""
    request_id, stamp = str(uuid.uuid4()), str(int(time.time() * 1000))
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: ocp",
        f"Authorization: Bearer {token}",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-OCP-REQUEST-ID: {request_id}",
        f"X-OCP-TIMESTAMP: {stamp}",
    ]
    if signed:
        said = f"{request_id}.{stamp}.POST.{path}.{hashlib.sha256(body).hexdigest()}".encode()
        signature = rsa_key(MACHINE).sign(said, padding.PKCS1v15(), SHA256())
        lines.append(f"X-OCP-SIGNATURE: {base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def adds(token: str, entries: Iterable[dict], each: int, *, signed: bool) -> list[bytes]:
    """siAdd calls of `each` entries."""
    left = iter(entries)
    found = []
    while batch := list(itertools.islice(left, each)):
        body = json.dumps({"data": batch}, separators=(",", ":")).encode()
        found.append(request_of(token, ADD, body, signed=signed))
    return found


class _Connection(asyncio.Protocol):
    """One connection with one call in flight; takes its next call from what all share."""

    def __init__(self, requests: Iterable[bytes], take: Callable[[bytes], None]) -> None:
        self._requests = iter(requests)
        self._take = take
        self._received = bytearray()
        self._whole = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def go(self) -> None:
        """Send the next call, or end."""
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._whole:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            at = head.index(_LENGTH) + len(_LENGTH)
            self._whole = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
        if len(self._received) >= self._whole:
            self._take(bytes(self._received))
            self._received.clear()
            self._whole = 0
            self.go()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the pretend OCP closed the connection"))


async def run_calls(url: str, requests: Sequence[bytes], connections: int) -> tuple[float, list[bytes]]:
    """Make every call; gives the seconds from the first to the last answer, and the answers as they came."""
    answers: list[bytes] = []
    where = urlsplit(url)
    loop = asyncio.get_running_loop()
    shared = iter(requests)
    made = []
    for _ in range(connections):
        _, one = await loop.create_connection(lambda: _Connection(shared, answers.append), where.hostname, where.port)
        made.append(one)
    began = time.perf_counter()
    for one in made:
        one.go()
    await asyncio.gather(*(one.done for one in made))
    took = time.perf_counter() - began
    for one in made:
        one._transport.close()
    return took, answers
