"""`pg-bridge keys rotate`: a new key beside the old one, which of them signs when, and when the old one ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pg_bridge.cli.key_files import replace_list, write_secret
from pg_bridge.cli.keys_set import (
    BitsOption,
    ByOption,
    ConfigArgument,
    EndsOption,
    ReasonOption,
    WhoseArgument,
    configured,
    moment,
    stated_by,
    told,
)
from pg_bridge.cli.output import say_json
from pg_bridge.errors import ConfigError
from pg_bridge.ocp.key_list import ListedKey, list_name, write_key_list
from pg_bridge.ocp.keys import LEAST_RSA_BITS, KeyPair, new_key_pem
from pg_bridge.ocp.tokens import key_id

#: how long the old key stays good behind the switch, where nobody says otherwise
OVERLAP = timedelta(days=7)


def rotate(
    whose: WhoseArgument,
    *,
    config: ConfigArgument,
    use_from: Annotated[
        str, typer.Option(help="When the new key begins to sign; register it before. Left out: in 24 hours.")
    ] = "",
    old_ends: Annotated[
        str, typer.Option(help="When the old key ends. Left out: as its list says, or 7 days behind the switch.")
    ] = "",
    ends: EndsOption = "",
    bits: BitsOption = LEAST_RSA_BITS,
    by: ByOption = "",
    reason: ReasonOption = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a new key beside the old one; both stay on the disk, and the running bridge switches at its time by itself.

    Example: pg-bridge keys rotate company -c bridge.toml --use-from 2026-12-01T18:00 --old-ends 2026-12-08
    """
    who = stated_by("rotating a key", by, reason)
    keys = configured(config)
    now = moment("now", "now")
    ring = keys.ring(whose)
    old = ring.at(now)
    waits = [key for key in ring.keys if not key.has_begun(now)]
    if waits:
        text = f"{waits[0].listed.file} already waits for its time, {told(waits[0].listed.used_from)}"
        raise ConfigError(f"rotating the {whose}'s key: {text}; change times in {list_name(keys.file(whose))}")
    begins = moment(use_from, "--use-from") if use_from else now + timedelta(days=1)
    old_until = moment(old_ends, "--old-ends") if old_ends else old.listed.ends_at or begins + OVERLAP
    until = moment(ends, "--ends") if ends else None
    if begins < now:
        raise ConfigError("rotating a key: --use-from is past")
    if old_until <= begins and not old.has_ended(now):
        raise ConfigError(
            f"rotating a key: the old one ends {told(old_until)}, and the new one signs from {told(begins)} only: "
            "between them none would be good; give another --use-from"
        )
    if until is not None and until <= begins:
        raise ConfigError("rotating a key: the new one would end before it signs; give another --ends")
    algorithm = keys.token.algorithm
    pem = new_key_pem(algorithm, bits, keys.passphrase)
    anchor = Path(keys.file(whose))
    path = anchor.with_name(f"{anchor.stem}-{now:%Y%m%d%H%M%S}{anchor.suffix}")
    listed = [
        msgspec.structs.replace(one, ends_at=old_until) if one.file == old.listed.file else one
        for one in (text.listed for text in keys.texts(whose))
    ]
    listed.append(ListedKey(file=path.name, used_from=begins, ends_at=until, made_at=now, by=who, reason=reason))
    # The key first: a list never names one that is not there.
    write_secret(path, pem)
    replace_list(Path(list_name(keys.file(whose))), write_key_list(listed))
    pair = KeyPair(pem, algorithm=algorithm, passphrase=keys.passphrase)
    if json:
        say_json(
            {
                "whose": whose,
                "file": str(path),
                "thumbprint": pair.thumbprint,
                "used_from": begins,
                "ends_at": until,
                "old": {"file": old.listed.file, "thumbprint": old.pair.thumbprint, "ends_at": old_until},
                "jwk": pair.public_jwk | {"kid": key_id(pair, keys.token)},
            }
        )
        return
    print(f"The {whose}'s new key: {path}")
    print(f"thumbprint {pair.thumbprint}")
    print(f"Register its public half before {told(begins)}: pg-bridge keys export {path} --algorithm {algorithm}")
    print(f"{old.listed.file} signs until then, and ends {told(old_until)}; it stays on the disk.")
    print("A bridge that runs takes this up by itself within ten seconds, and its journal says when the keys change.")
