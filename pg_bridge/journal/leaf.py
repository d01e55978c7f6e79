"""What of an entry is hashed: the definition that the writer, verify and any foreign verifier follow.

payload hash: SHA-256(salt || payload). The salt (16 random bytes an entry) keeps a dropped payload from being
guessed by its hash.

leaf: a JSON array without spaces, UTF-8, as RFC 8259 with only `"`, `\\` and control characters escaped:
[position, at_us, node, kind, exchange, participant, {references by name, sorted}, mapping, [finding codes],
 payload hash in lower-case hex]

leaf hash: SHA-256(0x00 || leaf), as in RFC 6962 section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

SALT_SIZE = 16
HASH_SIZE = 32

_ENCODER = msgspec.json.Encoder(order="deterministic")
_encode = _ENCODER.encode
_raw = msgspec.Raw
_sha256 = hashlib.sha256
_NO_REFERENCES = b"{}"
_NO_FINDINGS = b"[]"


def references_json(references: Mapping[str, str]) -> bytes:
    """References in their canonical form, as they stand in the leaf."""
    return _encode(references) if references else _NO_REFERENCES


def findings_json(findings: Sequence[str]) -> bytes:
    """Finding codes in their canonical form, as they stand in the leaf."""
    return _encode(findings) if findings else _NO_FINDINGS


def payload_hash(salt: bytes, payload: bytes) -> bytes:
    """SHA-256(salt || payload)."""
    return _sha256(salt + payload).digest()


def leaf_bytes(
    position: int,
    at_us: int,
    node: str,
    kind: str,
    exchange: str,
    participant: str,
    references: bytes,
    mapping: str,
    findings: bytes,
    payload_digest: bytes,
) -> bytes:
    """The leaf. `references` and `findings` are canonical JSON already. Raises ValueError on text that is no UTF-8."""
    return _encode(
        (
            position,
            at_us,
            node,
            kind,
            exchange,
            participant,
            _raw(references),
            mapping,
            _raw(findings),
            payload_digest.hex(),
        )
    )
