"""The demo's other processes: a pretend OCP and the bridge, each started as a person would, in a temporary folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pg_bridge.cli.world import read_mappings
from pg_bridge.errors import BridgeError
from pg_bridge.ocp.keys import KeyPair, new_key_pem, public_jwks
from pg_bridge.profiles.ocp import read_ocp_profile

COMPANY = "DEMOCOMPANY"
MACHINE = "DEMOCOMPANY-M1"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is."""

    folder: Path
    ocp_url: str
    host: str
    port: int
    journal: Path


def write_keys(folder: Path, participants: list[str], mappings: str = "") -> Path:
    """Fresh keys for company and machine in `folder`; gives the file that registers them at the pretend OCP."""
    algorithm = read_ocp_profile(read_mappings(mappings)).token.algorithm
    pairs = {}
    for name in ("company", "machine"):
        pem = new_key_pem(algorithm)
        handle = os.open(folder / f"{name}.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(pem)
        pairs[name] = KeyPair(pem, algorithm=algorithm)
    registrations = {
        "companies": {COMPANY: {"jwks": public_jwks([pairs["company"]]), "participants": participants}},
        "machines": {MACHINE: {"jwks": public_jwks([pairs["machine"]]), "company": COMPANY}},
    }
    path = folder / "registrations.json"
    path.write_bytes(msgspec.json.encode(registrations))
    return path


def write_config(folder: Path, ocp_url: str, participants: list[str], *, mappings: str = "", extra: str = "") -> Path:
    """A configuration of the bridge for this folder, with free ports."""
    sections = "\n".join(f"[participants.{name}]" for name in participants)
    path = folder / "bridge.toml"
    path.write_text(
        f"""\
mappings = "{mappings}"

[ocp]
base_url = "{ocp_url}"
company_id = "{COMPANY}"
machine_id = "{MACHINE}"
company_key_file = "{folder / "company.pem"}"
machine_key_file = "{folder / "machine.pem"}"

{sections}

[pss]
port = 0

[push]
port = 0

[journal]
path = "{folder / "journal.sqlite"}"

[control]
socket = "{folder / "control.sock"}"

[log]
level = "warning"
{extra}
""",
        "utf-8",
    )
    return path


async def start(*arguments: str, log: Path, wait_s: float = 30.0) -> tuple[asyncio.subprocess.Process, dict[str, Any]]:
    """Start a verb as a process of its own; gives it and the line of JSON that says where it listens."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pg_bridge",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    if process.stdout is None:
        raise BridgeError(f"starting {' '.join(arguments)}: it has no output")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), wait_s)
        where: dict[str, Any] = msgspec.json.decode(line)
    except (TimeoutError, msgspec.DecodeError) as error:
        await stop(process)
        text = _tail(log)
        raise BridgeError(f"starting {' '.join(arguments)}: it did not come up\n{text}") from error
    return process, where


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace").strip()[-2_000:]


async def stop(process: asyncio.subprocess.Process) -> int:
    """End a process in order, or by force after ten seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        return await asyncio.wait_for(process.wait(), 10.0)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


@contextlib.asynccontextmanager
async def both(
    folder: Path, participants: list[str], mappings: str = "", *, ocp_options: Sequence[str] = (), extra: str = ""
) -> AsyncIterator[Places]:
    """A pretend OCP and the bridge, each a process; ended in order.

    ocp_options: more of the pretend OCP's command line; extra: lines for the end of the bridge's configuration.
    """
    registrations = write_keys(folder, participants, mappings)
    shared = ["--mappings", mappings] if mappings else []
    ocp, at_ocp = await start(
        "simulate", "ocp", "--port", "0", "--json", "--registrations", str(registrations), *shared, *ocp_options,
        log=folder / "ocp.log",
    )  # fmt: skip
    try:
        config = write_config(folder, at_ocp["listening"], participants, mappings=mappings, extra=extra)
        bridge, where = await start("serve", "-c", str(config), "--json", log=folder / "bridge.log")
        try:
            host, _, port = where["pss"].rpartition(":")
            yield Places(folder, at_ocp["listening"], host, int(port), folder / "journal.sqlite")
        finally:
            await stop(bridge)
    finally:
        await stop(ocp)
