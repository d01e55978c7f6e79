"""TLS towards the PSSs: our certificate, and whose certificates of theirs we take."""

from __future__ import annotations

import ssl

from pg_bridge.errors import ConfigError


def server_context(certificate: str, key: str, client_ca: str) -> ssl.SSLContext | None:
    """TLS 1.2 or later by these PEM files; None without a certificate. With `client_ca` a PSS must show one of it.

    Raises ConfigError when a file cannot be used, or is named without our certificate: nobody means plain TCP then.
    """
    if not certificate:
        if key or client_ca:
            raise ConfigError("reading the TLS files of [pss]: tls_certificate is not named, so there would be no TLS")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
    except OSError as error:
        raise ConfigError(f"reading the TLS files of [pss]: {error}") from error
    return context
