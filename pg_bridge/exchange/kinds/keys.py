"""Records of the keys by which OCP knows us. They tell which one signs from when, and change no state."""

from __future__ import annotations

from pg_bridge.errors import Finding
from pg_bridge.exchange.entries import Kind
from pg_bridge.exchange.kinds.commands import Who
from pg_bridge.exchange.record import Record


class KeyUsed(Record, frozen=True, kw_only=True):
    """From here on this key signs for the company or the machine (`whose`).

    key, before: RFC 7638 thumbprints; before: of the one that signed until now, empty at the start of the bridge.
    used_from_us, ends_us: as its list says, UTC microseconds since 1970; 0: it does not say. who: whose the list is.
    """

    kind = Kind.KEY_USED
    whose: str
    key: str
    algorithm: str
    file: str
    before: str = ""
    used_from_us: int = 0
    ends_us: int = 0
    who: Who

    def references(self) -> dict[str, str]:
        """The key's thumbprint, and who listed it."""
        return {"key": self.key, **self.who.references()}


class KeysRefused(Record, frozen=True, kw_only=True):
    """Keys on the disk changed and cannot be used: those that were read before go on."""

    kind = Kind.KEYS_REFUSED
    findings: tuple[Finding, ...]
