"""Reports made in a process of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import msgspec

from pg_bridge.bridge.report_orders import Orders, ReportTold, fulfil
from pg_bridge.cli.apart import done_apart
from pg_bridge.errors import ReportError

#: all reports of one order
LONGEST_S = 1800.0
#: instructions go first
_NICENESS = 10


async def reports_apart(orders: Orders) -> Sequence[ReportTold]:
    """Make the reports of an order. Raises ReportError when the process failed or did not end."""
    try:
        return await done_apart(__name__, orders, list[ReportTold], within_s=LONGEST_S)
    except (TimeoutError, msgspec.MsgspecError, OSError) as error:
        raise ReportError(f"the making of {len(orders.orders)} reports failed or did not end") from error


def main() -> None:
    """The process: an order as JSON on standard input, what became of it as JSON on standard output."""
    os.nice(_NICENESS)
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    sys.stdout.buffer.write(msgspec.json.encode(fulfil(orders)))


if __name__ == "__main__":
    main()
