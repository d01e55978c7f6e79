"""Webhook deliveries of the pretend OCP: signed, in order, at least once, with faults on demand."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm

from pg_bridge.profiles.ocp import OcpProfile
from pg_bridge.simulator.faults import Faults

_KID = "ocp-push-1"
_MOST_EVENTS = 100


class Pusher:
    """One worker; a delivery is tried until it is taken."""

    def __init__(self, profile: OcpProfile, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._profile = profile
        self._faults = faults
        self._clock = clock
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._waiting: list[dict[str, Any]] = []
        self._wake = asyncio.Event()
        self._count = 0
        self.url = ""
        #: what became of each try: (delivery id, HTTP status; 0: no answer)
        self.tries: list[tuple[str, int]] = []

    def key_set(self) -> dict[str, Any]:
        """The public key that verifies our signatures, as JWKS."""
        jwk = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        jwk.pop("key_ops", None)
        return {"keys": [{**jwk, "kid": _KID, "use": "sig", "alg": "RS256"}]}

    def push(self, events: list[dict[str, Any]]) -> None:
        """Deliver these events when somebody is subscribed."""
        if self.url:
            self._waiting += events
            self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with httpx.AsyncClient(timeout=6.0, trust_env=False) as http:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    events = self._waiting[:_MOST_EVENTS]
                    del self._waiting[:_MOST_EVENTS]
                    await self._deliver(http, events)

    async def _deliver(self, http: httpx.AsyncClient, events: list[dict[str, Any]]) -> None:
        fault = self._faults.take("push")
        if fault == "silence":
            return
        if fault == "gap":
            events = events[1:]
        if fault == "reorder":
            events = events[::-1]
        if not events:
            return
        body = msgspec.json.encode(self._profile.write("delivery", {"events": events}))
        self._count += 1
        delivery_id = f"D{self._count:08d}"
        copies = 2 if fault == "repeat" else 1
        pause_s = 0.05
        while copies:
            status = await self._try(http, delivery_id, body, fault)
            fault = "" if fault in ("bad_signature", "old_timestamp") else fault
            if 200 <= status < 300:
                copies -= 1
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(5.0, pause_s * 2)

    async def _try(self, http: httpx.AsyncClient, delivery_id: str, body: bytes, fault: str) -> int:
        names = self._profile.headers
        now_ms = int(self._clock().timestamp() * 1000)
        timestamp = str(now_ms - 3_600_000 if fault == "old_timestamp" else now_ms)
        signature = self.sign(delivery_id, timestamp, b"another body" if fault == "bad_signature" else body)
        headers = {
            "Content-Type": "application/json",
            names.delivery_id: delivery_id,
            names.timestamp: timestamp,
            names.signature: signature,
        }
        try:
            status = (await http.post(self.url, content=body, headers=headers)).status_code
        except httpx.HTTPError:
            status = 0
        self.tries.append((delivery_id, status))
        return status

    def sign(self, delivery_id: str, timestamp: str, body: bytes) -> str:
        """The detached JWS (RFC 7797, b64 false) of a delivery."""
        header = _encode64(json.dumps({"alg": "RS256", "b64": False, "crit": ["b64"], "kid": _KID}).encode())
        payload = f"{delivery_id}.{timestamp}.".encode() + body
        mark = self._key.sign(header.encode() + b"." + payload, padding.PKCS1v15(), hashes.SHA256())
        return f"{header}..{_encode64(mark)}"


def _encode64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
