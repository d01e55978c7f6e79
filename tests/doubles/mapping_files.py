"""The shipped mapping files, and messages in the making."""

from __future__ import annotations

from pathlib import Path
from typing import Any

MAPPINGS = Path(__file__).parents[2] / "mappings"
#: what a translation is told beside the message
CONTEXT: dict[str, Any] = {
    "reference": "PG00000000000001",
    "participant": "B01234",
    "terminal": "PSS1",
    "business_date": "2026-11-23",
    "timestamp": "20261123093000",
    "snapshot": False,
}
#: SI01 in MT542, mandatory fields only; tests write more of it by `with_`
DELIVER_FREE = """\
:16R:GENL
:20C::SEME//B0123400001
:23G:NEWM
:16S:GENL
:16R:TRADDET
:98A::SETT//20261125
:35B:ISIN HK0005000002
:16S:TRADDET
:16R:FIAC
:36B::SETT//UNIT/1000,
:97A::SAFE//00000001
:16S:FIAC
:16R:SETDET
:22F::SETR//TRAD
:16R:SETPRTY
:95R::REAG/CCAS/C00019
:16S:SETPRTY
:16R:SETPRTY
:95P::PSET//XHKCHKH1XXX
:16S:SETPRTY
:16S:SETDET
"""


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


def with_(text: str, *changes: tuple[str, str]) -> str:
    """A text with these pieces put in place of others, which must stand there."""
    for old, new in changes:
        if old not in text:
            raise ValueError(f"the text does not hold {old!r}")
        text = text.replace(old, new, 1)
    return text


def before(place: str, *lines: str) -> tuple[str, str]:
    """The change that puts lines before one that stands there."""
    return f"{place}\n", "\n".join((*lines, place, ""))


def crlf(text: str) -> bytes:
    """A text block written with line feeds, as it goes over the wire."""
    return text.strip("\n").replace("\n", "\r\n").encode("latin-1") + b"\r\n"
