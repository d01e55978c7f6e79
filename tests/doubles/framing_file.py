"""The shipped link profile, as text and as read."""

from __future__ import annotations

from pathlib import Path

from pg_bridge.link.profile import LinkProfile, read_link_profile

TEXT = (Path(__file__).parents[2] / "mappings" / "legacy" / "framing.toml").read_text("utf-8")


def edited(*changes: tuple[str, str]) -> str:
    """The shipped text with each `old` replaced by `new`; every `old` must be there once."""
    text = TEXT
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in framing.toml")
        text = text.replace(old, new)
    return text


def profile(*changes: tuple[str, str]) -> LinkProfile:
    """The shipped profile, with changes to its text."""
    return read_link_profile(edited(*changes))
