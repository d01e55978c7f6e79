"""How an SI stood when OCP last told of it: what a snapshot and a reconciliation compare with."""

from __future__ import annotations

import msgspec


class SiStanding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One SI as OCP last told it.

    version: OCP's count of its changes; 0: nothing but the answer to its input is known, -1: it is not known. status:
    OCP's code. day: of its input, `YYYY-MM-DD`. heard: the day of what told it. is_final: nothing follows. snapshot:
    the version that was last told by a snapshot; what happened up to it is not told again.
    """

    version: int
    status: str = ""
    day: str = ""
    heard: str = ""
    is_final: bool = False
    snapshot: int = 0


#: of an SI of which an older journal does not say how it stood
UNKNOWN = SiStanding(-1)
