"""The pretend OCP's signing key, and public keys as JWKs (RFC 7517, 7518, 7638)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pg_bridge.errors import ConfigError

#: RFC 7638 section 3.2: the members that a thumbprint covers, by key type
_COVERED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


def base64url(data: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint of a public key. Raises ConfigError for what is no RSA or EC key."""
    try:
        covered = {name: jwk[name] for name in _COVERED[jwk["kty"]]}
    except KeyError as error:
        raise ConfigError(f"reading a registered key: {error} is missing or not known") from error
    return base64url(hashlib.sha256(msgspec.json.encode(covered, order="sorted")).digest())


def read_public_keys(jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a JWK set by kid; one without a kid is known by its thumbprint. Raises ConfigError."""
    try:
        return {str(jwk.get("kid") or thumbprint(jwk)): jwt.PyJWK(jwk).key for jwk in jwks.get("keys", [])}
    except (jwt.PyJWTError, AttributeError) as error:
        raise ConfigError(f"reading a registered key: {error}") from error


class SigningKey:
    """An RSA key that signs, with its public half."""

    def __init__(self, pem: str | None) -> None:
        if pem is None:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            try:
                private = load_pem_private_key(pem.encode(), None)
            except (ValueError, TypeError) as error:
                raise ConfigError(f"reading the simulator's signing key: {error}") from error
            if not isinstance(private, rsa.RSAPrivateKey):
                raise ConfigError("reading the simulator's signing key: it is no RSA key")
            self.private = private
        numbers = self.private.public_key().public_numbers()
        members = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        self.kid = thumbprint(members)
        self.jwk = members | {"kid": self.kid, "use": "sig", "alg": "RS256"}
        header = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": self.kid}
        self._detached_header = base64url(msgspec.json.encode(header))

    def sign_detached(self, payload: bytes) -> str:
        """A detached JWS over `payload` as it is (RFC 7797, b64 false)."""
        signed = self._detached_header.encode("ascii") + b"." + payload
        signature = self.private.sign(signed, padding.PKCS1v15(), SHA256())
        return f"{self._detached_header}..{base64url(signature)}"


def is_signed_by(key: Any, algorithm: str, payload: bytes, signature: bytes) -> bool:
    """Whether a public key made this signature by the algorithm (a name of RFC 7518)."""
    try:
        return bool(jwt.get_algorithm_by_name(algorithm).verify(payload, key, signature))
    except (AttributeError, TypeError, ValueError, NotImplementedError, jwt.PyJWTError):
        return False  # a key of another kind


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
