"""Where each value came from."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Fate = Literal["mapped", "transformed", "defaulted", "carried", "lost"]


class Lineage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One target field: its sources, the value before and after, the rule and function, and what became of it.

    rule: `file:line`. A constant is `defaulted` and has no sources; a lost value has no target. From the
    second item of an array on, the target ends in `#2`, `#3` ...
    """

    target: str
    sources: tuple[str, ...]
    before: str
    after: str
    rule: str
    function: str
    kind: Fate


def word(value: Any) -> str:
    """A value as JSON shows it, and as lineage tells it; nothing where there is none."""
    if value.__class__ is str:
        return str(value)
    return "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)
