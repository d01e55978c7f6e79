"""`pg-bridge keys export`: the public half of keys, for HKEX's portal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from pg_bridge.cli.key_files import read_passphrase, read_secret
from pg_bridge.cli.keys_set import BOTH, KeySet, configured, known_algorithm, moment
from pg_bridge.cli.output import say_json
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.keys import KeyPair
from pg_bridge.ocp.tokens import key_id


def export(
    which: Annotated[str, typer.Argument(help="company, machine, or the file of a private key.")],
    *,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="The bridge's configuration.")] = None,
    form: Annotated[
        Literal["jwk", "jwks", "pem"],
        typer.Option(help="jwk and pem: the key that was made last; jwks: all that have not ended."),
    ] = "jwks",
    key: Annotated[str, typer.Option(help="The beginning of a thumbprint: this key only.")] = "",
    algorithm: Annotated[str, typer.Option(help="By which the key of a file signs; else the profile says it.")] = "",
    passphrase_env: Annotated[str, typer.Option(help="Of a file: the environment variable with its passphrase.")] = "",
    passphrase_file: Annotated[str, typer.Option(help="Of a file: the file that holds its passphrase.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print every form, with thumbprints, as JSON.")] = False,
) -> None:
    """Print public keys as JWK, JWK set or PEM; nothing private is ever printed.

    Example: pg-bridge keys export company -c bridge.toml --form jwk
    """
    keys = configured(config) if config is not None else None
    if which in BOTH:
        if keys is None:
            raise ConfigError(f"exporting the {which}'s keys: name the bridge's configuration, -c bridge.toml")
        found = _live(keys, which)
    else:
        locked_by = keys.passphrase if keys else None
        if passphrase_env or passphrase_file:
            locked_by = read_passphrase(passphrase_env, passphrase_file, os.environ)
        pem, _ = read_secret(which, "the key")
        by = known_algorithm(algorithm or (keys.token.algorithm if keys else "RS256"))
        found = [KeyPair(pem, algorithm=by, passphrase=locked_by)]
    found = [one for one in found if one.thumbprint.startswith(key)]
    if not found:
        raise ConfigError(f"exporting keys: none that has not ended has a thumbprint that begins with {key!r}")
    jwks = [one.public_jwk | ({"kid": key_id(one, keys.token)} if keys else {}) for one in found]
    if json:
        rows: list[dict[str, Any]] = [
            {"thumbprint": one.thumbprint, "jwk": jwk, "pem": one.public_pem().decode()}
            for one, jwk in zip(found, jwks, strict=True)
        ]
        say_json({"keys": rows})
    elif form == "pem":
        print(found[-1].public_pem().decode(), end="")
    else:
        told: Any = jwks[-1] if form == "jwk" else {"keys": jwks}
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


def _live(keys: KeySet, which: str) -> list[KeyPair]:
    """The keys that have not ended, the one that was made last at the end."""
    ring = keys.ring("company" if which == "company" else "machine")
    return [one.pair for one in ring.live(moment("now", "now"))]
