"""One participant's drop folder on disk: every step that a file goes, each of which may be done again after a crash.

    inbox/X ─▶ taken/OWNER/CLAIM~X ─▶ outbox/X.CLAIM.report ─▶ archive/DAY/CLAIM~X, or rejected/CLAIM~X and its report

A step is one rename, made durable before it counts. Names hold the claim, so that a step done twice ends the same and
nothing that is there is ever written over. Everything here waits for the disk: call it in a thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from pg_bridge.errors import DiskFault, Finding
from pg_bridge.formats.iso15022.charset import outside_x
from pg_bridge.pss.disk_faults import as_text, doing

NOT_ONE_DISK = "PGB-DRP-002"
NO_FILE = "PGB-DRP-003"
NO_NAME = "PGB-DRP-004"
TOO_LARGE = "PGB-DRP-005"
EMPTY = "PGB-DRP-006"
OF_ANOTHER = "PGB-DRP-007"

INBOX, TAKEN, OUTBOX, REJECTED, ARCHIVE = FOLDERS = ("inbox", "taken", "outbox", "rejected", "archive")
REPORT = ".report"
#: what still is being written goes by such names until it is whole
UNFINISHED = (".tmp", ".part", ".filepart")
#: of what is no file in an inbox this many are told
MOST_FINDINGS = 100
_MODE = 0o750
_REPORT_MODE = 0o640
_TAKEN = re.compile(r"([A-Za-z0-9]{1,40})~(.+)", re.DOTALL)
_PLAIN = re.compile(r"[^A-Za-z0-9.,()+-]")
_NO_FOLLOW = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Look(NamedTuple):
    """A file as it lies there: what changes when somebody writes to it."""

    size: int
    modified_ns: int
    inode: int


class Waiting(NamedTuple):
    """A file in the inbox."""

    name: str
    look: Look


class Taken(NamedTuple):
    """A file that is ours: under which claim, and the name that the participant gave it."""

    claim: str
    name: str
    path: Path
    look: Look


class Inbox(NamedTuple):
    """What lies in the inbox: files, oldest first; and what is no file, by finding."""

    files: list[Waiting]
    findings: list[Finding]


class DropFolder:
    """The steps. owner: names the journal that knows what was entered; what another took is left alone.

    Every method raises DiskFault, which says what could not be done and whose move it is.
    """

    def __init__(self, root: Path, owner: str) -> None:
        self.root = root
        self._inbox, self._outbox = root / INBOX, root / OUTBOX
        self._rejected, self._archive = root / REJECTED, root / ARCHIVE
        self._taken = root / TAKEN / owner
        self._owner = owner

    def prepare(self) -> None:
        """Make the folders that are absent. They must be on one file system: a rename across two is none."""
        with doing("making the drop folder", self.root):
            self.root.mkdir(mode=_MODE, exist_ok=True)
        for name in FOLDERS:
            with doing("making the folder", self.root / name):
                (self.root / name).mkdir(mode=_MODE, exist_ok=True)
        with doing("making the folder", self._taken):
            self._taken.mkdir(mode=_MODE, exist_ok=True)
        self.check()

    def check(self) -> None:
        """Are all folders there, to be written in, and on one file system?"""
        devices = {}
        for path in (*(self.root / name for name in FOLDERS), self._taken):
            with doing("looking at the folder", path):
                devices[path.stat().st_dev] = path
                if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, "it cannot be read and written")
        if len(devices) > 1:
            told = f"{' and '.join(map(as_text, devices.values()))} are on different file systems"
            remedy = "Put the whole drop folder on one file system, or name a folder where it is."
            raise DiskFault(told, finding=_finding(NOT_ONE_DISK, self.root, told, remedy))

    # --- looking -------------------------------------------------------------------------------------------

    def inbox(self) -> Inbox:
        """What lies in the inbox and does not say by its name that it is unfinished."""
        found = Inbox([], [])
        with doing("reading the folder", self._inbox), os.scandir(self._inbox) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
                    continue
                with contextlib.suppress(FileNotFoundError):  # whoever put it there took it away again
                    at = entry.stat(follow_symlinks=False)
                    if not stat.S_ISREG(at.st_mode):
                        found.findings.append(_no_file(entry.path, at.st_mode))
                    elif not at.st_size:
                        told = "the file is empty; it is left alone until something stands in it"
                        found.findings.append(_finding(EMPTY, entry.path, told, "Fill it, or take it away.", "warning"))
                    else:
                        found.files.append(Waiting(entry.name, _look(at)))
        del found.findings[MOST_FINDINGS:]
        found.files.sort(key=lambda file: (file.look.modified_ns, file.name))
        return found

    def taken(self) -> list[Taken]:
        """The files that are ours and have not ended, in the order in which they were taken."""
        found: list[Taken] = []
        with doing("reading the folder", self._taken), os.scandir(self._taken) as entries:
            for entry in entries:
                named = _TAKEN.fullmatch(entry.name)
                if named is not None and entry.is_file(follow_symlinks=False):
                    at = entry.stat(follow_symlinks=False)
                    found.append(Taken(named[1], named[2], Path(entry.path), _look(at)))
        return sorted(found)

    def strangers(self) -> list[Finding]:
        """What lies in the taken folder and is not ours: only the journal of who took it knows if it was entered."""
        found: list[Finding] = []
        at = self.root / TAKEN
        with doing("reading the folder", at):
            for path in sorted(at.iterdir()):
                if path.name != self._owner and (not path.is_dir() or next(path.iterdir(), None) is not None):
                    told = "what lies here was taken by a bridge with another journal, or by hand; it is left alone"
                    remedy = "Start that bridge; or look in its journal what became of each file, and clear this up."
                    found.append(_finding(OF_ANOTHER, path, told, remedy))
        return found

    # --- taking --------------------------------------------------------------------------------------------

    def take(self, file: Waiting, claim: str) -> Taken | None:
        """Make a file ours; None when another bridge, or who put it there, was quicker, or it cannot be read yet."""
        source, target = self._inbox / file.name, self._taken / f"{claim}~{file.name}"
        try:
            with doing("opening the file", source):
                os.close(os.open(source, os.O_RDONLY | _NO_FOLLOW))
            with doing("taking the file", source):
                source.rename(target)
        except DiskFault as fault:
            if fault.is_absent:
                return None
            raise
        return Taken(claim, file.name, target, file.look)

    def read(self, file: Taken) -> bytes | None:
        """The whole file, its taking durable, by whichever process; None while somebody still writes to it."""
        _sync(self._taken, self._inbox)
        with doing("reading the file", file.path):
            handle = os.open(file.path, os.O_RDONLY | _NO_FOLLOW)
            with os.fdopen(handle, "rb") as opened:
                content = opened.read(file.look.size + 1)
                if _look(os.fstat(handle)) != file.look or len(content) != file.look.size:
                    return None
        return content

    # --- ending --------------------------------------------------------------------------------------------

    def report(self, claim: str, name: str, text: bytes) -> Path:
        """Put a report into the outbox, whole or not at all."""
        return _put(self._outbox, f"{name}.{claim}{REPORT}", claim, text)

    def archive(self, claim: str, name: str, day: str) -> Path | None:
        """Move a taken file to the archive of a day (YYYYMMDD); None when it is not there any more, nor archived."""
        with doing("reading the folder", self._archive):
            archived = [path / f"{claim}~{name}" for path in self._archive.iterdir()]
        folder = self._archive / day
        with doing("making the folder", folder):
            folder.mkdir(mode=_MODE, exist_ok=True)
        return self._away(f"{claim}~{name}", folder, archived, self._archive)

    def reject(self, claim: str, name: str, text: bytes) -> Path | None:
        """Move a taken file to the rejected ones, the report beside it."""
        _put(self._rejected, f"{claim}~{name}{REPORT}", claim, text)
        held = f"{claim}~{name}"
        return self._away(held, self._rejected, [self._rejected / held])

    def turn_away(self, file: Waiting, claim: str, text: bytes) -> Path | None:
        """Move a file from the inbox to the rejected ones without taking it; the text goes beside it and out."""
        name = plain(file.name)
        _put(self._rejected, f"{claim}~{name}{REPORT}", claim, text)
        self.report(claim, name, text)
        source, target = self._inbox / file.name, self._rejected / f"{claim}~{name}"
        try:
            with doing("moving the file", source):
                source.rename(target)
        except DiskFault as fault:
            if fault.is_absent:
                return None
            raise
        _sync(self._rejected, self._inbox)
        return target

    def _away(self, held: str, folder: Path, before: list[Path], *parents: Path) -> Path | None:
        """Move what is held; before: where a crash may have left it already."""
        source, target = self._taken / held, folder / held
        with doing("moving the file", source):
            if not os.path.lexists(source):  # it went before a crash, or a person took it
                return next((path for path in before if os.path.lexists(path)), None)
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, f"{as_text(target)} is there already")
            source.rename(target)
        _sync(folder, *parents, self._taken)
        return target


def name_findings(name: str, size: int, *, longest: int, largest: int) -> list[Finding]:
    """Everything for which a file is turned away unread: a name that no report can repeat, and its size in bytes."""
    found: list[Finding] = []
    strange = sorted(set(outside_x(name)) | ({"/", "\n", "\r"} & set(name)))
    if strange:
        told = f"a name has none of {' '.join(map(as_text, strange))}"
        found.append(_finding(NO_NAME, name, told, "Use letters, digits, and - . , + ( ) only."))
    if len(name) > longest or name != name.strip():
        told = f"a name has 1 to {longest} characters, and a space neither first nor last; this one has {len(name)}"
        found.append(_finding(NO_NAME, name, told, "Give the file another name, and put it into the inbox again."))
    if size > largest:
        told = f"the file has {size:,} bytes; {largest:,} are the most"
        found.append(_finding(TOO_LARGE, name, told, "Divide it into several files."))
    return found


def plain(name: str) -> str:
    """A name that is safe on any disk, like the one given."""
    return _PLAIN.sub("_", name)[:100]


def _finding(code: str, path: object, text: str, remedy: str, severity: str = "error") -> Finding:
    return Finding(code, "warning" if severity == "warning" else "error", as_text(path), text, remedy=remedy)


def _no_file(path: str, mode: int) -> Finding:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}
    what = kinds.get(stat.S_IFMT(mode), "a device or socket")
    return _finding(NO_FILE, path, f"this is no file but {what}; it is left alone", "Take it away.", "warning")


def _look(at: os.stat_result) -> Look:
    return Look(at.st_size, at.st_mtime_ns, at.st_ino)


def _put(folder: Path, name: str, claim: str, text: bytes) -> Path:
    """Write a file whole: nobody sees it before. What is there already is it, from before a crash."""
    target, unfinished = folder / name, folder / f".{claim}.tmp"
    with doing("writing the file", target):
        if not os.path.lexists(target):
            unfinished.unlink(missing_ok=True)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, _REPORT_MODE)
            with os.fdopen(handle, "wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            unfinished.rename(target)
    _sync(folder)
    return target


def _sync(*folders: Path) -> None:
    for folder in dict.fromkeys(folders):
        with doing("making durable the folder", folder):
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
