"""What the verbs of `pg-bridge keys` share: the keys of a configuration, times as people write them, who asks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal

import typer

from pg_bridge.cli.control_client import check_who
from pg_bridge.cli.key_files import read_keys, read_passphrase, this_user
from pg_bridge.cli.world import read_file, read_mappings, utc_now
from pg_bridge.config import Config, read_config
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.key_list import KeyText, Whose
from pg_bridge.ocp.key_ring import KeyRing
from pg_bridge.ocp.keys import ALGORITHMS
from pg_bridge.profiles.ocp import read_ocp_profile
from pg_bridge.profiles.ocp_file import TokenProfile

HONG_KONG = timezone(timedelta(hours=8))
BOTH: tuple[Whose, ...] = ("company", "machine")

ConfigArgument = Annotated[Path, typer.Option("-c", "--config", help="The bridge's configuration.")]
WhoseArgument = Annotated[Literal["company", "machine"], typer.Argument(help="Whose key: company or machine.")]
ByOption = Annotated[str, typer.Option(help="Who you are, for the list of keys and the journal.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the list of keys and the journal.")]
EndsOption = Annotated[
    str, typer.Option(help="When OCP takes the new key no longer, as its portal says: 2027-11-30, or with a time.")
]
BitsOption = Annotated[int, typer.Option(help="Of an RSA key.")]


@dataclass(frozen=True, slots=True)
class KeySet:
    """A configuration with what its keys need."""

    config: Config
    token: TokenProfile
    passphrase: bytes | None = field(repr=False)

    def file(self, whose: Whose) -> str:
        """The key file that the configuration names."""
        ocp = self.config.ocp
        return ocp.company_key_file if whose == "company" else ocp.machine_key_file

    def texts(self, whose: Whose) -> Sequence[KeyText]:
        """The keys on the disk. Raises ConfigError."""
        return read_keys(self.file(whose), whose)

    def ring(self, whose: Whose) -> KeyRing:
        """The keys, loaded. Raises ConfigError."""
        return KeyRing(whose, self.texts(whose), self.token.algorithm, self.passphrase)


def configured(config: Path) -> KeySet:
    """The keys of a configuration file. Raises ConfigError, MappingInvalid."""
    settings = read_config(read_file(config, "the configuration").decode("utf-8", "replace"), os.environ)
    return key_set(settings)


def key_set(settings: Config) -> KeySet:
    """The keys of a configuration. Raises ConfigError, MappingInvalid."""
    ocp = settings.ocp
    passphrase = read_passphrase(ocp.key_passphrase_env, ocp.key_passphrase_file, os.environ)
    return KeySet(settings, read_ocp_profile(read_mappings(settings.mappings)).token, passphrase)


def moment(text: str, name: str) -> datetime:
    """A day or a time as people write it, Hong Kong's where it does not say. Raises ConfigError."""
    if text == "now":
        return utc_now().astimezone(HONG_KONG).replace(microsecond=0)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}: write 2027-11-30, or 2027-11-30T18:00, Hong Kong time") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=HONG_KONG)


def told(at: datetime | None) -> str:
    """A time as people read it."""
    return "" if at is None else f"{at.astimezone(HONG_KONG):%Y-%m-%d %H:%M}"


def known_algorithm(algorithm: str) -> str:
    """The algorithm, if a key may sign by it. Raises ConfigError."""
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"--algorithm is {algorithm!r}: there are {', '.join(ALGORITHMS)}")
    return algorithm


def stated_by(doing: str, by: str, reason: str) -> str:
    """Who asks: as stated, or the user. Raises ConfigError."""
    check_who(doing, by, reason)
    return by or this_user()
