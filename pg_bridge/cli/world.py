"""Clocks, random ids, files and secrets: what only this room touches."""

from __future__ import annotations

import os
import random
import secrets
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pg_bridge.bridge import World
from pg_bridge.cli.check_apart import check_apart
from pg_bridge.cli.key_files import read_both, read_passphrase, read_secret
from pg_bridge.cli.reports_apart import reports_apart
from pg_bridge.config import Config
from pg_bridge.errors import ConfigError, Finding, MappingInvalid
from pg_bridge.typed_toml import UNREADABLE

#: Bytes of one mapping file and of all, and files and folders looked at: more is no set of mappings.
MOST_FILE_BYTES = 4_000_000
MOST_BYTES = 16_000_000
MOST_SEEN = 5_000

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


class RandomIds:
    """Fresh ids; those of exchanges and deliveries sort by time."""

    def exchange_id(self) -> str:
        """A new exchange id: 9 characters of time, 11 of chance."""
        return "X" + _timed(11)

    def delivery_id(self) -> str:
        """A new delivery id."""
        return "D" + _timed(11)

    def request_id(self) -> str:
        """A new request id."""
        return str(uuid.uuid4())

    def reference(self) -> str:
        """A new reference of the PG, 16x: 9 characters of time, 5 of chance."""
        return "PG" + _timed(5)

    def claim(self) -> str:
        """A new claim on a file."""
        return "F" + _timed(11)

    def session_id(self) -> str:
        """A new session id, 10x."""
        return _random(10)


class _Chance:
    """Random characters, drawn from the system in large pieces: a draw for each id would cost a system call each."""

    def __init__(self) -> None:
        self._pool = ""
        self._at = 0

    def take(self, count: int) -> str:
        """`count` characters of 5 random bits each."""
        at = self._at
        if at + count > len(self._pool):
            self._pool = secrets.token_bytes(8192).translate(_TO_ALPHABET).decode("ascii")
            at = 0
        self._at = at + count
        return self._pool[at : at + count]


_TO_ALPHABET = (_ALPHABET * 8).encode("ascii")
_chance = _Chance()


def _random(count: int) -> str:
    return _chance.take(count)


def _timed(count: int) -> str:
    stamp = time.time_ns() // 1_000_000
    head = "".join([_ALPHABET[(stamp >> place) & 31] for place in (40, 35, 30, 25, 20, 15, 10, 5, 0)])
    return head + _chance.take(count)


def program_version() -> str:
    """The installed version."""
    return version("pg-bridge")


def mappings_folder(given: str = "") -> Path:
    """The folder of mappings: the one given, the one shipped in the wheel, or the project's own."""
    if given:
        return Path(given)
    package = Path(__file__).resolve().parents[1]
    shipped = package / "shipped_mappings"
    return shipped if shipped.is_dir() else package.parent / "mappings"


def read_mappings(given: str = "") -> dict[str, str]:
    """All mapping files: path below the folder -> text; names that begin with a dot are left out.

    Raises ConfigError where there is no such folder, and MappingInvalid with a finding for each file that is no text.
    """
    folder = mappings_folder(given)
    if not folder.is_dir():
        raise ConfigError(f"reading the mappings: there is no folder {folder}")
    files: dict[str, str] = {}
    findings: list[Finding] = []
    together = 0
    for path, at in _mapping_paths(folder, findings):
        try:
            if not path.is_file():
                what = "a folder" if path.is_dir() else "a link that leads nowhere, or a device"
                remedy = "Rename it, or put a file in its place."
                findings.append(_unreadable(at, f"this is no file but {what}", remedy))
                continue
            size = path.stat().st_size
            if size > MOST_FILE_BYTES or together + size > MOST_BYTES:
                told = f"the file has {size:,} bytes, {MOST_FILE_BYTES:,} are the most, and {MOST_BYTES:,} of all files"
                findings.append(_unreadable(at, told, "Split it, or move it out of the folder."))
                continue
            together += size
            raw = path.read_bytes()
            files[at] = raw.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            told = f"byte {error.start + 1} is no UTF-8: {error.reason}"
            findings.append(_unreadable(at, told, "Save the file as UTF-8.", line))
        except OSError as error:
            findings.append(_unreadable(at, f"it cannot be read: {error.strerror}", "Let pg-bridge read the file."))
    if findings:
        raise MappingInvalid(f"reading the mappings in {folder}", findings=findings)
    return files


def _mapping_paths(folder: Path, findings: list[Finding]) -> Iterator[tuple[Path, str]]:
    """Everything named like a mapping file, in order: where it is, and its path below the folder."""

    def closed(error: OSError) -> None:
        at = Path(os.fsdecode(error.filename)).relative_to(folder).as_posix()
        findings.append(_unreadable(at, f"it cannot be read: {error.strerror}", "Let pg-bridge read the folder."))

    seen = 0
    for here, folders, names in os.walk(folder, onerror=closed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(folders) + len(names)
        if seen > MOST_SEEN:
            told = f"more than {MOST_SEEN:,} files and folders lie in {folder}"
            findings.append(_unreadable(".", told, "Name the folder that holds nothing but the mapping files."))
            return
        for name in sorted([*names, *folders]):
            path = Path(here, name)
            at = path.relative_to(folder).as_posix()
            if not name.endswith((".toml", ".yaml")) or name.startswith("."):
                continue
            if at.encode("utf-8", "replace").decode("utf-8") != at:
                findings.append(_unreadable(at, "its name is no UTF-8", "Rename it."))
                continue
            yield path, at


def _unreadable(at: str, told: str, remedy: str, line: int = 0) -> Finding:
    # A name of the disk may hold bytes that are no text; a finding is text.
    path = at.encode("utf-8", "backslashreplace").decode("utf-8")
    return Finding(UNREADABLE, "error", path, told, line, remedy=remedy)


def read_file(path: str | Path, what: str) -> bytes:
    """The bytes of a file. Raises ConfigError that says what it was for."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"reading {what}: {error}") from error


def build_world(config: Config, environment: Mapping[str, str] = os.environ, mappings: str = "") -> World:
    """The real world for a configuration. Raises ConfigError, and MappingInvalid for mapping files that are no text."""
    given = mappings or config.mappings
    if config.ocp.client_key_file:
        read_secret(config.ocp.client_key_file, "the client certificate's key")
    return World(
        clock=utc_now,
        monotonic=time.monotonic,
        chance=random.SystemRandom().random,
        fresh=RandomIds(),
        mappings=read_mappings(given),
        mappings_folder=str(mappings_folder(given).absolute()),
        read_folder=lambda: read_mappings(given),
        check_set=check_apart,
        read_keys=lambda: read_both(config.ocp),
        passphrase=read_passphrase(config.ocp.key_passphrase_env, config.ocp.key_passphrase_file, environment),
        version=program_version(),
        make_reports=reports_apart,
    )
