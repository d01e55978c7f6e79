"""Signed checkpoints, so that a tree head can be kept elsewhere and held against the journal.

Follows C2SP tlog-checkpoint (origin, size, root, a line each) inside C2SP signed-note with Ed25519
(signature type 0x01). The key's name is the origin, `pg-bridge/<node>`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pg_bridge.errors import JournalCorrupt, JournalError

RandomBytes = Callable[[int], bytes]

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_ED25519 = b"\x01"
_SEED_SIZE = 32
_PRIVATE = "PRIVATE+KEY+"
_SIGNATURE = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: `size` leaves of the log `origin` have the hash `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{_to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verifier key; written as `name+id+base64`, the id 8 hex digits."""

    name: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read the written form. Raises JournalError."""
        name, encoded = _key_parts(text, "public key")
        return cls(name, encoded)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id().hex()}+{_to_base64(_ED25519 + self.raw)}"

    def key_id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return _key_id(self.name, self.raw)

    def open_note(self, note: str) -> str:
        """The text of a note that this key has signed. Raises JournalCorrupt."""
        text, blank, signatures = note.rpartition("\n\n")
        text += "\n"
        if not blank or not signatures.endswith("\n"):
            raise JournalCorrupt("the note has no signature")
        for line in signatures.splitlines():
            name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
            if not line.startswith(_SIGNATURE) or not name or not encoded:
                raise JournalCorrupt("the note has a line that is no signature")
            signature = _from_base64(encoded)
            if name != self.name or signature[:4] != self.key_id():
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.raw).verify(signature[4:], text.encode())
            except (InvalidSignature, ValueError) as error:
                raise JournalCorrupt(f"the note's signature is not that of {self.name}") from error
            return text
        raise JournalCorrupt(f"the note is not signed by {self}")

    def open_checkpoint(self, note: str) -> Checkpoint:
        """The checkpoint that this key has signed. Raises JournalCorrupt."""
        lines = self.open_note(note).splitlines()
        if len(lines) < 3 or not _SIZE.fullmatch(lines[1]):
            raise JournalCorrupt("the note holds no checkpoint")
        if lines[0] != self.name:
            raise JournalCorrupt(f"the checkpoint is of {lines[0]}, not of {self.name}")
        return Checkpoint(lines[0], int(lines[1]), _from_base64(lines[2]))


class SigningKey:
    """The node's key; `public` is its other half."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read the written form. Raises JournalError."""
        if not text.startswith(_PRIVATE):
            raise JournalError("the key file holds no signing key")
        name, seed = _key_parts(text.removeprefix(_PRIVATE), "signing key", is_private=True)
        key = cls(name, seed)
        if key.public.key_id().hex() != text.removeprefix(_PRIVATE).strip().split("+")[1]:
            raise JournalError("the signing key does not fit its own id")
        return key

    def written(self) -> str:
        """The form that a key file holds: secret."""
        public = self.public
        return f"{_PRIVATE}{public.name}+{public.key_id().hex()}+{_to_base64(_ED25519 + self._seed)}"

    def sign_note(self, text: str) -> str:
        """`text`, which ends a line, with a signature."""
        signature = _to_base64(self.public.key_id() + self._key.sign(text.encode()))
        return f"{text}\n{_SIGNATURE}{self.public.name} {signature}\n"

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        """The signed note of a tree head."""
        return self.sign_note(Checkpoint(self.public.name, size, root).text())


def key_name(node: str) -> str:
    """The origin and key name of a node. Raises JournalError on a name that no note can carry."""
    if not node or "+" in node or any(character.isspace() or not character.isprintable() for character in node):
        raise JournalError(f"the node name {node!r} must be printable, without spaces and plus signs")
    return f"pg-bridge/{node}"


def read_key(path: Path) -> SigningKey:
    """The key of a key file, which nobody but its owner may read. Raises JournalError."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise JournalError(
            f"the journal's signing key {path} is missing: put it back from your backup; without it no checkpoint "
            f"can be signed"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise JournalError(f"reading the signing key {path}: {error}") from error
    if os.name == "posix" and mode & 0o077:
        raise JournalError(f"others can read the signing key {path} (mode {mode:04o}): chmod 600 it")
    return SigningKey.parse(text.strip())


def make_key(path: Path, name: str, random_bytes: RandomBytes) -> SigningKey:
    """Make a key and its file (mode 0600), durable on return. Raises JournalError."""
    key = SigningKey(name, random_bytes(_SEED_SIZE))
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(key.written() + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        if os.name == "posix":  # elsewhere a folder cannot be opened, and needs not be
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise JournalError(f"writing the signing key {path}: {error}") from error
    return key


def _key_id(name: str, raw: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]


def _key_parts(text: str, what: str, *, is_private: bool = False) -> tuple[str, bytes]:
    """Name and 32 bytes of `name+id+base64`; a name holds no plus sign, base64 may."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise JournalError(f"the {what} is not base64") from error
    if not name or raw[:1] != _ED25519 or len(raw) != 1 + _SEED_SIZE:
        raise JournalError(f"the {what} is no Ed25519 key")
    if not is_private and _key_id(name, raw[1:]).hex() != key_id:
        raise JournalError(f"the {what} does not fit its own id")
    return name, raw[1:]


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise JournalCorrupt("the note holds something that is not base64") from error
    if _to_base64(data) != text:  # the unused bits of the last digit: one text for one value
        raise JournalCorrupt("the note holds base64 that is not canonical")
    return data
