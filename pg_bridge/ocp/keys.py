"""Private keys for signing: made, loaded, thumbprinted, exported. No private part in any repr or error."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from pg_bridge.errors import ConfigError

#: the members that RFC 7638 hashes, by key type
_THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


def new_rsa_key_pem(bits: int = 2048) -> bytes:
    """A fresh RSA private key, PKCS#8 PEM without passphrase."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint of a public JWK, base64url without padding."""
    members = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()


class KeyPair:
    """One private key and what the other side knows of it."""

    def __init__(self, pem: bytes, *, passphrase: bytes | None = None) -> None:
        try:
            self._key: Any = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError):
            # The cause may quote the input; it is not chained.
            raise ConfigError("reading a private key: it is no PEM key, or its passphrase is wrong") from None
        public: Any = self._key.public_key()
        algorithm: Any = RSAAlgorithm if isinstance(self._key, rsa.RSAPrivateKey) else ECAlgorithm
        self.public_jwk: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
        self.public_jwk.pop("key_ops", None)
        self.thumbprint = thumbprint(self.public_jwk)
        self.public_jwk |= {"kid": self.thumbprint, "use": "sig"}

    def __repr__(self) -> str:
        return f"KeyPair({self.thumbprint})"

    def sign(self, claims: dict[str, Any], *, algorithm: str, kid: str = "") -> str:
        """A signed JWT."""
        return jwt.encode(claims, self._key, algorithm=algorithm, headers={"kid": kid or self.thumbprint})

    def sign_text(self, text: bytes) -> str:
        """An RS256 signature over `text`, base64url without padding."""
        signature = self._key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def jwks(*keys: KeyPair) -> dict[str, Any]:
    """The public keys as a JWKS."""
    return {"keys": [key.public_jwk for key in keys]}
