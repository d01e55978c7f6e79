"""Private keys and passphrases on the disk: read only where nobody else can, written so, never written over."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pg_bridge.config import OcpConfig
from pg_bridge.errors import ConfigError, Finding
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.ocp.key_list import KeyText, KeyTexts, ListedKey, Whose, list_name, read_key_list

#: a key file, or a list of them, is smaller
MOST_BYTES = 65_536
OPEN_TO_OTHERS = "PGB-KEY-003"


def read_secret(path: str | Path, what: str) -> tuple[bytes, Who]:
    """The bytes of a file that only its owner may read, and who that is.

    Raises ConfigError where it cannot be read, where others may read or write it, or where it is another user's.
    """
    doing = f"reading {what} {path}"
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - closed below
    except IsADirectoryError:
        raise ConfigError(f"{doing}: it is no file") from None
    except OSError as error:
        raise ConfigError(f"{doing}: {error.strerror or error}") from error
    with file:
        # of what was opened: the name may lead elsewhere by now
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{doing}: it is no file")
        mode = stat.S_IMODE(found.st_mode)
        owner = _user(found.st_uid)
        if mode & 0o077:
            text = f"its mode is {mode:04o}: others than its owner may get at it"
            remedy = f"chmod 600 {path}"
        elif found.st_uid not in (os.geteuid(), 0):
            text = f"it belongs to {owner}, not to {_user(os.geteuid())} who runs this"
            remedy = f"chown {_user(os.geteuid())} {path}"
        else:
            text = remedy = ""
        if text:
            finding = Finding(OPEN_TO_OTHERS, "error", str(path), text, remedy=remedy)
            raise ConfigError(f"{doing}: {text}", findings=[finding])
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{doing}: it is larger than {MOST_BYTES} bytes")
    return content, Who(user=owner, uid=found.st_uid)


def read_keys(key_file: str, whose: Whose) -> tuple[KeyText, ...]:
    """The key of a file, or all that the list beside it names and that are still there. Raises ConfigError."""
    if not key_file:
        raise ConfigError(f"reading the {whose}'s key: the configuration names no file, [ocp] {whose}_key_file")
    listed = Path(list_name(key_file))
    if not listed.exists():
        pem, who = read_secret(key_file, f"the {whose}'s key")
        return (KeyText(pem, ListedKey(file=Path(key_file).name), who),)
    content, who = read_secret(listed, f"the list of the {whose}'s keys")
    keys = read_key_list(str(listed), content.decode("utf-8", "replace"))
    texts: list[KeyText] = []
    for key in keys:
        path = listed.with_name(key.file)
        if key.ends_at is not None and key.ends_at <= datetime.now(UTC) and not path.exists():
            continue  # it has ended, and was taken away
        pem, _ = read_secret(path, f"the {whose}'s key")
        texts.append(KeyText(pem, key, Who(user=who.user, uid=who.uid, by=key.by, reason=key.reason)))
    if not texts:
        raise ConfigError(f"reading the {whose}'s keys: none of those listed in {listed} is there")
    return tuple(texts)


def read_both(ocp: OcpConfig) -> KeyTexts:
    """The keys of the company and of the machine. Raises ConfigError."""
    return {
        "company": read_keys(ocp.company_key_file, "company"),
        "machine": read_keys(ocp.machine_key_file, "machine"),
    }


def read_passphrase(variable: str, file: str, environment: Mapping[str, str]) -> bytes | None:
    """The passphrase of a variable or file, None where neither is named. Raises ConfigError where it is not there."""
    if file:
        content, _ = read_secret(file, "the keys' passphrase")
        text = content.removesuffix(b"\n").removesuffix(b"\r")
    elif variable:
        text = environment.get(variable, "").encode()
    else:
        return None
    if not text:
        place = file or f"the environment variable {variable}"
        raise ConfigError(f"reading the keys' passphrase: {place} holds none")
    return text


def write_secret(path: Path, content: bytes) -> None:
    """A new file with mode 0600, on the disk when this returns. Raises ConfigError, also where it is there already."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise ConfigError(f"writing {path}: it is there already, and no key is ever written over") from error
    except OSError as error:
        raise ConfigError(f"writing {path}: {error.strerror or error}") from error


def replace_list(path: Path, text: str) -> None:
    """The list with this text, whole or as it was. Raises ConfigError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    write_secret(beside, text.encode())
    try:
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"writing {path}: {error.strerror or error}") from error


def this_user() -> str:
    """The name of the user who runs this."""
    return _user(os.geteuid())


def _open_at_once(path: str, flags: int) -> int:
    """As `open` does, without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
