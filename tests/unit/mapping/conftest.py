"""The shipped mapping set, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pg_bridge.mapping.book import MappingBook, load

MAPPINGS = Path(__file__).parents[3] / "mappings"


@pytest.fixture(scope="session")
def files() -> dict[str, str]:
    return {
        path.relative_to(MAPPINGS).as_posix(): path.read_text("utf-8")
        for path in sorted(MAPPINGS.rglob("*"))
        if path.suffix in (".toml", ".yaml")
    }


@pytest.fixture(scope="session")
def book(files: dict[str, str]) -> MappingBook:
    return load(files)
