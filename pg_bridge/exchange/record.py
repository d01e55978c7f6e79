"""What every record shares: the base class, a message to the PSS, a fault."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from pg_bridge.exchange.entries import Kind

NO_DOCUMENT = msgspec.Raw(b"null")


class Reply(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One message to the PSS: template, message type and the lines of its text block.

    data: of a part of a report, the piece whose lines end the body (`<the exchange that read it>/<number>`): they
    stand in an entry of their own, once, and are put behind it when it leaves.
    """

    template: str
    message_type: str
    body: str
    data: str = ""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """One fault of a refused request: its code (OCP's or ours), what that means, and the legacy reason code."""

    code: str
    meaning: str
    text: str
    reason: str


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The common part: which exchange and participant it belongs to."""

    kind: ClassVar[Kind]
    exchange: str = ""
    participant: str = ""

    def entry_kind(self) -> Kind:
        """The kind of the entry that holds this record."""
        return self.kind

    def references(self) -> dict[str, str]:
        """What the entry can be found by."""
        return {}
