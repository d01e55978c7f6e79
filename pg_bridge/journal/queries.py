"""The SQL of this room: schema.sql and sorting.sql as they are; queries.sql by name, a block from `-- name --` on."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_HERE = files(__package__)

SCHEMA = (_HERE / "schema.sql").read_text("utf-8")
SORTING = (_HERE / "sorting.sql").read_text("utf-8")


def _read_queries(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("-- ") and line.endswith(" --"):
            lines = found.setdefault(line[3:-3], [])
        elif not line.startswith("--"):
            lines.append(line)
    return {name: "\n".join(block).strip() for name, block in found.items()}


QUERIES = _read_queries((_HERE / "queries.sql").read_text("utf-8"))


@cache
def insert_rows(name: str, count: int) -> str:
    """The insert `name` for `count` rows in one statement.

    One statement for many rows, because the driver gives the interpreter lock away at each step and has to win it
    back from a busy event loop.
    """
    insert, values, row = QUERIES[name].rpartition("VALUES")
    return insert + values + ",".join([row] * count)
