"""The answers of the doors for people on this machine: a document, or words."""

from __future__ import annotations

import msgspec
from fastapi import Response


def document(status: int, value: object) -> Response:
    """`value` as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def words(status: int, text: str) -> Response:
    """What went wrong, as {"message": text}."""
    return document(status, {"message": text})
