"""What `pg-bridge doctor` finds, a line each."""

from __future__ import annotations

from typing import Literal

import msgspec

from pg_bridge.errors import BridgeError

Verdict = Literal["good", "warning", "wrong"]


class Line(msgspec.Struct, frozen=True):
    """One thing that was looked at. remedy: what to do, where it is not good."""

    what: str
    verdict: Verdict
    text: str
    remedy: str = ""


def wrong(what: str, error: BridgeError, remedy: str) -> list[Line]:
    """A line for each finding of an error, or for itself."""
    return [
        Line(
            what,
            "warning" if one.severity == "warning" else "wrong",
            f"{one.path}: {one.text}" if one.path else one.text,
            one.remedy or remedy,
        )
        for one in error.told()
    ]
