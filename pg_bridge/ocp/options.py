"""The settings of the client towards OCP. Times in seconds; files are read once, when the client is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pg_bridge.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class OcpOptions:
    """Where OCP is and how long it is waited for. Raises ConfigError when the addresses cannot be used."""

    base_url: str
    #: where tokens are asked for; empty: base_url
    auth_base_url: str = ""
    #: to a connection: address, TCP and TLS
    connect_s: float = 3.0
    #: to a free connection of the pool, making it included
    pool_s: float = 10.0
    #: to the last byte of the request
    write_s: float = 10.0
    #: between two pieces of the answer
    read_s: float = 10.0
    #: of one request from first to last byte, however slowly its pieces come; 0: pool_s, write_s and read_s together
    most_s: float = 0.0
    #: for an unused connection: shorter than servers keep theirs, so that a call seldom meets one that closes
    keep_alive_s: float = 4.0
    most_connections: int = 64
    #: of one answer, in bytes
    largest_answer: int = 33_554_432
    ca_file: Path | None = None
    #: mTLS: PEM files, the key's own or one with the certificate
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None
    client_key_passphrase: bytes | None = field(default=None, repr=False)
    #: may carry a password
    proxy: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name, url in (("base_url", self.base_url), ("auth_base_url", self.auth_base_url), ("proxy", self.proxy)):
            if url or name == "base_url":
                parts = urlsplit(url)
                if parts.scheme not in ("http", "https") or not parts.hostname:
                    raise ConfigError(f"the setting {name} is no http or https address")

    @property
    def whole_s(self) -> float:
        """The bound of one request from first to last byte, however slowly its pieces come."""
        return self.most_s or self.pool_s + self.write_s + self.read_s
