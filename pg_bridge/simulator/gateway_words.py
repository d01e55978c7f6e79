"""The words of the pretend Participant Gateway: how it reads requests and writes its messages, from one data file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pg_bridge.profiles.legacy import LegacyProfile

GATEWAY_FILE = "legacy/gateway.toml"


@dataclass(frozen=True, slots=True)
class GatewayWords:
    """How concepts are read and written."""


def read_gateway_words(files: Mapping[str, str], legacy: LegacyProfile) -> GatewayWords:
    """The words of a set (path below mappings/ to text). Raises MappingInvalid with all findings, or without the file."""
    return GatewayWords()
