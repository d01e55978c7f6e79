"""How a caller signs a write, for callers on the bench; gate.py checks it."""

from __future__ import annotations

import hashlib

from pg_bridge.simulator.keys import SigningKey, base64url


def sign_call(key: SigningKey, request_id: str, stamp: str, method: str, path: str, body: bytes) -> str:
    """The signature of a write: base64url over id, timestamp, method, path and the body's SHA-256."""
    said = ".".join((request_id, stamp, method, path, hashlib.sha256(body).hexdigest())).encode()
    return base64url(key.sign(said))
