"""`pg-bridge simulate samples`: request and answer files of every operation and outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from pg_bridge.cli.output import console, say_json, table
from pg_bridge.cli.world import read_mappings
from pg_bridge.errors import ConfigError
from pg_bridge.profiles.ocp import OcpProfile, read_ocp_profile
from pg_bridge.simulator.sample_stories import left_out, make_samples
from pg_bridge.simulator.samples import SEED, Sample

INDEX = "index.json"
_KEYS = (
    "Everything is signed by one key that follows from the seed `{seed}` and guards nothing. The same files come each "
    "time: RS256 and ES256 (RFC 6979) sign alike, PS256 salts by chance."
)


def samples(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made when it is not there.")],
    *,
    mappings: Annotated[str, typer.Option(help="A folder of mappings in place of the shipped one.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write sample requests and answers, made by a pretend OCP: each operation, each outcome, and an index.

    The same files come each time, to the byte. The index says which codes have no sample, and why.

    Example: pg-bridge simulate samples samples/
    """
    profile = read_ocp_profile(read_mappings(mappings))
    made = asyncio.run(make_samples(profile))
    index = write_samples(folder, made, profile)
    if json:
        say_json(index)
        return
    counts = Counter(one.operation for one in made)
    rows = [(name, count) for name, count in counts.items()]
    console().print(table(f"{len(made)} samples in {folder}", ("operation", "outcomes"), rows))
    print(f"What each is: {folder / INDEX}")


def write_samples(folder: Path, made: list[Sample], profile: OcpProfile) -> dict[str, Any]:
    """Write the files; gives the index. Raises ConfigError where that cannot be done."""
    entries: list[dict[str, Any]] = []
    try:
        for one in made:
            place = folder / one.operation
            place.mkdir(parents=True, exist_ok=True)
            names = {}
            for what, document in (("request", one.request), ("answer", one.answer)):
                path = place / f"{one.outcome}.{what}.json"
                path.write_bytes(_pretty(document))
                names[what] = path.relative_to(folder).as_posix()
            entries.append(
                {
                    "operation": one.operation,
                    "outcome": one.outcome,
                    "meaning": one.meaning,
                    "status": one.status,
                    **names,
                }
            )
        index = {
            "profile": profile.name,
            "keys": _KEYS.format(seed=SEED),
            "left_out": left_out(profile, made),
            "samples": entries,
        }
        (folder / INDEX).write_bytes(_pretty(index))
    except OSError as error:
        raise ConfigError(f"writing the samples: {error}") from error
    return index


def _pretty(document: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
