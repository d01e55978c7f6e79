"""Keys that sign: loaded from PEM bytes that the caller read, shown to others only as JWK and thumbprint.

Follows RFC 7517 (JWK), RFC 7638 (thumbprint), RFC 7518 (RS256, PS256, ES256).
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pg_bridge.errors import ConfigError, KeyMisfit

#: algorithms that may sign for us; never `none`, never HS*
ALGORITHMS = ("RS256", "PS256", "ES256")
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192


class KeyPair:
    """A private key with the algorithm it signs by. kid: its id at OCP, where that is not its thumbprint.

    Raises ConfigError when the PEM cannot be read, KeyMisfit when the key is not of the algorithm's kind.
    """

    __slots__ = ("_private", "_signer", "algorithm", "kid", "public_jwk", "thumbprint")

    def __init__(self, pem: bytes, *, algorithm: str = "RS256", passphrase: bytes | None = None, kid: str = "") -> None:
        if algorithm not in ALGORITHMS:
            raise ConfigError(f"reading a private key: the algorithm {algorithm!r} may not sign")
        try:
            private = serialization.load_pem_private_key(pem, password=passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # The library's own text may quote the file, so it is not chained.
            raise ConfigError("reading a private key: no PEM private key, or another passphrase") from None
        members = _public_members(private, algorithm)
        self._private = private
        self._signer = jwt.get_algorithm_by_name(algorithm)
        self.algorithm = algorithm
        self.kid = kid
        #: RFC 7638: base64url of SHA-256 over the required members in order of name
        self.thumbprint = base64url(hashlib.sha256(msgspec.json.encode(members, order="sorted")).digest())
        self.public_jwk: dict[str, str] = {**members, "kid": kid or self.thumbprint, "use": "sig", "alg": algorithm}

    def __repr__(self) -> str:
        return f"KeyPair({self.algorithm}, {self.thumbprint})"

    def sign(self, payload: bytes) -> bytes:
        """The signature of `payload`, as JWS has it."""
        return self._signer.sign(payload, self._private)

    def public_pem(self) -> bytes:
        """The public half as PEM (SubjectPublicKeyInfo)."""
        return self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign_jwt(self, claims: Mapping[str, Any], kid: str) -> str:
        """A JWT with these claims and this key id."""
        return jwt.encode(dict(claims), self._private, algorithm=self.algorithm, headers={"kid": kid})  # type: ignore[arg-type]


def public_jwks(keys: Iterable[KeyPair]) -> dict[str, list[dict[str, str]]]:
    """The JWK set (RFC 7517 section 5) of the public halves."""
    return {"keys": [dict(key.public_jwk) for key in keys]}


def new_rsa_key_pem(bits: int = LEAST_RSA_BITS, passphrase: bytes | None = None) -> bytes:
    """A fresh RSA private key as PKCS#8 PEM. Raises ConfigError for a key that would be too short, or too long."""
    if not LEAST_RSA_BITS <= bits <= MOST_RSA_BITS:
        raise ConfigError(f"making a key: an RSA key has {LEAST_RSA_BITS} to {MOST_RSA_BITS} bits")
    return _pkcs8(rsa.generate_private_key(public_exponent=65537, key_size=bits), passphrase)


def new_key_pem(algorithm: str, bits: int = LEAST_RSA_BITS, passphrase: bytes | None = None) -> bytes:
    """A fresh private key that can sign by `algorithm`, as PKCS#8 PEM, encrypted where there is a passphrase.

    bits: of an RSA key. Raises ConfigError.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"making a key: the algorithm {algorithm!r} may not sign; there are {', '.join(ALGORITHMS)}")
    if algorithm != "ES256":
        return new_rsa_key_pem(bits, passphrase)
    return _pkcs8(ec.generate_private_key(ec.SECP256R1()), passphrase)


def _pkcs8(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes | None) -> bytes:
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def base64url(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _public_members(private: Any, algorithm: str) -> dict[str, str]:
    """The JWK members that make a public key what it is (RFC 7638 section 3.2)."""
    if algorithm == "ES256":
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise KeyMisfit("reading a private key: ES256 needs a P-256 key")
        whole = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
        names: tuple[str, ...] = ("crv", "kty", "x", "y")
    else:
        if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < LEAST_RSA_BITS:
            raise KeyMisfit(f"reading a private key: {algorithm} needs an RSA key of {LEAST_RSA_BITS} bits at least")
        whole = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        names = ("e", "kty", "n")
    return {name: str(whole[name]) for name in names}
