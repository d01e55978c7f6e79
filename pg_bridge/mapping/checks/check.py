"""`mappings check`: everything wrong with a set of mapping files, both profiles, the link and cases included."""

from __future__ import annotations

from collections.abc import Mapping

from pg_bridge.errors import Finding, MappingInvalid
from pg_bridge.mapping.book import load
from pg_bridge.mapping.checks.cases import case_findings
from pg_bridge.mapping.checks.set_check import in_order


def check(files: Mapping[str, str]) -> list[Finding]:
    """All findings of a set of files (path below mappings/ to text), its cases run; empty: it is good.

    They come by file and line. Never raises for what stands in a file. Cases are run only when the set could be loaded.
    """
    try:
        book = load(files)
    except MappingInvalid as error:
        return in_order(error.findings)
    return in_order([*book.warnings, *case_findings(book, files)])
