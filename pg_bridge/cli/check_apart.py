"""The check of a mapping set in a process of its own, beside a bridge that goes on with its traffic.

A thread would not do: a check runs cases through the reader, and what the reader remembers of messages is for one
thread. A process leaves the bridge its processor as well, and a set that is too much for it ends that process only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import site
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.mapping.checks.check import check

#: a check takes a second or two
LONGEST_S = 60.0


async def check_apart(files: Mapping[str, str]) -> list[Finding]:
    """All findings of a set; a check that fails or does not end is a finding too."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,  # what a terminal tells the bridge is not for it
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            said, _ = await child.communicate(msgspec.json.encode(files))
        return msgspec.json.decode(said, type=list[Finding])
    except (TimeoutError, msgspec.MsgspecError, OSError):
        text = f"the check of the set failed or took more than {LONGEST_S:.0f} s"
        remedy = "Run `pg-bridge mappings check` on the folder and see what it says."
        return [Finding("PGB-MAP-001", "error", "", text, remedy=remedy)]
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def environment() -> dict[str, str]:
    """Ours; and where the program is not installed but run from its own folder, the child finds the same one."""
    root = str(Path(__file__).resolve().parents[2])
    environment = dict(os.environ)
    if root not in site.getsitepackages():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    return environment


def main() -> None:
    """The process: files as JSON on standard input, findings as JSON on standard output."""
    files = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(msgspec.json.encode(check(files)))


if __name__ == "__main__":
    main()
