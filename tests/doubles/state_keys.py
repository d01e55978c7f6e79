"""Keys of the pretend OCP that are the same in every process of a test run."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.doubles.ocp_caller import rsa_key


def pem(name: str) -> str:
    """The private key of a name, as PEM."""
    return rsa_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
