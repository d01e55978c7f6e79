"""What writer and readers of a journal file must agree on: named queries, leaves, rows."""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec

from pg_bridge.exchange.entries import Entry, Kind, Stored

SCHEMA_VERSION = "1"

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_refs = msgspec.json.Decoder(dict[str, str]).decode
_decode_findings = msgspec.json.Decoder(tuple[str, ...]).decode


def read_queries() -> dict[str, str]:
    """The queries of queries.sql by name."""
    text = (files(__package__) / "queries.sql").read_text("utf-8")
    parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    return {name: query.strip() for name, query in zip(parts[1::2], parts[2::2], strict=True)}


def schema() -> str:
    """The statements that make an empty journal."""
    return (files(__package__) / "schema.sql").read_text("utf-8")


def payload_hash(salt: bytes, payload: bytes) -> bytes:
    """The hash that a leaf keeps of its payload."""
    digest = sha256(salt)
    digest.update(payload)
    return digest.digest()


def leaf(
    position: int, at_us: int, node: str, kind: str, exchange: str, participant: str, refs: str, mapping: str,
    findings: str, hash_: bytes,
) -> bytes:  # fmt: skip
    """The bytes of a leaf: a JSON array of all that is in the entry, with its payload's hash in hexadecimal."""
    return _encode([position, at_us, node, kind, exchange, participant, refs, mapping, findings, hash_.hex()])


def as_text(value: Any) -> str:
    """References or findings as they are stored: JSON, keys sorted."""
    return _encode(value).decode()


def stored(row: tuple[Any, ...]) -> Stored:
    """The entry of a row of entries_behind or one_entry; a payload that has gone is empty."""
    position, at_us, kind, exchange, participant, refs, mapping, findings, payload = row
    return Stored(
        position,
        Entry(
            kind=Kind(kind),
            at_us=at_us,
            exchange=exchange,
            participant=participant,
            references=_decode_refs(refs),
            mapping=mapping,
            findings=_decode_findings(findings),
            payload=payload if payload is not None else b"{}",
        ),
    )
