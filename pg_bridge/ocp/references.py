"""The request references of a bulk body, read without reading the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pg_bridge.profiles.ocp import OcpProfile


def reference_reader(profile: OcpProfile) -> Callable[[bytes], list[str | None]]:
    """A reader of the request reference of each entry of a bulk body, in order; None where an entry has none.

    It raises msgspec.DecodeError for a body that is no bulk. The binding says where entries and references stand.
    """
    entries = profile.place("envelope", "entries").members
    reference = profile.place("si", "request_reference").members
    kind = _nested(list[_nested(str | None, reference)], entries)  # type: ignore[misc]
    decode = msgspec.json.Decoder(kind).decode

    def read(body: bytes) -> list[str | None]:
        found = _walk(decode(body), len(entries))
        return [_walk(entry, len(reference)) for entry in found or ()]

    return read


def _nested(kind: Any, members: tuple[str, ...]) -> Any:
    """A type that holds `kind` below these members and skips everything beside them."""
    for member in reversed(members):
        kind = msgspec.defstruct("Part", [("value", kind | None, msgspec.field(name=member, default=None))], gc=False)
    return kind


def _walk(part: Any, depth: int) -> Any:
    for _ in range(depth):
        if part is None:
            return None
        part = part.value
    return part
