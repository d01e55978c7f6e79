"""Writes one report to several places at once, each whole or not at all: temporary name, fsync, rename."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pg_bridge.errors import ReportError

_FOLDER_MODE = 0o750
_FILE_MODE = 0o640


class Written(NamedTuple):
    """What was written: bytes, SHA-256 (hex)."""

    size: int
    hash: str


def write_report(pieces: Iterable[bytes], targets: Sequence[Path]) -> Written:
    """Write the pieces, as they come, to every target; nobody sees a file before it is whole.

    Folders that are absent are made. What `pieces` raises goes on, and nothing was changed then. Raises ReportError
    when the disk does not do it.
    """
    digest = hashlib.sha256()
    size = 0
    unfinished = [target.with_name(f".{target.name}.{os.getpid()}.tmp") for target in targets]
    with contextlib.ExitStack() as stack:
        try:
            opened = [stack.enter_context(_opened(path)) for path in unfinished]
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                for out in opened:
                    out.write(piece)
            for out in opened:
                out.flush()
                os.fsync(out.fileno())
            for path, target in zip(unfinished, targets, strict=True):
                path.rename(target)
            for folder in dict.fromkeys(target.parent for target in targets):
                _sync(folder)
        except OSError as error:
            raise ReportError(f"writing the report {targets[0].name}: {error}") from error
        finally:
            for path in unfinished:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
    return Written(size, digest.hexdigest())


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)
    return os.fdopen(handle, "wb")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
