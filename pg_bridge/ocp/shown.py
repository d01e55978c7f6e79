"""Headers as an auditor may see them: whatever lets somebody in is hidden."""

from __future__ import annotations

from collections.abc import Sequence

HIDDEN = b"***"
_SECRET = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"})


def shown(headers: Sequence[tuple[bytes, bytes]], token: bytes) -> list[tuple[bytes, bytes]]:
    """The headers with secret values hidden; of `Authorization` its scheme stays, and `token` stands nowhere."""
    return [
        (name, _hidden(value) if name.lower() in _SECRET else value.replace(token, HIDDEN)) for name, value in headers
    ]


def _hidden(value: bytes) -> bytes:
    scheme, space, _ = value.partition(b" ")
    return scheme + space + HIDDEN if space and scheme.isalpha() else HIDDEN
