"""Whose turn it is where OCP takes only so many calls: each call belongs to one of three turns."""

from __future__ import annotations

from enum import IntEnum

from pg_bridge.profiles.concepts import Operation


class Turn(IntEnum):
    """Which calls go before which when not all may go; the lower number first, none for ever."""

    #: authorise, hold, revoke, and what the client adds to a call that was let go
    URGENT = 0
    QUESTION = 1
    INPUT = 2


_URGENT = frozenset({Operation.SI_AUTHORISE, Operation.SI_HOLD, Operation.SI_REVOKE})


def turn_of(operation: str) -> Turn:
    """The turn of a write: one that stops or frees an SI goes before those that enter, change or delete one."""
    return Turn.URGENT if operation in _URGENT else Turn.INPUT
