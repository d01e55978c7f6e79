"""What the disk refused to do, in words: what was being done, and whose move it is."""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
from collections.abc import Iterator

from pg_bridge.errors import DiskFault, Finding

_REMEDIES = {
    errno.ENOSPC: "Free space on this disk; it is tried again every moment.",
    errno.EDQUOT: "Free space, or raise the quota of the bridge's user; it is tried again every moment.",
    errno.EROFS: "Mount the file system for writing.",
    errno.ENOENT: "Put the folder back, or mount what it lies on.",
    errno.ENOTDIR: "Put a folder in its place.",
    errno.EEXIST: "Look what it is, and move it away.",
    errno.EXDEV: "Put the whole drop folder on one file system.",
    errno.ESTALE: "Mount the share again.",
    errno.EIO: "Look at the disk or the share: it reports a fault.",
}


@contextlib.contextmanager
def doing(what: str, path: os.PathLike[str]) -> Iterator[None]:
    """Name the step that is done meanwhile. Raises DiskFault for OSError."""
    try:
        yield
    except OSError as error:
        text = f"{what}: {error.strerror or error}"
        finding = Finding(DiskFault.code, "error", as_text(path), text, remedy=_remedy(error))
        raise DiskFault(text, finding=finding, is_absent=error.errno == errno.ENOENT) from error


def as_text(path: object) -> str:
    """A path or name as text: what is no UTF-8 in it, or cannot be seen, as its escape."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _remedy(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Let the bridge's user, {_user()}, read and write there."
    return _REMEDIES.get(error.errno or 0, "Look at the disk or the share; it is tried again every moment.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
