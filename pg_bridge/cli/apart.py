"""Work in a process of its own, beside a bridge that goes on with its traffic and keeps its processor.

A thread would not do for what runs messages through the reader: what the reader remembers of them is for one thread.
And what is too much for such a process ends that process only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import site
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


async def done_apart(module: str, asked: object, told: type[_T], *, within_s: float) -> _T:
    """Run `module` as a program: `asked` goes in as JSON by standard input, what it tells comes by standard output.

    Raises TimeoutError, msgspec.MsgspecError or OSError when it did not end in time, failed, or could not be started.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,  # what a terminal tells the bridge is not for it
    )
    try:
        async with asyncio.timeout(within_s):
            said, _ = await child.communicate(msgspec.json.encode(asked))
        return msgspec.json.decode(said, type=told)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def _environment() -> dict[str, str]:
    """Ours; and where the program is not installed but run from its own folder, the child finds the same one."""
    root = str(Path(__file__).resolve().parents[2])
    environment = dict(os.environ)
    if root not in site.getsitepackages():
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH", ""))))
    return environment
