"""How many calls are left, kept over the end of the process: a small file mapped into memory, beside the journal.

A write into the map survives `kill -9` as it is, and costs no disk. What it does not survive is the machine itself
going down; so within a limit's period after the machine's start nothing is believed to be left. Of the two clocks
the one that says less has passed is believed. Two records take turns, so that a kill between two bytes spoils one.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from pg_bridge.errors import ConfigError
from pg_bridge.ocp.limits import Allowance

#: number, wall clock, monotonic clock, rest of a hold, and of each limit: calls, period, level
_RECORD = struct.Struct("<Q12d")
_CHECK = struct.Struct("<I")
_PLACE = 256
_MOST_LIMITS = 3


class KeptLevels:
    """Fulfils limits.Keeper. wall: epoch seconds. Raises ConfigError when the file cannot be made."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        try:
            self.is_new = not path.exists()
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.fstat(handle).st_size != 2 * _PLACE:
                    os.ftruncate(handle, 2 * _PLACE)
                self._map = mmap.mmap(handle, 2 * _PLACE)
            finally:
                os.close(handle)
        except OSError as error:
            raise ConfigError(f"opening {path}, which keeps how many calls are left: {error}") from error
        self._number = 0

    def recall(self, allowance: Allowance, now: float) -> None:
        """Bring an allowance, just made, to what is left of it; where nobody knows, to nothing."""
        if self.is_new:
            return
        found = [record for record in (self._read(0), self._read(1)) if record is not None]
        limits = [value for bucket in allowance.buckets for value in (float(bucket.limit.calls), bucket.limit.period_s)]
        if not found:
            allowance.empty(now)
            return
        number, wall, monotonic, hold_s, *levels = max(found)
        self._number = int(number)
        passed_s = max(0.0, min(self._wall() - wall, now - monotonic))
        allowance.hold(now + hold_s - passed_s)
        known = [value for place in range(len(allowance.buckets)) for value in levels[3 * place : 3 * place + 2]]
        if known != limits or any(now < bucket.limit.period_s for bucket in allowance.buckets):
            allowance.empty(now)
            return
        for place, bucket in enumerate(allowance.buckets):
            bucket.level, bucket.at = levels[3 * place + 2], now - passed_s
            bucket.fill(now)

    def keep(self, allowance: Allowance, now: float) -> None:
        """Keep how it stands now."""
        self._number += 1
        levels: list[float] = []
        for bucket in allowance.buckets:
            levels += (bucket.limit.calls, bucket.limit.period_s, bucket.level)
        levels += [0.0] * (3 * _MOST_LIMITS - len(levels))
        hold_s = max(0.0, allowance.not_before - now)
        record = _RECORD.pack(self._number, self._wall(), now, hold_s, *levels)
        at = self._number % 2 * _PLACE
        self._map[at : at + _RECORD.size + _CHECK.size] = record + _CHECK.pack(zlib.crc32(record))

    def close(self) -> None:
        """Let the file go; what it holds stays."""
        self._map.close()

    def _read(self, place: int) -> tuple[float, ...] | None:
        """The record at a place; None where there is none, or one that was not written to its end."""
        at = place * _PLACE
        record = self._map[at : at + _RECORD.size]
        (check,) = _CHECK.unpack(self._map[at + _RECORD.size : at + _RECORD.size + _CHECK.size])
        if zlib.crc32(record) != check:
            return None
        found: tuple[float, ...] = _RECORD.unpack(record)
        return found if found[0] else None
