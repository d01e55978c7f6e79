"""The `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def read_retry_after(value: str, now: float) -> float | None:
    """Seconds from `now` (epoch seconds by OCP's clock), never negative; None when it cannot be read."""
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now)
