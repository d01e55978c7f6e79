"""What the pretend gateway remembers beside its book."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from pg_bridge.simulator.gateway_request import Answer, Taken


class Stored(msgspec.Struct, frozen=True):
    """The answers to an instruction, and the SHA-256 of its text block."""

    told: bytes
    answers: list[Answer]


class Memory(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the gateway itself remembers beside its book. Keys of several parts are joined by a space.

    references: how many of its own it gave. stored: of `day`: participant, reference -> answers. named: participant,
    reference -> number of the last SI entered under it. aliases: number told otherwise -> number. terminals: number ->
    the terminal that entered the SI. seen: who sent anything. files: participant, day, hash -> values of the report.
    """

    caught_up: datetime
    day: date
    references: int = 0
    stored: dict[str, Stored] = {}
    named: dict[str, str] = {}
    aliases: dict[str, str] = {}
    terminals: dict[str, str] = {}
    seen: set[str] = set()
    files: dict[str, dict[str, Any]] = {}
    taken: list[Taken] = []
