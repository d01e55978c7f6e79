"""The check of a mapping set in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import msgspec

from pg_bridge.cli.apart import done_apart
from pg_bridge.errors import Finding
from pg_bridge.mapping.checks.check import check

#: a check takes a second or two
LONGEST_S = 60.0


async def check_apart(files: Mapping[str, str]) -> list[Finding]:
    """All findings of a set; a check that fails or does not end is a finding too."""
    try:
        return await done_apart(__name__, files, list[Finding], within_s=LONGEST_S)
    except (TimeoutError, msgspec.MsgspecError, OSError):
        text = f"the check of the set failed or took more than {LONGEST_S:.0f} s"
        remedy = "Run `pg-bridge mappings check` on the folder and see what it says."
        return [Finding("PGB-MAP-001", "error", "", text, remedy=remedy)]


def main() -> None:
    """The process: files as JSON on standard input, findings as JSON on standard output."""
    files = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(msgspec.json.encode(check(files)))


if __name__ == "__main__":
    main()
