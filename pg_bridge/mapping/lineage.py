"""Where each value came from."""

from __future__ import annotations

from typing import Literal

import msgspec

Fate = Literal["mapped", "transformed", "defaulted", "carried", "lost"]


class Lineage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One target field: its sources, the value before and after, the rule and function, and what became of it.

    rule: `file:number`, counted from 1 in the order of the file. A lost value has no target.
    """

    target: str
    sources: tuple[str, ...]
    before: str
    after: str
    rule: str
    function: str
    kind: Fate
