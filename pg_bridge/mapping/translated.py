"""What a mapping book makes of messages and documents: a request translated, a message written."""

from __future__ import annotations

from typing import Any

import msgspec

from pg_bridge.errors import Finding
from pg_bridge.mapping.lineage import Lineage
from pg_bridge.profiles.concepts import Operation


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request translated. Any finding of severity error: it is refused and `document` is empty.

    operation: None of a request for a report, which asks OCP nothing. reference: empty where it could not be read.
    document: in OCP's own names; a write has every member of its
    schema, absent ones null. sought: the concepts that name an SI and have no value yet: the SI is to be found, and
    they are to be filled in before it is called.
    mapping: `<rule file>@<set>/<version>/<12 hexadecimal characters of the set's hash>`.
    """

    template: str
    message_type: str
    function: str
    effect: str
    operation: Operation | None
    reference: str
    document: dict[str, Any]
    carried: dict[str, str]
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str
    sought: tuple[str, ...] = ()
    #: the further instructions of the same message, in order, where its sequences are one each
    more: tuple[Request, ...] = ()

    @property
    def parts(self) -> tuple[Request, ...]:
        """All instructions of the message, in order; one as a rule."""
        return (self, *self.more)


class Written(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message to the PSS: the lines of its text block, and where each value came from."""

    template: str
    message_type: str
    body: bytes
    lineage: tuple[Lineage, ...]
    findings: tuple[Finding, ...]
    mapping: str
    #: the further messages of an answer that one does not hold, in order
    more: tuple[Written, ...] = ()

    @property
    def pages(self) -> tuple[Written, ...]:
        """All messages, in order; one as a rule."""
        return (self, *self.more)
