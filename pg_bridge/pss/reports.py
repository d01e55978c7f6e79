"""The reports folder: `<folder>/<participant>/<YYYYMMDD>/<report id>`, read in threads so that the loop goes on.

A name from the PSS is a name and never a path: letters, digits, `-` and `_` only. Whoever writes a report writes it
elsewhere on the same file system and renames it: a file that changes while it is read is not given.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import stat
from pathlib import Path

from pg_bridge.errors import ReportError, ReportMissing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BLOCK = 1_048_576


class ReportFile:
    """A report file that is open, and fulfils `exchange.ports.OpenReport`."""

    def __init__(self, handle: int, size: int, hash_: str) -> None:
        self._handle = handle
        self.size = size
        self.hash = hash_

    async def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on. Raises ReportError when the disk does not give them."""
        try:
            return await asyncio.to_thread(_read_at, self._handle, offset, size)
        except OSError as error:
            raise ReportError(f"the report cannot be read: {error.strerror or error}") from error

    async def close(self) -> None:
        """Close the file."""
        await asyncio.to_thread(os.close, self._handle)


class ReportFolder:
    """The reports of all participants below one folder; fulfils `exchange.ports.Reports`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self, participant: str, day: str, name: str, largest: int) -> ReportFile:
        """The participant's report of that name and day. Raises ReportMissing, ReportError."""
        told = f"report {name} of {day}"
        if not all(_NAME.fullmatch(part) for part in (participant, day, name)):
            raise ReportMissing(f"there is no {told}")
        try:
            return await asyncio.to_thread(_open, self._folder / participant / day / name, told, largest)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise ReportMissing(f"there is no {told}") from error
            raise ReportError(f"{told} cannot be read: {error.strerror or error}") from error


def _open(path: Path, told: str, largest: int) -> ReportFile:
    # Neither a link nor a device nor a pipe: what is named by a PSS must be a file that was put there.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size, hash_ = _hashed(handle, told, largest)
    except BaseException:
        os.close(handle)
        raise
    return ReportFile(handle, size, hash_)


def _hashed(handle: int, told: str, largest: int) -> tuple[int, str]:
    """Size and SHA-256 (hex) of a whole file. Raises ReportMissing, ReportError."""
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        raise ReportMissing(f"there is no {told}")
    if before.st_size > largest:
        raise ReportError(f"{told} has {before.st_size} bytes, {largest} are the most")
    digest = hashlib.sha256()
    size = 0
    while size <= before.st_size and (block := os.read(handle, _BLOCK)):
        digest.update(block)
        size += len(block)
    after = os.fstat(handle)
    if size != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ReportError(f"{told} is being written; ask for it again later")
    return size, digest.hexdigest()


def _read_at(handle: int, offset: int, size: int) -> bytes:
    pieces: list[bytes] = []
    while size > 0 and (piece := os.pread(handle, size, offset)):
        pieces.append(piece)
        offset += len(piece)
        size -= len(piece)
    return b"".join(pieces)
