"""The shipped mapping files, and messages in the making."""

from __future__ import annotations

from pathlib import Path

MAPPINGS = Path(__file__).parents[2] / "mappings"


def shipped() -> dict[str, str]:
    """Every file below mappings/, by its path there."""
    return {
        path.relative_to(MAPPINGS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(MAPPINGS.rglob("*"))
        if path.suffix in (".toml", ".yaml")
    }


def changed(path: str, old: str, new: str) -> dict[str, str]:
    """The shipped files with one text of one file changed, which must stand there."""
    files = shipped()
    if old not in files[path]:
        raise ValueError(f"{path} does not hold {old!r}")
    files[path] = files[path].replace(old, new)
    return files


def crlf(text: str) -> bytes:
    """A text block written with line feeds, as it goes over the wire."""
    return text.strip("\n").replace("\n", "\r\n").encode("latin-1") + b"\r\n"
