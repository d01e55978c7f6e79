"""Pushed deliveries: signature first, then freshness, then shape.

The signature is a detached JWS with unencoded payload (RFC 7515 appendix F, RFC 7797), RS256, over
`<delivery id>.<timestamp>.<body>`; keys come from OCP's key set (assumed, ocp-profile section 4). An old timestamp
under a good signature is no refusal: the events are taken, marked late, and dropped later if they were seen before.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from pg_bridge.errors import OcpError, PushRefused
from pg_bridge.profiles.ocp import OcpProfile

_DELIVERY_SCHEMA = "StatusEventDelivery"
_FETCH_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Push:
    """A delivery that was taken: its events, still unsorted and perhaps seen before."""

    delivery_id: str
    events: list[dict[str, Any]]
    is_late: bool


class PushDoor:
    """Checks deliveries. `key_set` fetches OCP's JWKS."""

    def __init__(self, profile: OcpProfile, key_set: Callable[[], Awaitable[Any]]) -> None:
        self._profile = profile
        self._key_set = key_set
        self._keys: dict[str, Any] = {}
        self._fetched: datetime | None = None

    async def receive(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Push:
        """The push in a delivery. Raises PushRefused with the HTTP status that answers it."""
        names = self._profile.headers
        delivery_id = headers.get(names.delivery_id, "")
        timestamp = headers.get(names.timestamp, "")
        signature = headers.get(names.signature, "")
        if not delivery_id or not signature or not (timestamp.isascii() and timestamp.isdigit()):
            raise PushRefused("the delivery id, timestamp or signature is missing", status=401)
        await self._verify(signature, delivery_id, timestamp, body, now)
        try:
            document = msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise PushRefused(f"the body is no JSON: {error}", status=400) from error
        faults = self._profile.faults(_DELIVERY_SCHEMA, document)
        if faults:
            raise PushRefused(f"the body is not of its schema: {faults[0]}", status=400)
        age_s = abs(now.timestamp() - int(timestamp) / 1000)
        events = self._profile.get("delivery", "events", document)
        return Push(delivery_id, events, age_s > names.freshness_s)

    async def _verify(self, signature: str, delivery_id: str, timestamp: str, body: bytes, now: datetime) -> None:
        parts = signature.split(".")
        if len(parts) != 3 or parts[1]:
            raise PushRefused("the signature is no detached JWS", status=401)
        try:
            header = msgspec.json.decode(_decode64(parts[0]))
            mark = _decode64(parts[2])
        except (binascii.Error, ValueError, msgspec.DecodeError) as error:
            raise PushRefused("the signature cannot be read", status=401) from error
        if not isinstance(header, dict) or header.get("alg") != "RS256" or header.get("b64") is not False:
            raise PushRefused("the signature is not RS256 over an unencoded payload", status=401)
        if header.get("crit") != ["b64"]:
            raise PushRefused("the signature does not mark b64 as critical", status=401)
        key = await self._key(str(header.get("kid", "")), now)
        payload = f"{delivery_id}.{timestamp}.".encode() + body
        try:
            key.verify(mark, parts[0].encode() + b"." + payload, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise PushRefused("the signature is wrong", status=401) from error

    async def _key(self, kid: str, now: datetime) -> Any:
        if kid not in self._keys and (self._fetched is None or now - self._fetched >= _FETCH_AGAIN):
            self._fetched = now
            try:
                keys = await self._key_set()
                self._keys = {
                    key.key_id: key.key
                    for key in jwt.PyJWKSet.from_dict(keys).keys
                    if key.key_id and key.key_type == "RSA"
                }
            except OcpError as error:
                raise PushRefused(f"OCP's keys cannot be had: {error}", status=503) from error
            except (jwt.PyJWTError, AttributeError, TypeError) as error:
                raise PushRefused(f"OCP's key set cannot be read: {error}", status=503) from error
        if kid not in self._keys:
            raise PushRefused("the signature is by no key of OCP's key set", status=401)
        return self._keys[kid]


def _decode64(text: str) -> bytes:
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
