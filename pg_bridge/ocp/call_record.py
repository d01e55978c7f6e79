"""One HTTP request to OCP as an auditor may see it: whatever lets somebody in is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

RawHeaders = Sequence[tuple[bytes, bytes]]
HIDDEN = b"***"
_SECRET = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"})


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request as it went over, for the audit. No header of it holds a secret, nor does the answer our token.

    at: epoch seconds by our clock when it ended; duration_s: from first byte out to last byte in.
    status 0: no answer came. error: the code of the OcpError that it became, empty when none. entries: of a write
    those asked, of a question those answered.
    """

    operation: str
    participant: str
    request_id: str
    method: str
    url: str
    sent: RawHeaders = ()
    asked: bytes
    status: int
    received: RawHeaders = ()
    answered: bytes
    entries: int = 0
    at: float
    duration_s: float
    error: str = ""


def shown(headers: RawHeaders, token: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with secret values hidden; of `Authorization` its scheme stays, and `token` stands nowhere."""
    return [
        (name, _hidden(value) if name.lower() in _SECRET else value.replace(token, HIDDEN)) for name, value in headers
    ]


def _hidden(value: bytes) -> bytes:
    scheme, space, _ = value.partition(b" ")
    return scheme + space + HIDDEN if space and scheme.isalpha() else HIDDEN
