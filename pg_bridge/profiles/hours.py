"""When OCP takes settlement instructions, by market, read from mappings/ocp/hours.toml. Hong Kong time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise

import msgspec

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.typed_toml import Lines, read_toml

HOURS_FILE = "ocp/hours.toml"
MISTIMED = "PGB-PRF-005"


class MarketHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sessions of one market on whole and on half days (opens, closes), and the days on which it alone is closed.

    same_day_until: until when an instruction may be entered that settles on the same day (None: as long as a session
    is open); same_day_rdp_until: the same of one paid in real time. source: where all that is known from.
    """

    sessions: tuple[tuple[time, time], ...]
    half_day: tuple[tuple[time, time], ...] = ()
    holidays: tuple[date, ...] = ()
    same_day_until: time | None = None
    same_day_rdp_until: time | None = None
    source: str = ""


class _HoursFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    markets: dict[str, MarketHours]


def read_hours(files: Mapping[str, str]) -> dict[str, MarketHours]:
    """The hours by market; empty where the mappings have no such file. Raises MappingInvalid."""
    findings: list[Finding] = []
    hours = hours_of(files, findings)
    if findings:
        raise MappingInvalid("reading the hours", findings=findings)
    return hours


def hours_of(files: Mapping[str, str], findings: list[Finding]) -> dict[str, MarketHours]:
    """The hours by market; what is wrong with the file is added to findings, and there are none then."""
    text = files.get(HOURS_FILE)
    file: _HoursFile | None = read_toml(HOURS_FILE, text, _HoursFile, findings) if text is not None else None
    if text is None or file is None:
        return {}
    lines = Lines(text)
    for market, hours in file.markets.items():
        for name, sessions in (("sessions", hours.sessions), ("half_day", hours.half_day)):
            moments = [moment for session in sessions for moment in session]
            if all(earlier < later for earlier, later in pairwise(moments)):
                continue
            place = f"markets.{market}.{name}"
            text = "the sessions overlap, or one closes before it opens"
            remedy = "Give each session as [opens, closes], in the order of the day."
            findings.append(Finding(MISTIMED, "error", HOURS_FILE, f"{place}: {text}", lines.of(place), remedy=remedy))
    return file.markets
