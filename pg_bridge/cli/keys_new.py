"""`pg-bridge keys new`: a first key for the company or the machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pg_bridge.cli.key_files import read_passphrase, replace_list, write_secret
from pg_bridge.cli.keys_set import (
    BitsOption,
    ByOption,
    EndsOption,
    ReasonOption,
    known_algorithm,
    moment,
    stated_by,
)
from pg_bridge.cli.output import say_json
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.key_list import ListedKey, list_name, write_key_list
from pg_bridge.ocp.keys import LEAST_RSA_BITS, KeyPair, new_key_pem


def new(
    file: Annotated[Path, typer.Argument(help="Where the key goes; its list goes beside it: company.keys.toml.")],
    *,
    algorithm: Annotated[str, typer.Option(help="RS256 or PS256 (an RSA key), or ES256 (P-256).")] = "RS256",
    bits: BitsOption = LEAST_RSA_BITS,
    ends: EndsOption = "",
    passphrase_env: Annotated[
        str, typer.Option(help="The environment variable with a passphrase that is to lock the key.")
    ] = "",
    passphrase_file: Annotated[str, typer.Option(help="Or the file (mode 0600) that holds it.")] = "",
    by: ByOption = "",
    reason: ReasonOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a private key in FILE (PKCS#8 PEM, mode 0600) and print its public half; nothing is ever written over.

    Example: pg-bridge keys new company.pem --algorithm RS256 --ends 2027-11-30
    """
    who = stated_by("making a key", by, reason)
    if passphrase_env and passphrase_file:
        raise ConfigError("making a key: name one of --passphrase-env and --passphrase-file")
    passphrase = read_passphrase(passphrase_env, passphrase_file, os.environ)
    listed = Path(list_name(str(file)))
    if listed.exists():
        raise ConfigError(f"making a key: {listed} lists keys already; `pg-bridge keys rotate` adds one")
    now = moment("now", "now")
    ends_at = moment(ends, "--ends") if ends else None
    if ends_at is not None and ends_at <= now:
        raise ConfigError(f"making a key: --ends {ends} is past")
    pem = new_key_pem(known_algorithm(algorithm), bits, passphrase)
    write_secret(file, pem)
    entry = ListedKey(file=file.name, ends_at=ends_at, made_at=now, by=who, reason=reason)
    replace_list(listed, write_key_list([entry]))
    key = KeyPair(pem, algorithm=algorithm, passphrase=passphrase)
    if json:
        say_json({"file": str(file), "list": str(listed), "thumbprint": key.thumbprint, "jwk": key.public_jwk})
        return
    print(f"{file}: a private key for {algorithm}{', locked by the passphrase' if passphrase else ''}, mode 0600")
    print(f"thumbprint {key.thumbprint}")
    print("Register its public half at HKEX's portal: pg-bridge keys export " + str(file) + f" --algorithm {algorithm}")
    if ends_at is None:
        print(f"When the portal says how long it is good, write ends_at into {listed}, so that its end is warned of.")
