"""The list of a company's or machine's keys: beside `company.pem` lies `company.keys.toml`, where there is one.

It says from when each key signs and when it ends at OCP; a rotation adds to it. Text in, text out: the files are read
by cli.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Literal

import msgspec

from pg_bridge.errors import ConfigError, Finding
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.typed_toml import Lines, read_toml

#: whose keys there are
Whose = Literal["company", "machine"]
WRONG = "PGB-KEY-002"
_HEAD = """\
# Keys and their times, kept by `pg-bridge keys`; a person may change times here. file: beside this one. used_from: it
# signs from then on, until another does. ends_at: OCP takes it no longer. kid: its id at OCP, where that is not its
# thumbprint. Take out a key when it has ended.
"""


class ListedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key of a list. used_from, ends_at: None: always, never known to end. by, reason: as a person stated."""

    file: str
    used_from: datetime | None = None
    ends_at: datetime | None = None
    kid: str = ""
    made_at: datetime | None = None
    by: str = ""
    reason: str = ""


class _KeyList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keys: list[ListedKey]


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as it lies on the disk. who: whose file says so, and what that person stated."""

    pem: bytes = field(repr=False)
    listed: ListedKey
    who: Who = field(default_factory=Who)


#: the keys of company and machine, as they lie on the disk
KeyTexts = Mapping[Whose, tuple[KeyText, ...]]


def list_name(key_file: str) -> str:
    """The list that belongs to a key file: `company.pem` -> `company.keys.toml`."""
    return str(PurePath(key_file).with_suffix(".keys.toml"))


def read_key_list(name: str, text: str) -> list[ListedKey]:
    """The keys of a list, at least one. Raises ConfigError with every finding."""
    findings: list[Finding] = []
    read = read_toml(name, text, _KeyList, findings, WRONG)
    if read is not None:
        findings += _findings(name, read.keys, Lines(text))
    if findings:
        raise ConfigError(f"reading the keys listed in {name}", findings=findings)
    keys: list[ListedKey] = read.keys
    return keys


def _findings(name: str, keys: list[ListedKey], lines: Lines) -> Iterable[Finding]:
    if not keys:
        yield Finding(WRONG, "error", name, "it lists no key", remedy="List one, or remove the file.")
    seen: set[str] = set()
    for number, key in enumerate(keys):
        at = lines.of(f"keys[{number}]")

        def wrong(text: str, remedy: str, at: int = at) -> Finding:
            return Finding(WRONG, "error", name, text, at, remedy=remedy)

        if not key.file or PurePath(key.file).name != key.file:
            yield wrong(f"{key.file!r} names no file beside this one", "Give a name without folders.")
        if key.file in seen:
            yield wrong(f"{key.file} is listed twice", "Leave one of the two.")
        seen.add(key.file)
        if any(moment is not None and moment.tzinfo is None for moment in (key.used_from, key.ends_at, key.made_at)):
            yield wrong(f"a time of {key.file} has no time zone", "End it with +08:00, or Z.")
        elif key.used_from and key.ends_at and key.ends_at <= key.used_from:
            yield wrong(f"{key.file} ends before it is used", "Correct used_from or ends_at.")


def write_key_list(keys: Iterable[ListedKey]) -> str:
    """The list as a file."""
    pieces = [_HEAD]
    for key in keys:
        members = {name: getattr(key, name) for name in key.__struct_fields__}
        lines = [f"{name} = {_value(value)}" for name, value in members.items() if value]
        pieces.append("\n".join(["\n[[keys]]", *lines, ""]))
    return "".join(pieces)


def _value(value: str | datetime) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return msgspec.json.encode(value).decode()  # a basic string of TOML is written as one of JSON


def utc(moment: datetime) -> datetime:
    """The moment in UTC, for comparing and journaling."""
    return moment.astimezone(UTC)
