"""The request references of a call's body, read without reading the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from pg_bridge.profiles.ocp import OcpProfile

Read = Callable[[bytes], list[str | None]]


def reference_reader(profile: OcpProfile, *, is_bulk: bool) -> Read:
    """A reader of the request reference of each entry of a call's body, in order; None where an entry has none.

    It raises msgspec.DecodeError for a body that is none. The binding says where entries and references stand.
    """
    place = profile.place("si", "request_reference")
    reference = place.members
    convert = place.from_json or (lambda value: value)
    entry = _nested(str | None if place.from_json is None else Any, reference)
    if not is_bulk:
        decode_one = msgspec.json.Decoder(entry).decode

        def read_one(body: bytes) -> list[str | None]:
            return [convert(_walk(decode_one(body), len(reference)))]

        return read_one
    entries = profile.place("request", "entries").members
    decode = msgspec.json.Decoder(_nested(list[entry], entries)).decode  # type: ignore[valid-type]

    def read(body: bytes) -> list[str | None]:
        found = _walk(decode(body), len(entries))
        return [convert(_walk(one, len(reference))) for one in found or ()]

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
