"""The checking of pushed deliveries: signature first, then freshness, then the schema.

Follows ocp-profile section 4 (assumed): a detached JWS (RFC 7797, b64 false) by the profile's algorithm and a key of
OCP's key list, over
`<delivery id>.<timestamp>.<body bytes>`. A good signature with an old timestamp is taken and marked late.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from pg_bridge.errors import OcpError, PushRefused
from pg_bridge.ocp.keys import LEAST_RSA_BITS
from pg_bridge.ocp.schemas import delivery_schema
from pg_bridge.profiles.ocp import OcpProfile

Json = dict[str, Any]
PublicKey = RSAPublicKey | EllipticCurvePublicKey
KeyList = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]

#: algorithm (RFC 7518) -> the curve of its keys; every other takes RSA keys
_BY_CURVE = {"ES256": SECP256R1}
#: unknown key ids make us ask for the key list at most this often, in seconds
ASK_AGAIN_S = 60.0
#: after the key list could not be had, in seconds
ASK_AGAIN_AFTER_FAILURE_S = 1.0
#: a key list is asked for again at this age, so that a withdrawn key stops counting, in seconds
KEYS_LIFE_S = 3600.0
#: of the time that OCP waits for our answer, the part that asking for keys may take
_KEYS_SHARE = 0.5

_DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery whose signature is good. `is_late`: its timestamp is old (or ahead), which is noted."""

    events: list[Json]
    delivery_id: str
    is_late: bool


class KeyRing:
    """OCP's public keys by key id; asked for when first needed, for an unknown id, and when old."""

    def __init__(self, ask: KeyList, algorithm: str, patience_s: float) -> None:
        self._ask = ask
        self._algorithm = algorithm
        self._patience_s = patience_s
        self._keys: dict[str, PublicKey] = {}
        self._old_at = float("-inf")
        self._not_before = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str, now: float) -> PublicKey | None:
        """The key, None when OCP has none of that id. Raises PushRefused(503) when OCP cannot be asked now."""
        if kid in self._keys and now < self._old_at:
            return self._keys[kid]
        async with self._lock:
            if (kid not in self._keys or now >= self._old_at) and now >= self._not_before:
                await self._load(kid, now)
            if kid not in self._keys and now >= self._old_at:
                raise PushRefused("the signing keys of OCP are not known now", status=503)
            return self._keys.get(kid)

    async def _load(self, kid: str, now: float) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                documents = await self._ask()
        except (OcpError, TimeoutError) as error:
            self._not_before = now + ASK_AGAIN_AFTER_FAILURE_S
            if kid not in self._keys:
                raise PushRefused("the signing keys of OCP cannot be had now", status=503) from error
            return
        self._keys = {kid: key for document in documents for kid, key in _signing_key(document, self._algorithm)}
        self._old_at = now + KEYS_LIFE_S
        self._not_before = now + ASK_AGAIN_S


def _signing_key(document: Mapping[str, Any], algorithm: str) -> list[tuple[str, PublicKey]]:
    """The key id and key of one JWK, nothing when it may not sign deliveries."""
    kid = document.get("kid")
    kind = "EC" if algorithm in _BY_CURVE else "RSA"
    if not isinstance(kid, str) or document.get("kty") != kind or document.get("use", "sig") != "sig":
        return []
    if document.get("alg", algorithm) != algorithm:
        return []
    try:
        key = jwt.PyJWK.from_dict(dict(document), algorithm=algorithm).key
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
        return []
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, _BY_CURVE.get(algorithm, ())):
        return [(kid, key)]
    return [(kid, key)] if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_RSA_BITS else []


class PushDoor:
    """Takes deliveries apart. `ask_keys` gives OCP's key list (JWKs)."""

    def __init__(self, profile: OcpProfile, ask_keys: KeyList) -> None:
        self._profile = profile
        self._schema = delivery_schema(profile)
        self._events = profile.place("delivery", "events").read
        self._algorithm = profile.push.algorithm
        self._jws = jwt.PyJWS(algorithms=[self._algorithm])
        self._ring = KeyRing(ask_keys, self._algorithm, profile.limits.push_answer_s * _KEYS_SHARE)

    async def receive(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        """Check one delivery; `now` is aware.

        Raises PushRefused: 401 for a bad signature or missing headers, 400 for a body that is none, 503 when the
        keys to check it cannot be had.
        """
        names = self._profile.headers
        delivery_id, timestamp, signature = (_header(headers, name) for name in names.of_delivery)
        if not delivery_id or not timestamp or not signature:
            raise PushRefused("a header that identifies or signs the delivery is missing", status=401)
        if not _DELIVERY_ID.fullmatch(delivery_id) or not _TIMESTAMP.fullmatch(timestamp):
            raise PushRefused("the delivery id or timestamp is malformed", status=401)
        await self._verify(signature, f"{delivery_id}.{timestamp}.".encode("ascii") + body, now.timestamp())
        age_s = abs(now.timestamp() - int(timestamp) / 1000)
        return Delivery(self._read(body), delivery_id, age_s > names.freshness_s)

    async def _verify(self, signature: str, payload: bytes, now: float) -> None:
        try:
            header = jwt.get_unverified_header(signature)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise PushRefused("the signature is no JWS", status=401) from error
        crit = header.get("crit")
        kid = header.get("kid")
        # Without these two the JWS would sign a payload of its own, not the body that came with it.
        if header.get("b64") is not False or not isinstance(crit, list) or "b64" not in crit:
            raise PushRefused("the signature is not detached", status=401)
        if header.get("alg") != self._algorithm or not isinstance(kid, str):
            raise PushRefused(f"the signature is not by {self._algorithm} and a named key", status=401)
        key = await self._ring.find(kid, now)
        if key is None:
            raise PushRefused("the signing key is none of OCP's", status=401)
        try:
            self._jws.decode_complete(signature, key, algorithms=[self._algorithm], detached_payload=payload)
        except (jwt.PyJWTError, ValueError) as error:
            raise PushRefused("the signature is bad", status=401) from error

    def _read(self, body: bytes) -> list[Json]:
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise PushRefused("the body is no JSON", status=400) from error
        faults = self._profile.faults(self._schema, document)
        if faults:
            where = faults[0].partition(":")[0]
            raise PushRefused(f"the body does not fit {self._schema}: {len(faults)} faults, first {where}", status=400)
        events: list[Json] = self._events(document)
        return events


def _header(headers: Mapping[str, str], name: str) -> str:
    """A header by its name or, as web frameworks store it, by its lower-case name."""
    return headers.get(name) or headers.get(name.lower()) or ""
