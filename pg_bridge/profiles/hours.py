"""When OCP takes settlement instructions, by market, read from mappings/ocp/hours.toml. Hong Kong time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time

import msgspec

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.typed_toml import read_toml

HOURS_FILE = "ocp/hours.toml"


class MarketHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sessions of one market on whole and on half days (opens, closes), and the days on which it alone is closed.

    source: where that is known from.
    """

    sessions: tuple[tuple[time, time], ...]
    half_day: tuple[tuple[time, time], ...] = ()
    holidays: tuple[date, ...] = ()
    source: str = ""


class _HoursFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    markets: dict[str, MarketHours]


def read_hours(files: Mapping[str, str]) -> dict[str, MarketHours]:
    """The hours by market; empty where the mappings have no such file. Raises MappingInvalid."""
    text = files.get(HOURS_FILE)
    if text is None:
        return {}
    findings: list[Finding] = []
    file: _HoursFile | None = read_toml(HOURS_FILE, text, _HoursFile, findings)
    if file is None or findings:
        raise MappingInvalid("reading the hours", findings=findings)
    return file.markets
