"""Reports made in a process of their own, beside a bridge that goes on with its traffic."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence

import msgspec

from pg_bridge.bridge.report_orders import Orders, ReportTold, fulfil
from pg_bridge.cli.check_apart import environment
from pg_bridge.errors import ReportError

#: all reports of one order
LONGEST_S = 1800.0
#: instructions go first
_NICENESS = 10


async def reports_apart(orders: Orders) -> Sequence[ReportTold]:
    """Make the reports of an order. Raises ReportError when the process failed or did not end."""
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
            said, _ = await child.communicate(msgspec.json.encode(orders))
        return msgspec.json.decode(said, type=list[ReportTold])
    except (TimeoutError, msgspec.MsgspecError, OSError) as error:
        raise ReportError(f"the making of {len(orders.orders)} reports failed or did not end") from error
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def main() -> None:
    """The process: an order as JSON on standard input, what became of it as JSON on standard output."""
    os.nice(_NICENESS)
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    sys.stdout.buffer.write(msgspec.json.encode(fulfil(orders)))


if __name__ == "__main__":
    main()
