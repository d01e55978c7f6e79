"""The pretend OCP's signing key, and public keys as JWKs (RFC 7517, 7518, 7638)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.utils import der_to_raw_signature

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


class PublicKey(NamedTuple):
    """A registered key, good before `ends_at` (epoch seconds; None: until it is taken away)."""

    key: Any
    ends_at: float | None

    def is_good(self, at: float) -> bool:
        """Whether it has not ended at that moment."""
        return self.ends_at is None or at < self.ends_at


def read_public_keys(jwks: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The keys of a JWK set by kid; one without a kid is known by its thumbprint, one with `exp` ends then.

    Raises ConfigError.
    """
    try:
        return {str(jwk.get("kid") or thumbprint(jwk)): _public_key(jwk) for jwk in jwks.get("keys", [])}
    except (jwt.PyJWTError, AttributeError, TypeError) as error:
        raise ConfigError(f"reading a registered key: {error}") from error


def _public_key(jwk: Mapping[str, Any]) -> PublicKey:
    ends_at = jwk.get("exp")
    if ends_at is not None and (isinstance(ends_at, bool) or not isinstance(ends_at, int | float)):
        raise ConfigError("reading a registered key: exp must be epoch seconds")
    return PublicKey(jwt.PyJWK(dict(jwk)).key, ends_at)


class SigningKey:
    """A key that signs by `algorithm` (RS256, PS256, ES256), with its public half. Raises ConfigError for another's."""

    def __init__(self, pem: str | None, algorithm: str = "RS256") -> None:
        is_curve = algorithm == "ES256"
        private: Any
        if pem is None:
            private = ec.generate_private_key(ec.SECP256R1()) if is_curve else _new_rsa_key()
        else:
            try:
                private = load_pem_private_key(pem.encode(), None)
            except (ValueError, TypeError) as error:
                raise ConfigError(f"reading the simulator's signing key: {error}") from error
        if not isinstance(private, ec.EllipticCurvePrivateKey if is_curve else rsa.RSAPrivateKey):
            raise ConfigError(f"reading the simulator's signing key: it is no key of {algorithm}")
        self.private = private
        self.algorithm = algorithm
        self._signer = jwt.get_algorithm_by_name(algorithm)
        members = {name: str(value) for name, value in self._signer.to_jwk(private.public_key(), as_dict=True).items()}
        covered = {name: members[name] for name in _COVERED[members["kty"]]}
        self.kid = thumbprint(covered)
        self.jwk = covered | {"kid": self.kid, "use": "sig", "alg": algorithm}
        header = {"alg": algorithm, "b64": False, "crit": ["b64"], "kid": self.kid}
        self._detached_header = base64url(msgspec.json.encode(header))

    def pem(self) -> str:
        """The private key, to sign with again after a restart."""
        encoded: bytes = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return encoded.decode("ascii")

    def sign(self, payload: bytes) -> bytes:
        """The signature, as JWS has it; the same each time but for PS256, which salts by chance."""
        if not isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self._signer.sign(payload, self.private)
        # RFC 6979: without chance, so that samples and played worlds repeat
        signature = self.private.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return der_to_raw_signature(signature, self.private.curve)

    def sign_detached(self, payload: bytes) -> str:
        """A detached JWS over `payload` as it is (RFC 7797, b64 false)."""
        signature = self.sign(self._detached_header.encode("ascii") + b"." + payload)
        return f"{self._detached_header}..{base64url(signature)}"


def _new_rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def is_signed_by(key: Any, algorithm: str, payload: bytes, signature: bytes) -> bool:
    """Whether a public key made this signature by the algorithm (a name of RFC 7518)."""
    try:
        return bool(jwt.get_algorithm_by_name(algorithm).verify(payload, key, signature))
    except (AttributeError, TypeError, ValueError, NotImplementedError, jwt.PyJWTError):
        return False  # a key of another kind
