"""Signed checkpoints: what the tree was at a size, as C2SP tlog-checkpoint signed by Ed25519 (C2SP signed-note).

pg-bridge/<node>
<size>
<base64 of the root>

— pg-bridge/<node> <base64 of key hash (4 bytes) and signature>
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at `size` entries."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text, with its last line feed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_hash(name: str, public_key: bytes) -> bytes:
    """The four bytes that name a key in a signature line."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


class Signer:
    """Signs checkpoints of one origin."""

    def __init__(self, origin: str, seed: bytes) -> None:
        self.origin = origin
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @staticmethod
    def new_seed() -> bytes:
        """A fresh private key of 32 bytes."""
        return Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    def sign(self, size: int, root: bytes) -> str:
        """The signed note of a checkpoint."""
        text = Checkpoint(self.origin, size, root).text()
        signature = key_hash(self.origin, self.public_key) + self._key.sign(text.encode())
        return f"{text}\n\u2014 {self.origin} {base64.b64encode(signature).decode()}\n"


def read_checkpoint(note: str, public_key: bytes) -> Checkpoint | str:
    """The checkpoint in a signed note, or why it is not to be trusted."""
    text, blank, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if not blank or len(lines) != 3 or not (lines[1].isascii() and lines[1].isdigit()):
        return "the note is no checkpoint"
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError:  # binascii.Error, or a character outside ASCII
        return "the root is no base64"
    expected = key_hash(lines[0], public_key)
    for line in signatures.splitlines():
        mark, name, coded = ([*line.split(" "), "", ""])[:3]
        if mark != "\u2014" or name != lines[0]:
            continue
        try:
            signature = base64.b64decode(coded, validate=True)
        except ValueError:  # binascii.Error, or a character outside ASCII
            continue
        if signature[:4] != expected:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature[4:], (text + "\n").encode())
        except InvalidSignature:
            return "the signature is wrong"
        except ValueError:
            return "the journal's public key is none"
        return Checkpoint(lines[0], int(lines[1]), root)
    return "no signature by the journal's key"
