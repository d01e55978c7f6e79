"""Keys: what is shown of them and what is not."""

import hashlib
import json
from base64 import urlsafe_b64decode

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from pg_bridge.errors import ConfigError
from pg_bridge.ocp.keys import KeyPair, base64url, new_rsa_key_pem, public_jwks
from tests.doubles import ocp_world as world

#: RFC 7638 section 3.1: the JWK there has this thumbprint
RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
    "nqDKgw"
)


def _pem(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    members = {"e": "AQAB", "kty": "RSA", "n": RFC_7638_N}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
    key = world.key("company")
    own = {name: key.public_jwk[name] for name in ("e", "kty", "n")}

    assert base64url(hashlib.sha256(canonical).digest()) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key.thumbprint == base64url(
        hashlib.sha256(json.dumps(own, separators=(",", ":"), sort_keys=True).encode()).digest()
    )
    assert len(urlsafe_b64decode(key.thumbprint + "=")) == 32


def test_the_jwk_verifies_what_the_key_signs_and_holds_nothing_private() -> None:
    key = world.key("company")

    token = key.sign_jwt({"iss": "HKB01234"}, key.thumbprint)

    public = RSAAlgorithm.from_jwk(key.public_jwk)
    assert jwt.decode(token, public, algorithms=["RS256"]) == {"iss": "HKB01234"}
    assert jwt.get_unverified_header(token)["kid"] == key.thumbprint
    assert set(key.public_jwk) == {"kty", "n", "e", "kid", "use", "alg"}
    assert public_jwks([key]) == {"keys": [key.public_jwk]}


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
def test_other_algorithms_sign(algorithm: str) -> None:
    pem = _pem(ec.generate_private_key(ec.SECP256R1())) if algorithm == "ES256" else world.key_pem("company")
    key = KeyPair(pem, algorithm=algorithm)

    token = key.sign_jwt({"iss": "HKB01234"}, "k")

    assert jwt.decode(token, jwt.PyJWK(key.public_jwk).key, algorithms=[algorithm]) == {"iss": "HKB01234"}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1", ""])
def test_nothing_symmetric_or_unsigned(algorithm: str) -> None:
    with pytest.raises(ConfigError):
        KeyPair(world.key_pem("company"), algorithm=algorithm)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 - that is the point
    ],
    ids=["empty", "broken", "no RSA key", "too short"],
)
def test_a_key_that_does_not_fit_is_a_configuration_error(pem: bytes) -> None:
    with pytest.raises(ConfigError):
        KeyPair(pem)


def test_a_passphrase_opens_an_encrypted_key() -> None:
    private = serialization.load_pem_private_key(world.key_pem("company"), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    pem = _pem(private, b"open sesame")

    assert KeyPair(pem, passphrase=b"open sesame").thumbprint == world.key("company").thumbprint
    for passphrase in (None, b"wrong"):
        with pytest.raises(ConfigError) as caught:
            KeyPair(pem, passphrase=passphrase)
        assert "wrong" not in str(caught.value)


def test_neither_repr_nor_str_shows_the_private_half() -> None:
    key = world.key("company")
    shown = repr(key) + str(key) + repr(world.identity())

    assert "PRIVATE" not in shown
    assert all(line not in shown for line in world.key_pem("company").decode().splitlines() if line)


def test_new_keys_differ() -> None:
    assert new_rsa_key_pem() != new_rsa_key_pem()
